"""Who holds which operations, and what a worker that came too late may still do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import StateError
from sync.apply import finish_apply


def test_two_workers_share_a_plan_and_no_operation(crowd: Any) -> None:
    """While one is at its batch, the other does the next; each record is in one call."""
    crowd.start()
    crowd.some("starter", limit=1)
    first = crowd.hire()
    first.until("write")
    assert crowd.some("second").done == 20  # the first holds the other forty
    first.to_end()
    assert {row.state for row in crowd.rows()} == {"done"}
    assert set(crowd.wire.requests.values()) == {1}


def test_what_a_late_worker_found_out_is_dropped(crew: Any) -> None:
    """Its lease ran out during the call; another looked, saw the write, and kept the outcome first."""
    crew.start()
    late = crew.hire()
    late.until("written")
    crew.world.machine.sleep(150)
    found = crew.some("in-time")
    assert found.left == 0
    owned = {row.key: (row.fence, row.outcome) for row in crew.rows()}

    late.to_end()

    assert {row.key: (row.fence, row.outcome) for row in crew.rows()} == owned
    crew.check()


def test_a_late_failure_does_not_set_free_what_another_is_sending(crew: Any) -> None:
    """Its call hung until its lease ran out and another was sending the same rows: they stay that one's."""
    crew.world.crm.capabilities = replace(crew.world.crm.capabilities, write_batch=8)
    crew.start()
    crew.some(limit=1)  # the cells
    crew.wire.task_faults = ["away"]
    late, other = crew.hire(), crew.hire()
    late.until("write")
    crew.world.machine.sleep(150)
    while (where := other.step()) != "write":
        crew.world.machine.sleep(11 if where == "idle" else 0)

    late.until("idle", "committed", "begin")
    while late.turns.at == "begin":
        late.step()

    sending = [row for row in crew.rows("task") if row.owner == other.name]
    assert len(sending) == 4
    assert {row.state for row in sending} == {"sending"}
    assert crew.some("third").done == 4  # nobody else may take them
    other.to_end()
    late.kill()
    assert crew.finish() == "applied"
    crew.check()


def test_a_worker_whose_claim_was_taken_away_sends_nothing(crew: Any) -> None:
    """It read so slowly that its lease ran out; the other worker wrote, and it drops the rows."""
    crew.start()
    slow = crew.hire()
    slow.until("read")
    crew.world.machine.sleep(150)
    assert crew.some("other").left == 0
    slow.to_end()
    crew.check()
    assert set(crew.wire.requests.values()) == {1}


def test_a_lease_that_runs_out_before_the_call_counts_as_no_crash(crew: Any) -> None:
    """Reading may be slow; it says nothing about the record."""
    crew.start()
    victim = crew.hire()
    victim.until("read")
    victim.kill()
    crew.world.machine.sleep(150)
    crew.some()
    assert {row.crashes for row in crew.rows()} == {0}


def test_nothing_is_sent_when_the_ledger_kept_the_worker_too_long(crew: Any) -> None:
    """Between the commit of `sending` and the call most of the lease went by: others may think it dead."""
    crew.start()
    slow = crew.hire()
    slow.until("read")
    slow.until("begin")  # about to say that it is sending
    crew.world.machine.sleep(100)
    slow.until("committed")
    crew.world.machine.sleep(60)
    slow.step()
    assert slow.turns.at != "write"
    assert not crew.wire.requests
    slow.step()
    assert {row.requests for row in crew.rows()} == {0}
    assert crew.finish() == "applied"
    crew.check()


def test_one_run_holds_the_org_in_all_its_processes(crew: Any) -> None:
    """A second start of the same run is no refusal; another run gets one at once, and none after the end."""
    crew.start()
    crew.start()
    for _ in range(2):
        with pytest.raises(StateError, match="another run holds it until"):
            crew.start(holder="another")
    assert finish_apply(crew.plan.id, crew.world.store, holder="run-of-the-test") == "applying"
    with pytest.raises(StateError, match="another run holds it until"):
        crew.start(holder="another")
    assert crew.finish() == "applied"
    with pytest.raises(StateError, match="applied already"):
        crew.start(holder="another")


def test_a_refused_start_gives_the_org_back(crew: Any, make_settings: Any) -> None:
    """Unless the run was at work there already."""
    elsewhere = make_settings(mapping={"fields": {"score": "Our_Score__c"}})
    with pytest.raises(Exception, match="mapping"):
        crew.start(settings=elsewhere)
    crew.start(holder="another")
    with pytest.raises(Exception, match="mapping"):
        crew.start(holder="another", settings=elsewhere)
    with pytest.raises(StateError, match="another run holds it until"):
        crew.start()


def test_a_worker_of_a_run_that_lost_the_org_stops(crew: Any) -> None:
    """It was away for longer than the lock lasts, and another run began."""
    crew.start()
    crew.world.machine.sleep(301)
    crew.start(holder="another")
    with pytest.raises(StateError, match="lost it to another"):
        crew.some()
    assert not crew.wire.requests


def test_workers_in_two_time_zones_agree(crew: Any) -> None:
    """A clock's zone is not its time: a lease that Tokyo gave ends in New York when it should."""
    machine = crew.world.machine
    tokyo = lambda: machine().astimezone(ZoneInfo("Asia/Tokyo"))  # noqa: E731
    new_york = lambda: machine().astimezone(ZoneInfo("America/New_York"))  # noqa: E731
    crew.start(clock=tokyo)
    victim = crew.hire()
    victim.until("write")
    victim.kill()
    found = crew.some("a", clock=new_york)
    assert found.done == 0
    assert found.due_at is not None
    assert timedelta(0) < found.due_at - machine() < timedelta(minutes=2)
    machine.sleep((found.due_at - machine()).total_seconds())
    crew.some("b", clock=tokyo)
    assert crew.finish() == "applied"
    crew.check()


@pytest.mark.parametrize("hours", [1, 24 * 365])
def test_a_clock_that_is_set_back_holds_nothing_up(crew: Any, hours: int) -> None:
    """Leases, waits and the org's lock of the time that was end at most one length from now."""
    crew.start()
    crew.wire.faults = ["none", "lost_before"]
    crew.some(limit=2)
    victim = crew.hire()
    victim.until("write")
    victim.kill()
    crew.world.machine.set_back(hours * 3600)
    before = crew.world.machine()
    assert crew.finish() == "applied"
    crew.check()
    assert crew.world.machine() - before < timedelta(minutes=5)


def test_another_run_waits_for_no_lock_of_the_time_that_was(crew: Any) -> None:
    """The clock was set back by a day; the lock of a dead run still ends within its length."""
    crew.start()
    crew.world.machine.set_back(24 * 3600)
    with pytest.raises(StateError, match="another run holds it until"):
        crew.start(holder="another")
    crew.world.machine.sleep(301)
    crew.start(holder="another")


def test_a_live_worker_keeps_its_lease_when_the_clock_is_set_back(crew: Any) -> None:
    """Nobody looks for its rows while it may well be alive."""
    crew.start()
    alive = crew.hire()
    alive.until("write")
    crew.world.machine.set_back(7200)
    crew.some("other")
    assert {row.state for row in crew.rows() if row.owner == alive.name} == {"sending"}
    while not alive.turns.ended:
        if alive.step() == "idle":
            crew.world.machine.sleep(5)
    crew.check()
