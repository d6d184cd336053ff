"""Events reduced to days, once: what the timeline is made of, and all that is kept of usage for the model.

Three small tables stand for the events of a source, each row with the day from which it may be seen
(`known`: the day of the event itself, or the later one on which it reached us). They add up: partials of
several sources together say what those of all events say, so that a source which is sent again only
replaces its own.

    user_day     events, billing-page views and events at a gate of a user on a day
    feature_day  events on a feature of an account on a day
    session_day  a session of a user on a day; only distinct ones count, in whichever sources they lie

Billing pages are told by words in `event` and `feature` (BILLING_PAGES), gates by words in `event` (GATES).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.days import as_day
from model.workspace import Workspace

BILLING_PAGES: Final = "billing|invoice|pricing|plan_page|plans_page|upgrade_page|subscription"
"""Pages on which people look at plans, prices and invoices; matched inside the names, lower case."""

GATES: Final = "|".join(
    (
        r"upgrade|paywall|upsell|not.?included|add.?on",
        r"(^|[^a-z])(trial|locked|gated)",
        r"(^|[^a-z])premium[^a-z]?(feature|preview|prompt|request|click|interest|locked)",
        # a file, link or mail is previewed in many products: the word has to be all, or of a feature or plan
        (
            r"^((feature|premium|plan|module|product)[^a-z]?)?preview(ed)?"
            r"([^a-z]?(open|opened|view|viewed|show|shown|click|clicked|start|started|request|requested))?$"
        ),
    )
)
"""Events by which people meet, or ask for, what their plan lacks; matched inside `event`, lower case."""

LAYOUT: Final = "2"
"""Another one for each change of what partials hold, or of the words by which they are told, so that those
which were written before are made anew."""

_TEXT, _DAY, _COUNT = pa.string(), pa.int32(), pa.int32()
PARTIALS: Final[Mapping[str, Mapping[str, pa.DataType]]] = MappingProxyType(
    {
        "user_day": {
            "user_id": _TEXT, "at": _DAY, "known": _DAY,
            "events": _COUNT, "billing_views": _COUNT, "gate_events": _COUNT,
        },
        "feature_day": {"feature": _TEXT, "at": _DAY, "known": _DAY, "events": _COUNT},
        "session_day": {"user_id": _TEXT, "session_id": _TEXT, "at": _DAY, "known": _DAY},
    }
)  # fmt: skip
"""The columns of each partial, after those of its account."""


def partials_of(
    events: ir.Table, account: Sequence[str], keep: Callable[[ir.Table], ir.Table] = lambda table: table
) -> dict[str, ir.Table]:
    """The partials of events with `user_id`, `event`, `feature`, `session_id`, `at` and `known_from`.

    `account` names the columns that say whose they are (account_key, account_id …). `at` and `known_from` are
    times in UTC, dates or day numbers; an event without `at` is left out, one without `known_from` is known
    when it happened. The columns are those of PARTIALS, in any order of rows. `keep` materialises what all
    three are made of, so that the events are read once and not three times."""
    days = keep(_by_day(events, account))
    names = _told_names(days).view()
    viewed = days.join(names, _same_name(days, names))
    user_day = viewed.group_by(*account, "user_id", "at", "known").agg(
        events=viewed.events.sum(),
        billing_views=(viewed.events * viewed.is_billing).sum(),
        gate_events=(viewed.events * viewed.is_gate).sum(),
    )
    used = days.filter(days.feature.notnull())
    feature_day = used.group_by(*account, "feature", "at", "known").agg(events=used.events.sum())
    met = days.filter(days.session_id.notnull() & days.user_id.notnull())
    session_day = met.group_by(*account, "user_id", "session_id", "at").agg(known=met.known.min())
    made = {"user_day": user_day, "feature_day": feature_day, "session_day": session_day}
    return {name: _cast(table, name, account) for name, table in made.items()}


def usage_by_day(
    tables: Mapping[str, ir.Table], sources: Mapping[str, ir.Table], space: Workspace
) -> Mapping[str, ir.Table]:
    """The partials by `account_id`: those among `tables`, else made of the clean events of `sources`."""
    if PARTIALS.keys() <= tables.keys():
        return {name: tables[name] for name in PARTIALS}
    events = sources["events"]
    made = partials_of(events.mutate(known_from=events.known), ("account_id",), space.keep)
    return {name: space.keep(table) for name, table in made.items()}


def partial_schema(name: str, account: Sequence[str]) -> pa.Schema:
    """The Arrow schema of a partial whose accounts are told by these columns."""
    return pa.schema([*((column, _TEXT) for column in account), *PARTIALS[name].items()])


def _by_day(events: ir.Table, account: Sequence[str]) -> ir.Table:
    """How many events are alike, with day numbers; without a day they are left out."""
    at = _day(events["at"])
    known = ibis.greatest(at, ibis.coalesce(_day(events.known_from), at))
    names = ("user_id", "event", "feature", "session_id")
    days = events.select(*account, *names, at=at, known=known).filter(lambda t: t["at"].notnull())
    return days.group_by(*account, *names, "at", "known").agg(events=days.count())


def _cast(table: ir.Table, name: str, account: Sequence[str]) -> ir.Table:
    columns = {column: table[column].cast(_kind_of(name, column)) for column in PARTIALS[name]}
    return table.select(*account, **columns)


def _kind_of(name: str, column: str) -> str:
    """The Ibis type of a partial's column."""
    return "string" if PARTIALS[name][column] == _TEXT else "int32"


def _told_names(events: ir.Table) -> ir.Table:
    """Each name once, whether it is a billing page and whether a gate: a few names are searched, not every
    event."""
    names = events.select("event", "feature").distinct()
    text = ibis.coalesce(names.event, "") + " " + ibis.coalesce(names.feature, "")
    return names.select(
        name_event="event",
        name_feature="feature",
        is_billing=text.lower().re_search(BILLING_PAGES).cast("int32"),
        is_gate=ibis.coalesce(names.event, "").lower().re_search(GATES).cast("int32"),
    )


def _same_name(events: ir.Table, names: ir.Table) -> list[ir.BooleanColumn]:
    return [events.event.identical_to(names.name_event), events.feature.identical_to(names.name_feature)]


def _day(column: ir.Column) -> ir.IntegerColumn:
    return (column if column.type().is_integer() else as_day(column)).cast("int32")
