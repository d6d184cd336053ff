"""Files of rows and columns (CSV, JSON lines, Parquet) as canonical export tables.

The format is told by the content: `PAR1` is Parquet, `{` JSON lines, `1f 8b` gzip of either text; the
file's name means nothing. A bad file raises InputError with file, line, reason and fix, and none of it
may be used.

Where a file has no `known_from`, a row is known from
    events        the event's time
    usage         the end of its period (period_start + period_days; the next day without period_days)
    billing       the day after period_end (after period_start where there is no end)
    entitlements  its first day
    triggers      the day after it occurred
    tickets       its creation; what its closing tells counts from closed_at
each at midnight in the spec's zone. A null `account_key` stays null (the row belongs to no account), and so
does an event's `user_id` (nobody was logged in). Where a file has no `is_closed`, a ticket with a
`closed_at` is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY
from connectors.errors import InputError
from connectors.exports import parquet, text
from connectors.exports.casting import MisfitError, day_starts, typed
from connectors.exports.spec import REQUIRED, ExportFile, ExportSpec

Columns = Mapping[str, pa.Array]

_PEEK: Final = 4096
_MAY_BE_NULL: Final = frozenset({("events", "user_id"), *((kind, "account_key") for kind in REQUIRED)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Some rows under the file's own names; `line` tells where a row is."""

    columns: Columns
    rows: int
    first: int
    unit: str  # line, or row where lines can't be counted

    def where(self, path: Path, index: int) -> str:
        """The place of a row for people."""
        return f"{path}, {self.unit} {self.first + index}"


def read_export(spec: ExportSpec, file: ExportFile) -> pa.Table:
    """The whole file in the canonical schema of the spec's kind. Raises InputError."""
    return pa.Table.from_batches(iter_export(spec, file), schema=spec.schema)


def iter_export(spec: ExportSpec, file: ExportFile) -> Iterator[pa.RecordBatch]:
    """The file batch by batch (some 100,000 rows each), in the canonical schema.

    An InputError may come after good batches: keep them apart until the last one is there.
    """
    for batch in _batches(spec, file.path):
        yield _canonical(spec, file.path, batch)


def _batches(spec: ExportSpec, path: Path) -> Iterator[_Batch]:
    """The file's batches, by what its first bytes say."""
    with text.opened(path) as stream:
        head = stream.read(_PEEK)
    if not head.strip():
        raise InputError("The file is empty.", record=str(path), fix="Export it again, or take it away.")
    # each column once: one of the file may stand for several of ours
    wanted = list(dict.fromkeys(spec.theirs(name) for name in spec.schema.names))
    if head.startswith(parquet.MAGIC):
        names: Iterable[str] = parquet.column_names(path)
        _check_columns(spec, path, names)
        yield from _numbered(parquet.read_batches(path, wanted))
    elif b"\0" in head:
        raise InputError(
            "The file is neither text nor Parquet.",
            record=str(path),
            fix="Export CSV, JSON lines or Parquet; unpack a zip or workbook first.",
        )
    elif head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        _check_columns(spec, path, text.json_names(path))
        for cells in text.json_cells(path, wanted):
            yield _without_blanks(cells)
    elif head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"["):
        raise InputError(
            "The file is one JSON array.", record=str(path), fix="Write JSON lines: one object a line."
        )
    else:
        found, delimiter = text.csv_header(path)
        _check_columns(spec, path, found)
        for cells in text.csv_cells(path, found, delimiter, wanted):
            rows = len(next(iter(cells.columns.values())))
            yield _Batch(columns=cells.columns, rows=rows, first=cells.first_line - 1, unit="row")


def _numbered(batches: Iterable[pa.RecordBatch]) -> Iterator[_Batch]:
    """Parquet's batches with their row numbers."""
    first = 1
    for batch in batches:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        yield _Batch(columns=columns, rows=batch.num_rows, first=first, unit="row")
        first += batch.num_rows


def _without_blanks(cells: text.Cells) -> _Batch:
    """JSON lines: empty lines are no rows; they are dropped only if there are any, to keep the numbers."""
    columns = dict(cells.columns)
    held = columns.pop("")
    if pc.all(held).as_py():
        return _Batch(columns=columns, rows=len(held), first=cells.first_line, unit="line")
    kept = {name: column.filter(held) for name, column in columns.items()}
    return _Batch(columns=kept, rows=pc.sum(held).as_py() or 0, first=cells.first_line, unit="about line")


def _check_columns(spec: ExportSpec, path: Path, names: Iterable[str]) -> None:
    """Raise InputError for a required or mapped column that the file lacks."""
    found = set(names)
    mapped = [name for name in spec.columns if name not in REQUIRED[spec.kind]]
    for name in (*REQUIRED[spec.kind], *mapped):
        if spec.theirs(name) not in found:
            shown = ", ".join(sorted(found)[:20]) or "none"
            setting = "account_key" if name == "account_key" else f"columns = {{ {name} = … }}"
            raise InputError(
                f"The file has no column '{spec.theirs(name)}' for {spec.kind}.{name}; its columns: {shown}.",
                record=str(path),
                fix=f"Name the right column by {setting} in [[exports]].",
            )


def _canonical(spec: ExportSpec, path: Path, batch: _Batch) -> pa.RecordBatch:
    """One batch in the canonical schema."""
    schema = spec.schema
    arrays: dict[str, pa.Array] = {}
    for field in schema:
        cells = batch.columns.get(spec.theirs(field.name))
        if cells is None:
            arrays[field.name] = pa.nulls(batch.rows, field.type)
            continue
        try:
            arrays[field.name] = typed(cells, field.type, spec.timezone)
        except (MisfitError, pa.ArrowException) as error:
            index = error.index if isinstance(error, MisfitError) else 0
            raise InputError(
                f"{spec.theirs(field.name)}: {error}.",
                record=batch.where(path, index),
                fix="Correct the file or the column mapping; nothing of it was used.",
            ) from None
    for name in REQUIRED[spec.kind]:
        if (spec.kind, name) not in _MAY_BE_NULL and arrays[name].null_count:
            index = pc.index(arrays[name].is_null(), pa.scalar(True)).as_py()
            raise InputError(
                f"{spec.theirs(name)} is empty.",
                record=batch.where(path, index),
                fix="Each row needs it; correct the file. Nothing of it was used.",
            )
    if spec.kind == "tickets":
        arrays["is_closed"] = pc.coalesce(arrays["is_closed"], arrays["closed_at"].is_valid())
    if "known_from" in arrays:
        default = _known_from(spec, arrays)
        arrays["known_from"] = pc.coalesce(arrays["known_from"], default)
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def _known_from(spec: ExportSpec, arrays: Columns) -> pa.Array:
    """When each row became known, where the file does not say; see the module's docstring."""
    if spec.kind == "events":
        return arrays["at"]
    if spec.kind == "tickets":
        return arrays["created_at"]
    if spec.kind == "usage":
        length = pc.cast(pc.coalesce(arrays["period_days"], pa.scalar(1, pa.int64())), pa.int32())
        end = pc.add(arrays["period_start"].cast(pa.int32()), length).cast(DAY)
        return day_starts(end, spec.timezone)
    if spec.kind == "billing":
        last = pc.coalesce(arrays["period_end"], arrays["period_start"])
        return day_starts(last, spec.timezone, after=1)
    if spec.kind == "entitlements":
        return day_starts(arrays["valid_from"], spec.timezone)
    return day_starts(arrays["occurred_on"], spec.timezone, after=1)
