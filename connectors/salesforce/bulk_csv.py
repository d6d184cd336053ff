"""Records from a Bulk query's CSV, the same as REST's JSON gives: typed as describe says, empty as null."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from connectors.canonical import FLAG, REAL, TEXT
from connectors.crm import FieldType
from connectors.page import Records

PIECE: Final = 2_000  # records in memory as Python values at once
_BLOCK: Final = 16 << 20  # bytes; the longest record must fit: a long text area holds 131,072 characters

_NUMBERS: Final = frozenset({FieldType.NUMBER, FieldType.PERCENT, FieldType.CURRENCY})

Columns = Mapping[str, FieldType]
"""The paths that were asked for, and what describe says they hold."""


def header_of(path: Path) -> Sequence[str]:
    """The names in the file's first line; none of an empty file."""
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def count_records(path: Path) -> int | None:
    """How many records stand below the header; None when the file ends inside a quoted value."""
    ends = 0
    inside = False
    line = b""
    with path.open("rb") as file:
        for line in file:
            inside ^= bool(line.count(b'"') & 1)
            ends += not inside
    return None if inside or not line.endswith(b"\n") else max(0, ends - 1)


def pieces(path: Path, columns: Columns) -> Iterator[Records]:
    """The file's records some at a time, parents' fields as records inside them."""
    options = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(header_of(path), TEXT),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    reader = arrow_csv.open_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=_BLOCK, use_threads=False),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=options,
    )
    with reader:
        for batch in reader:
            for start in range(0, batch.num_rows, PIECE):
                yield _records(batch.slice(start, PIECE), columns)


def _records(batch: pa.RecordBatch, columns: Columns) -> Records:
    given = {name.lower(): batch.column(place) for place, name in enumerate(batch.schema.names)}
    values = [_values(given[name.lower()], kind) for name, kind in columns.items()]
    flat = [name for name in columns if "." not in name]
    if len(flat) == len(columns):
        return [dict(zip(flat, row, strict=True)) for row in zip(*values, strict=True)]
    return [_nested(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _values(column: pa.Array, kind: FieldType) -> list[Any]:
    if kind in _NUMBERS:
        column = column.cast(REAL)
    elif kind is FieldType.CHECKBOX:
        column = column.cast(FLAG)
    return list(column.to_pylist())


def _nested(cells: Iterator[tuple[str, Any]]) -> Mapping[str, Any]:
    record: dict[str, Any] = {}
    for path, value in cells:
        *parents, name = path.split(".")
        holder = record
        for parent in parents:
            holder = holder.setdefault(parent, {})
        holder[name] = value
    return record
