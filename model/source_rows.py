"""The source rows behind a feature's value: which invoices, tickets, days of use made it, and how many.

The rows are those that a family states for its feature (`Trace`), as they were known on the as-of day: what
came later, such as a closing, is left blank. Events are shown by day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.days import calendar_date
from model.features.feature import Trace
from model.features.ticket_text import TextRules, describe
from model.partials import GATES
from model.sources import SOURCES

SHOWN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "accounts": (
            *("industry", "segment", "country", "employees", "parent_id"),
            *("customer_since", "contract_start", "contract_term_months", "fiscal_year_start"),
        ),
        "contacts": ("crm_id", "title", "role", "left_at"),
        "opportunities": ("crm_id", "opportunity_type", "stage", "amount", "closed_at", "product_id"),
        "account_history": ("field", "old_value", "new_value"),
        "activities": ("kind", "subject"),
        "tickets": ("subject", "priority", "is_escalated", "closed_at", "csat"),
        "events": ("events", "users", "features"),
        "users": ("user_id", "department", "role"),
        "usage": ("metric", "value"),
        "billing": ("plan_tier", "seats", "arr", "list_arr", "overage"),
        "entitlements": ("item", "kind", "quantity", "valid_to"),
        "surveys": ("kind", "score"),
        "triggers": ("kind",),
        "notes": ("kind", "outcome", "text"),
    }
)
"""The columns of each source that are shown, after its day and, for other accounts' rows, the account."""

NO_RULES: Final = TextRules(idf=MappingProxyType({}), products=MappingProxyType({}))

LATER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "contacts": ("left_at",),
        "opportunities": ("closed_at", "stage"),
        "tickets": ("closed_at", "csat"),
    }
)
"""What a row that lives has from a later day on, the first of which says since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRows:
    """The newest rows behind a value, newest first, of `total`; all happened from `first` to `last`.

    For events a row is a day, and `total` counts events."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int
    first: date | None = None
    last: date | None = None


def source_rows(
    sources: Mapping[str, ir.Table],
    trace: Trace,
    accounts: Sequence[str],
    *,
    eve: int,
    limit: int,
    rules: TextRules = NO_RULES,
) -> SourceRows:
    """At most `limit` rows of the trace, of these accounts, as known on the day numbered `eve`.

    Of events the `sources` have the partials, and a row is a day. A ticket has a column `says` too: the rules
    of the text that it meets, with the words that were found."""
    dated = SOURCES[trace.table].at is not None
    if trace.table == "events":
        lines = days_of_use(sources, trace, accounts, eve)
        counted = lines.aggregate(total=lines.events.sum(), first=lines["at"].min(), last=lines["at"].max())
    else:
        lines = traced(sources, trace, accounts, eve)
        days = {"first": lines[trace.day].min(), "last": lines[trace.day].max()} if dated else {}
        counted = lines.aggregate(total=lines.count(), **days)
    counts = counted.to_pyarrow().to_pylist()[0]
    columns = (
        *(("at",) if dated else ()),
        *(("account_id",) if trace.alike and trace.table != "events" else ()),
        *SHOWN[trace.table],
    )
    texts = ("subject", "body") if trace.table == "tickets" else ()
    newest = lines.select(*dict.fromkeys((*columns, *LATER.get(trace.table, ()), *texts)))
    order = [ibis.desc(name) if name == "at" else name for name in newest.columns]
    shown = newest.order_by(order).limit(limit).to_pyarrow().to_pylist()
    named = ("day", *columns[1:]) if dated else columns
    rows = [_line(row, trace.table, columns, eve) for row in shown]
    if texts:
        named = (*named, "says")
        said = [describe(row["subject"], row["body"], rules) for row in shown]
        rows = [(*cells, each) for cells, each in zip(rows, said, strict=True)]
    return SourceRows(
        table=trace.table,
        columns=named,
        rows=tuple(rows),
        total=int(counts["total"] or 0),
        first=_date(counts.get("first")),
        last=_date(counts.get("last")),
    )


def days_of_use(sources: Mapping[str, ir.Table], trace: Trace, accounts: Sequence[str], eve: int) -> ir.Table:
    """Days with events of the trace: at, events, users and features (distinct), from the partials.

    Which user used which feature is not kept, so a trace by role or page says nothing of features, and one of
    events on some feature nothing of users."""
    plain = replace(trace, table="user_day", roles=(), pages="", filled=())
    used = _known(sources["user_day"], plain, accounts, eve)
    if trace.roles:
        used = used.semi_join(_in_roles(sources["users"], trace.roles, accounts), ["account_id", "user_id"])
    if trace.pages:
        used = used.mutate(events=used.gate_events if trace.pages == GATES else used.billing_views)
        used = used.filter(used.events > 0)
    days = used.group_by("at").agg(events=used.events.sum(), users=used.user_id.nunique())
    by_feature = _known(sources["feature_day"], plain, accounts, eve)
    touched = by_feature.group_by("at").agg(on=by_feature.events.sum(), features=by_feature.feature.nunique())
    both = days.left_join(touched, "at").drop("at_right")
    if trace.filled:  # only the events on some feature
        some = both.filter(both.on.notnull())
        return some.select("at", "features", events="on", users=ibis.null("int64"))
    hidden = ibis.null("int64") if trace.roles or trace.pages else ibis.coalesce(both.features, 0)
    return both.select("at", "events", "users", features=hidden)


def traced(sources: Mapping[str, ir.Table], trace: Trace, accounts: Sequence[str], eve: int) -> ir.Table:
    """The rows of the clean sources that the trace names, of these accounts, known by `eve`."""
    if SOURCES[trace.table].at is None:
        found = _of(sources[trace.table], accounts)
    else:
        found = _known(sources[trace.table], trace, accounts, eve)
    for column, values in trace.where.items():
        found = found.filter(ibis.coalesce(found[column], "").lower().isin(list(values)))
    for column in trace.filled:
        found = found.filter(found[column].notnull())
    for column in trace.flags:
        found = found.filter(ibis.coalesce(found[column], False))
    if trace.roles:
        found = found.semi_join(_in_roles(sources["users"], trace.roles, accounts), ["account_id", "user_id"])
    if trace.pages:
        text = ibis.coalesce(found.event, "") + " " + ibis.coalesce(found.feature, "")
        found = found.filter(text.lower().re_search(trace.pages))
    if trace.newest:
        order = ibis.window(group_by="account_id", order_by=ibis.desc("at"))
        found = found.mutate(place=ibis.row_number().over(order)).filter(ibis._.place == 0).drop("place")
    return found


def _known(table: ir.Table, trace: Trace, accounts: Sequence[str], eve: int) -> ir.Table:
    """The accounts' rows that were known by `eve` and lie in the trace's days."""
    found = _of(table, accounts)
    found = found.filter(found.known <= eve)
    if "replaced" in found.columns:
        found = found.filter(found.replaced.isnull() | (found.replaced > eve))
    if trace.day != "at":  # of a record that lives: what happened to it by then
        found = found.filter(found[trace.day] <= eve)
    return found if trace.days is None else found.filter(eve - found[trace.day] < trace.days)


def _in_roles(users: ir.Table, roles: Sequence[str], accounts: Sequence[str]) -> ir.Table:
    found = _of(users, accounts)
    role = ibis.coalesce(found.role, "").lower().replace(" ", "_")
    return found.filter(role.isin(list(roles)))


def _of(table: ir.Table, accounts: Sequence[str]) -> ir.Table:
    if len(accounts) == 1:
        return table.filter(table.account_id == accounts[0])
    wanted = ibis.memtable(pa.table({"account_id": pa.array(accounts, pa.string())}))
    return table.semi_join(wanted, "account_id")


def _line(row: Mapping[str, Any], table: str, columns: Sequence[str], eve: int) -> tuple[Any, ...]:
    """The row's cells as of the day: days as dates, and nothing that came later."""
    cells = dict(row)
    later = LATER.get(table, ())
    if later and (cells[later[0]] is None or cells[later[0]] > eve):
        cells |= dict.fromkeys(later)
    kinds = SOURCES[table].columns
    return tuple(
        _date(cells[name]) if name == "at" or kinds.get(name) == "day" else cells[name] for name in columns
    )


def _date(day: int | None) -> date | None:
    return None if day is None else calendar_date(day)
