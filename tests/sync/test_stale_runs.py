"""A run that was left lying is given up, and not taken up again weeks later."""

from __future__ import annotations

from datetime import datetime, timedelta

from sync.stale_runs import give_up
from sync.store import Store
from sync.store.queue import claim_step, due_runs, queue_run, share_step
from sync.store.runs import run_state, start_run

DAY, LEASE = timedelta(days=1), timedelta(minutes=1)


def queued(store: Store, now: datetime, *steps: str) -> str:
    """A queued run of these steps."""
    with store.begin() as session:
        return queue_run(session, "run", steps, config_hash="c", asked={}, created_by="os:ann", now=now)


def test_a_run_that_nobody_took_up_for_a_day_has_failed(ledger: Store, noon: datetime) -> None:
    """It says why; one of today, and one that no worker can take up, are left alone."""
    old = queued(ledger, noon, "pull")
    verb = start_run(ledger, "plan", config_hash="c", now=noon)
    assert give_up(ledger, noon + DAY) == []
    fresh = queued(ledger, noon + DAY, "pull")
    assert give_up(ledger, noon + DAY + LEASE) == [old]
    assert run_state(ledger, old).error == "nobody worked on it for 1 day(s), so it was given up"
    assert [due.run_id for due in due_runs(ledger, noon + DAY + LEASE)] == [fresh]
    assert run_state(ledger, verb).status == "running"


def test_a_run_on_which_somebody_works_is_never_too_old(ledger: Store, noon: datetime) -> None:
    """A lease that is renewed is a sign of life."""
    run = queued(ledger, noon, "train")
    assert claim_step(ledger, run, "a", now=noon + DAY, lease=LEASE) is not None
    assert give_up(ledger, noon + 2 * DAY) == []
    assert give_up(ledger, noon + 2 * DAY + 2 * LEASE) == [run]


def test_a_plan_that_is_being_applied_may_be_gone_on_with_for_a_week(ledger: Store, noon: datetime) -> None:
    """As long as `upswell apply --resume` would."""
    run = queued(ledger, noon, "apply")
    claim = claim_step(ledger, run, "a", now=noon, lease=LEASE)
    assert claim is not None
    share_step(ledger, claim, {"plan": "p"})
    assert give_up(ledger, noon + 6 * DAY) == []
    assert give_up(ledger, noon + 8 * DAY) == [run]
