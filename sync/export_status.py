"""What was read of the exports, by kind: files, rows, days, gaps, and what is wrong with some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select

from sync.export_gaps import Gap, gaps
from sync.quarantine import Quarantined, quarantined_files
from sync.store import Store
from sync.store.tables import ExportFileRow

STREAMS: Final = ("events", "usage")
"""Kinds that grow day by day, or month by month: a pause in them is a gap. The others come as they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStatus:
    """One file that counts, as it was read; `status` is read or missing."""

    path: str
    format: str
    status: str
    size: int
    rows: int
    first_at: datetime | None
    last_at: datetime | None
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KindStatus:
    """What was read of one kind of export; `read_at` is None where nothing could be."""

    kind: str
    formats: tuple[str, ...]
    files: tuple[FileStatus, ...]
    gaps: tuple[Gap, ...]
    quarantined: tuple[Quarantined, ...]

    @property
    def missing(self) -> int:
        """Files that were read before and are gone."""
        return sum(file.status == "missing" for file in self.files)

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def first_at(self) -> datetime | None:
        """The earliest moment in them."""
        return min((file.first_at for file in self.files if file.first_at), default=None)

    @property
    def last_at(self) -> datetime | None:
        """The latest moment in them."""
        return max((file.last_at for file in self.files if file.last_at), default=None)

    @property
    def read_at(self) -> datetime | None:
        """When a file of it was last read."""
        return max((file.read_at for file in self.files), default=None)


def status_of_exports(store: Store) -> list[KindStatus]:
    """What was read, by kind; nothing when no export was read yet."""
    columns = (
        ExportFileRow.kind,
        ExportFileRow.path,
        ExportFileRow.format,
        ExportFileRow.status,
        ExportFileRow.size,
        ExportFileRow.rows,
        ExportFileRow.first_at,
        ExportFileRow.last_at,
        ExportFileRow.read_at,
        ExportFileRow.days,
    )
    files: dict[str, list[FileStatus]] = {}
    days: dict[str, set[str]] = {}
    with store.session() as session:
        for kind, *facts, by_day in session.execute(
            select(*columns).order_by(ExportFileRow.kind, ExportFileRow.path)
        ):
            path, form, status, size, rows, first, last, read_at = facts
            files.setdefault(kind, []).append(
                FileStatus(
                    path=path, format=form, status=status, size=size, rows=rows, first_at=first, last_at=last,
                    read_at=read_at,
                )
            )  # fmt: skip
            days.setdefault(kind, set()).update(by_day or {})
    bad: dict[str, list[Quarantined]] = {}
    for each in quarantined_files(store):
        bad.setdefault(each.kind, []).append(each)
    return [
        KindStatus(
            kind=kind,
            formats=tuple(sorted({file.format for file in files.get(kind, ())})),
            files=tuple(files.get(kind, ())),
            gaps=_gaps(kind, days.get(kind, set())),
            quarantined=tuple(bad.get(kind, ())),
        )
        for kind in sorted(files.keys() | bad.keys())
    ]


def _gaps(kind: str, days: set[str]) -> tuple[Gap, ...]:
    return gaps([date.fromisoformat(day) for day in days]) if kind in STREAMS else ()


def gap_words(found: Sequence[Gap], shown: int = 3) -> str:
    """The newest gaps, for people."""
    more = len(found) - shown
    return ", ".join(str(gap) for gap in reversed(found[-shown:])) + (f" and {more} more" if more > 0 else "")
