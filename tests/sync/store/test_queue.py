"""Runs as a queue: who may claim which step, and whose result counts."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.errors import StateError
from sync.store import Store
from sync.store.queue import (
    MAX_ATTEMPTS,
    StepClaim,
    claim_close,
    claim_step,
    due_runs,
    fail_claim,
    finish_claim,
    hold_run,
    queue_run,
    release_step,
    renew_step,
    reopen_step,
    share_step,
)
from sync.store.runs import run_state, step_seconds
from sync.store.tables import StepRow

LEASE = timedelta(minutes=1)


def queued(store: Store, now: datetime, *steps: str, hold_until: datetime | None = None) -> str:
    """A queued run of these steps."""
    with store.begin() as session:
        return queue_run(
            session,
            "run",
            steps or ("train", "score", "plan"),
            config_hash="c",
            asked={"retrain": True},
            created_by="os:ann",
            now=now,
            hold_until=hold_until,
        )


def claim(store: Store, run: str, owner: str, now: datetime, **more: Any) -> StepClaim | None:
    """The next step for the owner."""
    return claim_step(store, run, owner, now=now, lease=LEASE, **more)


def taken(store: Store, run: str, owner: str, now: datetime, **more: Any) -> StepClaim:
    """The next step, which must be there for the owner."""
    found = claim(store, run, owner, now, **more)
    assert found is not None
    return found


def test_steps_are_claimed_in_order_by_one_process_at_a_time(ledger: Store, noon: datetime) -> None:
    """The next step is there once the one before is done; whoever comes meanwhile gets none."""
    run = queued(ledger, noon)
    first = taken(ledger, run, "a", noon)
    assert (first.name, first.attempts, first.asked, first.shared) == ("train", 1, {"retrain": True}, False)
    assert first.created_by == "os:ann"  # in whose name a plan is then made, whichever process makes it
    assert claim(ledger, run, "b", noon) is None
    finish_claim(ledger, first, now=noon + timedelta(seconds=3), detail={"version": "v"})
    assert taken(ledger, run, "b", noon).name == "score"
    assert run_state(ledger, run).status == "running"
    assert step_seconds(ledger, run) == {"train": 3.0}


def test_what_a_killed_process_held_goes_to_another_when_its_lease_is_over(
    ledger: Store, noon: datetime
) -> None:
    """The late process's result does not count: it is told, and the other's stands."""
    run = queued(ledger, noon)
    slow = taken(ledger, run, "a", noon)
    assert renew_step(ledger, slow, noon + 2 * LEASE)
    assert claim(ledger, run, "b", noon + LEASE) is None
    second = taken(ledger, run, "b", noon + 2 * LEASE)
    assert (second.name, second.attempts) == ("train", 2)
    assert not renew_step(ledger, slow, noon + 9 * LEASE)
    with pytest.raises(StateError, match="another process"):
        finish_claim(ledger, slow, now=noon, detail={})
    with pytest.raises(StateError, match="another process"):
        share_step(ledger, slow, {})
    fail_claim(ledger, slow, "too late to say so", now=noon)
    release_step(ledger, slow, due_at=noon + 9 * LEASE, status="queued")
    finish_claim(ledger, second, now=noon, detail={})
    assert run_state(ledger, run).error is None
    assert taken(ledger, run, "b", noon).name == "score"


def test_a_run_that_is_held_is_nobody_elses_until_the_hold_lapses(ledger: Store, noon: datetime) -> None:
    """`upswell run` has its own run for itself; when it is killed, a worker goes on with it."""
    run = queued(ledger, noon, hold_until=noon + LEASE)
    assert claim(ledger, run, "worker", noon) is None
    assert due_runs(ledger, noon) == []
    finish_claim(ledger, taken(ledger, run, "own", noon, holds=True), now=noon, detail={})
    assert claim(ledger, run, "worker", noon) is None
    hold_run(ledger, run, noon + 2 * LEASE)
    assert claim(ledger, run, "worker", noon + LEASE) is None
    assert taken(ledger, run, "worker", noon + 2 * LEASE).name == "score"


def test_a_shared_step_is_open_to_all_and_brought_to_its_end_by_one(ledger: Store, noon: datetime) -> None:
    """Its detail is there for each of them; closing is claimed, and lost, like a step."""
    run = queued(ledger, noon, "score", "plan")
    opened = taken(ledger, run, "a", noon)
    share_step(ledger, opened, {"rows": "file"})
    shares = [taken(ledger, run, owner, noon, only_shared=True) for owner in ("a", "b", "c")]
    assert [(each.shared, each.detail) for each in shares] == [(True, {"rows": "file"})] * 3
    closing = claim_close(ledger, shares[1], now=noon, lease=LEASE)
    assert closing is not None
    assert claim_close(ledger, shares[2], now=noon, lease=LEASE) is None
    assert claim(ledger, run, "c", noon) is None
    finish_claim(ledger, closing, now=noon, detail={"rejected": 2})
    assert claim(ledger, run, "c", noon, only_shared=True) is None  # plan is a whole step
    finish_claim(ledger, taken(ledger, run, "c", noon), now=noon, detail={})
    assert run_state(ledger, run).status == "partial"


def test_a_process_that_died_closing_leaves_the_step_to_be_opened_again(
    ledger: Store, noon: datetime
) -> None:
    """Opening finds what is there, and shares it again."""
    run = queued(ledger, noon, "score")
    share_step(ledger, taken(ledger, run, "a", noon), {"rows": "file"})
    assert claim_close(ledger, taken(ledger, run, "a", noon), now=noon, lease=LEASE)
    again = taken(ledger, run, "b", noon + LEASE)
    assert (again.shared, again.detail) == (False, {"rows": "file"})


def test_a_paused_step_is_opened_anew_when_its_time_comes(ledger: Store, noon: datetime) -> None:
    """Until then the run is paused, and nobody is told of it."""
    run = queued(ledger, noon, "apply")
    share_step(ledger, taken(ledger, run, "a", noon), {"plan": "p"})
    reopen_step(ledger, taken(ledger, run, "a", noon), due_at=noon + LEASE)
    assert run_state(ledger, run).status == "paused"
    assert claim(ledger, run, "b", noon) is None
    assert due_runs(ledger, noon) == []
    assert [due.run_id for due in due_runs(ledger, noon + LEASE)] == [run]
    again = taken(ledger, run, "b", noon + LEASE)
    assert (again.shared, again.detail) == (False, {"plan": "p"})


def test_a_step_that_is_given_back_counts_its_attempt_unless_told_otherwise(
    ledger: Store, noon: datetime
) -> None:
    """What passes is tried five times; a quota that is used up is no attempt."""
    run = queued(ledger, noon)
    for attempt in (1, 2):
        held = taken(ledger, run, "a", noon)
        assert held.attempts == attempt
        release_step(ledger, held, due_at=None, status="queued")
    held = taken(ledger, run, "a", noon)
    release_step(ledger, held, due_at=noon + LEASE, status="paused", counts=False)
    assert run_state(ledger, run).status == "paused"
    assert claim(ledger, run, "a", noon) is None
    assert taken(ledger, run, "a", noon + LEASE).attempts == 3


def test_a_step_that_takes_its_process_down_each_time_fails_the_run(ledger: Store, noon: datetime) -> None:
    """Otherwise it would take down every worker there is, for ever."""
    run = queued(ledger, noon)
    for attempt in range(MAX_ATTEMPTS):
        taken(ledger, run, f"process {attempt}", noon + attempt * LEASE)
    assert claim(ledger, run, "the next", noon + MAX_ATTEMPTS * LEASE) is None
    ended = run_state(ledger, run)
    assert ended.status == "failed"
    assert "train was begun 5 times and never ended" in (ended.error or "")


def test_two_runs_do_not_pull_at_once(ledger: Store, noon: datetime) -> None:
    """The second waits for the first; another step of it would not."""
    first, second = queued(ledger, noon, "pull"), queued(ledger, noon, "pull")
    third = queued(ledger, noon, "plan")
    held = taken(ledger, first, "a", noon)
    assert claim(ledger, second, "b", noon) is None
    assert taken(ledger, third, "b", noon).name == "plan"
    finish_claim(ledger, held, now=noon, detail={})
    assert taken(ledger, second, "b", noon).name == "pull"


def test_a_clock_that_was_set_back_holds_no_step_for_the_time_that_was(ledger: Store, noon: datetime) -> None:
    """A lease of a day to come is cut to one from now on: its owner, if it lives, renews it."""
    run = queued(ledger, noon)
    taken(ledger, run, "a", noon + timedelta(days=1))
    assert claim(ledger, run, "b", noon) is None
    assert taken(ledger, run, "b", noon + LEASE).name == "train"


def test_a_run_that_failed_or_is_no_queued_one_is_left_alone(ledger: Store, noon: datetime) -> None:
    """Its error is kept, and no worker looks at it again."""
    run = queued(ledger, noon)
    fail_claim(ledger, taken(ledger, run, "a", noon), "the CRM refuses", now=noon)
    assert claim(ledger, run, "a", noon) is None
    assert due_runs(ledger, noon) == []
    assert run_state(ledger, run).error == "the CRM refuses"
    with ledger.session() as session:
        assert session.get_one(StepRow, (run, 1)).detail == {"error": "the CRM refuses"}
    assert claim(ledger, "nobody's", "a", noon) is None


def test_a_step_that_several_race_for_is_claimed_once(ledger: Store, noon: datetime) -> None:
    """On either database, each of them with a connection of its own."""
    run = queued(ledger, noon)
    start = threading.Barrier(4)
    found: list[StepClaim | None] = []

    def race(owner: str) -> None:
        start.wait()
        found.append(claim(ledger, run, owner, noon))

    racers = [threading.Thread(target=race, args=(f"racer {n}",)) for n in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len([each for each in found if each is not None]) == 1
