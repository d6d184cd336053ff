"""The first batch is small, and tells whether the rest may follow."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from connectors.crm import RowOutcome, RowResult
from connectors.errors import StateError

RULE = RowResult(
    key="", outcome=RowOutcome.REFUSED, vendor_code="FIELD_CUSTOM_VALIDATION_EXCEPTION", message="no"
)


def refuse(crowd: Any, count: int) -> None:
    """A validation rule refuses the first so many records."""
    crowd.wire.inner.refuse = {f"001{n}": RULE for n in range(count)}


def test_most_of_the_first_batch_refused_stops_the_plan(crowd: Any) -> None:
    """Eleven of twenty: forty records are not sent, and the report says what is left and why."""
    refuse(crowd, 11)

    report = crowd.world.apply(crowd.plan)

    assert report.status == "stopped"
    assert report.outcomes == {"applied": 9, "refused": 11, "planned": 40}
    assert (report.left, report.reason) == (40, "11 of the first 20 records were refused")
    assert len(crowd.wire.inner.writes) == 9


def test_half_of_the_first_batch_refused_is_no_reason_to_stop(crowd: Any) -> None:
    """Ten of twenty are ten rows with a reason each."""
    refuse(crowd, 10)
    report = crowd.world.apply(crowd.plan)
    assert report.status == "applied"
    assert report.outcomes == {"applied": 50, "refused": 10}


def test_the_rest_goes_out_in_whole_batches(crowd: Any) -> None:
    """Twenty, then what a call takes."""
    sizes = []
    write = crowd.wire.inner.write

    def counted(changes: Any) -> Any:
        sizes.append(len(changes))
        return write(changes)

    crowd.world.crm.write = counted
    crowd.world.apply(crowd.plan)
    assert sizes == [20, 40]


def test_a_stopped_plan_goes_on_only_when_told_to(crowd: Any) -> None:
    """Without --resume the reason is said again; with it the refused rows come first, and then the rest."""
    refuse(crowd, 20)
    crowd.world.apply(crowd.plan)
    with pytest.raises(StateError, match=r"20 of the first 20 records were refused.*--resume"):
        crowd.world.apply(crowd.plan)
    crowd.wire.inner.refuse = {}

    report = crowd.world.apply(crowd.plan, resume=True)

    assert report.outcomes == {"applied": 60}
    assert Counter(change.id for change in crowd.wire.inner.writes) == dict.fromkeys(
        crowd.world.crm.records, 1
    )


def test_a_plan_resumed_without_a_cure_stops_again(crowd: Any) -> None:
    """Nothing but the first batch is ever sent."""
    refuse(crowd, 20)
    crowd.world.apply(crowd.plan)
    report = crowd.world.apply(crowd.plan, resume=True)
    assert (report.status, report.left) == ("stopped", 40)


def test_a_plan_that_is_all_first_batch_ends_with_its_reasons(world: Any, score: Any) -> None:
    """There is nothing left that a stop could keep from being sent."""
    world.crm.refuse = {"0011": RULE}
    report = world.apply(world.plan(score(1, tier="low")))
    assert report.status == "applied"
    assert report.outcomes == {"refused": 1}


def test_nobody_else_begins_while_the_first_batch_is_under_way(crowd: Any) -> None:
    """A second worker finds nothing until most of the twenty have an outcome."""
    crowd.start()
    first = crowd.hire()
    first.until("write")

    assert crowd.some("second").done == 0
    assert not crowd.wire.requests

    first.until("begin")  # the call is over, its outcome not kept
    assert crowd.some("second").done == 0
    assert len(crowd.wire.requests) == 20
    first.step()
    assert crowd.some("second").done == 60


def test_one_locked_row_of_the_first_batch_holds_nothing_up(crowd: Any) -> None:
    """Half of it came through, so that it can't be that most is refused."""
    crowd.wire.inner.refuse = {
        "0013": RowResult(key="", outcome=RowOutcome.FAILED, vendor_code="UNABLE_TO_LOCK_ROW")
    }
    crowd.start()
    found = crowd.some()
    assert (found.done, found.left) == (59, 1)
    assert found.due_at is not None
