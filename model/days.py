"""Days as whole numbers since 1970-01-01, so that windows are plain arithmetic on every engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

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


def day_table(days: Iterable[int]) -> ir.Table:
    """Distinct day numbers as a table with the one column `day`, in order."""
    return number_table("day", sorted(set(days)))


def number_table(name: str, values: Sequence[int]) -> ir.Table:
    """A few whole numbers as a table with one column, in order.

    They stand in the query itself: a table in memory gets another name from Ibis each time."""
    numbers = ibis.literal(list(values), type="array<int32>")
    return numbers.unnest().cast("int64").name(name).as_table()
