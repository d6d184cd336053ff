"""Writes that a job of the CRM bears: never lost, never doubled, whoever dies on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.crm import RowOutcome, RowResult
from connectors.errors import LoginError, SetupError, TerminalError, TransientError
from connectors.write_jobs import JobState
from sync.claims import Claims

FAULTS = {
    "a good day": "none",
    "closed, and the reply lost": "lost_after",
    "not closed, and the reply lost": "lost_before",
    "halted": "halt 3",
    "forgotten": "gone",
}


def outcomes(crew: Any) -> Counter[str | None]:
    """How many writes came to which end."""
    return Counter(row.outcome for row in crew.rows("write"))


def sizes(crew: Any) -> list[int]:
    """How many records each job bore."""
    return [len(job.changes) for job in crew.wire.yard.values()]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_large_plan_goes_by_jobs_once_its_first_batch_passed(yard: Any) -> None:
    """Four by a call, thirty by a job, six by another; each borne once."""
    yard.start()
    assert yard.finish() == "applied"
    assert sizes(yard) == [30, 6]
    assert outcomes(yard) == {"applied": 40}
    assert set(yard.wire.requests.values()) == {1}
    assert {row.job for row in yard.rows()} == {None}, "what is settled waits for no job"
    yard.check()


def test_while_a_job_runs_nobody_touches_its_rows(yard: Any) -> None:
    """They wait for the next look, which comes later each time; another worker takes the rest."""
    yard.start()
    yard.some("a")
    waiting = [row for row in yard.rows() if row.job is not None]
    assert Counter(row.job for row in waiting) == {"job-1": 30, "job-2": 6}
    assert {row.state for row in waiting} == {"unknown"}
    assert {row.owner for row in waiting} == {None}
    before = yard.wire.requests.total()
    found = yard.some("b")
    assert (found.left, yard.wire.requests.total()) == (36, before)
    assert found.due_at is not None
    yard.world.machine.sleep((found.due_at - yard.world.machine.now).total_seconds())
    yard.some("b")
    assert {row.job: row.looks for row in yard.rows() if row.job} == {"job-1": 0, "job-2": 1}
    assert yard.finish() == "applied"
    yard.check()


def test_too_few_records_for_a_job_go_by_calls(yard: Any) -> None:
    """A job's own calls would cost more."""
    yard.world.crm.capabilities = replace(yard.world.crm.capabilities, job_calls=40)
    yard.start()
    assert yard.finish() == "applied"
    assert sizes(yard) == []
    yard.check()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_kill_at_any_step_of_a_job_is_made_good_by_the_next_worker(
    make_yard: Callable[..., Any], fault: str
) -> None:
    """Before it is opened, uploaded, kept, closed, looked at, settled: each, and each write happens once."""
    seen: set[str] = set()
    every = 3 if fault == "a good day" else 7
    with make_yard(6, batch=2) as crew:
        for kill_at in range(0, 10_000, every):
            crew.reset()
            crew.start()
            crew.wire.job_faults = [FAULTS[fault]]
            victim = crew.hire()
            for _ in range(kill_at):
                if victim.turns.ended or victim.step() == "idle":
                    crew.world.machine.sleep(30)
            over = victim.turns.ended
            seen.add(victim.turns.at)
            victim.kill()
            assert victim.errors == []
            assert crew.finish() == "applied"
            crew.check()
            assert outcomes(crew) == {"applied": 6}
            if over:
                break
    if every == 3:
        assert seen >= {"begin", "committed", "read", "opened", "close", "look"}


def test_a_job_that_was_never_closed_is_aborted_and_its_rows_go_by_calls(yard: Any) -> None:
    """The process died between keeping its id and closing it: nothing happened, nothing counts as a crash."""
    yard.start()
    worker = yard.hire()
    worker.until("close")
    worker.kill()
    yard.workers.remove(worker)
    assert yard.wire.yard["job-1"].state is JobState.OPEN
    yard.world.machine.sleep(150)
    assert yard.finish() == "applied"
    assert yard.wire.yard["job-1"].state is JobState.ENDED
    assert outcomes(yard) == {"applied": 40}
    assert {row.crashes for row in yard.rows()} == {0}
    yard.check()


def test_a_job_whose_rows_another_took_meanwhile_is_never_closed(yard: Any) -> None:
    """Its opening took longer than the lease: who comes back too late aborts it."""
    yard.start()
    late = yard.hire()
    late.until("opened")
    yard.world.machine.sleep(150)
    yard.some("other")
    late.until("idle")
    assert yard.wire.yard["job-1"].state is JobState.ENDED
    assert yard.finish() == "applied"
    assert set(yard.wire.requests.values()) == {1}
    yard.check()


def test_a_job_that_can_not_even_be_aborted_stops_nobody(yard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was never closed, so it writes nothing; who took its rows meanwhile has written them."""
    yard.start()
    late = yard.hire()
    late.until("opened")
    yard.world.machine.sleep(150)
    yard.some("other")

    def refuse(_: Any, job_id: str) -> None:
        raise TransientError("the server is not available", status=503)

    monkeypatch.setattr(type(yard.wire.jobs), "abort", refuse)
    late.until("idle")
    assert late.errors == []
    assert yard.finish() == "applied"
    assert set(yard.wire.requests.values()) == {1}
    yard.check()


def test_rows_that_a_job_refused_or_did_not_come_to_are_told_apart(yard: Any) -> None:
    """Refused is final, locked and unprocessed are sent again by calls, deleted is gone."""
    locked = RowResult(key="", outcome=RowOutcome.FAILED, vendor_code="UNABLE_TO_LOCK_ROW", message="locked")
    refused = RowResult(key="", outcome=RowOutcome.REFUSED, vendor_code="FIELD_CUSTOM", message="a rule")
    yard.wire.inner.refuse = {"00110": refused, "00111": locked}
    yard.wire.job_faults = ["halt 20"]
    yard.start()
    worker = yard.hire()
    worker.until("closed")
    yard.wire.inner.refuse = {"00110": refused}
    yard.wire.inner.deleted["00130"] = None
    worker.until("idle")
    assert yard.finish() == "applied"
    assert outcomes(yard) == {"applied": 38, "refused": 1, "gone": 1}
    row = next(row for row in yard.rows() if row.record_id == "00110")
    assert (row.vendor_code, row.requests) == ("FIELD_CUSTOM", 1)
    yard.check()


def test_results_that_our_own_code_can_not_read_are_no_fault_of_the_rows(yard: Any) -> None:
    """The records themselves are read then: all were written, none is quarantined or written again."""
    yard.wire.job_faults = ["unreadable", "unreadable"]
    yard.start()
    with pytest.raises(AttributeError):
        yard.finish()
    loose = [row for row in yard.rows() if row.state == "unknown" and row.job is None]
    assert loose
    assert all(row.owner is None and row.due_at <= yard.world.machine() for row in loose)
    while True:
        try:
            assert yard.finish() == "applied"
            break
        except AttributeError:
            continue
    assert outcomes(yard) == {"applied": 40}
    assert set(yard.wire.requests.values()) == {1}
    yard.check()


def test_without_quota_to_close_a_job_the_plan_is_paused(yard: Any) -> None:
    """And the job, which was never closed, is aborted when there is some again."""
    yard.wire.job_faults = ["quota 600"]
    yard.start()
    assert yard.some().status == "paused"
    yard.world.machine.sleep(600)
    yard.start()
    assert yard.finish() == "applied"
    assert yard.wire.yard["job-1"].state is JobState.ENDED
    assert outcomes(yard) == {"applied": 40}
    yard.check()


@pytest.mark.parametrize(
    "error", [SetupError("no Bulk API here"), TerminalError("INVALIDENTITY", status=400)]
)
def test_where_no_job_can_be_opened_calls_are_made(
    yard: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It is asked for once, and stops nothing."""
    asked: list[int] = []

    def refuse(_: Any, changes: Any) -> Any:
        asked.append(len(changes))
        raise error

    monkeypatch.setattr(type(yard.wire.jobs), "open", refuse)
    yard.start()
    assert yard.finish() == "applied"
    assert asked == [30]
    assert outcomes(yard) == {"applied": 40}
    assert {row.crashes for row in yard.rows()} == {0}
    yard.check()


def test_rows_for_which_no_job_could_be_opened_are_anybodys_at_once(
    yard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for no lease to end: a second worker may send them by calls."""
    freed: list[set[tuple[str, str | None]]] = []
    take = Claims.take

    def watched(claims: Claims, wanted: Any) -> Any:
        freed.append({(row.state, row.owner) for row in yard.rows()})
        return take(claims, wanted)

    def refuse(_: Any, changes: Any) -> Any:
        raise SetupError("no Bulk API here")

    monkeypatch.setattr(type(yard.wire.jobs), "open", refuse)
    monkeypatch.setattr(Claims, "take", watched)
    yard.start()
    yard.some()
    assert all(states <= {("planned", None), ("done", None)} for states in freed)
    yard.check()


def test_a_worker_that_is_told_to_end_while_it_closes_a_job_leaves_it_to_the_next(yard: Any) -> None:
    """The job is at work, and its rows know it: nobody sends them again meanwhile."""
    yard.wire.job_faults = ["interrupt"]
    yard.start()
    with pytest.raises(KeyboardInterrupt):
        yard.some()
    borne = [row for row in yard.rows() if row.job == "job-1"]
    assert {(row.state, row.owner, row.crashes, row.lost) for row in borne} == {("unknown", None, 0, 0)}
    assert len(borne) == 30
    assert yard.finish() == "applied"
    assert outcomes(yard) == {"applied": 40}
    assert set(yard.wire.requests.values()) == {1}
    yard.check()


def test_a_login_that_is_refused_while_a_job_is_opened_ends_the_apply(
    yard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls would fare no better; nothing was written by it, and the next apply goes on."""

    def refuse(_: Any, changes: Any) -> Any:
        raise LoginError("the token was revoked", status=401)

    door = type(yard.wire.jobs)
    open_it = door.open
    monkeypatch.setattr(door, "open", refuse)
    yard.start()
    with pytest.raises(LoginError):
        yard.some()
    assert outcomes(yard) == {"applied": 4, None: 36}
    monkeypatch.setattr(door, "open", open_it)
    assert yard.finish() == "applied"
    yard.check()


def test_a_persons_edit_before_the_job_is_a_conflict(yard: Any) -> None:
    """Compared when the rows are claimed, as for a call."""
    yard.start()
    yard.wire.person("00120", Expansion_Tier__c="high")
    assert yard.finish() == "applied"
    assert outcomes(yard) == {"applied": 39, "conflict": 1}
    yard.check()


def test_a_large_plan_is_taken_back_by_a_job_too(yard: Any) -> None:
    """Every cell gets its old value, exactly."""
    world = yard.world
    yard.start()
    assert yard.finish() == "applied"
    before = len(yard.wire.yard)
    world.crm, inner = yard.wire, world.crm
    report = world.rollback(yard.plan.id)
    world.crm = inner
    assert (report.restored_records, report.failed, report.left) == (40, (), ())
    assert sizes(yard)[before:] == [30, 10]
    assert all(set(held.values()) == {None} for held in inner.records.values())
