"""Takes back what a plan or run wrote: each cell that still holds our value gets its old one, exactly.

A cell that a person (or a later plan) has changed is left and listed; a task is closed with a note
unless someone has worked on it. Rows of our own objects stay: what was said on a day was said. It works after
a partial apply, and doing it twice does nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from connectors.crm import Crm, Record, RowOutcome, Value
from connectors.errors import QuotaError, StateError, TransientError
from sync import journal
from sync.cells import Cell, cell_to_json, same
from sync.claims import ALL_KINDS
from sync.journal import Entry
from sync.mapping import FieldMap
from sync.operations import PLANNED, Operation, add
from sync.plan_ledger import load_terms, set_status
from sync.planned import PlanTerms
from sync.progress import Progress, standing, work_until_done
from sync.refusals import refuse_other_org
from sync.store import Store
from sync.store.locks import lease, machine_clock
from sync.store.own_rows import OwnRow
from sync.store.writeback import OperationRow, PlanRow, TaskRow
from sync.task_book import THEIRS
from sync.workbench import Workbench, lock_name, planned_fields

KINDS: Final = ("restore", "close")
NOTE: Final = "Closed by Upswell: the run that made this task was rolled back."


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftCell:
    """A cell that no longer holds what we wrote, and so was left alone."""

    account_id: str
    record_id: str
    field: str
    ours: Value
    held: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackReport:
    """What was taken back; with `dry_run`, what would be."""

    plan_ids: tuple[str, ...]
    dry_run: bool
    restored_cells: int
    restored_records: int
    left: tuple[LeftCell, ...]
    gone: tuple[str, ...]  # record ids
    failed: tuple[str, ...]  # record ids whose restore was refused or lost a race; the ledger says why
    tasks_closed: int
    tasks_left: tuple[str, ...]  # keys of tasks that someone worked on, or that are gone
    not_reopened: tuple[str, ...]  # keys of tasks that the plan closed: nobody would know why they are back
    rows_kept: int  # of our own objects: what was said on a day stays said
    api_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Of one plan: what still holds our value, what does not, and which records are gone."""

    restorable: Sequence[Entry]
    left: Sequence[LeftCell]
    gone: Sequence[str]
    tasks: Sequence[TaskRow]
    retired: Sequence[str]  # keys of tasks that it closed
    rows: int  # that it added to our own objects


def rollback(
    target: str,
    crm: Crm,
    store: Store,
    *,
    account: str | None = None,
    field: str | None = None,
    dry_run: bool = False,
    now: datetime,
    holder: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], datetime] = machine_clock,
) -> RollbackReport:
    """Take back a plan, or every plan of a run, newest first.

    `account` (account_id or record id) and `field` (our key or the vendor's name) narrow it down; tasks
    are closed only without `field`. Raises StateError when the ledger knows no such plan or run."""
    plans = _plans(store, target)
    org_id, run = plans[0].org_id, holder or uuid4().hex
    calls_before = crm.usage().calls
    is_whole = account is None and field is None
    found, results, closings = [], [], []
    refuse_other_org(crm, org_id)
    with lease(store, lock_name(org_id), clock=clock, owner=run):
        for plan in plans:
            bench = Workbench.set_up(
                plan.id, crm, store, kinds=KINDS, worker=run, holder=run, now=now, timezone="UTC", clock=clock
            )
            if not dry_run:
                _settle(bench, is_whole=is_whole, sleep=sleep)
            fields = planned_fields(crm, plan.fields)
            here = _look(crm, store, plan, fields, account=account, field=field)
            found.append(here)
            if dry_run:
                continue
            restores, closes = _prepare(store, plan, here, now)
            _work(bench, bench.standing, sleep=sleep)
            results += _outcomes(store, restores)
            closings += _outcomes(store, closes)
            if is_whole and not bench.standing().left:
                with store.begin() as session:
                    set_status(session, plan.id, "rolled_back")
    return _report(plans, found, results, closings, dry_run=dry_run, calls=crm.usage().calls - calls_before)


def _settle(bench: Workbench, *, is_whole: bool, sleep: Callable[[float], None]) -> None:
    """Let nobody go on with the plan, and find out what became of everything that may have been sent."""
    with bench.store.begin() as session:
        plan = session.get_one(PlanRow, bench.plan_id)
        plan.paused_until = None
        if is_whole:
            plan.status = "rolling_back"
    looking = replace(bench, kinds=())  # only what is of unknown outcome
    _work(looking, lambda: standing(bench.store, bench.plan_id, ALL_KINDS, held_only=True), sleep=sleep)


def _work(bench: Workbench, how_far: Callable[[], Progress], *, sleep: Callable[[float], None]) -> None:
    """Work until `how_far` says that nothing is left. Raises TransientError when the CRM takes nothing."""
    status = how_far().status

    def work() -> Progress:
        done = bench.work(status=status)
        if isinstance(done.trouble, QuotaError):
            raise _cut_short(bench.plan_id, done.trouble)
        return replace(how_far(), put_off=done.delivered.put_off, trouble=done.trouble)

    found = work_until_done(work, status=status, clock=bench.claims.clock, sleep=sleep)
    if found.trouble is not None:
        raise _cut_short(bench.plan_id, found.trouble)
    bench.verify_rest()


def _cut_short(plan_id: str, trouble: TransientError) -> TransientError:
    kind = QuotaError if isinstance(trouble, QuotaError) else TransientError
    return kind(
        trouble.message,
        record=plan_id,
        fix=f"What is taken back stays so; for the rest, later: upswell rollback {plan_id}",
        status=trouble.status,
    )


def _plans(store: Store, target: str) -> list[PlanTerms]:
    query = (
        select(PlanRow.id)
        .where((PlanRow.id == target) | (PlanRow.run_id == target))
        .order_by(PlanRow.created_at.desc(), PlanRow.id.desc())
    )
    with store.session() as session:
        ids = session.scalars(query).all()
    if not ids:
        raise StateError("no such plan or run", record=target, fix="List runs with `upswell status`.")
    return [load_terms(store, plan_id, erased_too=True) for plan_id in ids]


def _look(
    crm: Crm, store: Store, plan: PlanTerms, fields: FieldMap, *, account: str | None, field: str | None
) -> _Found:
    with store.session() as session:
        entries = journal.standing(session, plan.id, account=account, field=field)
        tasks = [] if field is not None else _open_tasks(session, plan.id, account)
        retired = [] if field is not None else _retired(session, plan.id, account)
        is_whole = account is None and field is None
        rows = session.scalar(select(func.count()).where(OwnRow.plan_id == plan.id)) if is_whole else 0
    names = sorted({entry.field for entry in entries})
    ids = list(dict.fromkeys(entry.record_id for entry in entries))
    records = crm.read(fields.object, ids, names) if ids else {}
    restorable, left, gone = [], [], []
    for (_, record_id), group in journal.by_record(entries).items():
        record = records.get(record_id)
        if record is None or record.is_deleted:
            gone.append(record_id)
            continue
        for entry in group:
            if same(record.values.get(entry.field), entry.after, fields.schemas[entry.field]):
                restorable.append(entry)
            else:
                left.append(_left(entry, record))
    return _Found(restorable=restorable, left=left, gone=gone, tasks=tasks, retired=retired, rows=rows or 0)


def _open_tasks(session: Session, plan_id: str, account: str | None) -> list[TaskRow]:
    """What the plan made and nobody took back through us; people's closings are found out and told."""
    theirs = or_(TaskRow.closed_at.is_(None), TaskRow.closed_reason.in_(THEIRS))
    query = select(TaskRow).where(TaskRow.plan_id == plan_id, theirs)
    if account is not None:
        query = query.where((TaskRow.account_id == account) | (TaskRow.account_crm_id == account))
    return list(session.scalars(query.order_by(TaskRow.key)))


def _retired(session: Session, plan_id: str, account: str | None) -> list[str]:
    query = select(OperationRow).where(
        OperationRow.plan_id == plan_id,
        OperationRow.kind == "retire",
        OperationRow.outcome == RowOutcome.APPLIED.value,
    )
    if account is not None:
        query = query.where((OperationRow.account_id == account) | (OperationRow.record_id == account))
    return [row.payload["task_key"] for row in session.scalars(query.order_by(OperationRow.position))]


def _left(entry: Entry, record: Record) -> LeftCell:
    return LeftCell(
        account_id=entry.account_id,
        record_id=entry.record_id,
        field=entry.field,
        ours=entry.after,
        held=record.values.get(entry.field),
    )


def _prepare(
    store: Store, plan: PlanTerms, found: _Found, now: datetime
) -> tuple[list[Operation], list[Operation]]:
    """New operations, kept before the first attempt; what an interrupted rollback left planned is dropped."""
    with store.begin() as session:
        earlier = (OperationRow.plan_id == plan.id, OperationRow.kind.in_(KINDS))
        session.execute(
            update(OperationRow)
            .where(*earlier, OperationRow.state == PLANNED)
            .values(state="done", outcome=RowOutcome.UNCHANGED.value, message="a later rollback did it"),
            execution_options={"synchronize_session": False},
        )
        first = len(session.scalars(select(OperationRow.key).where(*earlier)).all())
        restores = [
            _restore(plan, first + position, entries)
            for position, entries in enumerate(journal.by_record(found.restorable).values())
        ]
        closes = [
            _close(plan, first + len(restores) + position, task) for position, task in enumerate(found.tasks)
        ]
        add(session, [*restores, *closes], now)
    return restores, closes


def _restore(plan: PlanTerms, position: int, entries: Sequence[Entry]) -> Operation:
    first = entries[0]
    return Operation(
        key=f"{plan.id}:restore:{position}:{first.record_id}",
        plan_id=plan.id,
        run_id=plan.run_id,
        position=position,
        kind="restore",
        object=first.object,
        record_id=first.record_id,
        account_id=first.account_id,
        payload={"cells": [_undoing(entry) for entry in entries]},
    )


def _undoing(entry: Entry) -> dict[str, Any]:
    """The cell of a restore: the entry's the other way round, and which entry that is."""
    cell = Cell(key=entry.key, name=entry.field, before=entry.after, after=entry.before)
    return cell_to_json(cell) | {"undoes": entry.id}


def _close(plan: PlanTerms, position: int, task: TaskRow) -> Operation:
    return Operation(
        key=f"{plan.id}:close:{position}:{task.task_id}",
        plan_id=plan.id,
        run_id=plan.run_id,
        position=position,
        kind="close",
        object="tasks",
        record_id=task.account_crm_id,
        account_id=task.account_id,
        payload={"task_id": task.task_id, "task_key": task.key, "note": NOTE},
    )


def _outcomes(store: Store, operations: Sequence[Operation]) -> list[tuple[Operation, str | None]]:
    query = select(OperationRow.key, OperationRow.outcome).where(
        OperationRow.plan_id.in_({operation.plan_id for operation in operations}),
        OperationRow.kind.in_(KINDS),
    )
    with store.session() as session:
        held = {row.key: row.outcome for row in session.execute(query)}
    return [(operation, held[operation.key]) for operation in operations]


def _report(
    plans: Sequence[PlanTerms],
    found: Sequence[_Found],
    results: Sequence[tuple[Operation, str | None]],
    closings: Sequence[tuple[Operation, str | None]],
    *,
    dry_run: bool,
    calls: int,
) -> RollbackReport:
    done = {RowOutcome.APPLIED.value, RowOutcome.UNCHANGED.value}
    restored = [op for op, outcome in results if outcome in done]
    would = [entry for here in found for entry in here.restorable] if dry_run else []
    would_close = sum(len(here.tasks) for here in found) if dry_run else 0
    gone = [record_id for here in found for record_id in here.gone]
    gone += [op.record_id for op, outcome in results if outcome in (RowOutcome.GONE, RowOutcome.MERGED)]
    return RollbackReport(
        plan_ids=tuple(plan.id for plan in plans),
        dry_run=dry_run,
        restored_cells=len(would) + sum(len(op.cells) for op in restored),
        restored_records=len({op.record_id for op in restored} | {entry.record_id for entry in would}),
        left=tuple(cell for here in found for cell in here.left),
        gone=tuple(dict.fromkeys(gone)),
        failed=tuple(
            op.record_id
            for op, outcome in results
            if outcome not in done | {RowOutcome.GONE.value, RowOutcome.MERGED.value}
        ),
        tasks_closed=would_close + sum(outcome in done for _, outcome in closings),
        tasks_left=tuple(op.payload["task_key"] for op, outcome in closings if outcome not in done),
        not_reopened=tuple(key for here in found for key in here.retired),
        rows_kept=sum(here.rows for here in found),
        api_calls=calls,
    )
