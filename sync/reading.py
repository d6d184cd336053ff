"""One export file read into a staged segment of the lake, or why that can't be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import func, select

from connectors.errors import InputError
from model.partials import PARTIALS
from sync.export_copies import Key, counted_source, source_of
from sync.lake import Lake
from sync.quarantine import Refused
from sync.reduction import EVENTS
from sync.segments import Segment
from sync.store import Store
from sync.store.tables import BookmarkRow
from sync.tally import Tally
from sync.usage_days import WITNESS, stage_counted

if TYPE_CHECKING:
    from connectors.exports.spec import ExportFile, ExportSpec

Progress = Callable[[str, int], None]
"""Called with a file's name and the rows read of it so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file that was read to its end: its format, and its rows, if any, as staged segments."""

    spec: ExportSpec
    file: ExportFile
    format: str
    segments: tuple[Segment, ...]
    tally: Tally

    @property
    def key(self) -> Key:
        """Its kind and name."""
        return (self.spec.kind, self.file.name)

    @property
    def replaces(self) -> list[tuple[str, str]]:
        """Tables and sources whose rows of before are out of use with it."""
        own = [(self.spec.table, source_of(self.file.name))]
        days = [(partial, counted_source(self.file.name)) for partial in PARTIALS]
        return own + (days if self.spec.kind == EVENTS else [])


def read_file(
    spec: ExportSpec,
    file: ExportFile,
    lake: Lake,
    *,
    zone: str,
    latest: datetime,
    progress: Progress | None = None,
) -> Reading | Refused:
    """The file's rows, staged; or the InputError that makes it unusable, with nothing staged."""
    from connectors.exports.formats import TABLE, recognise

    tally = Tally(table=spec.table, zone=zone)
    if file.reduced:
        tally.add_days(file.reduced[WITNESS], file.rows or 0)
        days = stage_counted(lake, file.reduced, name=file.name, first=tally.first, last=tally.last)
        return Reading(spec=spec, file=file, format=TABLE, segments=tuple(days), tally=tally)
    try:
        batches = _told(tally.over(rows_of(spec, file, latest=latest)), tally, file.name, progress)
        segment = lake.stage(spec.table, batches, source=source_of(file.name))
        found = recognise(spec, file.path)
    except InputError as error:
        return Refused(spec=spec, file=file, error=_addressed(error, file))
    staged = () if segment is None else (segment,)
    return Reading(spec=spec, file=file, format=found, segments=staged, tally=tally)


def rows_of(spec: ExportSpec, file: ExportFile, *, latest: datetime) -> Iterator[pa.RecordBatch]:
    """The file's rows in batches. Raises InputError that calls the file by its name."""
    from connectors.exports.table import iter_export

    try:
        yield from iter_export(spec, file, now=latest)
    except InputError as error:
        raise _addressed(error, file) from None


def clock_of_data(store: Store, now: datetime) -> datetime:
    """The later of our clock and that of the CRM as we last read it: nothing can have happened after that."""
    with store.session() as session:
        read_until = session.scalar(select(func.max(BookmarkRow.until)))
    return now if read_until is None else max(now, read_until)


def _addressed(error: InputError, file: ExportFile) -> InputError:
    """The error with the file's address where it names the copy on this machine."""
    if not file.address:
        return error
    spool, record = str(file.path), error.record
    return InputError(
        error.message.replace(spool, file.address),
        record=None if record is None else record.replace(spool, file.address),
        fix=error.fix,
    )


def _told(
    batches: Iterator[pa.RecordBatch], tally: Tally, name: str, progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if progress is not None:
            progress(name, tally.rows)
        yield batch
