"""A process is killed at one of seven places of an apply, and another one goes on or takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from infra.chaos.checker import Violation
from infra.chaos.home import Home
from infra.chaos.nursery import Child, Nursery

LATER: Final = 3600.0  # seconds after which every lease of the dead process has ended
PATIENCE: Final = 120.0
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def go_on(
    home: Home,
    nursery: Nursery,
    *,
    point: str,
    nth: int,
    seed: int = 1,
    first: Mapping[str, Any] = NOTHING,
    second: Mapping[str, Any] = NOTHING,
) -> list[Violation]:
    """What is found once another process went on where one was killed.

    `first` and `second` say more about the two processes: their time zones and their clocks."""
    plan = home.plan(writes=45, tasks=8, seed=seed)
    dying = {"plan_id": plan.id, "holder": "run", "crash": point, "nth": nth, **first}
    _killed(start(home, nursery, "apply_plan", **dying))
    going_on = {"plan_id": plan.id, "holder": "run", "ahead": LATER, **second}
    _ended(start(home, nursery, "apply_plan", **going_on))
    return home.violations()


def take_back(home: Home, nursery: Nursery, *, point: str, nth: int, seed: int = 1) -> list[Violation]:
    """What is found once another process took back what the killed one had written."""
    plan = home.plan(writes=45, tasks=8, seed=seed)
    _killed(start(home, nursery, "apply_plan", plan_id=plan.id, holder="run", crash=point, nth=nth))
    _ended(start(home, nursery, "take_back", plan_id=plan.id, ahead=LATER))
    return home.violations(rolled_back=(plan.id,))


def start(home: Home, nursery: Nursery, what: str, **arguments: object) -> Child:
    """A process at this home."""
    config, ledger = home.org.folder / "upswell.toml", home.store.engine.url
    return nursery.start(f"infra.chaos.processes:{what}", config=str(config), ledger=str(ledger), **arguments)


def _killed(child: Child) -> None:
    status = child.wait(PATIENCE)
    if status != -9:
        raise AssertionError(f"the process ended with {status} and was to be killed:\n{child.said()}")


def _ended(child: Child) -> None:
    status = child.wait(PATIENCE)
    if status != 0:
        raise AssertionError(f"the process ended with {status}:\n{child.said()}")
