"""A call of several parts, each of which fares on its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FAULTS = ("none", "refused", "lost_before", "lost_after")


def outcomes(crew: Any) -> Counter[str | None]:
    """How many writes came to which end."""
    return Counter(row.outcome for row in crew.rows("write"))


def test_a_part_that_was_refused_whole_is_sent_again_in_smaller_ones(crowd: Any) -> None:
    """Its twenty rows only; the others were written and are left alone."""
    crowd.wire.part_faults = ["none", "refused"]  # the first batch, then the first part of the next call
    crowd.start()
    crowd.some()
    assert outcomes(crowd) == {"applied": 60}
    assert Counter(crowd.wire.requests.values()) == {1: 40, 2: 20}
    assert sum(row.requests for row in crowd.rows()) == crowd.wire.requests.total()
    assert crowd.finish() == "applied"
    crowd.check()


@pytest.mark.parametrize(("fault", "calls"), [("lost_before", 2), ("lost_after", 1)])
def test_a_part_without_results_is_looked_for(crowd: Any, fault: str, calls: int) -> None:
    """It is sent again only where the CRM shows that it did not happen."""
    crowd.wire.part_faults = ["none", "none", fault]
    crowd.start()
    crowd.some()
    assert outcomes(crowd)["applied"] == (60 if calls == 1 else 40)
    assert crowd.finish() == "applied"
    assert outcomes(crowd) == {"applied": 60}
    assert Counter(crowd.wire.requests.values())[calls] == (60 if calls == 1 else 20)
    crowd.check()


def test_one_row_that_is_refused_in_a_part_of_its_own_is_refused(crowd: Any) -> None:
    """Nothing else can be meant, so it is not sent again."""
    crowd.wire.part, crowd.wire.part_faults = 1, ["none"] * 7 + ["refused"]
    crowd.start()
    crowd.some()
    assert outcomes(crowd) == {"applied": 59, "refused": 1}
    assert max(crowd.wire.requests.values()) == 1
    crowd.check()


@settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(part=st.integers(1, 25), faults=st.lists(st.sampled_from(FAULTS), max_size=12))
def test_however_parts_fare_each_row_is_written_once_and_told_of(
    crowd: Any, part: int, faults: list[str]
) -> None:
    """Six calls bear a row at most, and the journal holds what was written."""
    crowd.reset()
    crowd.wire.part, crowd.wire.part_faults = part, list(faults)
    crowd.start()
    if crowd.finish() == "applied":
        crowd.check()
