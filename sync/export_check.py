"""Export files looked at without using them: what each holds, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.errors import InputError, UsageError
from sync.connect import export_specs
from sync.depot import open_depot
from sync.empty_exports import empty_warning
from sync.export_copies import copy_warning
from sync.export_overlaps import Sampled, overlaps, sampled_files
from sync.exports import is_known, known_files
from sync.reading import clock_of_data, rows_of
from sync.settings import Settings
from sync.settings_exports import Export
from sync.store import Store
from sync.store.tables import ExportFileRow
from sync.tally import Tally
from sync.usage_days import WITNESS

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
    format: str | None = None
    rows: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    error: str | None = None
    where: str | None = None
    fix: str | None = None
    warning: str | None = None


def check_exports(
    settings: Settings,
    store: Store,
    *,
    now: datetime,
    kind: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[FileCheck]:
    """One check a file of every [[exports]] entry (of one kind), read to its end; the lake is left as it is.

    `progress` hears how many files are done."""
    inspection = _Inspection(
        settings=settings,
        known=known_files(store),
        latest=clock_of_data(store, now),
        progress=progress,
        sampled={one.path: one for one in sampled_files(store)},
    )
    for entry in settings.exports:
        if kind is None or entry.kind == kind:
            inspection.check_entry(entry)
    return inspection.told()


@dataclass(slots=True, kw_only=True)
class _Inspection:
    """What was seen so far."""

    settings: Settings
    known: Known
    latest: datetime
    progress: Callable[[int], None] | None
    sampled: dict[str, Sampled]  # files of events, those that were read before as well
    checks: list[FileCheck] = field(default_factory=list)
    contents: dict[tuple[str, str], str] = field(
        default_factory=dict
    )  # (kind, sha256) -> the file that counts

    def check_entry(self, entry: Export) -> None:
        from connectors.exports.listing import list_files

        with open_depot(self.settings, _nothing, latest=self.latest) as depot:
            try:
                (spec,) = export_specs(replace(self.settings, exports=(entry,)))
                files = list_files(spec, depot)
            except UsageError as error:
                self._add(_bad(entry.kind, entry.path or entry.table, error))
                return
            places = [self._check_file(spec, file) for file in files]
        filled = any(self.checks[place].rows for place in places)
        for place in places:
            check = self.checks[place]
            if check.rows == 0:  # what there is to say of it depends on the files beside it
                told = empty_warning(spec, check.path, self.known, beside=filled)
                self.checks[place] = replace(check, warning=told)

    def told(self) -> list[FileCheck]:
        """The checks, with what can be said of a file only when all were seen."""
        for path in self._replaced():
            self.sampled.pop(path, None)
        seen = {check.path for check in self.checks}
        shared = {one.path: str(one) for one in overlaps(list(self.sampled.values()), among=seen)}
        told = [replace(c, warning=c.warning or shared.pop(c.path, None)) for c in self.checks]
        # a file that was read long ago and shares events with one that is here now
        return told + [
            FileCheck(kind="events", path=path, state="read", warning=warning)
            for path, warning in shared.items()
        ]

    def _replaced(self) -> list[str]:
        """Files of events that were read before and lie elsewhere now: what they say is said there."""
        here = {check.path for check in self.checks}
        return [
            path
            for (kind, path), row in self.known.items()
            if kind == "events" and path not in here and (kind, row.sha256) in self.contents
        ]

    def _check_file(self, spec: ExportSpec, file: ExportFile) -> int:
        """The place of its check."""
        from connectors.exports.formats import TABLE, recognise

        original = self.contents.setdefault((spec.kind, file.sha256 or file.name), file.name)
        tally = Tally(table=spec.table, zone=self.settings.company.timezone)
        try:
            if file.reduced:
                tally.add_days(file.reduced[WITNESS], file.rows or 0)
                found = TABLE
            else:
                for batch in rows_of(spec, file, latest=self.latest):
                    tally.add(batch)
                found = recognise(spec, file.path)
        except InputError as error:
            return self._add(_bad(spec.kind, file.name, error))
        is_copy = original != file.name
        if spec.kind == "events" and not is_copy and tally.first is not None and tally.last is not None:
            self.sampled[file.name] = Sampled(
                path=file.name, first_at=tally.first, last_at=tally.last, sample=tally.sample
            )
        return self._add(
            FileCheck(
                kind=spec.kind,
                path=file.name,
                state="read" if is_known(self.known.get((spec.kind, file.name)), spec, file) else "new",
                format=found,
                rows=tally.rows,
                first_at=tally.first,
                last_at=tally.last,
                warning=copy_warning(file.name, original) if is_copy else None,
            )
        )

    def _add(self, check: FileCheck) -> int:
        self.checks.append(check)
        if self.progress is not None:
            self.progress(len(self.checks))
        return len(self.checks) - 1


def _nothing(_spec: ExportSpec, _address: str, _size: int | None, _tag: str) -> None:
    """Every object is brought over, to be read to its end."""


def _bad(kind: str, path: str, error: UsageError) -> FileCheck:
    return FileCheck(
        kind=kind, path=path, state="bad", error=error.message, where=error.record or path, fix=error.fix
    )
