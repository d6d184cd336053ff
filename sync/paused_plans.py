"""Plans that were paused for the CRM's quota and that no run has in hand: taken up again when it is time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.config import config_hash
from sync.refusals import RESUME_FOR
from sync.settings import Settings
from sync.store import Store
from sync.store.queue import OPEN, queue_run
from sync.store.tables import RunRow
from sync.store.writeback import PlanRow


def queue_resumes(store: Store, settings: Settings, *, now: datetime) -> list[str]:
    """The ids of new runs, one for each plan whose pause is over; `now` is the machine's clock.

    A plan that its own run will go on with by itself is left to it."""
    paused = (
        select(PlanRow)
        .where(PlanRow.status == "paused", PlanRow.paused_until <= now, PlanRow.created_at > now - RESUME_FOR)
        .order_by(PlanRow.created_at)
    )
    with store.session() as session:
        if session.scalars(paused.limit(1)).first() is None:
            return []
    with store.begin() as session:
        runs = list(session.scalars(select(RunRow).where(RunRow.status.in_(OPEN))))
        in_hand = {run.id for run in runs} | {(run.asked or {}).get("plan") for run in runs}
        return [
            queue_run(
                session,
                "apply",
                ("apply",),
                config_hash=config_hash(settings),
                asked={"plan": plan.id},
                created_by=plan.created_by,
                now=now,
            )
            for plan in session.scalars(paused)
            if plan.run_id not in in_hand and plan.id not in in_hand and not _was_refused(session, plan)
        ]


def _was_refused(session: Session, plan: PlanRow) -> bool:
    """Whether going on was tried since the pause ended, and failed: then a person has to look at it."""
    tried = select(RunRow).where(
        RunRow.verb == "apply", RunRow.status == "failed", RunRow.started_at >= plan.paused_until
    )
    return any((run.asked or {}).get("plan") == plan.id for run in session.scalars(tried))
