"""The journal of every effect on the CRM: what was there before, what we put there, when, and by what.

Entries are only added, in the same transaction as the outcome of the write, and each batch of them is a link
of the chain (`sync.chain`). A restore is an entry of its own that names the entry it undoes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    cast,
    column,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session, aliased

from connectors.crm import Value
from sync import chain
from sync.cells import from_json
from sync.entry_digest import commitment, entry_digest, facts_of_operation
from sync.erased import PLACEHOLDER
from sync.number_ranges import ranges
from sync.operations import Operation
from sync.store.base import UtcDateTime
from sync.store.storable import storable_json
from sync.store.writeback import JournalRow, OperationRow

FROM_OPERATION: Final = ("run_id", "plan_id", "object", "record_id", "account_id", "kind")
SALT_BYTES: Final = 16

HeldCell = Mapping[str, Any]
"""A cell as JSON: `name`, `key`, `before`, `after`, and `undoes` where it takes an entry back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One cell that we wrote, or one task that we made or closed, as the journal keeps it.

    `kind` is write, restore, task, retire or close. Of a task, `field` is "task", `key` its key, `before` and
    `after` its subject, or open and closed. Of an erased entry it is a word that says so."""

    id: int
    at: datetime
    kind: str
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

    Raises StateError when the chain can't be continued; nothing of the transaction may be kept then."""
    _add(session, [(operation, operation.payload["cells"]) for operation in operations], at)


def record_tasks(session: Session, effects: Iterable[tuple[Operation, str]], at: datetime) -> None:
    """Add one entry for each task that was made or closed: (operation, the task's id in the CRM).

    A task that was found because an earlier attempt had made it is journalled once.
    Raises what `record` raises."""
    effects = list(effects)
    known = _tasks_made(session, [operation for operation, _ in effects if operation.kind == "task"])
    cells = [(operation, _of_task(operation, task_id)) for operation, task_id in effects]
    _add(session, [(op, [cell]) for op, cell in cells if op.kind != "task" or cell["key"] not in known], at)


def record_rows(session: Session, effects: Iterable[tuple[Operation, str]], at: datetime) -> None:
    """Add one entry for each row that was added to an object of ours: (operation, the row's id in the CRM).

    Its values stay in the operation. Raises what `record` raises."""
    _add(session, [(operation, [_of_row(operation, row_id)]) for operation, row_id in effects], at)


def standing(
    session: Session, plan_id: str, *, account: str | None = None, field: str | None = None
) -> list[Entry]:
    """The cells that a plan wrote and nobody has taken back through us, oldest first; not those erased.

    `account` is an account_id or a record id; `field` is our key or the vendor's name."""
    undone = aliased(JournalRow)
    query = (
        _entries()
        .outerjoin(undone, undone.undoes == JournalRow.id)
        .where(
            JournalRow.plan_id == plan_id,
            JournalRow.kind == "write",
            JournalRow.undoes.is_(None),
            JournalRow.erased_at.is_(None),  # what is gone can't be given back
            undone.id.is_(None),
        )
        .order_by(JournalRow.id)
    )
    if account is not None:
        query = query.where((JournalRow.account_id == account) | (JournalRow.record_id == account))
    if field is not None:
        query = query.where((JournalRow.key == field) | (JournalRow.field == field))
    return [_entry(row) for row in session.execute(query)]


def history(session: Session, record_id: str) -> list[Entry]:
    """Every effect that we ever had on one record, oldest first: cells, restores, tasks."""
    query = _entries().where(JournalRow.record_id == record_id).order_by(JournalRow.id)
    return [_entry(row) for row in session.execute(query)]


def by_record(entries: Sequence[Entry]) -> dict[tuple[str, str], list[Entry]]:
    """The entries by (object, record id), in the order in which the records first appear."""
    grouped: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        grouped.setdefault((entry.object, entry.record_id), []).append(entry)
    return grouped


def _add(session: Session, effects: Sequence[tuple[Operation, Sequence[HeldCell]]], at: datetime) -> None:
    """Entries for these cells, and the link that covers them.

    The digests are made here and the rows by the database, from one text of JSON: binding each of some ten
    thousand rows would cost more than everything else about them."""
    count = sum(len(cells) for _, cells in effects)
    if not count:
        return
    keys = {cell["key"] for _, cells in effects for cell in cells} | {op.key for op, _ in effects}
    end = chain.end(session, at, keys)
    first = (session.scalar(select(func.max(JournalRow.id))) or 0) + 1
    drawn = os.urandom(SALT_BYTES * count).hex()
    salts = iter([drawn[place : place + 2 * SALT_BYTES] for place in range(0, len(drawn), 2 * SALT_BYTES)])
    rows: list[dict[str, Any]] = []
    for operation, cells in effects:
        facts = facts_of_operation(at, _facts(operation))
        for cell in cells:
            number = len(rows)
            salt = next(salts)
            kept = commitment(salt, cell["before"], cell["after"])
            named = (cell["name"], cell["key"], cell.get("undoes"))
            digest = entry_digest(end.key, first + number, facts, named, kept)
            rows.append({**cell, "id": first + number, "of": operation.key, "salt": salt, "digest": digest})
    end.add(
        chain.ENTRIES,
        {"entries": ranges(row["id"] for row in rows)},
        digest=chain.digest_of_entries((row["id"], row["digest"]) for row in rows),
    )
    _insert(session, rows, at)


def _insert(session: Session, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    cell = _rows_of_json(session, storable_json(rows))
    values = {
        "id": cast(cell["id"].as_string(), BigInteger),
        "at": literal(at, UtcDateTime()),
        **{name: getattr(OperationRow, name) for name in FROM_OPERATION},
        "operation_key": OperationRow.key,
        "field": cell["name"].as_string(),
        "key": cell["key"].as_string(),
        "before": cell["before"],
        "after": cell["after"],
        "undoes": cast(cell["undoes"].as_string(), BigInteger),
        "salt": cell["salt"].as_string(),
        "digest": cell["digest"].as_string(),
    }
    query = select(*values.values()).join_from(
        cell.table, OperationRow, OperationRow.key == cell["of"].as_string()
    )
    session.execute(insert(JournalRow).from_select(list(values), query))


def _rows_of_json(session: Session, text: str) -> ColumnElement[Any]:
    """Each element of a JSON array as a row of JSON; the function for it is each database's own."""
    if session.get_bind().dialect.name == "sqlite":
        rows = func.json_each(literal(text, Text()))
    else:
        rows = func.json_array_elements(cast(literal(text, Text()), JSON))
    value: ColumnElement[Any] = rows.table_valued(column("value", JSON)).c.value
    return value


def _facts(operation: Operation) -> dict[str, str]:
    return {name: getattr(operation, name) for name in FROM_OPERATION} | {"operation_key": operation.key}


def _tasks_made(session: Session, operations: Sequence[Operation]) -> set[str]:
    """Of the tasks of these operations, the keys of those that the journal has already."""
    accounts = {operation.record_id for operation in operations}
    query = select(JournalRow.key).where(
        JournalRow.object == "tasks", JournalRow.record_id.in_(accounts), JournalRow.kind == "task"
    )
    return set(session.scalars(query)) if accounts else set()


def _of_task(operation: Operation, task_id: str) -> HeldCell:
    """The task that an operation made, or closed, as a cell."""
    if operation.kind == "task":
        draft = operation.payload["draft"]
        made = {"task": {**draft, "id": task_id}}
        return {"name": "task", "key": draft["key"], "before": {"value": None}, "after": made}
    closed = {"closed": {"id": task_id, "note": operation.payload["note"]}}
    key = operation.payload["task_key"]
    return {"name": "task", "key": key, "before": {"value": "open"}, "after": closed}


def _of_row(operation: Operation, row_id: str) -> HeldCell:
    """The row that an operation added, as a cell."""
    key = operation.payload["key"]
    return {"name": "row", "key": key, "before": {"value": None}, "after": {"row": {"id": row_id}}}


def _entries() -> Select[Any]:
    # columns, not JournalRow: an object of the ORM costs several times the entry that is made of it
    return select(*(getattr(JournalRow, each.name) for each in fields(Entry)))


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        kind=row.kind,
        plan_id=row.plan_id,
        object=row.object,
        record_id=row.record_id,
        account_id=row.account_id,
        field=row.field,
        key=row.key,
        before=value_of(row.before),
        after=value_of(row.after),
    )


def value_of(held: Mapping[str, Any]) -> Value:
    """What an entry holds before or after: a cell, a task's subject, or the word that it was erased."""
    match held:
        case {"task": {"subject": subject}}:
            value: Value = subject
        case {"row": {"id": row_id}}:
            value = row_id
        case {"closed": _}:
            value = "closed"
        case {"erased": _}:
            value = PLACEHOLDER
        case _:
            value = from_json(dict(held))
    return value
