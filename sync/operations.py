"""Operations of the ledger: what is to be written to the CRM, and how far each has come.

`sending` is committed before the HTTP call, so that after a crash the unknown outcomes are exactly the
operations found in that state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from connectors.crm import RowOutcome, RowResult, TaskDraft
from sync.cells import Cell, cell_from_json
from sync.store.writeback import OperationRow, PlanRow

PLANNED, SENDING, DONE = "planned", "sending", "done"


COLUMNS: Final = (
    "key", "plan_id", "run_id", "position", "kind", "object", "record_id", "account_id", "payload",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One write to the CRM as the ledger keeps it; `kind` is write, task, restore or close."""

    key: str
    plan_id: str
    run_id: str
    position: int
    kind: str
    object: str
    record_id: str
    account_id: str
    payload: dict[str, Any]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of a write or restore."""
        return tuple(cell_from_json(held) for held in self.payload["cells"])

    @cached_property
    def draft(self) -> TaskDraft:
        """The task of a `task` operation."""
        held = self.payload["draft"]
        return TaskDraft(**(held | {"due": date.fromisoformat(held["due"])}))


def of_row(row: Row[Any]) -> Operation:
    """The operation that a row of COLUMNS holds."""
    return Operation(**row._mapping)


def add(session: Session, operations: Sequence[Operation], now: datetime) -> None:
    """Keep operations as planned. Their keys must be new."""
    if operations:
        rows = [
            {name: getattr(operation, name) for name in COLUMNS}
            | {"state": PLANNED, "attempts": 0, "updated_at": now}
            for operation in operations
        ]
        session.execute(insert(OperationRow), rows)


def waiting(session: Session, plan_id: str, kinds: Iterable[str]) -> list[Operation]:
    """Operations of a plan that are still to be sent, in order."""
    return _load(
        session,
        OperationRow.plan_id == plan_id,
        OperationRow.kind.in_(tuple(kinds)),
        OperationRow.state == PLANNED,
    )


def of_unknown_outcome(session: Session, org_id: str) -> list[Operation]:
    """Operations of an org that were being sent when something went wrong, of whatever plan."""
    return _load(
        session,
        OperationRow.state == SENDING,
        OperationRow.plan_id.in_(select(PlanRow.id).where(PlanRow.org_id == org_id)),
    )


def mark_sending(session: Session, operations: Sequence[Operation], now: datetime) -> None:
    """Note that the next thing to happen is the HTTP call."""
    keys = [operation.key for operation in operations]
    session.execute(
        update(OperationRow)
        .where(OperationRow.key.in_(keys))
        .values(state=SENDING, attempts=OperationRow.attempts + 1, updated_at=now),
        execution_options={"synchronize_session": False},
    )


def mark_waiting(session: Session, operations: Sequence[Operation], now: datetime) -> None:
    """Note that the CRM certainly did not take these."""
    keys = [operation.key for operation in operations]
    session.execute(
        update(OperationRow).where(OperationRow.key.in_(keys)).values(state=PLANNED, updated_at=now),
        execution_options={"synchronize_session": False},
    )


def mark_done(session: Session, results: Sequence[tuple[Operation, RowResult]], now: datetime) -> None:
    """Keep each outcome. One that failed but may pass later waits for the next apply."""
    rows = [
        {
            "key": operation.key,
            "state": PLANNED if result.outcome is RowOutcome.FAILED else DONE,
            "outcome": result.outcome.value,
            "vendor_code": result.vendor_code,
            "message": result.message,
            "fix": result.fix,
            "updated_at": now,
        }
        for operation, result in results
    ]
    if rows:
        session.execute(update(OperationRow), rows)


def _load(session: Session, *conditions: Any) -> list[Operation]:
    order = (OperationRow.plan_id, OperationRow.kind, OperationRow.position)
    columns = (getattr(OperationRow, name) for name in COLUMNS)
    return [of_row(row) for row in session.execute(select(*columns).where(*conditions).order_by(*order))]
