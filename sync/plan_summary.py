"""A plan in figures, as it is shown: counts, largest moves, guard, cost in API calls and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from connectors.crm import Usage
from sync.guard import changed_records
from sync.planned import Plan
from sync.settings import BudgetSettings
from sync.store import Store
from sync.store.tables import StepRow
from sync.store.writeback import PlanRow

STEPS: Final = 10  # looked at, newest first: most runs of a quiet week have nothing to apply
SECONDS_A_CALL: Final = 0.5  # an assumption, until the first plan was applied here and its pace is known
MOVES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds that an API call takes while applying; `is_measured` once a plan was applied here."""

    seconds: float
    is_measured: bool


def read_pace(store: Store) -> Pace:
    """How long a call of the last plan took that was applied in one go."""
    newest = (
        select(StepRow)
        .where(StepRow.name == "apply", StepRow.status == "done", StepRow.ended_at.is_not(None))
        .order_by(StepRow.started_at.desc())
        .limit(STEPS)
    )
    with store.session() as session:
        for step in session.scalars(newest):
            plan_id = step.detail.get("plan")  # none where there was nothing to write
            plan = None if plan_id is None else session.get(PlanRow, plan_id)
            if plan is not None and plan.api_calls and step.ended_at is not None:
                took = (step.ended_at - step.started_at).total_seconds()
                return Pace(seconds=round(took / plan.api_calls, 3), is_measured=True)
    return Pace(seconds=SECONDS_A_CALL, is_measured=False)


def summarise(plan: Plan, *, held: int, usage: Usage, budget: BudgetSettings, pace: Pace) -> dict[str, Any]:
    """What is shown of a plan, as JSON; `held` counts the records that hold a score."""
    limit = usage.org_limit
    changed = changed_records(plan.changes)
    largest = max(changed.values(), default=0)
    return {
        "records": len(plan.changes),
        "cells": plan.cells,
        "cells_by_field": plan.cells_by_field(),
        "tasks": len(plan.tasks),
        "tasks_by_play": plan.tasks_by_play(),
        "tasks_value": round(sum(task.value or 0.0 for task in plan.tasks), 2),
        "tasks_closed": plan.closings_by_reason(),
        "causes": plan.changes_by_cause(),
        "skipped": plan.skips_by_reason("score"),
        "cells_left": plan.skips_by_reason("cell"),
        "tasks_skipped": plan.skips_by_reason("task"),
        "held": held,
        "changed": changed,
        "changed_share": round(largest / held, 4) if held else None,
        "largest_moves": [list(move) for move in plan.largest_moves(MOVES)],
        "api_calls": plan.api_calls,
        "org_calls_used": usage.org_used,
        "org_calls_limit": limit,
        "quota_share": round(plan.api_calls / limit, 6) if limit else None,
        "our_calls": usage.calls if usage.ours is None else usage.ours,
        "our_calls_limit": None if limit is None else int(limit * budget.daily_share),
        "seconds": round(plan.api_calls * pace.seconds, 1),
        "seconds_measured": pace.is_measured,
    }
