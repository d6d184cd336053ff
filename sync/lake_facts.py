"""What a plan's scores could know, in figures: rows and newest moment of each table, bad files, last pull."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import case, func, select

from connectors.canonical import EXPORT_KINDS
from model.partials import PARTIALS
from sync.export_copies import COUNTED
from sync.reduction import EVENTS
from sync.store import Store
from sync.store.tables import BookmarkRow, QuarantineRow, SegmentRow
from sync.usage_days import WITNESS


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeFacts:
    """Rows and newest moment by table, up to when the CRM's accounts were read, and quarantined export files
    by table; empty when unknown."""

    rows: Mapping[str, int]
    newest: Mapping[str, datetime]
    pulled_until: datetime | None = None
    quarantined: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As a plan keeps it."""
        return {
            "rows": dict(self.rows),
            "newest": {table: moment.isoformat() for table, moment in self.newest.items()},
            "pulled_until": None if self.pulled_until is None else self.pulled_until.isoformat(),
            "quarantined": dict(self.quarantined),
        }

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Self:
        """What `as_json` kept."""
        until = held["pulled_until"]
        return cls(
            rows=held["rows"],
            newest={table: datetime.fromisoformat(text) for table, text in held["newest"].items()},
            pulled_until=None if until is None else datetime.fromisoformat(until),
            quarantined=held.get("quarantined", {}),  # plans of earlier versions don't tell
        )


def read_lake_facts(store: Store, org_id: str) -> LakeFacts:
    """The figures as they are now, by the ledger; no file of the lake is opened."""
    # what a warehouse counted of its events stands for them
    is_counted = (SegmentRow.table_name == WITNESS) & SegmentRow.source.startswith(COUNTED)
    table = case((is_counted, EVENTS), else_=SegmentRow.table_name).label("table")
    counted = (
        select(table, func.sum(SegmentRow.rows), func.max(SegmentRow.last_at))
        .where(SegmentRow.active, SegmentRow.table_name.not_in(PARTIALS) | is_counted)
        .group_by(table)
        .order_by(table)
    )
    with store.session() as session:
        tables = session.execute(counted).all()
        read = session.get(BookmarkRow, (org_id, "accounts"))
        bad = session.execute(select(QuarantineRow.kind, func.count()).group_by(QuarantineRow.kind)).all()
        return LakeFacts(
            rows={table: int(rows) for table, rows, _ in tables},
            newest={table: newest for table, _, newest in tables if newest is not None},
            pulled_until=None if read is None else read.until,
            quarantined={EXPORT_KINDS[kind]: files for kind, files in bad},
        )
