"""What becomes of a write whose reply nobody saw: it is looked for, and not sent again before that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.crm import RowOutcome, RowResult, TaskDraft
from connectors.errors import TerminalError, TransientError
from sync.store.writeback import PlanRow

LOCKED = RowResult(key="", outcome=RowOutcome.FAILED, vendor_code="UNABLE_TO_LOCK_ROW", message="locked")


def outcomes(crew: Any, *kinds: str) -> Counter[str | None]:
    """How many operations came to which end."""
    return Counter(row.outcome for row in crew.rows(*kinds))


def the_row(crew: Any, record_id: str) -> Any:
    """The write of one record."""
    return next(row for row in crew.rows("write") if row.record_id == record_id)


@pytest.mark.parametrize("can_look", [True, False])
def test_a_fault_of_ours_after_the_call_is_settled_by_reading(
    crew: Any, monkeypatch: pytest.MonkeyPatch, can_look: bool
) -> None:
    """What was sent is not sent again; where even looking fails, the row says that nobody knows."""
    crew.start()
    write, read = crew.wire.write, crew.world.crm.read

    def written(changes: Any) -> Any:
        write(changes)
        raise ZeroDivisionError

    crew.wire.write = written
    with pytest.raises(ZeroDivisionError):
        crew.some()
    crew.wire.write = write
    row = the_row(crew, "0010")
    assert (row.state, row.crashes, row.lost) == ("unknown", 1, 1)
    if can_look:
        assert crew.finish() == "applied"
        crew.check()
        return
    monkeypatch.setattr(crew.world.crm, "read", lambda *_: 1 / 0, raising=False)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            crew.some()
    monkeypatch.setattr(crew.world.crm, "read", read, raising=False)
    row = the_row(crew, "0010")
    assert row.outcome == "quarantined"
    assert "whether it took effect is not known" in str(row.message)


@pytest.mark.parametrize("seconds", [1, 4, 14])
@pytest.mark.parametrize("calls", ["faults", "task_faults"])
def test_a_write_that_lands_after_its_call_timed_out_is_seen(crew: Any, calls: str, seconds: int) -> None:
    """Nothing is sent twice: it is looked for four times, for fifteen seconds."""
    getattr(crew.wire, calls).append(f"late {seconds}")
    crew.start()
    assert crew.finish() == "applied"
    assert set(crew.wire.requests.values()) == {1}
    assert outcomes(crew) == {"applied": 8}
    crew.check()


def test_a_write_that_lands_after_the_last_look_is_still_ours(crew: Any) -> None:
    """The record holds our value when it is read anew: applied by us, and in the journal."""
    crew.wire.faults = ["late 16"]
    crew.start()
    for wait in (0, 2, 3, 10):
        crew.world.machine.sleep(wait)
        crew.some(limit=1)
    assert the_row(crew, "0010").state == "planned"
    crew.world.machine.sleep(2)
    assert crew.finish() == "applied"
    assert set(crew.wire.requests.values()) == {1}
    crew.check()


def test_a_write_that_never_landed_is_sent_again_after_the_last_look(crew: Any) -> None:
    """Not before fifteen seconds have passed."""
    crew.wire.task_faults = ["lost_before"]
    crew.start()
    crew.some()
    for wait in (2, 3, 9):
        crew.world.machine.sleep(wait)
        crew.some()
        assert set(crew.wire.requests.values()) == {1}
    crew.world.machine.sleep(1)
    crew.some()
    assert max(crew.wire.requests.values()) == 2
    crew.check()


def test_a_write_whose_reply_is_lost_every_time_is_given_up(crew: Any) -> None:
    """After six calls, none of which took effect."""
    crew.world.crm.capabilities = replace(crew.world.crm.capabilities, write_batch=8)
    crew.wire.faults = ["lost_before"] * 6
    crew.start()
    assert crew.finish() == "applied"
    assert outcomes(crew, "write") == {"failed": 4}
    assert "the write did not happen" in str(the_row(crew, "0010").message)
    crew.check()


def test_a_page_that_is_no_api_leaves_the_outcome_open(crew: Any) -> None:
    """A proxy answered 200 with its own words: the write may have happened all the same."""
    crew.wire.faults = ["page"]
    crew.start()
    with pytest.raises(TerminalError, match="no API"):
        crew.some()
    assert the_row(crew, "0010").state == "unknown"
    assert crew.finish() == "applied"
    crew.check()


def test_a_row_that_the_reply_does_not_tell_of_is_looked_for(crew: Any) -> None:
    """It was written, as its record shows."""
    write = crew.wire.write
    crew.wire.write = lambda changes: write(changes)[:-1]
    crew.start()
    assert crew.finish() == "applied"
    assert set(crew.wire.requests.values()) == {1}
    crew.check()


def test_a_look_that_fails_is_no_look(crew: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CRM was away when we looked: that says nothing about the write."""
    crew.wire.faults = ["lost_after"]
    read, answers = crew.world.crm.read, [True, False, False]

    def unsteady(*question: Any) -> Any:
        if answers and not answers.pop(0):
            raise TransientError("the server is not available", status=503)
        return read(*question)

    monkeypatch.setattr(crew.world.crm, "read", unsteady, raising=False)
    crew.start()
    crew.some()
    row = the_row(crew, "0010")
    assert (row.state, row.looks, row.lost) == ("unknown", 0, 1)
    assert crew.finish() == "applied"
    assert set(crew.wire.requests.values()) == {1}
    crew.check()


def test_a_worker_that_is_told_to_end_leaves_nothing_to_wait_for(crew: Any) -> None:
    """Ctrl-C during a call: the next apply looks at once, and it counts as no crash."""
    crew.world.crm.after_write.append(lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        crew.world.apply(crew.plan)
    row = the_row(crew, "0010")
    assert (row.state, row.owner, row.crashes, row.lost) == ("unknown", None, 0, 1)
    began = crew.world.machine()
    assert crew.world.apply(crew.plan).status == "applied"
    assert crew.world.machine() == began
    assert len(crew.world.crm.writes) == 4


def test_a_task_refused_because_an_earlier_call_made_it_is_there(crew: Any) -> None:
    """Where the CRM itself takes a key only once, and the earlier call lands just before the second."""
    create = crew.world.crm.create_tasks

    def unique(drafts: Sequence[TaskDraft]) -> list[RowResult]:
        there = [draft for draft in drafts if draft.key in crew.world.crm.tasks]
        refused = [
            RowResult(key=draft.key, outcome=RowOutcome.REFUSED, vendor_code="DUPLICATE_VALUE")
            for draft in there
        ]
        left = [draft for draft in drafts if draft not in there]
        return refused + (create(left) if left else [])

    crew.world.crm.create_tasks = unique
    crew.wire.task_faults = ["late 16"]
    crew.start()
    for wait in (0, 2, 3, 10):
        crew.world.machine.sleep(wait)
        crew.some(limit=1 if wait == 10 else None)  # the last look, and nothing more
    worker = crew.hire()
    worker.until("write")
    crew.world.machine.sleep(1)
    worker.to_end()
    assert crew.finish() == "applied"
    assert outcomes(crew, "task") == {"applied": 4}
    crew.check()


def test_what_an_earlier_plan_left_open_is_settled_by_the_next(crew: Any, score: Any) -> None:
    """So that a rollback of the earlier one knows what it wrote."""
    crew.start()
    victim = crew.hire()
    victim.until("written")
    victim.kill()
    crew.world.machine.sleep(400)
    later = crew.world.plan(score(6))
    crew.world.crm = crew.wire
    crew.world.apply(later)
    assert {row.outcome for row in crew.rows("write") if row.plan_id == crew.plan.id} == {"applied", None}
    assert crew.world.rollback(crew.plan.id).restored_records == 3


def test_an_earlier_plan_whose_fields_are_gone_does_not_hold_up_the_next(crew: Any, score: Any) -> None:
    """It is settled once its fields are back."""
    world = crew.world
    crew.start()
    victim = crew.hire()
    victim.until("written")
    victim.kill()
    world.machine.sleep(400)
    with world.store.begin() as session:  # as if an earlier mapping had named a field that is gone
        row = session.get_one(PlanRow, crew.plan.id)
        row.fields = row.fields | {"against_2": row.fields["against_2"] | {"name": "Gone__c"}}
    assert world.apply(world.plan(score(6))).status == "applied"
    assert Counter(row.state for row in crew.rows("write") if row.plan_id == crew.plan.id)["unknown"] == 3
