"""Plans in the ledger: kept frozen, loaded as they were, refused when anything in them has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import groupby
from typing import Any, Final, TypeVar

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from connectors.crm import TaskDraft
from connectors.errors import StateError
from sync.cells import cell_from_json, cell_to_json
from sync.erased import marked_operations, were_erased
from sync.mapping import digest_of_list
from sync.operations import COLUMNS as COLUMNS_OF_OPERATION
from sync.operations import Operation, add, of_row
from sync.planned import (
    OF_BRIEF,
    Cause,
    Finding,
    Plan,
    PlannedChange,
    PlannedClosing,
    PlannedTask,
    PlanTerms,
    Skip,
    SkipReason,
)
from sync.planned_rows import (
    FILLS,
    ROWS,
    PlannedFill,
    PlannedRow,
    fill_of,
    fill_operation,
    row_of,
    row_operation,
)
from sync.store import Store
from sync.store.writeback import OperationRow, PlanRow, SkipRow

ROWS_AT_ONCE: Final = 200
Planned = TypeVar("Planned", PlannedRow, PlannedFill)
KINDS: Final = ("write", "task", *ROWS.values(), "retire", *FILLS.values())
"""Operations that a plan itself is made of; a rollback's come later."""
FROZEN = ("key", "kind", "object", "record_id", "account_id", "payload")
COLUMNS = (
    "id", "run_id", "org_id", "object", "created_at", "expires_at", "as_of", "model_version",
    "mapping_hash", "schema_hash", "scored", "api_calls", "status", "created_by", "model_hash",
    "score_run_id", "inputs", "summary",
)  # fmt: skip


def save(store: Store, plan: Plan) -> None:
    """Freeze the plan in the ledger, its operations included."""
    operations = [
        *(_write(plan, position, change) for position, change in enumerate(plan.changes)),
        *(_task(plan, position, task) for position, task in enumerate(plan.tasks)),
        *_by_kind(plan.rows, ROWS, partial(row_operation, plan.id, plan.run_id)),
        *(_retire(plan, position, closing) for position, closing in enumerate(plan.closings)),
        *_by_kind(plan.fills, FILLS, partial(fill_operation, plan.id, plan.run_id)),
    ]
    skips = [
        {"plan_id": plan.id, "position": position, **asdict(skip), "reason": skip.reason.value}
        for position, skip in enumerate(plan.skips)
    ]
    columns = {name: getattr(plan, name) for name in COLUMNS}
    with store.begin() as session:
        row = PlanRow(
            **columns,
            digest=_digest(operations),
            fields=dict(plan.fields),
            findings=[asdict(finding) for finding in plan.findings],
        )
        session.add(row)
        session.flush()
        add(session, operations, plan.created_at)
        if skips:
            session.execute(insert(SkipRow), skips)


def load(store: Store, plan_id: str, *, erased_too: bool = False) -> Plan:
    """The plan as it was frozen. Raises StateError when there is none, or its rows were tampered with.

    One that lost a person's data to an erasure is refused as well, unless it is only to be looked at or taken
    back: `erased_too`."""
    with store.session() as session:
        row = _row(session, plan_id)
        operations = [of_row(op) for op in _operations(session, plan_id, COLUMNS_OF_OPERATION)]
        skips = session.scalars(
            select(SkipRow).where(SkipRow.plan_id == plan_id).order_by(SkipRow.position)
        ).all()
        _refuse_changed(session, row, _digest(operations), erased_too=erased_too)
    return Plan(
        **{name: getattr(row, name) for name in COLUMNS},
        fields=row.fields,
        findings=_findings(row),
        changes=tuple(_change_of(op) for op in operations if op.kind == "write"),
        tasks=tuple(_task_of(op) for op in operations if op.kind == "task"),
        closings=tuple(_closing_of(op) for op in operations if op.kind == "retire"),
        rows=tuple(row_of(op) for op in operations if op.kind in ROWS.values()),
        fills=tuple(fill_of(op) for op in operations if op.kind in FILLS.values()),
        skips=tuple(
            Skip(
                account_id=skip.account_id,
                record_id=skip.record_id,
                subject=skip.subject,
                reason=SkipReason(skip.reason),
                detail=skip.detail,
            )
            for skip in skips
        ),
    )


def load_terms(store: Store, plan_id: str, *, erased_too: bool = False) -> PlanTerms:
    """What the plan is bound to, its operations checked and not kept; raises what `load` raises.

    A plan of a large company has some ten thousand cells, and applying reads them as it goes."""
    with store.session() as session:
        row = _row(session, plan_id)
        found = digest_of_list(list(operation) for operation in _operations(session, plan_id, FROZEN))
        _refuse_changed(session, row, found, erased_too=erased_too)
    return PlanTerms(
        id=row.id,
        run_id=row.run_id,
        org_id=row.org_id,
        expires_at=row.expires_at,
        fields=row.fields,
        findings=_findings(row),
        created_by=row.created_by,
    )


def latest_plan_id(
    store: Store, *, run_id: str | None = None, written: bool = False, begun: bool = False
) -> str | None:
    """The newest plan, of a run where one is named, None when there is none.

    With `written`, the newest of which something may have been written, rolled back since or not; with
    `begun`, the newest that was begun and not ended."""
    query = select(PlanRow.id).order_by(PlanRow.created_at.desc(), PlanRow.id.desc()).limit(1)
    if run_id is not None:
        query = query.where(PlanRow.run_id == run_id)
    if written:
        # a plan without operations had nothing to write, and so has nothing to take back
        written_to = select(OperationRow.key).where(OperationRow.plan_id == PlanRow.id).exists()
        query = query.where(PlanRow.status != "planned", written_to)
    if begun:
        query = query.where(PlanRow.status.in_(("applying", "paused", "stopped")))
    with store.session() as session:
        return session.scalars(query).first()


def status_of(store: Store, plan_id: str) -> str | None:
    """How far a plan has come by now, as `PlanRow.status`; None when there is none."""
    with store.session() as session:
        return session.scalars(select(PlanRow.status).where(PlanRow.id == plan_id)).first()


def set_status(session: Session, plan_id: str, status: str) -> None:
    """Move a plan on to another status."""
    row = session.get(PlanRow, plan_id)
    if row is not None:
        row.status = status


def _row(session: Session, plan_id: str) -> PlanRow:
    row = session.get(PlanRow, plan_id)
    if row is None:
        raise StateError("no such plan", record=plan_id, fix="List plans with `upswell status`.")
    return row


def _findings(row: PlanRow) -> tuple[Finding, ...]:
    return tuple(Finding(**held) for held in row.findings)


def _operations(session: Session, plan_id: str, columns: Sequence[str]) -> Iterator[Row[Any]]:
    query = (
        select(*(getattr(OperationRow, name) for name in columns))
        .where(OperationRow.plan_id == plan_id, OperationRow.kind.in_(KINDS))
        .order_by(OperationRow.kind.desc(), OperationRow.position)
    )
    return iter(session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}))


def _digest(operations: Sequence[Operation]) -> str:
    return digest_of_list([getattr(operation, name) for name in FROZEN] for operation in operations)


def _refuse_changed(session: Session, row: PlanRow, found: str, *, erased_too: bool) -> None:
    if found == row.digest:
        return
    erased = were_erased(session, marked_operations(session, row.id))
    if erased and erased_too:
        return
    raise StateError(
        "a person's data was erased from this plan, so it can't be applied any more"
        if erased
        else "the plan's rows differ from what was frozen",
        record=row.id,
        fix="Make a new plan: upswell plan.",
    )


def _write(plan: Plan, position: int, change: PlannedChange) -> Operation:
    cells = [cell_to_json(cell) for cell in change.cells]
    payload = {"cells": cells, "why": change.why, "cause": change.cause.value, "news": list(change.news)}
    return Operation(
        key=change.key,
        plan_id=plan.id,
        run_id=plan.run_id,
        position=position,
        kind="write",
        object=change.object,
        record_id=change.record_id,
        account_id=change.account_id,
        payload=payload,
    )


def _task(plan: Plan, position: int, task: PlannedTask) -> Operation:
    draft = asdict(task.draft) | {"due": task.draft.due.isoformat()}
    payload = {
        "draft": draft, "play": task.play, "product": task.product, "cycle": task.cycle, "why": task.why,
        "value": task.value, "turn": task.turn, "slots": task.slots,
        **{name: getattr(task, name) for name in OF_BRIEF},
    }  # fmt: skip
    return Operation(
        key=f"{plan.id}:{task.draft.key}",
        plan_id=plan.id,
        run_id=plan.run_id,
        position=position,
        kind="task",
        object="tasks",
        record_id=task.draft.account_crm_id,
        account_id=task.account_id,
        payload=payload,
    )


def _retire(plan: Plan, position: int, closing: PlannedClosing) -> Operation:
    payload = {name: getattr(closing, name) for name in (
        "task_id", "task_key", "note", "reason", "play", "owner_id", "subject",
    )}  # fmt: skip
    return Operation(
        key=closing.key,
        plan_id=plan.id,
        run_id=plan.run_id,
        position=position,
        kind="retire",
        object="tasks",
        record_id=closing.account_crm_id,
        account_id=closing.account_id,
        payload=payload,
    )


def _by_kind(
    planned: Sequence[Planned], kinds: Mapping[str, str], make: Callable[[int, Planned], Operation]
) -> Iterator[Operation]:
    """Their operations in the order of their kinds, as `_operations` reads them."""
    ordered = sorted(planned, key=lambda each: kinds[each.object], reverse=True)
    for _, group in groupby(ordered, key=lambda each: each.object):
        for position, each in enumerate(group):
            yield make(position, each)


def _change_of(operation: Operation) -> PlannedChange:
    return PlannedChange(
        key=operation.key,
        object=operation.object,
        record_id=operation.record_id,
        account_id=operation.account_id,
        cells=tuple(cell_from_json(held) for held in operation.payload["cells"]),
        why=operation.payload["why"],
        # plans of before the noise gate have neither
        cause=Cause(operation.payload.get("cause", Cause.NEWS)),
        news=tuple(operation.payload.get("news", ())),
    )


def _task_of(operation: Operation) -> PlannedTask:
    payload: Mapping[str, Any] = operation.payload
    draft: TaskDraft = operation.draft
    return PlannedTask(
        draft=draft,
        account_id=operation.account_id,
        play=payload["play"],
        product=payload["product"],
        cycle=payload["cycle"],
        why=payload["why"],
        # plans of before slots and briefs were frozen have none of these
        value=payload.get("value"),
        turn=payload.get("turn", 0),
        slots=payload.get("slots"),
        **{name: payload[name] for name in OF_BRIEF if name in payload},
    )


def _closing_of(operation: Operation) -> PlannedClosing:
    payload: Mapping[str, Any] = operation.payload
    return PlannedClosing(
        key=operation.key,
        task_key=payload["task_key"],
        task_id=payload["task_id"],
        account_id=operation.account_id,
        account_crm_id=operation.record_id,
        owner_id=payload["owner_id"],
        play=payload["play"],
        subject=payload["subject"],
        reason=payload["reason"],
        note=payload["note"],
    )
