"""What was written to the CRM, newest first: every operation of a run with its cells before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from connectors.crm import RowOutcome, Value
from connectors.errors import UsageError
from sync.cells import cell_from_json
from sync.erased import MARK
from sync.planned_rows import FILLS, ROWS
from sync.store import Store
from sync.store.tables import RunRow
from sync.store.writeback import JournalRow, OperationRow, PlanRow, TaskRow

ACCEPTED: Final = (RowOutcome.APPLIED.value, RowOutcome.UNCHANGED.value)
UNDOING: Final = ("restore", "close")
CELLS: Final = frozenset({"write", "restore", *FILLS.values()})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWrites:
    """One run that wrote, or tried to: its plan, and how many operations came to what.

    What a rollback took back of a plan is an entry of its own, with the verb rollback."""

    run_id: str
    plan_id: str
    verb: str
    at: datetime
    as_of: date
    model_version: str
    status: str
    applied: int
    rejected: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMove:
    """One cell: what it held before, and what we put there."""

    key: str
    field: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One operation: a record written or restored, or a task made or closed, and what became of it.

    `outcome` is None while it waits to be sent."""

    key: str
    at: datetime
    run_id: str
    plan_id: str
    kind: str  # write, task, retire, row.*, fill.*, restore, close
    object: str
    record_id: str
    account_id: str
    outcome: str | None
    vendor_code: str | None
    message: str | None
    fix: str | None
    cells: tuple[CellMove, ...]
    subject: str | None  # of a task that was made or closed
    task_id: str | None  # its id in the CRM, once it is made
    entries: tuple[int, int] | None  # first and last of the journal; None: nothing took effect through us
    is_erased: bool  # content was erased since


def runs_that_wrote(store: Store, limit: int) -> list[RunWrites]:
    """The runs with operations of their own, newest first."""
    done = OperationRow.outcome.in_(ACCEPTED)
    waits = OperationRow.outcome.is_(None)
    undoes = case((OperationRow.kind.in_(UNDOING), 1), else_=0)
    query = (
        select(
            OperationRow.run_id,
            OperationRow.plan_id,
            undoes.label("undoes"),
            func.max(OperationRow.updated_at).label("at"),
            func.sum(case((done, 1), else_=0)).label("applied"),
            func.sum(case((waits, 1), else_=0)).label("waiting"),
            func.count().label("operations"),
        )
        .group_by(OperationRow.run_id, OperationRow.plan_id, "undoes")
        .order_by(func.max(OperationRow.updated_at).desc(), OperationRow.plan_id.desc())
        .limit(limit)
    )
    with store.session() as session:
        rows = session.execute(query).all()
        plans = _by_id(session, PlanRow, [row.plan_id for row in rows])
        runs = _by_id(session, RunRow, [row.run_id for row in rows])
        return [
            RunWrites(
                run_id=row.run_id,
                plan_id=row.plan_id,
                verb="rollback" if row.undoes else runs[row.run_id].verb if row.run_id in runs else "",
                at=row.at,
                as_of=plans[row.plan_id].as_of,
                model_version=plans[row.plan_id].model_version,
                status=plans[row.plan_id].status,
                applied=int(row.applied),
                rejected=int(row.operations - row.applied - row.waiting),
                waiting=int(row.waiting),
            )
            for row in rows
        ]


def writes(
    store: Store,
    *,
    run: str | None = None,
    record: str | None = None,
    rejected: bool = False,
    limit: int = 100,
) -> list[Write]:
    """Operations, newest first: of a run or plan, of a record (CRM id or account id), only rejected ones.
    Rows of our own objects come after all others.

    Raises UsageError when nothing was ever written under that run's or plan's name."""
    query = select(OperationRow)
    with store.session() as session:
        if run is not None:
            query = query.where(or_(OperationRow.run_id == run, OperationRow.plan_id == run))
            _check_known(session, run)
        if record is not None:
            query = query.where(or_(OperationRow.record_id == record, OperationRow.account_id == record))
        if rejected:
            query = query.where(OperationRow.outcome.is_not(None), OperationRow.outcome.not_in(ACCEPTED))
        is_row = case((OperationRow.kind.in_(tuple(ROWS.values())), 1), else_=0)
        newest = query.order_by(
            is_row,  # a snapshot's rows are more than everything else
            OperationRow.updated_at.desc(),
            OperationRow.plan_id.desc(),
            OperationRow.kind,
            OperationRow.position,
        ).limit(limit)
        rows = session.scalars(newest).all()
        tasks = _by_key(session, [key for row in rows if (key := _task_key(row)) is not None])
        entries = _entries(session, rows)
        return [_write(row, tasks.get(_task_key(row) or ""), entries.get(row.key)) for row in rows]


def _check_known(session: Session, run: str) -> None:
    known: Sequence[Select[Any]] = (
        select(RunRow.id).where(RunRow.id == run),
        select(PlanRow.id).where(PlanRow.id == run),
    )
    if not any(session.execute(query).first() for query in known):
        raise UsageError(
            "the ledger knows no such run or plan.", record=run, fix="list those that wrote: upswell history"
        )


def _by_id(session: Session, table: Any, ids: Sequence[str]) -> Mapping[str, Any]:
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(ids)))}


def _task_key(row: OperationRow) -> str | None:
    key: str | None = row.payload.get("task_key") or row.payload.get("draft", {}).get("key")
    return key


def _by_key(session: Session, keys: Sequence[str]) -> Mapping[str, TaskRow]:
    return {row.key: row for row in session.scalars(select(TaskRow).where(TaskRow.key.in_(keys)))}


def _entries(session: Session, rows: Sequence[OperationRow]) -> Mapping[str, tuple[int, int]]:
    """First and last journal entry of each operation."""
    query = (
        select(JournalRow.operation_key, func.min(JournalRow.id), func.max(JournalRow.id))
        .where(
            JournalRow.plan_id.in_({row.plan_id for row in rows}),  # there is an index on it
            JournalRow.operation_key.in_([row.key for row in rows]),
        )
        .group_by(JournalRow.operation_key)
    )
    return {key: (first, last) for key, first, last in session.execute(query)}


def _write(row: OperationRow, task: TaskRow | None, entries: tuple[int, int] | None) -> Write:
    subject = row.payload.get("draft", {}).get("subject")
    cells = row.payload.get("cells", []) if row.kind in CELLS else []
    return Write(
        key=row.key,
        at=row.updated_at,
        run_id=row.run_id,
        plan_id=row.plan_id,
        kind=row.kind,
        object=row.object,
        record_id=row.record_id,
        account_id=row.account_id,
        outcome=row.outcome,
        vendor_code=row.vendor_code,
        message=row.message,
        fix=row.fix,
        cells=tuple(
            CellMove(key=cell.key, field=cell.name, before=cell.before, after=cell.after)
            for cell in map(cell_from_json, cells)
        ),
        subject=subject if task is None else task.subject,
        task_id=None if task is None else task.task_id,
        entries=entries,
        is_erased=MARK in row.payload,
    )
