"""Cells of an export as canonical types, strictly: one that does not parse is named and stops the file."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, FLAG, REAL, TEXT, TIME, WHOLE

_ZONED: Final = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
_BARE_DAY: Final = r"^\d{4}-\d{2}-\d{2}$"
_STAMP: Final = r"^\d{4}-\d{2}-\d{2}[T ]"
_TRUE: Final = pa.array(["true", "1", "yes"])
_FALSE: Final = pa.array(["false", "0", "no"])


class MisfitError(ValueError):
    """A cell is not of its column's type; `index` is its row in the batch."""

    def __init__(self, index: int, value: str, wanted: str) -> None:
        super().__init__(f"{value[:60]!r} is no {wanted}")
        self.index = index


def typed(cells: pa.Array, kind: pa.DataType, zone: str) -> pa.Array:
    """The cells as a canonical type. Raises MisfitError for the first one that is not of it.

    Days and times are ISO 8601. A time without a zone is taken in `zone` (the earlier of two at the end
    of daylight saving); a bare day as a time is its midnight there.
    """
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_null(cells.type):
        return pa.nulls(len(cells), kind)
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        return _from_text(cells.cast(TEXT), kind, zone)
    return _from_typed(cells, kind, zone)


def _from_text(cells: pa.Array, kind: pa.DataType, zone: str) -> pa.Array:
    """Text cells, surrounding blanks ignored except in text columns."""
    if kind == TEXT:
        return cells
    trimmed = pc.utf8_trim_whitespace(cells)
    trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, TEXT), trimmed)
    parse = {REAL: _reals, WHOLE: _wholes, FLAG: _flags}.get(kind)
    if parse is not None:
        return parse(trimmed)
    times = _times(
        trimmed, zone, "day such as 2026-11-02" if kind == DAY else "time such as 2026-11-02T09:00:00Z"
    )
    return _local_days(times, zone) if kind == DAY else times


def _from_typed(cells: pa.Array, kind: pa.DataType, zone: str) -> pa.Array:
    """Cells that Parquet typed already."""
    held = cells.type
    if kind in {DAY, TIME} and pa.types.is_timestamp(held):
        times = cells.cast(pa.timestamp("us", tz=held.tz), safe=False)
        if held.tz is None:
            times = _in_zone(times, zone)
        times = times.cast(TIME)
        return times if kind == TIME else _local_days(times, zone)
    if kind in {DAY, TIME} and pa.types.is_date(held):
        days = cells.cast(DAY)
        return days if kind == DAY else _in_zone(days.cast(pa.timestamp("us")), zone).cast(TIME)
    if kind == TEXT and pa.types.is_integer(held):
        return cells.cast(TEXT)
    numeric = pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_decimal(held)
    if kind == REAL and numeric:
        return _finite(cells.cast(REAL))
    if kind == WHOLE and numeric:
        return _whole(_finite(cells.cast(REAL)))
    if kind == FLAG and pa.types.is_boolean(held):
        return cells
    raise MisfitError(0, f"a column of {held}", _WORDS[str(kind)])


def _reals(cells: pa.Array) -> pa.Array:
    try:
        return _finite(cells.cast(REAL))
    except pa.ArrowInvalid:
        raise _first(cells, REAL, "number (digits, with a point before the decimals)") from None


def _wholes(cells: pa.Array) -> pa.Array:
    return _whole(_reals(cells))


def _flags(cells: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(cells)
    true, false = pc.is_in(lower, value_set=_TRUE), pc.is_in(lower, value_set=_FALSE)
    _refuse(cells, pc.and_(pc.is_valid(cells), pc.invert(pc.or_(true, false))), "yes or no")
    return pc.if_else(pc.is_valid(cells), true, pa.scalar(None, FLAG))


def _times(cells: pa.Array, zone: str, wanted: str) -> pa.Array:
    """ISO texts as UTC; three shapes may be mixed in a column: with a zone, without, and bare days."""
    bare = pc.match_substring_regex(cells, _BARE_DAY)
    stamped = pc.match_substring_regex(cells, _STAMP)
    _refuse(cells, pc.invert(pc.or_(bare, stamped)), wanted)
    zoned = pc.and_(stamped, pc.match_substring_regex(cells, _ZONED))
    nothing = pa.scalar(None, TEXT)
    try:
        with_zone = pc.if_else(zoned, cells, nothing).cast(TIME)
        without = pc.if_else(zoned, nothing, cells).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        raise _first(cells, None, wanted) from None
    return pc.coalesce(with_zone, _in_zone(without, zone).cast(TIME))


def _in_zone(naive: pa.Array, zone: str) -> pa.Array:
    """Wall-clock times of a zone; one that a clock change skipped is the moment of the change."""
    return pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest")


def _local_days(times: pa.Array, zone: str) -> pa.Array:
    """The calendar day in the zone."""
    return pc.local_timestamp(times.cast(pa.timestamp("us", tz=zone))).cast(DAY, safe=False)


def _finite(numbers: pa.Array) -> pa.Array:
    _refuse(numbers.cast(TEXT), pc.invert(pc.is_finite(numbers)), "finite number")
    return numbers


def _whole(numbers: pa.Array) -> pa.Array:
    _refuse(numbers.cast(TEXT), pc.not_equal(numbers, pc.floor(numbers)), "whole number")
    return numbers.cast(WHOLE)


def _refuse(cells: pa.Array, bad: pa.Array, wanted: str) -> None:
    """Raise MisfitError for the first cell marked bad; a null mark is a null cell."""
    index = pc.index(bad, pa.scalar(True)).as_py()
    if index >= 0:
        raise MisfitError(index, str(cells[index].as_py()), wanted)


def _first(cells: pa.Array, kind: pa.DataType | None, wanted: str) -> MisfitError:
    """The first cell that does not parse on its own."""
    for index, cell in enumerate(cells):
        one = pa.array([cell.as_py()], TEXT)
        try:
            if kind is not None:
                one.cast(kind)
            elif cell.is_valid:
                one.cast(TIME if pc.match_substring_regex(one, _ZONED)[0].as_py() else pa.timestamp("us"))
        except pa.ArrowInvalid:
            return MisfitError(index, str(cell.as_py()), wanted)
    return MisfitError(0, str(cells[0].as_py()), wanted)


def day_starts(days: pa.Array, zone: str, *, after: int = 0) -> pa.Array:
    """Midnight in the zone, `after` days later, in UTC."""
    naive = days.cast(pa.timestamp("us"))
    if after:
        naive = pc.add(naive, pa.scalar(timedelta(days=after)))
    return _in_zone(naive, zone).cast(TIME)


_WORDS: Final = {
    "string": "text",
    "double": "number",
    "int64": "whole number",
    "bool": "yes or no",
    "date32[day]": "day",
    "timestamp[us, tz=UTC]": "time",
}
