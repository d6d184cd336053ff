"""Columns of HubSpot's strings as Arrow arrays of a canonical type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.canonical import DAY, FLAG, REAL, TEXT, TIME, WHOLE
from connectors.hubspot.values import parse_time

_FLAGS: Final = {"true": True, "false": False}
_DATE_CHARACTERS: Final = 10


def column(values: Sequence[Any], kind: pa.DataType, *, zone: ZoneInfo | None = None) -> pa.Array:
    """The values as the canonical type; `zone` is the account's, for the day of a time.

    Raises ValueError, KeyError or pa.ArrowInvalid for a value that does not fit."""
    cells = [value if value != "" else None for value in values]
    if kind == TEXT:
        return pa.array([None if cell is None else str(cell) for cell in cells], TEXT)
    if kind in {REAL, WHOLE}:
        return pa.array([None if cell is None else float(cell) for cell in cells], REAL).cast(kind)
    if kind == DAY:
        return pa.array([None if cell is None else day(str(cell), zone) for cell in cells], DAY)
    if kind == TIME:
        return pa.array([None if cell is None else parse_time(str(cell)) for cell in cells], TIME)
    if kind == FLAG:
        return pa.array([None if cell is None else _FLAGS[str(cell).lower()] for cell in cells], FLAG)
    raise TypeError(f"no canonical column is of type {kind}")


def day(text: str, zone: ZoneInfo | None = None) -> date:
    """The day of a date or time. A time at midnight UTC is a date that HubSpot stores so; any other time
    is the day that people in the account saw."""
    moment = parse_time(text)
    if len(text) == _DATE_CHARACTERS or moment.time() == time() or zone is None:
        return moment.date()
    return moment.astimezone(zone).date()


def moment_of(text: str | None) -> datetime | None:
    """A cell as a time in UTC."""
    return parse_time(text).astimezone(UTC) if text else None
