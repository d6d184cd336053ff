"""The first batch of a plan is small, and the rest waits for it: most of it refused means something is wrong.

A validation rule that refuses every record is found with 20 records, not with 20,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from connectors.crm import RowOutcome
from sync.operations import DONE, PLANNED
from sync.planned_rows import FILLS, ROWS
from sync.store.writeback import OperationRow, PlanRow

FIRST: Final = 20
KINDS: Final = ("write", "retire", "task", *ROWS.values(), *FILLS.values())


class Verdict(Enum):
    """Whether the rest of the plan may be claimed."""

    BEGIN = auto()  # nothing was tried yet
    WAIT = auto()  # some of the first batch have no outcome yet
    GO = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How the first batch stands, and how many rows may be claimed at once."""

    verdict: Verdict
    size: int


def try_first(session: Session, plan: PlanRow, at: datetime) -> Trial:
    """How the first batch of a plan came out; the plan is stopped, or noted as tried, when that is clear."""
    refused = func.count().filter(
        OperationRow.outcome == RowOutcome.REFUSED.value, OperationRow.state == DONE
    )
    done = func.count().filter(OperationRow.state == DONE)
    tried = select(func.count(), done, refused).where(*_of(plan), OperationRow.attempts > 0)
    size, ended, against = session.execute(tried).one()
    if size == 0:
        return Trial(verdict=Verdict.BEGIN, size=FIRST)
    if 2 * against > size:
        untried = select(func.count()).where(
            *_of(plan), OperationRow.state == PLANNED, OperationRow.attempts == 0
        )
        if session.scalar(untried):
            plan.status = "stopped"
            plan.pause_reason = f"{against} of the first {size} records were refused"
            return Trial(verdict=Verdict.STOP, size=0)
    elif 2 * (ended - against) < size:
        return Trial(verdict=Verdict.WAIT, size=FIRST)
    plan.tried_at = at
    return Trial(verdict=Verdict.GO, size=10**9)


def try_again(session: Session, plan: PlanRow) -> None:
    """Plan the refused rows of the first batch anew, and try it once more before anything else is sent."""
    plan.tried_at = None
    session.execute(
        update(OperationRow)
        .where(*_of(plan), OperationRow.state == DONE, OperationRow.outcome == RowOutcome.REFUSED.value)
        .values(state=PLANNED, outcome=None, vendor_code=None, message=None, fix=None, due_at=None),
        execution_options={"synchronize_session": False},
    )


def _of(plan: PlanRow) -> tuple[ColumnElement[bool], ...]:
    return (OperationRow.plan_id == plan.id, OperationRow.kind.in_(KINDS))
