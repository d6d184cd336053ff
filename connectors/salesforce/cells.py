"""Columns of Salesforce's JSON as Arrow arrays of a canonical type."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, FLAG, REAL, TEXT, TIME, WHOLE

_DATE_CHARACTERS: Final = 10
_HISTORIC_NUMBERS: Final = frozenset({"Currency", "Double", "Integer", "Percent"})


def column(values: Sequence[Any], kind: pa.DataType, *, percent: bool = False) -> pa.Array:
    """The values as the canonical type. Raises pa.ArrowInvalid (or TypeError) for one that does not fit."""
    if kind == TEXT:
        return pa.array([text(value) for value in values], TEXT)
    if kind in {REAL, WHOLE}:
        numbers = _numbers(values)
        if percent:  # the CRM holds 0–100, we hold 0–1
            numbers = pc.divide(numbers, 100.0)
        return numbers.cast(kind)
    if kind == DAY:
        return _strings(values, cut=_DATE_CHARACTERS).cast(DAY)
    if kind == TIME:
        return _times(values)
    if kind == FLAG:
        return pa.array(values, FLAG)
    raise TypeError(f"no canonical column is of type {kind}")


def text(value: Any) -> str | None:
    """A cell as text: 120.0 is "120", true is "true"; an empty string is no value."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def historic(value: Any, kind: str | None) -> str | None:
    """A value of a history object as text, alike whether REST typed it or Bulk wrote it down.

    `kind` is the row's DataType."""
    if isinstance(value, str) and kind in _HISTORIC_NUMBERS:
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, str) and kind == "DateTime":
        value = value.replace("Z", "+0000")
    return text(value)


def at(record: Any, path: str) -> Any:
    """A field of a record, or of the record that a relationship leads to; None where it leads nowhere."""
    for name in path.split("."):
        if record is None:
            return None
        record = record.get(name)
    return record


def _numbers(values: Sequence[Any]) -> pa.Array:
    """Numbers; digits in a text field are numbers too, ticked boxes are not."""
    if any(isinstance(value, str) for value in values):
        return pa.array([text(value) for value in values], TEXT).cast(REAL)
    if any(isinstance(value, bool) for value in values):
        raise TypeError("a checkbox is no number")
    return pa.array(values, REAL)


def _strings(values: Sequence[Any], *, cut: int | None = None) -> pa.Array:
    """Text cells; anything else raises."""
    if cut is not None:
        values = [value[:cut] if isinstance(value, str) else value for value in values]
    return pa.array(values, TEXT)


def _times(values: Sequence[Any]) -> pa.Array:
    """Timestamps with their zone; a bare date is its midnight UTC."""
    whole = [
        f"{value}T00:00:00Z" if isinstance(value, str) and len(value) == _DATE_CHARACTERS else value
        for value in values
    ]
    return _strings(whole).cast(TIME)
