"""A turn at a queued run: what it does, and what it makes of trouble."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.errors import LedgerError, LoginError, QuotaError, TransientError, UpswellError
from sync.config import load
from sync.lake import Lake
from sync.loop import Loop
from sync.store import Store
from sync.store.queue import MAX_ATTEMPTS, claim_step, finish_claim
from sync.store.runs import run_state, steps_done
from sync.store.tables import StepRow
from sync.turn import Manner, take_turn

MINUTE = timedelta(minutes=1)


class Clock:
    """A machine's clock that a test moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


NewLoop = Callable[..., Loop]


@pytest.fixture
def clock(noon: datetime) -> Clock:
    """The machine's clock, at noon."""
    return Clock(noon)


@pytest.fixture
def new_loop(ledger: Store, lake: Lake, crm_double: Any, clock: Clock) -> NewLoop:
    """A loop of this installation whose CRM is the double, or is in trouble."""

    def make(trouble: Callable[[], object] | None = None) -> Loop:
        def connect() -> Any:
            if trouble is not None:
                trouble()
            return crm_double

        return Loop(
            settings=load(None, {"UPSWELL_CRM__KIND": "salesforce"}),
            store=ledger,
            lake=lake,
            connect=connect,
            clock=clock,
            tell=lambda _what, _done, _total: None,
            machine_clock=clock,
        )

    return make


def raising(error: BaseException) -> Callable[[], object]:
    """A CRM that can't be connected, and why."""

    def connect() -> object:
        raise error

    return connect


def test_a_turn_works_the_run_off_and_tells_of_each_step(new_loop: NewLoop) -> None:
    """In order, with what each found kept in the ledger."""
    told: list[str] = []
    loop = new_loop()
    run = loop.queue("pull", {})
    turn = take_turn(loop, run, Manner(told=lambda name, _report: told.append(name)))
    assert (turn.status, turn.is_over, told) == ("done", True, ["pull", "exports"])
    assert steps_done(loop.store, run)["pull"]["rows"] > 0
    assert run_state(loop.store, run).org_id is not None


def test_what_may_pass_is_tried_again_later_and_later_and_then_left(new_loop: NewLoop, clock: Clock) -> None:
    """After 1, 4, 16 and 64 minutes; the run fails with what the CRM said last."""
    loop = new_loop(raising(TransientError("the CRM is away")))
    run = loop.queue("pull", {})
    waits = []
    while not (turn := take_turn(loop, run, Manner())).is_over:
        assert turn.due_at is not None
        waits.append((turn.due_at - clock()) / MINUTE)
        early = take_turn(loop, run, Manner())
        assert (early.status, early.due_at) == ("queued", turn.due_at)
        clock.at = turn.due_at
    assert waits == [1, 4, 16, 64]
    assert len(waits) == MAX_ATTEMPTS - 1
    assert run_state(loop.store, run).error == "the CRM is away"


def test_the_time_that_the_crm_asks_for_is_given(new_loop: NewLoop, clock: Clock) -> None:
    """Not less than its Retry-After."""
    loop = new_loop(raising(TransientError("busy", retry_after=600)))
    assert take_turn(loop, loop.queue("pull", {}), Manner()).due_at == clock() + 10 * MINUTE


def test_a_quota_that_is_used_up_pauses_the_run_and_is_no_attempt(new_loop: NewLoop, clock: Clock) -> None:
    """A rolling day gives back a share each hour, and a run may wait for days."""
    loop = new_loop(raising(QuotaError("no calls left")))
    run = loop.queue("pull", {})
    for _ in range(2 * MAX_ATTEMPTS):
        turn = take_turn(loop, run, Manner())
        assert (turn.status, turn.due_at) == ("paused", clock() + 60 * MINUTE)
        clock.at += 60 * MINUTE


@pytest.mark.parametrize("error", [LoginError("wrong secret"), ValueError("a bug of ours")])
def test_what_will_not_pass_fails_the_run_and_not_the_worker(
    new_loop: NewLoop, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason stands in the ledger and in the log, a bug with its traceback."""
    loop = new_loop(raising(error))
    run = loop.queue("pull", {})
    with caplog.at_level(logging.ERROR):
        assert take_turn(loop, run, Manner()).status == "failed"
    assert str(error) in (run_state(loop.store, run).error or "")
    (record,) = caplog.records
    assert str(error) in record.getMessage()
    assert (record.exc_info is None) is isinstance(error, UpswellError)


@pytest.mark.parametrize("error", [TransientError("away"), LoginError("wrong"), KeyboardInterrupt()])
def test_the_process_that_has_the_run_for_itself_tells_at_once(
    new_loop: NewLoop, error: BaseException
) -> None:
    """`upswell run` ends with the error, and so does its run."""
    loop = new_loop(raising(error))
    run = loop.queue("pull", {}, hold=True)
    with pytest.raises(type(error)):
        take_turn(loop, run, Manner(holds=True))
    assert run_state(loop.store, run).status == "failed"


@pytest.mark.parametrize("holds", [True, False])
def test_a_ledger_that_is_away_fails_no_run(new_loop: NewLoop, clock: Clock, holds: bool) -> None:
    """Nothing could be noted; when it is back, the step is done again after the lease."""
    loop = new_loop(raising(LedgerError("the ledger's database is away")))
    run = loop.queue("pull", {}, hold=holds)
    with pytest.raises(LedgerError):
        take_turn(loop, run, Manner(holds=holds))
    assert run_state(loop.store, run).status == "running"
    clock.at += 2 * MINUTE
    assert take_turn(new_loop(), run, Manner()).status == "done"


def test_a_worker_that_is_told_to_end_gives_its_step_back(new_loop: NewLoop) -> None:
    """Another goes on at once, without waiting for the lease."""
    loop = new_loop(raising(SystemExit(0)))
    run = loop.queue("pull", {})
    with pytest.raises(SystemExit):
        take_turn(loop, run, Manner())
    with loop.store.session() as session:
        step = session.get_one(StepRow, (run, 1))
        assert (step.status, step.owner) == ("planned", None)
    assert take_turn(new_loop(), run, Manner()).status == "done"


def test_a_step_that_another_took_meanwhile_is_that_others(new_loop: NewLoop, clock: Clock) -> None:
    """A process that hung for longer than its lease changes nothing any more, and fails nothing."""
    loop = new_loop()
    run = loop.queue("pull", {})

    def another_comes() -> None:
        clock.at += 5 * MINUTE
        taken = claim_step(loop.store, run, "another", now=clock(), lease=MINUTE)
        assert taken is not None
        finish_claim(loop.store, taken, now=clock(), detail={"by": "another"})

    slow = new_loop(another_comes)
    take_turn(slow, run, Manner())
    assert steps_done(loop.store, run)["pull"] == {"by": "another"}
    assert run_state(loop.store, run).error is None


def test_a_turn_ends_when_its_time_is_up(new_loop: NewLoop) -> None:
    """Before the next step; the run goes on with the next turn."""
    done: list[str] = []
    loop = new_loop()
    run = loop.queue("pull", {})
    manner = Manner(enough=lambda: bool(done), told=lambda name, _report: done.append(name))
    assert not take_turn(loop, run, manner).is_over
    assert done == ["pull"]
    assert take_turn(loop, run, Manner()).status == "done"


def test_a_bell_for_a_run_that_nobody_knows_is_no_trouble(new_loop: NewLoop) -> None:
    """Two installations may share a Redis by mistake."""
    assert take_turn(new_loop(), "another's", Manner()).is_over


def test_who_does_only_shared_pieces_leaves_whole_steps_alone(new_loop: NewLoop) -> None:
    """The attempt is not counted either."""
    loop = new_loop()
    run = loop.queue("pull", {})
    assert take_turn(loop, run, Manner(only_shared=True)).status == "queued"
    with loop.store.session() as session:
        assert session.get_one(StepRow, (run, 1)).attempts == 0
