"""What is left behind after a run, as plain data: the ledger's rows, the sandbox's audit, the CRM as it is.

The checker sees nothing else. Values are canonical texts, so that a cell of the ledger and a cell of the
CRM's own store compare as what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from connectors.sandbox.audit import Audit, AuditedChange, AuditedRequest, AuditedRow
from connectors.sandbox.store import Cell
from connectors.sandbox.store import Store as SandboxStore
from sync.cells import from_json
from sync.store import Store
from sync.store.writeback import JournalRow, OperationRow, PlanRow, TaskRow

Place = tuple[str, str, str]
"""Object, record id, field: one cell of the CRM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSeen:
    """One plan of the ledger: where it may write."""

    id: str
    object: str
    fields: frozenset[str]  # the allow-list, by the vendor's names
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSeen:
    """One operation of the ledger; `cells` are (field, before, after) of a write or restore."""

    key: str
    plan_id: str
    kind: str
    record_id: str
    cells: tuple[tuple[str, str, str], ...]
    task_key: str | None
    task_id: str | None  # of a close
    state: str
    outcome: str | None
    attempts: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySeen:
    """One cell of the journal, in its order."""

    operation_key: str
    place: Place
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSeen:
    """One task of ours, as the ledger or as the CRM has it."""

    key: str
    id: str
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSeen:
    """One change of a cell that really happened in the CRM, in its order."""

    request: int | None
    place: Place
    before: str
    after: str
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a verdict is based on."""

    plans: Mapping[str, PlanSeen]
    approved: frozenset[str]  # plan ids
    operations: Sequence[OperationSeen]
    journal: Sequence[EntrySeen]
    tasks: Sequence[TaskSeen]  # the ledger's
    changes: Sequence[ChangeSeen]
    requests: Sequence[AuditedRequest]
    rows: Sequence[AuditedRow]
    held: Mapping[Place, str]  # the CRM's cells of the plans' records now
    crm_tasks: Sequence[TaskSeen]  # with a key, the CRM's
    task_object: str
    key_field: str
    journal_faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one CRM's store is read: its names, who we are in its audit, and what a stored cell means."""

    object: str
    task_object: str
    key_field: str
    alive: str  # the condition under which a row of a table is no deleted one
    closed: Callable[[Mapping[str, Cell]], bool]
    ours: Callable[[AuditedChange], bool]
    value: Callable[[str, Cell], Any]  # field of the object, stored cell


def canonical(value: Any) -> str:
    """The value as text that is equal for equal meanings: 1 and 1.0, a time in any zone."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return f"{float(value):.10g}"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case tuple() | list():
            return json.dumps(sorted(str(item) for item in value))
    return json.dumps(value)


def gather(
    store: Store,
    sandbox: SandboxStore,
    reading: Reading,
    *,
    approved: frozenset[str],
    since: int = 0,
    journal_faults: Sequence[str] = (),
) -> Evidence:
    """The evidence as things stand; `approved` names the plans that somebody let pass, `since` is the
    number of changes that the audit held before the story began."""
    audit = Audit(sandbox)
    with store.session() as session:
        plans = {
            row.id: PlanSeen(id=row.id, object=row.object, fields=_allowed(row.fields), status=row.status)
            for row in session.scalars(select(PlanRow))
        }
        operations = [_operation(row) for row in session.scalars(select(OperationRow))]
        journal = [
            EntrySeen(
                operation_key=row.operation_key,
                place=(row.object, row.record_id, row.field),
                before=canonical(from_json(row.before)),
                after=canonical(from_json(row.after)),
            )
            for row in session.scalars(
                select(JournalRow).where(JournalRow.kind.in_(("write", "restore"))).order_by(JournalRow.id)
            )
        ]
        tasks = [
            TaskSeen(key=row.key, id=row.task_id, closed=row.closed_at is not None)
            for row in session.scalars(select(TaskRow))
        ]
    names = sorted({name for plan in plans.values() for name in plan.fields})
    ids = sorted({op.record_id for op in operations})
    records = sandbox.rows(reading.object, ids)
    return Evidence(
        plans=plans,
        approved=approved,
        operations=operations,
        journal=journal,
        tasks=tasks,
        changes=_changes(audit, reading)[since:],
        requests=audit.requests(),
        rows=audit.rows(),
        held={
            (reading.object, record_id, name): canonical(reading.value(name, row[name]))
            for record_id, row in records.items()
            for name in names
        },
        crm_tasks=_tasks(sandbox, reading),
        task_object=reading.task_object,
        key_field=reading.key_field,
        journal_faults=journal_faults,
    )


def _allowed(fields: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    # a definition with more than its name is of a field that is written, not only read
    return frozenset(str(definition["name"]) for definition in fields.values() if len(definition) > 1)


def _operation(row: OperationRow) -> OperationSeen:
    payload = row.payload
    return OperationSeen(
        key=row.key,
        plan_id=row.plan_id,
        kind=row.kind,
        record_id=row.record_id,
        cells=tuple(
            (cell["name"], canonical(from_json(cell["before"])), canonical(from_json(cell["after"])))
            for cell in payload.get("cells", ())
        ),
        task_key=payload["draft"]["key"] if row.kind == "task" else payload.get("task_key"),
        task_id=payload.get("task_id"),
        state=row.state,
        outcome=row.outcome,
        attempts=row.attempts,
        requests=row.requests,
    )


def _changes(audit: Audit, reading: Reading) -> list[ChangeSeen]:
    return [
        ChangeSeen(
            request=change.request,
            place=(change.object, change.id, change.field),
            before=canonical(_value(reading, change, change.before)),
            after=canonical(_value(reading, change, change.after)),
            ours=reading.ours(change),
        )
        for change in audit.changes()
    ]


def _value(reading: Reading, change: AuditedChange, cell: Cell) -> Any:
    return reading.value(change.field, cell) if change.object == reading.object else cell


def _tasks(sandbox: SandboxStore, reading: Reading) -> list[TaskSeen]:
    columns = sandbox.columns(reading.task_object)
    found = sandbox.select(f'SELECT * FROM "{reading.task_object}" WHERE {reading.alive}')
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    return [
        TaskSeen(key=str(row[reading.key_field]), id=str(row["Id"]), closed=reading.closed(row))
        for row in rows
        if row.get(reading.key_field)
    ]
