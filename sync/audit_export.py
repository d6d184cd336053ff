"""The journal as a file for auditors: CSV that no spreadsheet runs, or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from connectors.errors import InputError, UsageError
from sync.cells import begins_like_formula
from sync.journal import value_of
from sync.store import Store
from sync.store.writeback import JournalRow

ROWS_AT_ONCE: Final = 5_000
QUOTE: Final = "'"
"""What a spreadsheet takes for "this is text" at the start of a cell (OWASP, "CSV Injection")."""

COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        "id": pa.int64(),
        "at": pa.timestamp("us", "UTC"),
        **dict.fromkeys(("kind", "run_id", "plan_id", "operation_key", "object"), pa.string()),
        **dict.fromkeys(("record_id", "account_id", "field", "key", "before", "after"), pa.string()),
        "undoes": pa.int64(),
        "erased_at": pa.timestamp("us", "UTC"),
        "digest": pa.string(),
    }
)


def export(
    store: Store, out: Path, *, since: date | None = None, until: date | None = None, timezone: str = "UTC"
) -> int:
    """Entries written to `out`, in order: those of the days from `since` to `until`, both included.

    Raises UsageError for another ending than .csv or .parquet, InputError when the file can't be written."""
    write = {".csv": _write_csv, ".parquet": _write_parquet}.get(out.suffix.lower())
    if write is None:
        raise UsageError(
            "a journal is written as CSV or Parquet.", record=str(out), fix="end the name in .csv or .parquet"
        )
    zone = ZoneInfo(timezone)
    begins = None if since is None else datetime.combine(since, time(), zone)
    ends = None if until is None else datetime.combine(until + timedelta(days=1), time(), zone)
    try:
        return write(out, _entries(store, begins, ends))
    except OSError as error:
        raise InputError(
            f"this file can't be written: {error.strerror}.", record=str(out), fix="name another with --out"
        ) from None


def neutralised(value: Any) -> Any:
    """The value, or a text that a spreadsheet would run, behind a quote."""
    return f"{QUOTE}{value}" if begins_like_formula(value) else value


def _entries(store: Store, begins: datetime | None, ends: datetime | None) -> Iterator[dict[str, Any]]:
    query = select(*(getattr(JournalRow, name) for name in COLUMNS)).order_by(JournalRow.id)
    if begins is not None:
        query = query.where(JournalRow.at >= begins)
    if ends is not None:
        query = query.where(JournalRow.at < ends)
    with store.session() as session:
        for row in session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}):
            yield dict(row._mapping) | {"before": value_of(row.before), "after": value_of(row.after)}


def _write_csv(out: Path, entries: Iterator[dict[str, Any]]) -> int:
    count = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for entry in entries:
            writer.writerow({name: neutralised(_shown(value)) for name, value in entry.items()})
            count += 1
    return count


def _write_parquet(out: Path, entries: Iterator[dict[str, Any]]) -> int:
    schema, count = pa.schema(list(COLUMNS.items())), 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while rows := list(islice(entries, ROWS_AT_ONCE)):
            texts = ({"before": _text(row["before"]), "after": _text(row["after"])} for row in rows)
            writer.write_table(
                pa.Table.from_pylist(
                    [row | text for row, text in zip(rows, texts, strict=True)], schema=schema
                )
            )
            count += len(rows)
    return count


def _shown(value: Any) -> Any:
    """Times and lists as text; a number stays one, so that a minus is no formula."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case tuple():
            return _text(value)
    return value


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case tuple():
            return "; ".join(value)
        case datetime() | date():
            return value.isoformat()
        case bool():
            return str(value).lower()
    return str(value)
