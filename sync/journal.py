"""The journal of every cell that we wrote: what it held before, what we put there, when, and by what.

Entries are only added, in the same transaction as the outcome of the write. A restore is an entry of
its own that names the entry it undoes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from connectors.crm import Value
from sync.cells import from_json
from sync.operations import Operation
from sync.store.writeback import JournalRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One cell that we wrote, as the journal keeps it."""

    id: int
    at: datetime
    plan_id: str
    object: str
    record_id: str
    account_id: str
    field: str
    key: str
    before: Value
    after: Value


def record(session: Session, operations: Iterable[Operation], at: datetime) -> None:
    """Add one entry for each cell of writes that took effect, naming the entry that a restore undoes."""
    rows = [
        {
            "at": at,
            "run_id": operation.run_id,
            "plan_id": operation.plan_id,
            "operation_key": operation.key,
            "object": operation.object,
            "record_id": operation.record_id,
            "account_id": operation.account_id,
            "field": held["name"],
            "key": held["key"],
            "before": held["before"],
            "after": held["after"],
            "undoes": operation.payload.get("undoes", {}).get(held["name"]),
        }
        for operation in operations
        for held in operation.payload["cells"]
    ]
    if rows:
        session.execute(insert(JournalRow), rows)


def standing(
    session: Session, plan_id: str, *, account: str | None = None, field: str | None = None
) -> list[Entry]:
    """What a plan wrote and nobody has taken back through us, oldest first.

    `account` is an account_id or a record id; `field` is our key or the vendor's name."""
    undone = aliased(JournalRow)
    query = (
        select(JournalRow)
        .outerjoin(undone, undone.undoes == JournalRow.id)
        .where(JournalRow.plan_id == plan_id, JournalRow.undoes.is_(None), undone.id.is_(None))
        .order_by(JournalRow.id)
    )
    if account is not None:
        query = query.where((JournalRow.account_id == account) | (JournalRow.record_id == account))
    if field is not None:
        query = query.where((JournalRow.key == field) | (JournalRow.field == field))
    return [_entry(row) for row in session.scalars(query)]


def history(session: Session, record_id: str) -> list[Entry]:
    """Every cell that we ever wrote on one record, oldest first, restores included."""
    query = select(JournalRow).where(JournalRow.record_id == record_id).order_by(JournalRow.id)
    return [_entry(row) for row in session.scalars(query)]


def by_record(entries: Sequence[Entry]) -> dict[tuple[str, str], list[Entry]]:
    """The entries by (object, record id), in the order in which the records first appear."""
    grouped: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        grouped.setdefault((entry.object, entry.record_id), []).append(entry)
    return grouped


def _entry(row: JournalRow) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        plan_id=row.plan_id,
        object=row.object,
        record_id=row.record_id,
        account_id=row.account_id,
        field=row.field,
        key=row.key,
        before=from_json(row.before),
        after=from_json(row.after),
    )
