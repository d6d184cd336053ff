"""Export files that can't be used: set aside whole, with place, reason and fix; what they said before counts.

See docs/adr/0017-quarantine.md. A quarantined file is tried again at each reading, since a setting or its
declared encoding may have been the fault; it leaves the quarantine when it can be read, or is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from connectors.errors import InputError
from sync.export_copies import Key
from sync.store import Store
from sync.store.tables import ExportFileRow, QuarantineRow

if TYPE_CHECKING:
    from connectors.exports.spec import ExportFile, ExportSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that could not be read to its end, and why."""

    spec: ExportSpec
    file: ExportFile
    error: InputError

    @property
    def key(self) -> Key:
        """Its kind and name."""
        return (self.spec.kind, self.file.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A file that is set aside; `kept` are the rows that it had when it could last be read, which count."""

    kind: str
    path: str
    size: int
    reason: str
    place: str
    fix: str
    found_at: datetime
    kept: int = 0

    def __str__(self) -> str:
        """A sentence for people: what is wrong where, what counts meanwhile, and what to do."""
        kept = f" Its {self.kept:,} rows of before still count." if self.kept else ""
        return f"{self.place}: {self.reason} The file is quarantined, whole.{kept} Fix: {self.fix}"


def note_refused(session: Session, refused: Sequence[Refused], *, run_id: str | None, now: datetime) -> None:
    """Let the quarantine hold these files and no others, in the caller's transaction."""
    held = {(row.kind, row.path): row for row in session.scalars(select(QuarantineRow))}
    keys = {each.key for each in refused}
    for kind, path in held.keys() - keys:
        session.execute(delete(QuarantineRow).where(QuarantineRow.kind == kind, QuarantineRow.path == path))
    for each in refused:
        before = held.get(each.key)
        same = before is not None and before.sha256 == each.file.sha256
        session.merge(
            QuarantineRow(
                kind=each.spec.kind,
                path=each.file.name,
                size=each.file.size,
                sha256=each.file.sha256,
                reason=each.error.message,
                place=each.error.record or each.file.name,
                fix=each.error.fix or "Export it again.",
                run_id=before.run_id if same and before is not None else run_id,
                found_at=before.found_at if same and before is not None else now,
            )
        )


def quarantined_files(store: Store) -> list[Quarantined]:
    """The files that are set aside now, by kind and path."""
    query = (
        select(QuarantineRow, func.coalesce(ExportFileRow.rows, 0))
        .outerjoin(
            ExportFileRow,
            (ExportFileRow.kind == QuarantineRow.kind) & (ExportFileRow.path == QuarantineRow.path),
        )
        .order_by(QuarantineRow.kind, QuarantineRow.path)
    )
    with store.session() as session:
        return [
            Quarantined(
                kind=row.kind,
                path=row.path,
                size=row.size,
                reason=row.reason,
                place=row.place,
                fix=row.fix,
                found_at=row.found_at,
                kept=kept,
            )
            for row, kept in session.execute(query)
        ]


def refuse_unread(
    refused: Mapping[Key, Refused], readable: Collection[str], specs: Sequence[ExportSpec]
) -> None:
    """Raise InputError for an entry of which no file could ever be read.

    `readable` are the paths in [[exports]] under which some file was read, now or before. To score without
    such an export would look like a product that nobody uses, so that has to be decided by leaving it out."""
    for spec in specs:
        bad = [each for _, each in sorted(refused.items()) if each.spec is spec]
        if bad and spec.path not in readable:
            first = bad[0].error
            count = f"None of the {len(bad)} files" if len(bad) > 1 else "The only file"
            raise InputError(
                f"{first.message} {count} of {spec.path} can be read.",
                record=first.record,
                fix=f"{first.fix} To go on without it, take its [[exports]] out of the settings.",
            )
