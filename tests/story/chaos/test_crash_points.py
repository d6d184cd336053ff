"""A process is killed at each of seven places of an apply; another one goes on, or takes it back."""

from __future__ import annotations

import pytest

from infra.chaos.crash import POINTS
from infra.chaos.home import Home
from infra.chaos.nursery import Child, Nursery

HOUR = 3600.0


def start(home: Home, nursery: Nursery, what: str, **arguments: object) -> Child:
    """A process at this home."""
    config, ledger = home.org.folder / "upswell.toml", home.store.engine.url
    return nursery.start(f"infra.chaos.processes:{what}", config=str(config), ledger=str(ledger), **arguments)


@pytest.mark.parametrize("nth", [1, 2, 3], ids=["first batch", "second batch", "tasks"])
@pytest.mark.parametrize("point", POINTS)
def test_another_process_goes_on_where_one_was_killed(
    home: Home, nursery: Nursery, point: str, nth: int
) -> None:
    """Every operation ends applied, once, and the ledger tells it as the CRM saw it."""
    plan = home.plan(writes=45, tasks=8, seed=nth)
    dying = start(home, nursery, "apply_plan", plan_id=plan.id, holder="run", crash=point, nth=nth)
    assert dying.wait(60) == -9, dying.said()
    after = start(home, nursery, "apply_plan", plan_id=plan.id, holder="run", ahead=HOUR)
    assert after.wait(60) == 0, after.said()
    assert home.violations() == []
    assert {op.outcome for op in home.evidence().operations} == {"applied"}


@pytest.mark.parametrize("point", POINTS)
def test_a_rollback_after_a_kill_gives_everything_back(home: Home, nursery: Nursery, point: str) -> None:
    """Of a plan that was applied in part, also where nobody knew what had become of a call."""
    plan = home.plan(writes=45, tasks=8)
    dying = start(home, nursery, "apply_plan", plan_id=plan.id, holder="run", crash=point, nth=2)
    assert dying.wait(60) == -9, dying.said()
    back = start(home, nursery, "take_back", plan_id=plan.id, ahead=HOUR)
    assert back.wait(60) == 0, back.said()
    assert home.violations(rolled_back=(plan.id,)) == []
