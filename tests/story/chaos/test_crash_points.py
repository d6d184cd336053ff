"""A process is killed at each of seven places of an apply; another one goes on, or takes it back."""

from __future__ import annotations

import pytest

from infra.chaos.crash import POINTS
from infra.chaos.crashes import go_on, take_back
from infra.chaos.home import Home
from infra.chaos.nursery import Nursery


@pytest.mark.parametrize("nth", [1, 2, 3], ids=["first batch", "second batch", "tasks"])
@pytest.mark.parametrize("point", POINTS)
def test_another_process_goes_on_where_one_was_killed(
    home: Home, nursery: Nursery, point: str, nth: int
) -> None:
    """Every operation ends applied, once, and the ledger tells it as the CRM saw it."""
    assert go_on(home, nursery, point=point, nth=nth, seed=nth) == []
    assert {op.outcome for op in home.evidence().operations} == {"applied"}


@pytest.mark.parametrize("point", POINTS)
def test_a_rollback_after_a_kill_gives_everything_back(home: Home, nursery: Nursery, point: str) -> None:
    """Of a plan that was applied in part, also where nobody knew what had become of a call."""
    assert take_back(home, nursery, point=point, nth=2) == []
