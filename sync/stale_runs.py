"""Runs on which nobody worked for long: given up, so that yesterday's scores are not written next month."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from sync.refusals import RESUME_FOR
from sync.store import Store
from sync.store.queue import OPEN
from sync.store.tables import RunRow, StepRow

GIVEN_UP: Final = timedelta(hours=24)  # as long as a plan may wait for its first write


def give_up(store: Store, now: datetime) -> list[str]:
    """The runs that have failed now, because nobody worked on them for a day; a plan that is being applied
    may be gone on with for seven."""
    asked = select(RunRow).where(
        RunRow.status.in_(OPEN), RunRow.asked.is_not(None), RunRow.started_at < now - GIVEN_UP
    )
    with store.session() as session:
        if session.scalars(asked.limit(1)).first() is None:
            return []
    given_up = []
    with store.begin() as session:
        for run in session.scalars(asked):
            steps = list(session.scalars(select(StepRow).where(StepRow.run_id == run.id)))
            signs = [run.started_at, run.due_at, *(step.lease_until for step in steps)]
            signs += [moment for step in steps for moment in (step.started_at, step.ended_at)]
            is_applying = any(step.name == "apply" and step.detail.get("plan") for step in steps)
            idle = now - max(moment for moment in signs if moment is not None)
            if idle > (RESUME_FOR if is_applying else GIVEN_UP):
                run.status, run.ended_at, run.due_at = "failed", now, None
                run.error = f"nobody worked on it for {idle.days} day(s), so it was given up"
                given_up.append(run.id)
    return given_up
