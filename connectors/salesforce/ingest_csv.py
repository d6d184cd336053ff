"""Rows as the CSV of an ingest job, and the CSV of its results as rows.

Bulk API 2.0 Developer Guide, "Prepare CSV Files": UTF-8, one header, a quote inside a quoted cell is doubled;
an empty cell leaves the field as it is, `#N/A` clears it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.errors import TransientError
from connectors.salesforce.rows import Row
from connectors.salesforce.values import Json

CLEARED: Final = "#N/A"


def table_of(rows: Sequence[Row]) -> str:
    """The rows under one header, lines ended by LF; a field that a row does not name is left as it is."""
    names = list(dict.fromkeys(name for each in rows for name in each.body or {}))
    lines = [",".join(["Id", *names])]
    for each in rows:
        body = each.body or {}
        cells = (_cell(body[name]) if name in body else "" for name in names)
        lines.append(",".join([str(each.id), *cells]))
    return "\n".join(lines) + "\n"


def read_table(text: str, names: Sequence[str], *, record: str) -> list[Mapping[str, str]]:
    """The lines of a table that must have these columns; none of an empty one.

    Raises TransientError when it is not whole."""
    if not text.strip():
        return []
    try:
        lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        first = next(csv.reader(io.StringIO(text, newline="")), [])
        missing = [name for name in names if name not in first]
    except csv.Error:
        missing, lines = ["its end"], []
    if missing or any(None in line or None in line.values() for line in lines):
        raise TransientError(
            f"The results are cut off or of another shape: {', '.join(missing) or 'a line'} is missing.",
            record=record,
            fix="They are read again.",
        )
    return [dict(line) for line in lines]


def _cell(value: Json) -> str:
    """A value as Bulk writes it; every text is quoted, so that no comma or line break in it tells."""
    match value:
        case None:
            return CLEARED
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace('"', '""') + '"'
    return repr(value)
