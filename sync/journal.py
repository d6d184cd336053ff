"""The journal of every cell that we wrote: what it held before, what we put there, when, and by what.

Entries are only added, in the same transaction as the outcome of the write. A restore is an entry of
its own that names the entry it undoes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from connectors.crm import Value
from sync.cells import from_json
from sync.operations import Operation
from sync.store.base import UtcDateTime
from sync.store.writeback import JournalRow, OperationRow

FROM_OPERATION: Final = ("run_id", "plan_id", "object", "record_id", "account_id")


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
    """Add one entry for each cell of writes that took effect, naming the entry that a restore undoes.

    The database takes the cells from the operations as they were kept before the first attempt: some ten
    thousand rows that never pass through Python."""
    keys = [operation.key for operation in operations]
    if not keys:
        return
    cell = _cells_of_operations(session)
    cells = (
        select(
            literal(at, UtcDateTime()),
            *(getattr(OperationRow, name) for name in FROM_OPERATION),
            OperationRow.key,
            cell["name"].as_string(),
            cell["key"].as_string(),
            cell["before"],
            cell["after"],
            cast(cell["undoes"].as_string(), BigInteger),
        )
        .join(cell.table, true())
        .where(OperationRow.key.in_(keys))
        .order_by(OperationRow.position)
    )
    columns = ["at", *FROM_OPERATION, "operation_key", "field", "key", "before", "after", "undoes"]
    session.execute(insert(JournalRow).from_select(columns, cells))


def standing(
    session: Session, plan_id: str, *, account: str | None = None, field: str | None = None
) -> list[Entry]:
    """What a plan wrote and nobody has taken back through us, oldest first.

    `account` is an account_id or a record id; `field` is our key or the vendor's name."""
    undone = aliased(JournalRow)
    query = (
        _entries()
        .outerjoin(undone, undone.undoes == JournalRow.id)
        .where(JournalRow.plan_id == plan_id, JournalRow.undoes.is_(None), undone.id.is_(None))
        .order_by(JournalRow.id)
    )
    if account is not None:
        query = query.where((JournalRow.account_id == account) | (JournalRow.record_id == account))
    if field is not None:
        query = query.where((JournalRow.key == field) | (JournalRow.field == field))
    return [_entry(row) for row in session.execute(query)]


def history(session: Session, record_id: str) -> list[Entry]:
    """Every cell that we ever wrote on one record, oldest first, restores included."""
    query = _entries().where(JournalRow.record_id == record_id).order_by(JournalRow.id)
    return [_entry(row) for row in session.execute(query)]


def by_record(entries: Sequence[Entry]) -> dict[tuple[str, str], list[Entry]]:
    """The entries by (object, record id), in the order in which the records first appear."""
    grouped: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        grouped.setdefault((entry.object, entry.record_id), []).append(entry)
    return grouped


def _cells_of_operations(session: Session) -> ColumnElement[Any]:
    """Each cell of an operation's payload as a row of JSON; the function for it is each database's own."""
    if session.get_bind().dialect.name == "sqlite":
        cells = func.json_each(OperationRow.payload, "$.cells")
    else:
        cells = func.json_array_elements(type_coerce(OperationRow.payload, JSON)["cells"])
    value: ColumnElement[Any] = cells.table_valued(column("value", JSON)).c.value
    return value


def _entries() -> Select[Any]:
    # columns, not JournalRow: an object of the ORM costs several times the entry that is made of it
    return select(*(getattr(JournalRow, each.name) for each in fields(Entry)))


def _entry(row: Row[Any]) -> Entry:
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
