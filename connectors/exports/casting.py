"""Cells of an export as canonical types, strictly: one that does not parse is named and stops the file."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, FLAG, REAL, TEXT, TIME, WHOLE
from connectors.exports.clock import MisfitError, day_starts, in_zone, local_days, settled

_ZONED: Final = r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"
_BARE_DAY: Final = r"^\d{4}-\d{2}-\d{2}$"
_STAMP: Final = r"^\d{4}-\d{2}-\d{2}[T ]"
_NAMED_UTC: Final = r" ?UTC$"  # as BigQuery writes
_BEYOND_MICRO: Final = r"(\.\d{6})\d+"
_EPOCH: Final = r"^\d{9,}(?:\.\d+)?$"
_FIRST_MILLI: Final = 100_000_000_000  # as seconds the year 5138, as milliseconds 1973
_TRUE: Final = pa.array(["true", "1", "yes"])
_FALSE: Final = pa.array(["false", "0", "no"])
_NOTHING: Final = pa.scalar(None, TEXT)


def typed(cells: pa.Array, kind: pa.DataType, zone: str) -> pa.Array:
    """The cells as a canonical type. Raises MisfitError for the first one that is not of it.

    Days and times are ISO 8601. A time without a zone is taken in `zone`, and refused where a clock change
    skipped or repeated it; a bare day as a time is its beginning there. A day with a time and a zone is the
    calendar day in `zone`, one without a zone the day that is written.
    """
    cells = plain(cells)
    if pa.types.is_null(cells.type):
        return pa.nulls(len(cells), kind)
    if cells.type == TEXT:
        return _from_text(cells, kind, zone)
    return _from_typed(cells, kind, zone)


def plain(cells: pa.Array) -> pa.Array:
    """The cells in one piece, not in a dictionary, any text as text. Raises ArrowInvalid for other bytes."""
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    held = cells.type
    is_text = pa.types.is_large_string(held) or pa.types.is_string_view(held)
    is_bytes = pa.types.is_binary(held) or pa.types.is_large_binary(held)  # as Hive and Impala write text
    return cells.cast(TEXT) if is_text or is_bytes else cells


def counted_times(cells: pa.Array, zone: str, seen: pa.Array | None = None) -> tuple[pa.Array, pa.Array]:
    """Times that count from 1970, and the cells that are none (null where one is).

    Numbers of twelve digits and more are milliseconds, below that seconds. They count in `zone`, which is UTC
    but for vendors that count wall-clock time; of those, `seen` settles an hour that was twice."""
    cells = plain(cells)
    if not pa.types.is_string(cells.type):
        if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type) or pa.types.is_null(cells.type):
            return pa.nulls(len(cells), TIME), cells
        cells = cells.cast(TEXT)
    trimmed = pc.utf8_trim_whitespace(cells)
    counts = pc.fill_null(pc.match_substring_regex(trimmed, _EPOCH), False)
    numbers = pc.if_else(counts, trimmed, _NOTHING)
    if pc.any(pc.match_substring(numbers, ".")).as_py():
        real = numbers.cast(REAL)
        micros = pc.round(pc.multiply(real, pc.if_else(pc.less(real, _FIRST_MILLI), 1e6, 1e3))).cast(WHOLE)
    else:
        try:
            whole = numbers.cast(WHOLE)
            factor = pc.if_else(pc.less(whole, _FIRST_MILLI), 1_000_000, 1000)
            micros = pc.multiply_checked(whole, factor)
        except pa.ArrowInvalid:
            longest = pc.index(pc.equal(pc.utf8_length(numbers), pc.max(pc.utf8_length(numbers))), True)
            index = longest.as_py()
            raise MisfitError(index, f"{numbers[index].as_py()[:60]!r} is no time since 1970") from None
    times = settled(micros.cast(pa.timestamp("us")), zone, seen)
    return times, pc.if_else(counts, _NOTHING, cells)


def zone_marks(cells: pa.Array) -> tuple[int, int]:
    """The first cell with a zone, and the first time or day without one; -1 where there is none."""
    cells = plain(cells)
    if pa.types.is_timestamp(cells.type):
        index = pc.index(cells.is_valid(), pa.scalar(True)).as_py()
        return (index, -1) if cells.type.tz is not None else (-1, index)
    if cells.type != TEXT:
        return -1, -1
    trimmed = pc.utf8_trim_whitespace(cells)
    if _alike(trimmed, "") is not None:
        return pc.index(cells.is_valid(), pa.scalar(True)).as_py(), -1
    stamped = pc.match_substring_regex(trimmed, _STAMP)
    ends = pc.or_(pc.match_substring_regex(trimmed, _ZONED), pc.match_substring_regex(trimmed, _NAMED_UTC))
    zoned = pc.and_(stamped, ends)
    bare = pc.and_(pc.greater(pc.utf8_length(trimmed), 0), pc.invert(zoned))
    return pc.index(zoned, pa.scalar(True)).as_py(), pc.index(bare, pa.scalar(True)).as_py()


def _from_text(cells: pa.Array, kind: pa.DataType, zone: str) -> pa.Array:
    """Text cells, surrounding blanks ignored except in text columns."""
    if kind == TEXT:
        return cells
    trimmed = pc.utf8_trim_whitespace(cells)
    trimmed = pc.if_else(pc.equal(trimmed, ""), _NOTHING, trimmed)
    parse = {REAL: _reals, WHOLE: _wholes, FLAG: _flags}.get(kind)
    if parse is not None:
        return parse(trimmed)
    return _days(trimmed, zone) if kind == DAY else _times(trimmed, zone)


def _from_typed(cells: pa.Array, kind: pa.DataType, zone: str) -> pa.Array:
    """Cells that Parquet typed already."""
    held = cells.type
    if kind in {DAY, TIME} and (pa.types.is_timestamp(held) or pa.types.is_date(held)):
        return _from_moments(cells, kind, zone)
    if kind == TEXT and (pa.types.is_integer(held) or (pa.types.is_decimal(held) and held.scale == 0)):
        return cells.cast(TEXT)
    numeric = pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_decimal(held)
    if kind == REAL and numeric:
        return _finite(cells.cast(REAL))
    if kind == WHOLE and numeric:
        return _whole(_finite(cells.cast(REAL)))
    if kind == FLAG and pa.types.is_boolean(held):
        return cells
    raise MisfitError(0, f"'a column of {held}' is no {_WORDS[str(kind)]}")


def _from_moments(cells: pa.Array, kind: pa.DataType, zone: str) -> pa.Array:
    """Days and times that Parquet typed already."""
    if pa.types.is_date(cells.type):
        days = cells.cast(DAY)
        return days if kind == DAY else day_starts(days, zone)
    times = cells.cast(pa.timestamp("us", tz=cells.type.tz), safe=False)
    if times.type.tz is None:
        return times.cast(DAY, safe=False) if kind == DAY else in_zone(times, zone)
    return times.cast(TIME) if kind == TIME else local_days(times.cast(TIME), zone)


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


def _times(cells: pa.Array, zone: str) -> pa.Array:
    """ISO texts as UTC; three shapes may be mixed in a column: with a zone, without, and bare days."""
    alike = _alike(cells, zone)
    if alike is not None:
        return alike
    bare, with_zone, without = _shapes(cells, _TIME)
    return pc.coalesce(with_zone, in_zone(without, zone), day_starts(bare, zone))


def _days(cells: pa.Array, zone: str) -> pa.Array:
    """ISO texts as calendar days."""
    bare, with_zone, without = _shapes(cells, _DAY)
    return pc.coalesce(bare, local_days(with_zone, zone), without.cast(DAY, safe=False))


def _alike(cells: pa.Array, zone: str) -> pa.Array | None:
    """The moments of cells that all name a zone, or none of which does in UTC; None for any others.

    It costs a tenth of telling shapes. Which of the two is tried depends on the first cell, since Arrow takes
    its time to say no."""
    first = pc.index(cells.is_valid(), pa.scalar(True)).as_py()
    if first < 0:
        return pa.nulls(len(cells), TIME)
    with suppress(pa.ArrowInvalid):
        if pc.match_substring_regex(cells[first], _ZONED).as_py():
            return cells.cast(TIME)
        if zone == "UTC":  # a bare day's midnight is that of the text there
            return cells.cast(pa.timestamp("us")).cast(TIME)
    return None


def _shapes(cells: pa.Array, wanted: str) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Bare days, times with a zone, wall-clock times: each cell is in one of them. Raises MisfitError."""
    bare = pc.match_substring_regex(cells, _BARE_DAY)
    stamped = pc.match_substring_regex(cells, _STAMP)
    _refuse(cells, pc.invert(pc.or_(bare, stamped)), wanted)
    written = cells
    if pc.any(pc.match_substring_regex(cells, _NAMED_UTC)).as_py():
        written = pc.replace_substring_regex(written, _NAMED_UTC, "Z")
    if pc.any(pc.match_substring_regex(written, _BEYOND_MICRO)).as_py():
        written = pc.replace_substring_regex(written, _BEYOND_MICRO, r"\1")
    zoned = pc.and_(stamped, pc.match_substring_regex(written, _ZONED))
    try:
        return (
            pc.if_else(bare, written, _NOTHING).cast(DAY),
            pc.if_else(zoned, written, _NOTHING).cast(TIME),
            pc.if_else(pc.or_(zoned, bare), _NOTHING, written).cast(pa.timestamp("us")),
        )
    except pa.ArrowInvalid:
        raise _first(written, None, wanted) from None


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
        raise _no(index, str(cells[index].as_py()), wanted)


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
            return _no(index, str(cell.as_py()), wanted)
    return _no(0, str(cells[0].as_py()), wanted)


def _no(index: int, value: str, wanted: str) -> MisfitError:
    return MisfitError(index, f"{value[:60]!r} is no {wanted}")


_DAY: Final = "day such as 2026-11-02"
_TIME: Final = "time such as 2026-11-02T09:00:00Z"
_WORDS: Final = {
    "string": "text",
    "double": "number",
    "int64": "whole number",
    "bool": "yes or no",
    "date32[day]": "day",
    "timestamp[us, tz=UTC]": "time",
}
