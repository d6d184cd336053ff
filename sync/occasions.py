"""What happens at an account that may start a play by itself: outside events, and limits that are reached.

Read from the canonical tables as known on the as-of day, only what some setting asks for. Milestones stand
in the score itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final

from sync.rows import Tables, day_of, invoices, select

ACTIVE_DAYS: Final = 30  # as the model's seat_utilisation
LATEST_DAYS: Final = 35  # as the model's limit_utilisation: a month's figure, and some days to arrive
MONTH: Final = 30.4
SEATS: Final = "seat_utilisation"
LIMITS: Final = "limit_utilisation"
EVENTS: Final = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One account's: the newest event of each kind with its day, and how full its limits are (1 is full)."""

    events: Mapping[str, date] = field(default_factory=lambda: MappingProxyType({}))
    seat_utilisation: float | None = None
    limit_utilisation: float | None = None


NONE: Final = Occasion()


def read_occasions(tables: Tables, as_of: date, wanted: Collection[str]) -> dict[str, Occasion]:
    """Occasions by account_id; `wanted` says which of EVENTS, SEATS and LIMITS are asked for."""
    events = _events(tables, as_of) if EVENTS in wanted else {}
    seats = _seats(tables, as_of) if SEATS in wanted else {}
    limits = _limits(tables, as_of) if LIMITS in wanted else {}
    return {
        account_id: Occasion(
            events=events.get(account_id, {}),
            seat_utilisation=seats.get(account_id),
            limit_utilisation=limits.get(account_id),
        )
        for account_id in {*events, *seats, *limits}
    }


def _events(tables: Tables, as_of: date) -> dict[str, dict[str, date]]:
    found: dict[str, dict[str, date]] = {}
    for row in select(tables, "triggers", ("account_id", "kind", "occurred_on", "known_from")):
        day, known = row["occurred_on"], day_of(row["known_from"])
        if day is not None and row["kind"] and day <= as_of and (known is None or known <= as_of):
            kinds = found.setdefault(row["account_id"], {})
            kinds[row["kind"]] = max(day, kinds.get(row["kind"], day))
    return found


def _seats(tables: Tables, as_of: date) -> dict[str, float]:
    """Users active in the last 30 days over the seats of the latest invoice."""
    seats: dict[str, float] = {}
    for account_id, bills in invoices(tables, ("seats",), as_of).items():
        stated = [start for start, bill in bills.items() if bill["seats"]]
        if stated:
            seats[account_id] = bills[max(stated)]["seats"]
    events = tables.get("events")
    if not seats or events is None or not {"account_id", "user_id", "at"} <= set(events.columns):
        return {}
    end = datetime.combine(as_of + timedelta(days=1), time.min, tzinfo=UTC)
    recent = events.filter(events["at"] >= end - timedelta(days=ACTIVE_DAYS), events["at"] < end)
    counted = recent.group_by("account_id").aggregate(users=recent.user_id.nunique()).to_pyarrow()
    return {
        row["account_id"]: row["users"] / seats[row["account_id"]]
        for row in counted.to_pylist()
        if row["account_id"] in seats
    }


def _limits(tables: Tables, as_of: date) -> dict[str, float]:
    """The fullest metered limit of each account in its latest month; seats are no metered limit."""
    allowed: dict[tuple[str, str], tuple[date, date, float]] = {}
    columns = ("account_id", "item", "quantity", "valid_from", "valid_to", "known_from")
    for row in select(tables, "entitlements", columns):
        start, ends = row["valid_from"], row["valid_to"]
        item = (row["item"] or "").lower()
        if start is None or not row["quantity"] or item in ("", "seats") or not _is_known(row, start, as_of):
            continue
        if ends is None or ends >= as_of:
            key, held = (
                (row["account_id"], item),
                (start, day_of(row["known_from"]) or start, row["quantity"]),
            )
            allowed[key] = max(held, allowed.get(key, held))
    used: dict[tuple[str, str], list[float]] = {}
    for row in select(
        tables, "usage", ("account_id", "metric", "period_start", "period_days", "value", "known_from")
    ):
        start, metric = row["period_start"], (row["metric"] or "").lower()
        if start is None or row["value"] is None or (row["account_id"], metric) not in allowed:
            continue
        days = max(row["period_days"] or 30, 1)
        end = start + timedelta(days=days)
        if as_of - timedelta(days=LATEST_DAYS) < end <= as_of and _is_known(row, start, as_of):
            # what is stored is a level; what is counted is scaled to a month, since plans state limits so
            scale = 1.0 if "storage" in metric else MONTH / days
            used.setdefault((row["account_id"], metric), []).append(row["value"] * scale)
    fullest: dict[str, float] = {}
    for (account_id, metric), figures in used.items():
        share = sum(figures) / len(figures) / allowed[account_id, metric][-1]
        fullest[account_id] = max(share, fullest.get(account_id, 0.0))
    return fullest


def _is_known(row: Mapping[str, Any], start: date, as_of: date) -> bool:
    known = day_of(row["known_from"])
    return start <= as_of and (known is None or known <= as_of)
