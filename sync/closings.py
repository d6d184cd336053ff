"""Which of our open tasks to close: those that nobody has touched, and whose reason is gone.

A deal opened, health turned red, someone said not now, or the play does not fit any more. What a person has
worked on is left to them, whatever the score says. Where accounts that have a task each were merged, one task
stays: the one that somebody works on, else the oldest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sync.choosing import Fits
from sync.planned import PlannedClosing, SkipReason
from sync.task_book import OwnTask, TaskBook
from sync.tasks import Candidate, Refusal, forbidden, unready


def plan_closings(
    candidates: Sequence[Candidate], fits: Fits, book: TaskBook, *, plan_id: str, today: date
) -> list[PlannedClosing]:
    """The tasks to close, by account. Accounts that are not among the candidates keep theirs: nothing is
    known of them today."""
    by_account: Mapping[str, Candidate] = {each.account.account_id: each for each in candidates}
    found = []
    staying: dict[str, OwnTask] = {}  # by account
    for task in sorted((task for task in book.tasks if task.is_open), key=_seniority):
        candidate = by_account.get(task.account_id)
        if candidate is None or task.touched:
            staying.setdefault(task.account_id, task)
            continue
        ended = _ended(task, candidate, fits, today) or _doubled(staying.get(task.account_id))
        if ended is None:
            staying[task.account_id] = task
        else:
            reason, why = ended
            found.append(
                PlannedClosing(
                    key=f"{plan_id}:retire:{task.task_id}",
                    task_key=task.key,
                    task_id=task.task_id,
                    account_id=task.account_id,
                    account_crm_id=task.account_crm_id,
                    owner_id=task.owner_id,
                    play=task.play,
                    subject=task.subject,
                    reason=reason.value,
                    note=f"Closed by Upswell on {today.isoformat()}: {why}. Nobody had worked on it.",
                )
            )
    return found


def _seniority(task: OwnTask) -> tuple[str, bool, datetime, str]:
    """By account; what somebody works on first, then the oldest."""
    return task.account_id, not task.touched, task.created_at, task.key


def _doubled(other: OwnTask | None) -> Refusal | None:
    """Why a task is one too many: the account has another."""
    return None if other is None else (SkipReason.TASK_OPEN, f"the account's task {other.key} is open, too")


def _ended(task: OwnTask, candidate: Candidate, fits: Fits, today: date) -> Refusal | None:
    """Why the task has lost its reason; None while it holds."""
    refused = forbidden(candidate, today)
    if refused is not None:
        return refused
    plays = [fit.play for fit in fits.get(task.account_id, ())]
    if task.play in plays:
        return None
    if not plays:
        return unready(candidate) or (SkipReason.PLAY_ENDED, f"the play {task.play} does not fit any more")
    return SkipReason.PLAY_ENDED, f"the play is {plays[0]} now, not {task.play}"
