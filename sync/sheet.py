"""Rows as a file for people and programs: CSV, JSON or Parquet, by the name's ending.

In CSV a text that a spreadsheet would run is written with an apostrophe in front (OWASP, CSV injection):
names and reasons come from the outside, and the file is opened in Excel. JSON and Parquet keep it as it is.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import InputError
from sync.cells import FORMULA_STARTS

ENDINGS: Final = (".csv", ".json", ".parquet")
RUN_BY_SPREADSHEETS: Final = (*FORMULA_STARTS, "\n", "＝", "＋", "－", "＠")


def check_ending(path: Path) -> None:
    """Nothing when the file's kind is known; else raises InputError, best before any work is done."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(
            "this ending names no kind of file that can be written.",
            record=str(path),
            fix=f"end it with {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}",
        )


def write_sheet(
    path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], about: Mapping[str, Any]
) -> int:
    """How many rows were written, with these columns in this order.

    `about` describes the whole: beside the rows in JSON, in the metadata of Parquet, not in CSV. Raises
    InputError for an ending of another kind, OSError when the file can't be written."""
    check_ending(path)
    listed = [{name: row.get(name) for name in columns} for row in rows]
    match path.suffix.lower():
        case ".csv":
            _write_csv(path, columns, listed)
        case ".json":
            text = json.dumps(dict(about) | {"rows": listed}, ensure_ascii=False, indent=1, default=_plain)
            path.write_text(text + "\n", encoding="utf-8")
        case _:
            texts = {name: pa.array([_text(row[name]) for row in listed], pa.string()) for name in columns}
            described = {"upswell": json.dumps(dict(about), ensure_ascii=False, default=_plain)}
            pq.write_table(pa.table(texts).replace_schema_metadata(described), path)
    return len(listed)


def neutral(value: Any) -> Any:
    """The value as a CSV cell that no spreadsheet runs; numbers and dates as they are."""
    if isinstance(value, str) and value.lstrip(" ").startswith(RUN_BY_SPREADSHEETS):
        return f"'{value}"
    return value


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        # neutral first: a number is none of a person's text, and its minus sign is no formula
        writer.writerows([_text(neutral(row[name])) for name in columns] for row in rows)


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case tuple() | list():
            return "; ".join(str(item) for item in value)
        case _:
            return str(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else _text(value)
