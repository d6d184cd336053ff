"""One immutable Parquet segment of the lake: written in the canonical schema, flushed to disk, hashed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.canonical import schema_of
from connectors.errors import InputError

ROW_GROUP: Final = 100_000

# The column that dates a table's rows, for the manifest's first and last time.
TIME_COLUMN: Final[Mapping[str, str]] = {
    "events": "at",
    "users": "created_at",
    "usage": "known_from",
    "billing": "known_from",
    "entitlements": "known_from",
    "helpdesk_tickets": "created_at",
    "surveys": "responded_at",
    "triggers": "known_from",
    "notes": "written_at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A Parquet file that is written but not yet listed; `path` is below the lake's folder."""

    table: str
    path: str
    rows: int
    bytes: int
    sha256: str
    source: str
    first_at: datetime | None
    last_at: datetime | None


def write_segment(
    folder: Path,
    relative: str,
    table: str,
    pages: Iterable[pa.Table | pa.RecordBatch],
    *,
    source: str,
    schema: pa.Schema | None = None,
) -> Segment | None:
    """The segment with the pages' rows; None, and no file, when there are none.

    Its columns are those of the canonical table, or of `schema`, whose rows then bear no times. Raises
    InputError when a page does not fit; no file is left then."""
    derived, schema = schema is not None, schema_of(table) if schema is None else schema
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    extent = _Extent(column=None if derived else TIME_COLUMN.get(table, "modified_at"))
    try:
        with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
            for chunk in _row_groups(pages, table, schema):
                extent.add(chunk)
                writer.write_table(chunk, row_group_size=ROW_GROUP)
        if extent.rows == 0:
            path.unlink()
            return None
        # the ledger will name this file for good, so it must be on the disk before the ledger says so
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        return Segment(
            table=table,
            path=relative,
            rows=extent.rows,
            bytes=path.stat().st_size,
            sha256=file_sha256(path),
            source=source,
            first_at=extent.first,
            last_at=extent.last,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def file_sha256(path: Path) -> str:
    """The file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(slots=True, kw_only=True)
class _Extent:
    """How many rows went by, and the earliest and latest time in them."""

    column: str | None
    rows: int = 0
    first: datetime | None = field(default=None)
    last: datetime | None = field(default=None)

    def add(self, chunk: pa.Table) -> None:
        self.rows += chunk.num_rows
        if self.column is None:
            return
        seen = pc.min_max(chunk[self.column]).as_py()
        if seen["min"] is not None:
            self.first = seen["min"] if self.first is None else min(self.first, seen["min"])
            self.last = seen["max"] if self.last is None else max(self.last, seen["max"])


def _row_groups(
    pages: Iterable[pa.Table | pa.RecordBatch], table: str, schema: pa.Schema
) -> Iterator[pa.Table]:
    """The pages put together to row groups worth reading: a CRM page holds only some 2,000 rows."""
    waiting: list[pa.Table] = []
    rows = 0
    for page in pages:
        waiting.append(_canonical(page, table, schema))
        rows += page.num_rows
        if rows >= ROW_GROUP:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if rows:
        yield pa.concat_tables(waiting)


def _canonical(page: pa.Table | pa.RecordBatch, table: str, schema: pa.Schema) -> pa.Table:
    rows = pa.Table.from_batches([page]) if isinstance(page, pa.RecordBatch) else page
    if set(rows.column_names) != set(schema.names) or len(rows.column_names) != len(schema.names):
        absent = sorted(set(schema.names) - set(rows.column_names))
        strange = sorted(set(rows.column_names) - set(schema.names))
        raise InputError(
            f"the rows do not have the columns of {table}: "
            f"missing {', '.join(absent) or 'none'}, unknown {', '.join(strange) or 'none'}.",
            record=table,
            fix="read the source with a connector of this version",
        )
    try:
        return rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"a column of {table} has another type: {error}.",
            record=table,
            fix="read the source with a connector of this version",
        ) from None
