"""Exports: new and changed files into the lake, each read once.

Every file is known by its content (sha256). All new ones are read and staged before the first becomes
visible, so a bad file changes nothing. A file that was sent again takes the place of what it said before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync.connect import export_specs
from sync.empty_exports import empty_warning
from sync.export_copies import Found, Key, copy_warnings, note_moves, sort_by_content, source_of
from sync.lake import Lake
from sync.segments import Segment
from sync.settings import Settings
from sync.store import Store
from sync.store.tables import ExportFileRow

if TYPE_CHECKING:
    from connectors.exports.spec import ExportFile, ExportSpec

Progress = Callable[[str, int], None]
"""Called with a file's path and the rows read of it so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What became of the export files: read, replaced, unchanged, or gone since last time."""

    read: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    rows: Mapping[str, int]  # kind -> rows added
    moved: tuple[str, ...] = ()  # known bytes at a new place
    copies: tuple[str, ...] = ()  # one sentence for each file that says what another says
    empty: tuple[str, ...] = ()  # one sentence for each file without rows where there were some before

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were read now, for the first time or again."""
        return (*self.read, *self.replaced)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each file that is gone, is there twice, or lost its rows."""
        gone = (
            f"{path}: this export was read before and is gone; what it said still counts."
            for path in self.missing
        )
        return (*gone, *self.copies, *self.empty)


def ingest(
    settings: Settings,
    store: Store,
    lake: Lake,
    *,
    run_id: str | None,
    now: datetime,
    progress: Progress | None = None,
) -> ExportReport:
    """Read the export files that are new or changed.

    Raises InputError for the first bad one, with nothing changed; SettingError for a kind that can't be read.
    A file whose spec changed (columns, zone, key) is read again: the same bytes now mean other rows."""
    from connectors.exports.spec import list_files

    known = known_files(store)
    specs = export_specs(settings)
    listed = [(spec, file) for spec in specs for file in list_files(spec)]
    present = {(spec.kind, str(file.path)): (spec, file) for spec, file in listed}
    found = sort_by_content(
        {
            key: (spec.kind, file.sha256, _spec_hash(spec))
            for key, (spec, file) in present.items()
            if not is_known(known.get(key), spec, file)
        },
        known,
        present,
    )
    fresh = [present[key] for key in found.unseen]
    staged: list[tuple[ExportSpec, ExportFile, Segment | None]] = []
    try:
        for spec, file in fresh:
            batches = _read(spec, file, progress)
            staged.append((spec, file, lake.stage(spec.table, batches, source=source_of(file.path))))
    except BaseException:
        lake.discard(segment for _, _, segment in staged if segment is not None)
        raise
    elsewhere = set(found.moved.values())
    missing = [
        key
        for key, row in known.items()
        if key not in present and key not in elsewhere and row.status == "read"
    ]
    back = [key for key, row in known.items() if key in present and row.status == "missing"]

    def manifest(session: Session) -> None:
        note_moves(session, found.moved)
        for spec, file, segment in staged:
            session.merge(_manifest_row(spec, file, segment, run_id, now))
        for status, keys in (("missing", missing), ("read", back)):
            for kind, path in keys:
                session.execute(
                    update(ExportFileRow)
                    .where(ExportFileRow.kind == kind, ExportFileRow.path == path)
                    .values(status=status)
                )

    lake.commit(
        [segment for _, _, segment in staged if segment is not None],
        run_id=run_id,
        now=now,
        replace=[(spec.table, source_of(file.path)) for spec, file, _ in staged],
        also=manifest,
    )
    return _report(known, listed, staged, missing, found)


def _read(spec: ExportSpec, file: ExportFile, progress: Progress | None) -> Iterator[pa.RecordBatch]:
    from connectors.exports.table import iter_export

    rows = 0
    for batch in iter_export(spec, file):
        rows += batch.num_rows
        if progress is not None:
            progress(str(file.path), rows)
        yield batch


def known_files(store: Store) -> dict[tuple[str, str], ExportFileRow]:
    """Every file that was read, by kind and path."""
    with store.session() as session:
        return {(row.kind, row.path): row for row in session.scalars(select(ExportFileRow))}


def is_known(row: ExportFileRow | None, spec: ExportSpec, file: ExportFile) -> bool:
    """Whether the same bytes were read before, and by the same spec."""
    return row is not None and row.sha256 == file.sha256 and row.spec_hash == _spec_hash(spec)


def _spec_hash(spec: ExportSpec) -> str:
    """A hash of how the file is read; where it lies (`path`, a glob) does not change what it says."""
    reading = {name: value for name, value in asdict(spec).items() if name != "path"}
    return hashlib.sha256(json.dumps(reading, sort_keys=True, default=str).encode()).hexdigest()


def _manifest_row(
    spec: ExportSpec, file: ExportFile, segment: Segment | None, run_id: str | None, now: datetime
) -> ExportFileRow:
    return ExportFileRow(
        kind=spec.kind,
        path=str(file.path),
        format=spec.format,
        spec_hash=_spec_hash(spec),
        size=file.size,
        sha256=file.sha256,
        rows=0 if segment is None else segment.rows,
        first_at=None if segment is None else segment.first_at,
        last_at=None if segment is None else segment.last_at,
        status="read",
        run_id=run_id,
        read_at=now,
    )


def _report(
    known: Mapping[tuple[str, str], ExportFileRow],
    listed: list[tuple[ExportSpec, ExportFile]],
    staged: list[tuple[ExportSpec, ExportFile, Segment | None]],
    missing: list[Key],
    found: Found,
) -> ExportReport:
    paths = [(spec.kind, str(file.path)) for spec, file, _ in staged]
    rows: dict[str, int] = {}
    for spec, _, segment in staged:
        rows[spec.kind] = rows.get(spec.kind, 0) + (0 if segment is None else segment.rows)
    return ExportReport(
        read=tuple(path for kind, path in paths if (kind, path) not in known),
        replaced=tuple(path for kind, path in paths if (kind, path) in known),
        unchanged=tuple(
            str(file.path) for spec, file in listed if (spec.kind, str(file.path)) not in set(paths)
        ),
        missing=tuple(path for _, path in sorted(missing)),
        rows=rows,
        moved=tuple(path for _, path in found.moved),
        copies=tuple(copy_warnings(found.copies)),
        empty=tuple(_empty_warnings(known, listed, staged, found)),
    )


def _empty_warnings(
    known: Mapping[Key, ExportFileRow],
    listed: list[tuple[ExportSpec, ExportFile]],
    staged: list[tuple[ExportSpec, ExportFile, Segment | None]],
    found: Found,
) -> Iterator[str]:
    """What to say of the files that were read now and hold nothing."""
    rows = {key: row.rows for key, row in known.items()}
    rows |= {key: rows[old] for key, old in found.moved.items() if old in rows}
    empty = [(spec, str(file.path)) for spec, file, segment in staged if segment is None]
    read = {(spec.kind, str(file.path)) for spec, file, segment in staged}
    filled = {spec.path for spec, _, segment in staged if segment is not None}
    for spec, file in listed:
        key = (spec.kind, str(file.path))
        if key not in read and rows.get(key):
            filled.add(spec.path)
    for spec, path in empty:
        warning = empty_warning(spec, path, known, beside=spec.path in filled)
        if warning is not None:
            yield warning
