"""What became of the export files in one reading, for people and programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.empty_exports import empty_warning
from sync.export_copies import Found, Key, copy_warnings
from sync.quarantine import Quarantined, Refused
from sync.reading import Reading
from sync.store.tables import ExportFileRow

if TYPE_CHECKING:
    from connectors.exports.spec import ExportFile, ExportSpec

Listed = tuple["ExportSpec", "ExportFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What became of the export files: read, replaced, unchanged, gone since last time, or quarantined."""

    read: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    rows: Mapping[str, int]  # kind -> rows added
    moved: tuple[str, ...] = ()  # known bytes at a new place
    copies: tuple[str, ...] = ()  # one sentence for each file that says what another says
    empty: tuple[str, ...] = ()  # one sentence for each file without rows where there were some before
    overlaps: tuple[str, ...] = ()  # one sentence for each file that shares events with others
    quarantined: tuple[Quarantined, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were read now, for the first time or again."""
        return (*self.read, *self.replaced)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each file that is gone, there twice, without rows, overlapping or unusable."""
        gone = (
            f"{path}: this export was read before and is gone; what it said still counts."
            for path in self.missing
        )
        bad = (str(each) for each in self.quarantined)
        return (*gone, *self.copies, *self.empty, *self.overlaps, *bad)


def report_of(
    known: Mapping[Key, ExportFileRow],
    listed: Sequence[Listed],
    readings: Sequence[Reading],
    *,
    missing: Sequence[Key],
    found: Found,
    refused: Mapping[Key, Refused],
) -> ExportReport:
    """The report of a reading, but for what only the whole manifest tells (overlaps, quarantine)."""
    keys = [one.key for one in readings]
    done = {*keys, *refused}
    rows: dict[str, int] = {}
    for one in readings:
        rows[one.spec.kind] = rows.get(one.spec.kind, 0) + one.tally.rows
    return ExportReport(
        read=tuple(key[1] for key in keys if key not in known),
        replaced=tuple(key[1] for key in keys if key in known),
        unchanged=tuple(file.name for spec, file in listed if (spec.kind, file.name) not in done),
        missing=tuple(path for _, path in sorted(missing)),
        rows=rows,
        moved=tuple(path for _, path in found.moved),
        copies=tuple(copy_warnings(found.copies)),
        empty=tuple(_empty_warnings(known, listed, readings, found)),
    )


def _empty_warnings(
    known: Mapping[Key, ExportFileRow],
    listed: Sequence[Listed],
    readings: Sequence[Reading],
    found: Found,
) -> Iterator[str]:
    """What to say of the files that were read now and hold nothing."""
    rows = {key: row.rows for key, row in known.items()}
    rows |= {key: rows[old] for key, old in found.moved.items() if old in rows}
    read = {one.key for one in readings}
    filled = {one.spec.path for one in readings if one.tally.rows}
    for spec, file in listed:
        key = (spec.kind, file.name)
        if key not in read and rows.get(key):
            filled.add(spec.path)
    for one in readings:
        if not one.tally.rows:
            warning = empty_warning(one.spec, one.file.name, known, beside=one.spec.path in filled)
            if warning is not None:
                yield warning
