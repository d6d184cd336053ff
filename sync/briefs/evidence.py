"""What is known about an account, as typed facts with unit, date and source: all that a brief may say.

Read from the canonical tables after identity resolution, as known on the as-of day. A table or column
that is missing gives no fact; nothing is guessed in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sync.briefs.facts import Fact, Unit
from sync.briefs.relations import deals, relationship, tickets
from sync.briefs.scored import scored
from sync.rows import Tables, day_of, invoices, select

__all__ = ["Tables", "day_of", "read_evidence", "select"]

ACTIVE_DAYS: Final = 30
QUARTER_DAYS: Final = 90
OVERAGE_DAYS: Final = 60
OVERAGE_SHARE: Final = 0.01  # of what these days cost by contract; less is nothing to talk about
RENEWAL_DAYS: Final = 180  # so long before, people begin to think of it
MIN_USERS: Final = 5  # below, one person more or less is no growth
MIN_CHANGE: Final = 0.05


def read_evidence(
    tables: Tables, scores: Sequence[Mapping[str, Any]], as_of: date
) -> dict[str, dict[str, Fact]]:
    """Facts of the scored accounts given, by account_id; one small query a table."""
    ids = [row["account_id"] for row in scores]
    found: dict[str, dict[str, Fact]] = {account_id: {} for account_id in ids}
    for account_id, fact in (
        *_contract(tables, ids, as_of),
        *_active_users(tables, ids, as_of),
        *relationship(tables, ids, as_of),
        *tickets(tables, ids, as_of),
        *deals(tables, ids, as_of),
        *((row["account_id"], fact) for row in scores for fact in scored(row, as_of)),
    ):
        if fact.is_finite:
            found[account_id][fact.id] = fact
    return found


def _contract(tables: Tables, ids: Sequence[str], as_of: date) -> Iterable[tuple[str, Fact]]:
    for account_id, bills in invoices(tables, ("seats", "arr", "overage"), as_of, ids).items():
        start, row = max(bills.items(), key=lambda bill: bill[0])
        recent = as_of - timedelta(days=OVERAGE_DAYS)
        value = sum((bill["overage"] or 0.0 for day, bill in bills.items() if day > recent), 0.0)
        units: tuple[tuple[str, Unit], ...] = (("seats", "seats"), ("arr", "money"))
        for name, unit in units:
            if row[name]:
                yield (
                    account_id,
                    Fact(id=name, value=row[name], unit=unit, source="billing", day=start),
                )
        if value > OVERAGE_SHARE * (row["arr"] or 0.0) * OVERAGE_DAYS / 365:
            yield account_id, Fact(id="overage", value=value, unit="money", source="billing", day=as_of)
    for row in select(tables, "accounts", ("account_id", "renewal_date"), ids):
        if row["renewal_date"] is not None and row["renewal_date"] > as_of:
            soon = row["renewal_date"] <= as_of + timedelta(days=RENEWAL_DAYS)
            for name in ("renewal", "renewal_soon") if soon else ("renewal",):
                fact = Fact(id=name, value=row["renewal_date"], unit="date", source="accounts", day=as_of)
                yield row["account_id"], fact


def _active_users(tables: Tables, ids: Sequence[str], as_of: date) -> Iterable[tuple[str, Fact]]:
    """People active in the month to the as-of day, and their change on a quarter earlier."""
    events = tables.get("events")
    if events is None or not {"account_id", "user_id", "at"} <= set(events.columns):
        return
    end = datetime.combine(as_of + timedelta(days=1), time.min, tzinfo=UTC)
    month, quarter = timedelta(days=ACTIVE_DAYS), timedelta(days=QUARTER_DAYS)
    now = (events.at >= end - month) & (events.at < end)
    then = (events.at >= end - quarter - month) & (events.at < end - quarter)
    counted = (
        events.filter(events.account_id.isin(list(ids)), now | then)
        .group_by("account_id")
        .aggregate(users=events.user_id.nunique(where=now), before=events.user_id.nunique(where=then))
    )
    for row in counted.to_pyarrow().to_pylist():
        users, before = row["users"], row["before"]
        if users:
            yield (
                row["account_id"],
                Fact(id="active_users", value=users, unit="users", source="events", day=as_of),
            )
        change = users / before - 1 if before >= MIN_USERS else 0.0
        if abs(change) >= MIN_CHANGE:
            yield (
                row["account_id"],
                Fact(
                    id="users_growth_90",
                    value=change,
                    unit="percent",
                    source="events",
                    day=as_of,
                    direction="up" if change > 0 else "down",
                ),
            )
