"""A plan that was paused for the CRM's quota goes on by itself when its time comes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import update

from sync.config import load
from sync.paused_plans import queue_resumes
from sync.store import Store
from sync.store.queue import claim_step, fail_claim
from sync.store.tables import RunRow
from sync.store.writeback import PlanRow

SETTINGS = load(None, {"UPSWELL_CRM__KIND": "salesforce"})
HOUR = timedelta(hours=1)


def paused(store: Store, now: datetime, *, until: datetime) -> None:
    """A plan `p` of a run that has ended, paused until then."""
    with store.begin() as session:
        session.add(
            PlanRow(
                id="p", run_id="made-it", org_id="00D", object="Account", created_at=now,
                expires_at=now + 24 * HOUR, as_of=date(2026, 11, 22), model_version="v", mapping_hash="m",
                schema_hash="s", digest="d", fields={}, findings=[], scored=1, api_calls=1, status="paused",
                created_by="dana", paused_until=until,
            )
        )  # fmt: skip


def test_one_run_is_queued_when_the_pause_is_over(ledger: Store, noon: datetime) -> None:
    """It applies that plan, in the name of who made it; until then, and beside it, nothing is queued."""
    paused(ledger, noon, until=noon + HOUR)
    assert queue_resumes(ledger, SETTINGS, now=noon) == []
    (run_id,) = queue_resumes(ledger, SETTINGS, now=noon + HOUR)
    with ledger.session() as session:
        run = session.get_one(RunRow, run_id)
        assert (run.verb, run.asked, run.created_by, run.status) == ("apply", {"plan": "p"}, "dana", "queued")
    assert queue_resumes(ledger, SETTINGS, now=noon + 2 * HOUR) == []


def test_a_plan_whose_own_run_goes_on_is_left_to_it(ledger: Store, noon: datetime) -> None:
    """That run is paused, and will be found by itself."""
    paused(ledger, noon, until=noon)
    with ledger.begin() as session:
        session.add(
            RunRow(id="made-it", verb="run", started_at=noon, status="paused", config_hash="c", asked={})
        )
    assert queue_resumes(ledger, SETTINGS, now=noon) == []


def test_a_resume_that_was_refused_is_not_tried_again_and_again(ledger: Store, noon: datetime) -> None:
    """A mapping that changed does not change back by itself; a later pause is another matter."""
    paused(ledger, noon, until=noon)
    (run_id,) = queue_resumes(ledger, SETTINGS, now=noon)
    claim = claim_step(ledger, run_id, "a", now=noon, lease=HOUR)
    assert claim is not None
    fail_claim(ledger, claim, "the mapping is another", now=noon)
    assert queue_resumes(ledger, SETTINGS, now=noon + HOUR) == []
    with ledger.begin() as session:
        session.execute(update(PlanRow).values(paused_until=noon + 2 * HOUR))
    assert len(queue_resumes(ledger, SETTINGS, now=noon + 2 * HOUR)) == 1


def test_a_plan_that_is_too_old_to_go_on_is_left(ledger: Store, noon: datetime) -> None:
    """Seven days after it was made."""
    paused(ledger, noon, until=noon + HOUR)
    assert queue_resumes(ledger, SETTINGS, now=noon + timedelta(days=7)) == []
