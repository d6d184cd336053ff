"""What we last wrote into each cell, by the journal, and which records an earlier write still holds.

A cell that holds something else than what we last wrote was changed by a person (or an automation of
theirs). A restore counts as written: what it gave back is then what we last put there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from connectors.crm import Record, RowOutcome, Value
from sync.cells import from_json, same
from sync.mapping import FieldMap
from sync.recovery import HELD
from sync.store.writeback import JournalRow, OperationRow, PlanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWritten:
    """The newest journal entry of one cell: a write, or the restore of a rollback (`is_restore`).

    `is_known` is False once its content was erased."""

    at: datetime
    held: Mapping[str, Any]
    is_restore: bool = False
    is_known: bool = True

    @property
    def value(self) -> Value:
        """What we put there."""
        return from_json(dict(self.held))


def last_written(
    session: Session, org_id: str, object_name: str, record_ids: Collection[str]
) -> dict[str, dict[str, LastWritten]]:
    """The newest entry of each cell ever written on these records, by record id and vendor's field name."""
    newest = (
        select(func.max(JournalRow.id))
        .join(PlanRow, PlanRow.id == JournalRow.plan_id)
        .where(
            JournalRow.object == object_name,
            JournalRow.record_id.in_(record_ids),
            JournalRow.kind.in_(("write", "restore")),
            PlanRow.org_id == org_id,  # HubSpot numbers its records in every portal alike
        )
        .group_by(JournalRow.record_id, JournalRow.field)
    )
    columns = (
        JournalRow.record_id, JournalRow.field, JournalRow.at, JournalRow.after, JournalRow.undoes,
        JournalRow.erased_at,
    )  # fmt: skip
    found: dict[str, dict[str, LastWritten]] = {}
    for row in session.execute(select(*columns).where(JournalRow.id.in_(newest))):
        found.setdefault(row.record_id, {})[row.field] = LastWritten(
            at=row.at,
            held=row.after,
            is_restore=row.undoes is not None,
            is_known=row.erased_at is None and bool(row.after),
        )
    return found


def inherited(
    own: Mapping[str, LastWritten],
    former: Sequence[Mapping[str, LastWritten]],
    record: Record,
    fields: FieldMap,
) -> Mapping[str, LastWritten]:
    """What we last wrote on the record, or, in a cell that only the records merged into it had, on those.

    HubSpot makes a new record of each merge, and fills it with cells of both: what we had written there is
    no edit of a person."""
    found = dict(own)
    for name, schema in fields.schemas.items():
        there = [each[name] for each in former if name in each]
        if name in own or not there:
            continue
        held = record.values.get(name)
        ours = [last for last in there if last.is_known and same(held, last.value, schema)]
        found[name] = max(ours or there, key=lambda last: last.at)
    return found


def locked_records(session: Session, org_id: str) -> dict[str, str]:
    """Records that no plan should touch now, with the reason in words.

    Either a write of an earlier plan is under way or of unknown outcome, or the last write of the record
    took its worker down so often that it was quarantined."""
    later = aliased(OperationRow)
    newer_write = exists().where(
        later.record_id == OperationRow.record_id,
        later.kind == "write",
        later.outcome.is_not(None),
        later.updated_at > OperationRow.updated_at,
    )
    of_org = OperationRow.plan_id.in_(select(PlanRow.id).where(PlanRow.org_id == org_id))
    writes = (OperationRow.kind.in_(("write", "restore")), of_org)
    columns = (OperationRow.record_id, OperationRow.plan_id)
    unfinished = select(*columns).where(OperationRow.state.in_(HELD), *writes)
    poison = select(*columns).where(
        OperationRow.outcome == RowOutcome.QUARANTINED.value, *writes, ~newer_write
    )
    locked = {
        record_id: f"its write by {plan_id} took a worker down three times"
        for record_id, plan_id in session.execute(poison)
    }
    return locked | {
        record_id: f"a write of {plan_id} is not finished"
        for record_id, plan_id in session.execute(unfinished)
    }
