"""CSV and JSON lines in batches of text cells, with the line of each batch's first row.

Everything is read as text first: a sniffed type would turn the id 001 into 1 and the name NA into nothing.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
from pyarrow import csv as pa_csv

from connectors.errors import InputError

GZIP_MAGIC: Final = b"\x1f\x8b"
_DELIMITERS: Final = (",", ";", "\t", "|")
_LINES: Final = 50_000
_BLOCK: Final = 8 << 20
_BROKEN_GZIP: Final = (EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Columns of text (or of JSON values as text), and the line of the file that the first row is on."""

    columns: dict[str, pa.Array]
    first_line: int
    exact: bool  # False: a cell may hold line breaks, so lines are counted as rows


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked if they are gzip. Raises InputError for a cut archive."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            if not packed:
                yield raw
                return
            with gzip.open(raw) as unpacked:
                yield unpacked  # type: ignore[misc]  # a GzipFile is an IO[bytes] in all that is used here
    except _BROKEN_GZIP as error:
        raise InputError(
            f"The gzip file is cut or damaged: {error}.",
            record=str(path),
            fix="Export or copy it again; nothing of it was used.",
        ) from None
    except OSError as error:
        raise InputError(
            f"The file can't be read: {error.strerror or error}.", record=str(path), fix="Check the file."
        ) from None


def csv_header(path: Path) -> tuple[list[str], str]:
    """The column names and the delimiter: the one that cuts the first line into most pieces."""
    with opened(path) as stream:
        raw = stream.readline(1 << 20)
    try:
        line = raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _not_utf8(path, "line 1") from None
    if not line.strip():
        raise InputError(
            "The first line is empty.", record=f"{path}, line 1", fix="It must name the columns."
        )
    rows = {mark: next(csv.reader([line], delimiter=mark)) for mark in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda mark: len(rows[mark]))
    names = [name.strip() for name in rows[delimiter]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"The column {twice[0]!r} is there twice.", record=f"{path}, line 1", fix="Rename one of them."
        )
    return names, delimiter


def csv_cells(path: Path, names: Sequence[str], delimiter: str, wanted: Sequence[str]) -> Iterator[Cells]:
    """Batches of the wanted columns as text; an empty cell is null, and nothing else is."""
    kept = [name for name in wanted if name in names]
    with opened(path) as stream:
        try:
            reader = pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(column_names=list(names), skip_rows=1, block_size=_BLOCK),
                parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=kept,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
            line = 2
            for batch in reader:
                columns = {name: batch.column(name) for name in kept}
                yield Cells(columns=columns, first_line=line, exact=False)
                line += batch.num_rows
        except StopIteration:  # open_csv on a header without rows
            return
        except pa.ArrowInvalid as error:
            reason = str(error).splitlines()[0]
            if "Empty CSV file" in reason:
                return
            if "UTF8" in reason:
                raise _not_utf8(path, None) from None
            raise InputError(
                f"The file is no whole CSV: {reason[:300]}",
                record=str(path),
                fix=f"Each row needs {len(names)} cells; export it again. Nothing of it was used.",
            ) from None


def json_cells(path: Path, wanted: Sequence[str]) -> Iterator[Cells]:
    """Batches of the wanted paths from JSON lines; a path leads through objects (properties.plan)."""
    with opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig")
        rows: list[Any] = []
        first = 1
        number = 0
        try:
            for number, line in enumerate(text, start=1):
                rows.append(_parsed(path, line, number) if line.strip() else None)
                if len(rows) == _LINES:
                    yield _gathered(rows, wanted, first)
                    rows, first = [], number + 1
        except UnicodeDecodeError:
            raise _not_utf8(path, f"line {number + 1}") from None
        finally:
            text.detach()
        if rows:
            yield _gathered(rows, wanted, first)


def json_names(path: Path) -> set[str]:
    """The names, and dotted paths, of the first line's object."""
    with opened(path) as stream:
        try:
            first = stream.readline(1 << 22).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _not_utf8(path, "line 1") from None
    names: set[str] = set()

    def walk(value: Any, prefix: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                names.add(prefix + name)
                walk(inner, f"{prefix}{name}.")

    walk(_parsed(path, first, 1), "")
    return names


def _parsed(path: Path, line: str, number: int) -> Any:
    """One line's object."""
    try:
        value = json.loads(line, parse_constant=_no_number)
    except ValueError as error:
        raise InputError(
            f"This is no JSON: {error}.",
            record=f"{path}, line {number}",
            fix="Write one JSON object a line; if the file was cut, export it again. Nothing of it was used.",
        ) from None
    if not isinstance(value, dict):
        raise InputError(
            "This line is no JSON object.", record=f"{path}, line {number}", fix="Write one object a line."
        )
    return value


def _gathered(rows: Sequence[Any], wanted: Sequence[str], first: int) -> Cells:
    """The rows as columns of text; an empty line is a row of nulls that the caller drops."""
    columns = {name: pa.array([_cell(row, name) for row in rows], pa.string()) for name in wanted}
    columns[""] = pa.array([row is not None for row in rows])
    return Cells(columns=columns, first_line=first, exact=True)


def _cell(row: Any, path: str) -> str | None:
    """A value as text; numbers keep their digits, true is "true", an empty text is null."""
    if row is None:
        return None
    value = row.get(path)
    if value is None and "." in path and path not in row:
        value = row
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _not_utf8(path: Path, where: str | None) -> InputError:
    return InputError(
        "The text is not UTF-8.",
        record=f"{path}, {where}" if where else str(path),
        fix="Export it as UTF-8 (in a spreadsheet: 'CSV UTF-8').",
    )
