"""A page on its way from a CRM's records to a canonical table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from connectors.crm import Window

Records = Sequence[Mapping[str, Any]]
Arrays = Mapping[str, pa.Array]

MISFITS: Final = (ValueError, KeyError, TypeError, pa.ArrowException)
"""What reading a column raises for a value that is not of its kind."""

_KINDS: Final = {
    "double": "number",
    "int64": "whole number",
    "date32[day]": "date",
    "timestamp[us, tz=UTC]": "time",
    "bool": "yes or no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Records of one object, and the canonical columns read from them so far.

    With the window in which they are read, where columns are derived from other objects' records in it."""

    object: str
    records: Records
    arrays: Arrays
    window: Window | None = None


def whole(arrays: Arrays, schema: pa.Schema, rows: int) -> pa.Table:
    """The columns in the schema's order; null where there is none."""
    columns = [arrays[field.name] if field.name in arrays else pa.nulls(rows, field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def misfit(
    values: Sequence[Any], ids: Sequence[str], kind: pa.DataType, read: Callable[[Sequence[Any]], object]
) -> tuple[str, str]:
    """The first record whose value can't be read as a column of its own, and what is the matter with it."""
    bad = next((place for place, value in enumerate(values) if _refused(read, [value])), 0)
    return ids[bad], f"holds {str(values[bad])[:40]!r}, which is no {word_for(kind)}."


def word_for(kind: pa.DataType) -> str:
    """A canonical type in people's words."""
    return _KINDS.get(str(kind), str(kind))


def _refused(read: Callable[[Sequence[Any]], object], values: Sequence[Any]) -> bool:
    try:
        read(values)
    except MISFITS:
        return True
    return False
