"""The override file: which account an export's key means where the rules can't tell, said by a person."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from connectors.errors import InputError
from sync.sheet import RUN_BY_SPREADSHEETS

COLUMNS: Final = ("account_key", "crm_id")
NOBODY: Final = "none"
"""In place of a CRM id: the key is no customer's, such as a test account, and its rows are left out."""


def read_overrides(path: Path | None) -> Mapping[str, str | None]:
    """Account key -> CRM id, or None where the file says `none`; empty without a file.

    A CSV in UTF-8 with the columns account_key and crm_id, in any order beside others; a line without a CRM
    id is not decided yet and counts for nothing. Raises InputError with the line of the first fault."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(path, csv.DictReader(file, strict=True))
    except OSError as error:
        raise InputError(
            f"the override file can't be read: {error.strerror}.",
            record=str(path),
            fix="correct [identity] overrides, or remove it",
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"the override file is no CSV in UTF-8: {error}.",
            record=str(path),
            fix="save it as CSV in UTF-8; upswell exports match --out FILE.csv writes one to fill in",
        ) from None


def _read(path: Path, reader: csv.DictReader[str]) -> Mapping[str, str | None]:
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"the override file has no column {' and no '.join(missing)}.",
            record=str(path),
            fix=f"its first line names the columns: {','.join(COLUMNS)}",
        )
    found: dict[str, str | None] = {}
    for line, key, record in _decided(reader):
        said = None if record.casefold() == NOBODY else record
        if not key:
            raise _fault(path, line, "this line has no account_key.", "write the key, or remove the line")
        if key in found and found[key] != said:
            raise _fault(
                path, line, f"the key {key} was given to another account above.", "keep one of the two lines"
            )
        found[key] = said
    return found


def _decided(reader: csv.DictReader[str]) -> Iterator[tuple[int, str, str]]:
    rows: Iterable[dict[str, str | None]] = reader
    for row in rows:
        record = (row["crm_id"] or "").strip()
        if record:
            yield reader.line_num, _as_exported((row["account_key"] or "").strip()), record


def _as_exported(key: str) -> str:
    """The key without the apostrophe that `sync/sheet.py` puts before what a spreadsheet would run."""
    return key[1:] if key.startswith("'") and key[1:].startswith(RUN_BY_SPREADSHEETS) else key


def _fault(path: Path, line: int, message: str, fix: str) -> InputError:
    return InputError(message, record=f"{path}, line {line}", fix=fix)
