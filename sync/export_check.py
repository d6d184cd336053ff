"""Export files looked at without using them: what each holds, or what is wrong with it; and what was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import case, func, select

from connectors.errors import UsageError
from sync.connect import export_specs
from sync.empty_exports import empty_warning
from sync.exports import is_known, known_files
from sync.segments import TIME_COLUMN
from sync.settings import Export, Settings
from sync.store import Store
from sync.store.tables import ExportFileRow

if TYPE_CHECKING:
    from connectors.exports.spec import ExportFile, ExportSpec

Known = Mapping[tuple[str, str], ExportFileRow]
"""Files that were read before, by kind and path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """One export file, or a pattern that names none: its rows and their time range, or its first error.

    `state` is new, read (nothing to do) or bad; an error names where it is and what to do. A `warning` is a
    sentence about a file that can be read, and had better be looked at."""

    kind: str
    path: str
    state: str
    rows: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    error: str | None = None
    where: str | None = None
    fix: str | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindStatus:
    """What was read of one kind of export."""

    kind: str
    files: int
    missing: int  # files that were read before and are gone
    rows: int
    first_at: datetime | None
    last_at: datetime | None
    read_at: datetime


def check_exports(settings: Settings, store: Store) -> Iterable[FileCheck]:
    """One check a file of every [[exports]] entry, read to its end; the lake is left as it is."""
    known = known_files(store)
    for entry in settings.exports:
        yield from _check_entry(settings, entry, known)


def status_of_exports(store: Store) -> list[KindStatus]:
    """What was read, by kind; nothing when no export was read yet."""
    gone = func.sum(case((ExportFileRow.status == "missing", 1), else_=0))
    query = (
        select(
            ExportFileRow.kind,
            func.count(),
            gone,
            func.sum(ExportFileRow.rows),
            func.min(ExportFileRow.first_at),
            func.max(ExportFileRow.last_at),
            func.max(ExportFileRow.read_at),
        )
        .group_by(ExportFileRow.kind)
        .order_by(ExportFileRow.kind)
    )
    with store.session() as session:
        return [
            KindStatus(
                kind=kind,
                files=files,
                missing=int(missing),
                rows=int(rows),
                first_at=first,
                last_at=last,
                read_at=read_at,
            )
            for kind, files, missing, rows, first, last, read_at in session.execute(query)
        ]


def _check_entry(settings: Settings, entry: Export, known: Known) -> Iterable[FileCheck]:
    from connectors.exports.spec import list_files

    try:
        (spec,) = export_specs(replace(settings, exports=(entry,)))
        files = list_files(spec)
    except UsageError as error:
        yield _bad(entry.kind, entry.path, error)
        return
    filled, empty = False, []
    for file in files:
        try:
            check = _check_file(spec, file, known)
        except UsageError as error:
            yield _bad(entry.kind, str(file.path), error)
            continue
        filled = filled or bool(check.rows)
        if check.rows:
            yield check
        else:  # what there is to say of it depends on the files beside it
            empty.append(check)
    for check in empty:
        yield replace(check, warning=empty_warning(spec, check.path, known, beside=filled))


def _check_file(spec: ExportSpec, file: ExportFile, known: Known) -> FileCheck:
    from connectors.exports.table import iter_export

    rows, first, last = 0, None, None
    for batch in iter_export(spec, file):
        rows += batch.num_rows
        times = pc.min_max(batch[TIME_COLUMN[spec.table]].cast(pa.timestamp("us", tz="UTC")))
        low, high = times["min"].as_py(), times["max"].as_py()
        if low is not None:
            first = low if first is None else min(first, low)
            last = high if last is None else max(last, high)
    seen = is_known(known.get((spec.kind, str(file.path))), spec, file)
    return FileCheck(
        kind=spec.kind,
        path=str(file.path),
        state="read" if seen else "new",
        rows=rows,
        first_at=first,
        last_at=last,
    )


def _bad(kind: str, path: str, error: UsageError) -> FileCheck:
    return FileCheck(
        kind=kind, path=path, state="bad", error=error.message, where=error.record, fix=error.fix
    )
