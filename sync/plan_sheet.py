"""A whole plan as rows: every cell to write, every task, and everything left out with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sync.planned import Plan

COLUMNS: Final = (
    "what", "account_id", "record_id", "field", "crm_field", "before", "after", "reason", "why", "task_key",
    "owner_id", "due", "plan", "score_run", "model_version", "as_of",
)  # fmt: skip
"""`what` is write, task, close (of a task), row or fill (of our objects), score_left_out, cell_left_out or
task_left_out."""


def rows_of_plan(plan: Plan) -> Iterator[dict[str, Any]]:
    """One row a cell, a task, a row of ours or a skip, in the plan's order."""
    about = {
        "plan": plan.id,
        "score_run": plan.score_run_id,
        "model_version": plan.model_version,
        "as_of": plan.as_of,
    }
    for change in plan.changes:
        for cell in change.cells:
            yield about | {
                "what": "write",
                "account_id": change.account_id,
                "record_id": change.record_id,
                "field": cell.key,
                "crm_field": cell.name,
                "before": cell.before,
                "after": cell.after,
                "reason": change.cause.value,
                "why": change.why,
            }
    for task in plan.tasks:
        yield about | {
            "what": "task",
            "account_id": task.account_id,
            "record_id": task.draft.account_crm_id,
            "after": task.draft.subject,
            "reason": task.play,
            "why": task.why,
            "task_key": task.draft.key,
            "owner_id": task.draft.owner_id,
            "due": task.draft.due,
        }
    for closing in plan.closings:
        yield about | {
            "what": "close",
            "account_id": closing.account_id,
            "record_id": closing.account_crm_id,
            "before": closing.subject,
            "reason": closing.reason,
            "why": closing.note,
            "task_key": closing.task_key,
            "owner_id": closing.owner_id,
        }
    for row in plan.rows:
        yield about | {
            "what": "row",
            "account_id": row.account_id,
            "record_id": row.record_id,
            "after": row.values.get("amount"),
            "reason": row.object,
            "why": row.key,
        }
    for fill in plan.fills:
        for cell in fill.cells:
            yield about | {
                "what": "fill",
                "account_id": fill.account_id,
                "record_id": fill.record_id,
                "field": cell.key,
                "crm_field": cell.name,
                "before": cell.before,
                "after": cell.after,
                "reason": fill.object,
                "why": fill.key,
            }
    for skip in plan.skips:
        yield about | {
            "what": f"{skip.subject}_left_out",
            "account_id": skip.account_id,
            "record_id": skip.record_id,
            "reason": skip.reason.value,
            "why": skip.detail,
        }
