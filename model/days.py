"""Days as whole numbers since 1970-01-01, so that windows are plain arithmetic on every engine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from model.workspace import Workspace

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """The number of `day`; 0 is 1970-01-01."""
    return (day - EPOCH).days


def calendar_date(number: int) -> date:
    """The date with that day number."""
    return EPOCH + timedelta(days=int(number))


def as_day(column: ir.Column) -> ir.IntegerColumn:
    """A date or UTC timestamp column as day numbers; null stays null."""
    return column.cast("date").delta(ibis.literal(EPOCH), unit="day").cast("int64")


def day_table(days: Iterable[int], space: Workspace) -> ir.Table:
    """Distinct day numbers as a table with the one column `day`."""
    return space.numbers("day", sorted(set(days)))
