"""Times that can't be right: before there was such software, or after now.

A time in 1970 (or 1900, or 1980) is an empty one that was written as the number 0; one of tomorrow comes from
a wrong clock, or from seconds taken for something else. Neither is guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, TEXT, TIME
from connectors.exports.clock import MisfitError

EARLIEST: Final = date(1990, 1, 1)
LEEWAY: Final = timedelta(days=1)  # zones and clocks that differ

_MAY_COME: Final[Mapping[str, frozenset[str]]] = {
    "users": frozenset({"deactivated_at"}),
    "billing": frozenset({"period_start", "period_end", "known_from"}),
    "entitlements": frozenset({"valid_from", "valid_to", "known_from"}),
}
"""Columns whose times may lie ahead: what was agreed on, and invoices that were sent before their period."""


def check_times(kind: str, column: str, cells: pa.Array, now: datetime | None) -> None:
    """Raise MisfitError for the first time or day before 1990 or, with `now`, more than a day after it."""
    if cells.type not in {TIME, DAY} or cells.null_count == len(cells):
        return
    edges = pc.min_max(cells)
    first, last = edges["min"], edges["max"]
    low = pa.scalar(EARLIEST, DAY) if cells.type == DAY else pa.scalar(_midnight(EARLIEST), TIME)
    if pc.less(first, low).as_py():
        raise _misfit(
            cells, pc.less(cells, low), f"lies before {EARLIEST:%Y}: most likely an empty time written as 0"
        )
    if now is None or column in _MAY_COME.get(kind, ()):
        return
    latest = now.astimezone(UTC) + LEEWAY
    high = pa.scalar(latest.date(), DAY) if cells.type == DAY else pa.scalar(latest, TIME)
    if pc.greater(last, high).as_py():
        raise _misfit(
            cells,
            pc.greater(cells, high),
            f"lies in the future; now is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _misfit(cells: pa.Array, bad: pa.Array, what: str) -> MisfitError:
    index = pc.index(bad, pa.scalar(True)).as_py()
    written = cells.slice(index, 1).cast(TEXT)[0].as_py()  # Python knows no year above 9999
    return MisfitError(
        index, f"{written} {what}", "Correct the clock or the export; what is empty stays empty"
    )
