"""What became of a plan: counts by outcome, every rejected row with its reason, cells that did not stay."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from connectors.crm import RowOutcome
from sync.gateway import Drift
from sync.operations import DONE
from sync.planned_rows import FILLS, ROWS
from sync.store import Store
from sync.store.writeback import JournalRow, OperationRow, PlanRow

REJECTED: Final = frozenset(
    {RowOutcome.CONFLICT, RowOutcome.GONE, RowOutcome.MERGED, RowOutcome.REFUSED, RowOutcome.FAILED,
     RowOutcome.QUARANTINED}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One operation that did not take effect, and why."""

    kind: str
    account_id: str
    record_id: str
    outcome: RowOutcome
    vendor_code: str | None
    message: str | None
    fix: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """What became of a plan: `outcomes` of record writes, `task_outcomes` of tasks made, `closing_outcomes`
    of tasks closed, and `row_outcomes` of rows added or filled in, by RowOutcome value."""

    plan_id: str
    status: str  # applied, stopped, or applying when some rows may pass later
    reason: str | None  # why it was stopped
    left: int  # operations without an outcome
    outcomes: dict[str, int]
    task_outcomes: dict[str, int]
    closing_outcomes: dict[str, int]
    row_outcomes: dict[str, int]
    written_cells: int
    tasks_made: int
    tasks_closed: int
    api_calls: int
    rejected: tuple[Rejected, ...]
    drifts: tuple[Drift, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every row took effect or was there already."""
        return not self.rejected


def report(
    store: Store, plan_id: str, *, status: str, api_calls: int, drifts: tuple[Drift, ...]
) -> ApplyReport:
    """What the ledger knows about the plan's operations by now."""
    own = (*ROWS.values(), *FILLS.values())
    counts: dict[str, dict[str, int]] = {kind: {} for kind in ("write", "task", "retire", *own)}
    with store.session() as session:
        of_plan = (OperationRow.plan_id == plan_id, OperationRow.kind.in_(tuple(counts)))
        grouped = select(OperationRow.kind, OperationRow.outcome, func.count()).where(*of_plan)
        for kind, outcome, count in session.execute(
            grouped.group_by(OperationRow.kind, OperationRow.outcome)
        ):
            counts[kind][outcome or "planned"] = count
        refused = OperationRow.outcome.in_([outcome.value for outcome in REJECTED])
        rows = (
            select(OperationRow).where(*of_plan, refused).order_by(OperationRow.kind, OperationRow.position)
        )
        rejected = [_rejected(row) for row in session.scalars(rows)]
        undone = select(func.count()).where(*of_plan, OperationRow.state != DONE)
        left = session.scalar(undone) or 0
        reason = session.scalars(select(PlanRow.pause_reason).where(PlanRow.id == plan_id)).one()
        written = select(func.count()).where(
            JournalRow.plan_id == plan_id, JournalRow.kind == "write", JournalRow.undoes.is_(None)
        )
        cells = session.scalar(written) or 0
    return ApplyReport(
        plan_id=plan_id,
        status=status,
        reason=reason,
        left=left,
        outcomes=counts["write"],
        task_outcomes=counts["task"],
        closing_outcomes=counts["retire"],
        row_outcomes=dict(sum((Counter(counts[kind]) for kind in own), Counter[str]())),
        written_cells=cells,
        tasks_made=counts["task"].get(RowOutcome.APPLIED.value, 0),
        tasks_closed=counts["retire"].get(RowOutcome.APPLIED.value, 0),
        api_calls=api_calls,
        rejected=tuple(rejected),
        drifts=drifts,
    )


def _rejected(row: OperationRow) -> Rejected:
    return Rejected(
        kind=row.kind,
        account_id=row.account_id,
        record_id=row.record_id,
        outcome=RowOutcome(row.outcome or RowOutcome.FAILED),
        vendor_code=row.vendor_code,
        message=row.message,
        fix=row.fix,
    )
