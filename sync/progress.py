"""How far a plan has come by the ledger, and the loop of one process that waits for what is due later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from connectors.errors import TransientError
from sync.operations import DONE
from sync.recovery import HELD
from sync.store import Store
from sync.store.writeback import OperationRow, PlanRow

FUTILE: Final = 2
"""Rounds in which the CRM took nothing, after the first, until one process leaves it at that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a plan has come: operations that have their outcome, and those left.

    `due_at` is when there is something to do again, by the machine's clock; None is at once. `put_off` counts
    what the CRM did not take this time; `trouble` is why, when it took nothing at all."""

    done: int
    left: int
    due_at: datetime | None
    paused_until: datetime | None
    status: str
    put_off: int = 0
    trouble: TransientError | None = field(default=None, compare=False)

    @property
    def total(self) -> int:
        """Operations in all."""
        return self.done + self.left


def standing(store: Store, plan_id: str, kinds: Sequence[str], *, held_only: bool = False) -> Progress:
    """How far a plan's operations of these kinds have come; `held_only`: those that may have been sent."""
    undone = OperationRow.state != DONE
    # what is free waits for its time, if it has one; what a worker holds, for the end of its lease
    free = [undone, OperationRow.owner.is_(None)]
    of_plan = [OperationRow.plan_id == plan_id, OperationRow.kind.in_(kinds)]
    if held_only:
        of_plan.append(OperationRow.state.in_(HELD))
    with store.session() as session:
        plan = session.get_one(PlanRow, plan_id)
        begun = select(OperationRow.key).where(*of_plan, undone, OperationRow.attempts > 0).limit(1)
        if plan.tried_at is None and session.scalars(begun).first() is not None:
            free.append(OperationRow.attempts > 0)  # the rest waits for the first batch
        total, left, at_once, due_at, lease_until = session.execute(
            select(
                func.count(),
                func.count().filter(undone),
                func.count().filter(*free, OperationRow.due_at.is_(None)),
                func.min(OperationRow.due_at).filter(*free),
                func.min(OperationRow.lease_until).filter(undone),
            ).where(*of_plan)
        ).one()
    moments = [moment for moment in (due_at, lease_until) if moment is not None]
    next_at = None if at_once or not moments else min(moments)
    if left and plan.paused_until is not None:
        next_at = plan.paused_until if next_at is None else max(next_at, plan.paused_until)
    return Progress(
        done=total - left,
        left=left,
        due_at=next_at,
        paused_until=plan.paused_until,
        status=plan.status,
    )


def work_until_done(
    work: Callable[[], Progress],
    *,
    status: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Progress:
    """Round after round, until nothing is left, the plan is in another status, or the CRM takes nothing more.

    `trouble` of what is returned is then the error that ended the last round."""
    futile, done = 0, -1
    while True:
        found = work()
        if not found.left or found.status != status:
            return found
        if found.done > done:
            futile = 0
        elif found.put_off or found.trouble is not None:
            futile += 1
        if futile == FUTILE:
            return found
        sleep(_seconds_until(found.due_at, clock(), idle=found.done == done))
        done = found.done


def _seconds_until(due_at: datetime | None, at: datetime, *, idle: bool) -> float:
    """How long to wait; a second at least after a round in which nothing came to its end."""
    seconds = 0.0 if due_at is None else (due_at - at).total_seconds()
    return max(seconds, 1.0 if idle else 0.0)
