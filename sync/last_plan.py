"""The last plan of an org that was applied, with the scores behind it: what a new one is held against.

A scoring that was never written is passed over: after a bad one that the guard has stopped, the next good
one must be compared with what stands in the CRM, or it would be stopped too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.lake_facts import LakeFacts
from sync.store import Store
from sync.store.scores import latest_scoring
from sync.store.tables import ScoreRow
from sync.store.writeback import PlanRow

WRITTEN: Final = ("applying", "paused", "stopped", "applied")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPlan:
    """What was so last: definitions of fields by our key, the lake's figures, and the scoring's accounts.

    `probabilities` by account id, `record_ids` of the scored records; empty where nothing was scored."""

    fields: Mapping[str, Mapping[str, Any]]
    inputs: LakeFacts | None
    probabilities: Mapping[str, float]
    record_ids: frozenset[str]


def read_last_plan(store: Store, org_id: str, *, as_of: date) -> LastPlan:
    """The newest plan of the org that was applied, at least in part.

    Where none was, only the newest scoring of a day before `as_of` is known."""
    query = (
        select(PlanRow)
        .where(PlanRow.org_id == org_id, PlanRow.status.in_(WRITTEN))
        .order_by(PlanRow.created_at.desc(), PlanRow.id.desc())
        .limit(1)
    )
    earlier = latest_scoring(store, before=as_of)
    with store.session() as session:
        plan = session.scalars(query).first()
        scored = None if plan is None else plan.score_run_id or plan.run_id
        probabilities, record_ids = _scores(session, scored)
        if not probabilities and earlier is not None:
            probabilities, record_ids = _scores(session, earlier.run_id)
        return LastPlan(
            fields={} if plan is None else plan.fields,
            inputs=None if plan is None or plan.inputs is None else LakeFacts.from_json(plan.inputs),
            probabilities=probabilities,
            record_ids=record_ids,
        )


def _scores(session: Session, run_id: str | None) -> tuple[dict[str, float], frozenset[str]]:
    columns = (ScoreRow.account_id, ScoreRow.crm_id, ScoreRow.probability)
    rows = session.execute(select(*columns).where(ScoreRow.run_id == run_id)).all()
    probabilities = {row.account_id: row.probability for row in rows if row.probability is not None}
    return probabilities, frozenset(row.crm_id for row in rows if row.crm_id)
