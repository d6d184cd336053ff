"""The chaos story: real workers and a real Redis are killed and wiped while a third of all writes fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.chaos.crashes import start
from infra.chaos.home import Home
from infra.chaos.nursery import Nursery
from infra.chaos.result import APPLIED, CONVERGED
from infra.chaos.story import tell

OPERATIONS = 300


@pytest.mark.slow
@pytest.mark.usefixtures("redis_server")  # the machine has a Redis, or says what is missing
@pytest.mark.parametrize("seed", [1, 3], ids=["HubSpot", "Salesforce"])
def test_no_promise_is_broken_while_everything_fails(nursery: Nursery, tmp_path: Path, seed: int) -> None:
    """Each operation has one true outcome soon after the faults stop, and a rollback takes it all back."""
    result = tell(tmp_path, nursery, seed=seed, operations=OPERATIONS)
    assert (result.violations, result.rollback_violations) == ((), ())
    assert min(result.workers_killed, result.children_killed, result.redis_wipes) >= 3
    assert result.fault_share > 0.2
    assert result.converged_seconds <= CONVERGED
    assert result.applied_share >= APPLIED
    assert result.run_status in ("done", "partial")


def test_of_two_applies_at_once_one_wins(home: Home, nursery: Nursery) -> None:
    """Whichever comes second is told so, and nothing is written twice."""
    plan = home.plan()
    both = [start(home, nursery, "apply_plan", plan_id=plan.id, holder=name) for name in ("one", "other")]
    assert sorted(child.wait(120) for child in both) == [0, 1]
    loser = next(child for child in both if child.status == 1)
    assert "another run holds it" in loser.said() or "was applied already" in loser.said()
    assert home.violations() == []
