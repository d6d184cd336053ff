"""The rows that are shown behind a value are the rows that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from model.days import day_number
from model.engine import Engine
from model.features.families import CATALOGUE, FAMILIES
from model.features.feature import Trace
from model.panel import build_rows
from model.partials import usage_by_day
from model.product import Product
from model.source_rows import LATER, SHOWN, days_of_use, source_rows, traced
from model.sources import SOURCES, read_sources
from model.target import Target
from model.workspace import Workspace

AS_OF = date(2026, 2, 2)
EVE = day_number(AS_OF) - 1
STATED = {
    repr(trace): trace
    for family in FAMILIES
    for traces in family.traces.values()
    for trace in traces
    if not trace.alike and trace != Trace(table=trace.table)
}
"""Every stated choice of an account's own rows, once."""
OF_OTHERS = {"features_unused_share", "advanced_features_90", "advanced_events_share_90", "advanced_new_90"}
"""Features that look at what other accounts use as well."""


def made_of(trace: Trace) -> list[str]:
    """The features that are made of the trace's rows of this table, and of no others of it."""
    return [
        feature.name
        for family in FAMILIES
        for feature in family.features
        if [each for each in family.traced(feature) if each.table == trace.table] == [trace]
        and feature.name not in OF_OTHERS
    ]


@pytest.fixture
def sources(tiny: Any) -> Iterator[Mapping[str, Any]]:
    """The clean sources of the dozen accounts."""
    tables = tiny.tables()
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        clean = read_sources(tables, space)
        yield {**clean, **usage_by_day(tables, clean, space)}


def twins(tiny: Any) -> tuple[dict[str, pa.Table], dict[str, tuple[str, Trace, bool]]]:
    """Two copies of an account for each trace, by table: `T…` has all rows, `S…` only those of the trace."""
    tables = tiny.tables()
    twin_of: dict[str, tuple[str, Trace, bool]] = {}
    copies: dict[str, list[pa.Table]] = {name: [] for name in tables}
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        clean = read_sources(tables, space)
        held = {name: clean[name].to_pyarrow() for name in tables}
        for number, trace in enumerate(STATED.values()):
            own = f"A{number % 12:03d}"
            kept = traced(clean, trace, [own], EVE).to_pyarrow()
            twin_of[f"S{number:03d}"] = (f"T{number:03d}", trace, kept.num_rows > 0)
            for name in tables:
                rows = held[name].filter(pc.equal(held[name]["account_id"], own))
                copies[name] += [
                    renamed(rows, f"T{number:03d}"),
                    renamed(kept if name == trace.table else rows, f"S{number:03d}"),
                ]
    return {name: pa.concat_tables(parts) for name, parts in copies.items()}, twin_of


def renamed(rows: pa.Table, account_id: str) -> pa.Table:
    """The rows as another account's."""
    ids = pa.array([account_id] * rows.num_rows, pa.string())
    return rows.set_column(rows.column_names.index("account_id"), "account_id", ids)


def test_a_value_needs_no_other_rows_than_those_shown_behind_it(
    tiny: Any, catalogue: tuple[Product, ...]
) -> None:
    """An account that has only the stated rows of a source has the same values made of that source.

    Without any row left, a 0 of the whole account is unknown."""
    copies, twin_of = twins(tiny)
    backend = Engine().connect()
    tables = {}
    for name, table in copies.items():
        backend.con.register(f"copy_{name}", table)
        tables[name] = backend.table(f"copy_{name}")
    rows = build_rows(tables, as_of=AS_OF, target=Target(), products=catalogue).table
    values = {row["account_id"]: row for row in rows.to_pylist()}
    compared, wrong = 0, []
    for small, (whole, trace, has_rows) in twin_of.items():
        if small not in values:  # an account is no customer without its invoices
            assert trace.table in {"billing", "accounts"}
            continue
        for name in made_of(trace):
            was, now = known(values[whole][name]), known(values[small][name])
            compared += 1
            if was != now and not (not has_rows and not was and now is None):
                wrong.append((name, trace, was, now))
    assert wrong == []
    assert compared > 90


def known(value: Any) -> Any:
    """The value, None for an unknown number."""
    return None if isinstance(value, float) and np.isnan(value) else value


def test_what_came_later_is_left_blank(sources: Mapping[str, Any]) -> None:
    """A ticket that is closed by now was open on the day: no closing and no answer is shown."""
    ticket = sources["tickets"].filter(lambda t: t.closed_at.notnull()).order_by("at").limit(1)
    (row,) = ticket.to_pyarrow().to_pylist()

    def shown(eve: int) -> dict[str, Any]:
        found = source_rows(sources, Trace(table="tickets"), [row["account_id"]], eve=eve, limit=1)
        return dict(zip(found.columns, found.rows[0], strict=True))

    before, after = shown(row["closed_at"] - 1), shown(row["closed_at"])
    assert (before["closed_at"], before["csat"]) == (None, None)
    assert after["csat"] == row["csat"]
    assert after["closed_at"] - after["day"] == timedelta(days=row["closed_at"] - row["at"])


def test_rows_are_the_newest_and_all_are_counted(
    tiny: Any, at: Callable[..., datetime], sources: Mapping[str, Any]
) -> None:
    """At most as many as asked for; events are counted one by one and shown by day."""
    bills = source_rows(sources, Trace(table="billing"), ["A001"], eve=EVE, limit=2)
    assert (bills.total, len(bills.rows)) == (14, 2)
    assert [row[0] for row in bills.rows] == [date(2026, 2, 1), date(2026, 1, 1)]
    assert (bills.first, bills.last) == (date(2025, 1, 1), date(2026, 2, 1))
    mine = [each for each in tiny.records["events"] if each["account_id"] == "A001"]
    month = [each for each in mine if at(AS_OF - timedelta(days=30), 0) <= each["at"] < at(AS_OF, 0)]
    used = source_rows(sources, Trace(table="events", days=30), ["A001"], eve=EVE, limit=100)
    assert used.total == len(month) == sum(row[used.columns.index("events")] for row in used.rows)
    assert len(used.rows) == len({each["at"].date() for each in month})
    none = source_rows(
        sources, Trace(table="triggers", where={"kind": ("nothing",)}), ["A001"], eve=EVE, limit=5
    )
    assert (none.total, none.rows, none.first) == (0, (), None)


def test_days_of_use_count_the_events_of_the_trace(sources: Mapping[str, Any]) -> None:
    """The partials say as many events, users and features of a day as the events themselves."""
    checked = 0
    for trace in (each for each in STATED.values() if each.table == "events"):
        for accounts in (["A003"], ["A001", "A002", "A004"]):
            raw = traced(sources, trace, accounts, EVE)
            plain = raw.group_by("at").agg(
                events=raw.count(), users=raw.user_id.nunique(), features=raw.feature.nunique()
            )
            expected = {row["at"]: row for row in plain.to_pyarrow().to_pylist()}
            found = days_of_use(sources, trace, accounts, EVE).to_pyarrow().to_pylist()
            assert {row["at"] for row in found} == set(expected), trace
            for row in found:
                told = {name: value for name, value in row.items() if value is not None}
                assert told == {name: expected[row["at"]][name] for name in told}, trace
                checked += 1
    assert checked > 1000


def test_every_source_has_columns_to_show_and_every_trace_a_source() -> None:
    """A trace names columns that are there."""
    assert set(SHOWN) == set(SOURCES)
    for table, columns in [*SHOWN.items(), *LATER.items()]:
        made_by_day = {"events", "users", "features"} if table == "events" else set()
        assert set(columns) <= set(SOURCES[table].columns) | made_by_day
    for family in FAMILIES:
        assert set(family.traces) <= {feature.name for feature in family.features}
        for traces in family.traces.values():
            for trace in traces:
                known = {"at", *SOURCES[trace.table].columns}
                assert {trace.day, *trace.where, *trace.filled, *trace.flags} <= known
    assert len(CATALOGUE) == sum(len(family.features) for family in FAMILIES)
