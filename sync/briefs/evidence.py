"""What is known about an account, as typed facts with unit, date and source: all that a brief may say.

Read from the canonical tables after identity resolution, as known on the as-of day. A table or column
that is missing gives no fact; nothing is guessed in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sync.briefs.facts import Fact, Unit

ACTIVE_DAYS: Final = 30
OVERAGE_DAYS: Final = 60
QUOTE_LENGTH: Final = 160

Tables = Mapping[str, Any]
"""Canonical tables by name, as Ibis expressions."""


def read_evidence(
    tables: Tables, scores: Sequence[Mapping[str, Any]], as_of: date
) -> dict[str, dict[str, Fact]]:
    """Facts of the scored accounts given, by account_id; one small query a table."""
    ids = [row["account_id"] for row in scores]
    found: dict[str, dict[str, Fact]] = {account_id: {} for account_id in ids}
    for account_id, fact in (
        *_contract(tables, ids, as_of),
        *_active_users(tables, ids, as_of),
        *_relationship(tables, ids, as_of),
        *(pair for row in scores for pair in _scored(row, as_of)),
    ):
        found[account_id][fact.id] = fact
    return found


def select(tables: Tables, name: str, columns: Sequence[str], ids: Iterable[str] | None = None) -> list[Any]:
    """Rows of a table as dicts; none where the table is missing, null where a column is."""
    table = tables.get(name)
    if table is None:
        return []
    if ids is not None:
        table = table.filter(table.account_id.isin(list(ids)))
    present = [column for column in columns if column in table.columns]
    empty = dict.fromkeys(columns)
    rows: list[dict[str, Any]] = table.select(*present).to_pyarrow().to_pylist()
    return [empty | row for row in rows]


def day_of(moment: date | datetime | None) -> date | None:
    """The UTC day of a date or timestamp."""
    return moment.date() if isinstance(moment, datetime) else moment


def _contract(tables: Tables, ids: Sequence[str], as_of: date) -> Iterable[tuple[str, Fact]]:
    columns = ("account_id", "period_start", "seats", "arr", "overage", "known_from")
    overage: dict[str, float] = {}
    latest: dict[str, Mapping[str, Any]] = {}
    for row in select(tables, "billing", columns, ids):
        start, known = row["period_start"], day_of(row["known_from"])
        if start is None or start > as_of or (known is not None and known > as_of):
            continue
        account_id = row["account_id"]
        if account_id not in latest or start > latest[account_id]["period_start"]:
            latest[account_id] = row
        if start > as_of - timedelta(days=OVERAGE_DAYS):
            overage[account_id] = overage.get(account_id, 0.0) + (row["overage"] or 0.0)
    for account_id, row in latest.items():
        units: tuple[tuple[str, Unit], ...] = (("seats", "seats"), ("arr", "money"))
        for name, unit in units:
            if row[name]:
                yield (
                    account_id,
                    Fact(id=name, value=row[name], unit=unit, source="billing", day=row["period_start"]),
                )
        if overage.get(account_id, 0.0) > 0:
            value = overage[account_id]
            yield account_id, Fact(id="overage", value=value, unit="money", source="billing", day=as_of)
    for row in select(tables, "accounts", ("account_id", "renewal_date"), ids):
        if row["renewal_date"] is not None and row["renewal_date"] > as_of:
            fact = Fact(id="renewal", value=row["renewal_date"], unit="date", source="CRM", day=as_of)
            yield row["account_id"], fact


def _active_users(tables: Tables, ids: Sequence[str], as_of: date) -> Iterable[tuple[str, Fact]]:
    events = tables.get("events")
    if events is None or not {"account_id", "user_id", "at"} <= set(events.columns):
        return
    end = datetime.combine(as_of + timedelta(days=1), time.min, tzinfo=UTC)
    since = end - timedelta(days=ACTIVE_DAYS)
    recent = events.filter(events.account_id.isin(list(ids)), events.at >= since, events.at < end)
    counted = recent.group_by("account_id").aggregate(users=recent.user_id.nunique())
    for row in counted.to_pyarrow().to_pylist():
        if row["users"]:
            yield (
                row["account_id"],
                Fact(id="active_users", value=row["users"], unit="users", source="usage", day=as_of),
            )


def _relationship(tables: Tables, ids: Sequence[str], as_of: date) -> Iterable[tuple[str, Fact]]:
    """The newest goal, QBR, NPS answer and meeting of each account; a later row replaces an earlier one."""
    newest: dict[tuple[str, str], tuple[date, Fact]] = {}

    def keep(account_id: str, fact: Fact) -> None:
        if fact.day is None or fact.day > as_of or fact.value in (None, ""):
            return
        if (account_id, fact.id) not in newest or fact.day >= newest[account_id, fact.id][0]:
            newest[account_id, fact.id] = (fact.day, fact)

    for row in select(tables, "notes", ("account_id", "kind", "written_at", "text"), ids):
        day = day_of(row["written_at"])
        if row["kind"] == "goal":
            text = (_quotable(row["text"]) or "").rstrip(". ")  # it is quoted inside a sentence
            keep(row["account_id"], Fact(id="goal", value=text, unit="text", source="notes", day=day))
        elif row["kind"] == "qbr":
            keep(row["account_id"], Fact(id="last_qbr", value=day, unit="date", source="notes", day=day))
    for row in select(tables, "surveys", ("account_id", "kind", "score", "responded_at"), ids):
        if row["kind"] == "nps":
            day = day_of(row["responded_at"])
            keep(
                row["account_id"],
                Fact(id="nps", value=row["score"], unit="points", source="surveys", day=day),
            )
    for row in select(tables, "activities", ("account_id", "kind", "occurred_at"), ids):
        if row["kind"] == "meeting":
            day = day_of(row["occurred_at"])
            keep(row["account_id"], Fact(id="last_meeting", value=day, unit="date", source="CRM", day=day))
    return [(account_id, fact) for (account_id, _), (_, fact) in newest.items()]


def _scored(row: Mapping[str, Any], as_of: date) -> Iterable[tuple[str, Fact]]:
    account_id = row["account_id"]
    for name in ("arr_low", "arr_high"):
        if row[name] is not None:
            yield account_id, Fact(id=name, value=row[name], unit="money", source="model", day=as_of)
    for group, reasons in (("reason", row["reasons"]), ("against", row["against"])):
        for position, reason in enumerate(reasons or (), start=1):
            yield (
                account_id,
                Fact(
                    id=f"{group}_{position}",
                    value=reason["sentence"],
                    unit="sentence",
                    source="model",
                    day=as_of,
                    direction="up" if group == "reason" else "down",
                ),
            )


def _quotable(text: str | None) -> str | None:
    """A customer's words on one line, cut at a word; quoted, never followed."""
    words = " ".join((text or "").split()).replace('"', "'")
    if len(words) <= QUOTE_LENGTH:
        return words or None
    return words[:QUOTE_LENGTH].rsplit(" ", 1)[0].rstrip(",.;:") + "…"
