"""Facts about the day up to which a table tells anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from model.days import day_number
from model.freshness import newest_days
from model.panel import Panel, Rows, rows_on
from model.partials import usage_by_day
from model.sources import read_sources
from model.workspace import Workspace


def test_a_day_counts_from_when_it_was_known(backend: Any) -> None:
    """Events that come late don't make their table newer before they are there; a closing is news."""
    rows = [
        {"account_id": "A", "user_id": "u", "event": "e", "at": day, "known_from": known}
        for day, known in ((date(2026, 5, 1), date(2026, 5, 1)), (date(2026, 5, 9), date(2026, 5, 20)))
    ]
    tickets = [{"account_id": "A", "created_at": date(2026, 4, 1), "closed_at": date(2026, 5, 15)}]
    backend.con.register("given_events", pa.Table.from_pylist(rows))
    backend.con.register("given_tickets", pa.Table.from_pylist(tickets))
    tables = {name: backend.table(f"given_{name}") for name in ("events", "tickets")}
    with Workspace(backend) as space:
        sources = read_sources(tables, space)
        usage = usage_by_day(tables, sources, space)
        days = [day_number(date(2026, 5, day)) for day in (10, 15, 20)]
        found = newest_days(sources, usage, [*days, day_number(date(2026, 3, 1))])
    assert [found[day].get("events") for day in days] == [
        date(2026, 5, 1),
        date(2026, 5, 1),
        date(2026, 5, 9),
    ]
    assert [found[day].get("tickets") for day in days] == [
        date(2026, 4, 1),
        date(2026, 5, 15),
        date(2026, 5, 15),
    ]
    assert found[day_number(date(2026, 3, 1))] == {}


def test_rows_know_no_day_after_the_eve_of_their_date(rows: Rows, panel: Panel, as_of: date) -> None:
    """Scored alone or taken from a panel they know the same days; of an earlier day a panel knows none."""
    assert {"events", "billing", "tickets"} <= rows.through.keys()
    assert max(rows.through.values()) < as_of
    assert rows_on(panel, as_of).through == rows.through
    assert rows_on(panel, as_of - timedelta(days=28)).through == {}


def test_a_customer_that_left_does_not_make_the_rows_of_today_older(panel: Panel, as_of: date) -> None:
    """Though its last row is the panel's last."""
    left = replace(panel, table=panel.table.slice(0, panel.table.num_rows - 1))
    assert panel.table["as_of"][-1].as_py() == as_of
    assert left.table["as_of"][-1].as_py() < as_of
    assert rows_on(left, as_of).through == panel.through != {}
