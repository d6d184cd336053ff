"""Up to which day each source table tells anything, as it was known on a day: what a sentence is dated by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np

from model.days import calendar_date

# Later facts of records that live; each counts from its own day on, as everywhere.
_LATER: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": ("left_at",),
    "opportunities": ("closed_at",),
    "tickets": ("closed_at",),
}


def newest_days(
    sources: Mapping[str, ir.Table], usage: Mapping[str, ir.Table], days: Collection[int]
) -> Mapping[int, Mapping[str, date]]:
    """For each of the day numbers, the newest day of every table that had told anything by then.

    `sources` are the clean tables, `usage` the partials, which stand for the table of events. A table of
    records without a day of their own (accounts, users) has none."""
    dated = {name: table for name, table in sources.items() if "at" in table.columns}
    asked = sorted(set(days))
    found: dict[int, dict[str, date]] = {day: {} for day in asked}
    for name, table in {**dated, "events": usage["user_day"]}.items():
        told = [_told(table, table["at"])]
        told += [_told(table, table[column]) for column in _LATER.get(name, ()) if column in table.columns]
        known, newest = _running(told)
        for day, place in zip(asked, np.searchsorted(known, asked, side="right").tolist(), strict=True):
            if place:
                found[day][name] = calendar_date(newest[place - 1])
    return found


def _told(table: ir.Table, column: ir.Column) -> ir.Table:
    """The newest of a column's days by the day on which it was known."""
    days = table.select(known=ibis.greatest(table.known, column), day=column)
    days = days.filter(days.known.notnull() & days.day.notnull())
    return days.group_by("known").agg(day=days.day.max())


def _running(told: list[ir.Table]) -> tuple[np.ndarray, np.ndarray]:
    """The days on which something became known, in order, and the newest day known by each."""
    parts = [table.to_pyarrow() for table in told]
    known = np.concatenate([part["known"].to_numpy() for part in parts]).astype(np.int64)
    newest = np.concatenate([part["day"].to_numpy() for part in parts]).astype(np.int64)
    order = np.argsort(known, kind="stable")
    return known[order], np.maximum.accumulate(newest[order])
