"""What becomes of a batch that the CRM does not simply take."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.crm import RowOutcome, RowResult
from connectors.errors import LoginError, QuotaError, StateError, TransientError

LOCKED = RowResult(key="", outcome=RowOutcome.FAILED, vendor_code="UNABLE_TO_LOCK_ROW", message="locked")


def outcomes(crew: Any, *kinds: str) -> Counter[str | None]:
    """How many operations came to which end."""
    return Counter(row.outcome for row in crew.rows(*kinds))


def the_row(crew: Any, record_id: str) -> Any:
    """The write of one record."""
    return next(row for row in crew.rows("write") if row.record_id == record_id)


def test_a_call_refused_as_a_whole_is_cut_down_to_the_row_that_was_meant(crowd: Any) -> None:
    """One record that the CRM can't digest is refused with its code; fifty-nine are written."""
    crowd.wire.indigestible = {"00137"}
    crowd.start()
    crowd.some()
    assert outcomes(crowd) == {"applied": 59, "refused": 1}
    row = the_row(crowd, "00137")
    assert (row.outcome, row.vendor_code) == ("refused", "JSON_PARSER_ERROR")
    assert max(crowd.wire.requests.values()) == 3
    assert sum(row.requests for row in crowd.rows()) == crowd.wire.requests.total()
    assert crowd.finish() == "applied"
    crowd.check()


def test_what_is_refused_as_a_whole_at_its_last_request_is_given_up(crowd: Any) -> None:
    """There is no call left in which the row could be found."""
    crowd.wire.indigestible = {"0015"}
    crowd.wire.faults = ["away"] * 5
    crowd.start()
    assert crowd.finish() == "applied"
    assert outcomes(crowd)["failed"] == 20
    assert "make a new plan" in str(the_row(crowd, "0015").fix)
    assert max(crowd.wire.requests.values()) == 6
    crowd.check()


def test_a_record_that_kills_its_worker_goes_down_alone(crowd: Any) -> None:
    """Twenty die with it, then fourteen, then it is alone: quarantined, and all others are written."""
    crowd.wire.poison = {"0013"}
    crowd.start()
    while the_row(crowd, "0013").state != "done":
        assert crowd.hired < 40
        worker = crowd.hire()
        while not worker.turns.ended and worker.step() != "idle":
            pass
        crowd.workers.remove(worker)
        worker.kill()
        crowd.world.machine.sleep(150)
    assert crowd.finish() == "applied"
    assert outcomes(crowd) == {"applied": 59, "quarantined": 1}
    row = the_row(crowd, "0013")
    assert (row.outcome, row.crashes, row.requests) == ("quarantined", 3, 3)
    assert "make a new plan" in str(row.fix)
    crowd.check()


def test_a_fault_of_ours_is_no_reason_to_lose_the_rest(crew: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that our own code can't read is quarantined at its third attempt, and waits for no lease."""
    read = crew.wire.inner.read

    def broken(object_name: str, ids: Any, fields: Any) -> Any:
        if "0012" in ids:
            raise ZeroDivisionError
        return read(object_name, ids, fields)

    monkeypatch.setattr(crew.world.crm, "read", broken, raising=False)
    crew.start()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            crew.some()
    monkeypatch.setattr(crew.world.crm, "read", read, raising=False)
    assert crew.finish() == "applied"
    assert outcomes(crew, "write") == {"applied": 3, "quarantined": 1}
    crew.check()


def test_a_locked_row_is_tried_six_times_and_then_given_up(crew: Any) -> None:
    """With growing pauses; the others are written at once."""
    crew.wire.inner.refuse = {"0012": LOCKED}
    crew.start()
    assert crew.finish() == "applied"
    row = the_row(crew, "0012")
    assert (row.outcome, row.vendor_code, row.requests) == ("failed", "UNABLE_TO_LOCK_ROW", 6)
    assert row.fix == "It was sent 6 times. Look at the record, then make a new plan: upswell plan."
    assert outcomes(crew, "write") == {"applied": 3, "failed": 1}
    assert timedelta(seconds=80) <= crew.world.machine.true - crew.world.now - timedelta(minutes=1)
    crew.check()


def test_a_wait_that_the_crm_asks_for_is_kept(crew: Any) -> None:
    """The whole plan waits: nothing is sent in between."""
    crew.wire.faults = ["wait 37"]
    crew.start()
    found = crew.some()
    assert found.trouble is not None
    assert found.due_at == crew.world.machine() + timedelta(seconds=37)
    put_off = [row.due_at for row in crew.rows("write") if row.requests]
    assert put_off == [found.due_at] * len(put_off) != []
    sent = crew.wire.requests.total()
    crew.world.machine.sleep(36)
    crew.some()
    assert crew.wire.requests.total() == sent
    crew.world.machine.sleep(1)
    assert crew.some().left == 0
    crew.check()


@pytest.mark.parametrize("fault", ["quota 7200", "wait 7200"])
def test_without_quota_the_plan_is_paused_and_keeps_its_place(crew: Any, fault: str) -> None:
    """The message says how far it came and how to go on; before its time only --resume does."""
    crew.wire.faults = ["none", fault]
    machine, world = crew.world.machine, crew.world
    world.crm = crew.wire
    with pytest.raises(
        QuotaError, match=r"3 of 8 operations are done.*paused until 2026-11-23 14:00.*--resume"
    ):
        world.apply(crew.plan)
    with pytest.raises(StateError, match=r"is paused until 2026-11-23 14:00 UTC.*--resume"):
        world.apply(crew.plan)
    machine.sleep(7200)
    assert world.apply(crew.plan).status == "applied"
    crew.check()


def test_a_pause_may_be_cut_short(crew: Any) -> None:
    """Someone bought more calls."""
    crew.wire.faults = ["none", "quota 86400"]
    crew.world.crm = crew.wire
    with pytest.raises(QuotaError):
        crew.world.apply(crew.plan)
    assert crew.world.apply(crew.plan, resume=True).status == "applied"
    crew.check()


def test_workers_let_a_paused_plan_be(crew: Any) -> None:
    """Progress tells until when; at that time a start by the same run goes on."""
    crew.wire.faults = ["none", "quota 600"]
    crew.start()
    found = crew.some()
    assert (found.status, found.paused_until) == ("paused", crew.world.machine() + timedelta(seconds=600))
    assert found.due_at == found.paused_until
    sent = crew.wire.requests.total()
    assert crew.some().status == "paused"
    assert crew.wire.requests.total() == sent
    crew.world.machine.sleep(600)
    crew.start()
    assert crew.finish() == "applied"
    crew.check()


@pytest.mark.parametrize("error", [LoginError("the token was revoked", status=401), StateError("no budget")])
def test_what_is_no_fault_of_the_batch_ends_the_apply_and_keeps_its_place(
    crew: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Nothing is refused for it; the next apply goes on."""

    def refuse(_: Any) -> Any:
        raise error

    write = crew.wire.inner.write
    monkeypatch.setattr(crew.world.crm, "write", refuse, raising=False)
    with pytest.raises(type(error)):
        crew.world.apply(crew.plan)
    assert {row.state for row in crew.rows()} == {"planned"}
    monkeypatch.setattr(crew.world.crm, "write", write, raising=False)
    assert crew.world.apply(crew.plan).status == "applied"


def test_a_crm_that_can_not_be_read_is_left_alone_for_longer_and_longer(
    crew: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading bears no operation: none is given up, however long it takes."""
    read = crew.world.crm.read

    def away(*_: Any) -> Any:
        raise TransientError("the server is not available", status=503)

    monkeypatch.setattr(crew.world.crm, "read", away, raising=False)
    crew.start()
    waits = []
    for _ in range(9):
        found = crew.some()
        assert found.due_at is not None
        waits.append((found.due_at - crew.world.machine()).total_seconds())
        crew.world.machine.sleep(waits[-1])
    assert waits == [1, 4, 15, 30, 30, 60, 120, 300, 300]
    assert not crew.wire.requests
    monkeypatch.setattr(crew.world.crm, "read", read, raising=False)
    assert crew.finish() == "applied"
    crew.check()


def test_a_lost_write_that_can_not_be_looked_for_is_looked_for_later(
    crew: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that fails counts as none, and the next one waits as the CRM's trouble says."""
    crew.wire.faults = ["lost_after"]
    read = crew.world.crm.read

    def away(object_name: str, ids: Any, fields: Any) -> Any:
        if crew.wire.requests:
            raise TransientError("the server is not available", status=503, retry_after=50)
        return read(object_name, ids, fields)

    monkeypatch.setattr(crew.world.crm, "read", away, raising=False)
    crew.start()
    assert crew.some().trouble is not None
    lost = [(row.owner, row.looks, row.due_at) for row in crew.rows("write") if row.state == "unknown"]
    assert lost == [(None, 0, crew.world.machine() + timedelta(seconds=50))] * len(lost) != []
    monkeypatch.setattr(crew.world.crm, "read", read, raising=False)
    assert crew.finish() == "applied"
    assert set(crew.wire.requests.values()) == {1}
    crew.check()


def test_each_record_carries_when_it_was_read_where_the_platform_takes_a_condition(crew: Any) -> None:
    """And no time where it does not."""
    crew.wire.person("0011", Name="Renamed")
    for objects, expected in ((frozenset(), None), (frozenset({"Account"}), crew.wire.modified["0011"])):
        crew.reset()
        crew.world.crm.writes.clear()
        crew.wire.modified["0011"] = crew.world.machine.now if expected is None else expected
        crew.world.crm.capabilities = replace(crew.world.crm.capabilities, conditional_write=objects)
        crew.start()
        crew.some(limit=1)
        assert {c.id: c.unmodified_since for c in crew.world.crm.writes}["0011"] == expected


def test_an_edit_between_read_and_write_is_a_conflict_where_the_platform_takes_a_condition(crew: Any) -> None:
    """The person's value stays, and the row says so."""
    able = replace(crew.world.crm.capabilities, conditional_write=frozenset({"Account"}))
    crew.world.crm.capabilities = able
    crew.start()
    worker = crew.hire()
    worker.until("write")
    crew.wire.person("0010", Expansion_Tier__c="low")
    worker.to_end()
    assert crew.world.crm.records["0010"] == {"Expansion_Tier__c": "low"}
    assert outcomes(crew, "write") == {"applied": 3, "conflict": 1}
    crew.check()


def test_a_seventh_call_is_never_made_for_whatever_reason(crew: Any) -> None:
    """Not after five failures and a day without quota."""
    crew.wire.faults = ["away"] * 5 + ["quota 60"]
    crew.start()
    while crew.some().status != "paused":
        crew.world.machine.sleep(60)
    assert outcomes(crew, "write") == {"failed": 3, None: 1}
    crew.world.machine.sleep(60)
    crew.start()
    assert crew.finish() == "applied"
    assert max(crew.wire.requests.values()) == max(row.requests for row in crew.rows()) == 6
    crew.check()
