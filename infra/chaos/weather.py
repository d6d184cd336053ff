"""A plan applied and taken back in one process while a storm rages, by seed; minutes pass at once."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from connectors.errors import UpswellError
from connectors.sandbox.clock import advance
from connectors.sandbox.storm import storm
from infra.chaos.checker import Violation
from infra.chaos.home import Home
from sync.plan_ledger import status_of

WAYS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("salesforce", {}),
    ("hubspot", {}),
    ("salesforce", {"salesforce__conditional_writes": True}),
)
"""Kinds of CRM with the settings of each; a seed takes them in turn."""
REASON: Final = {"salesforce": "Expansion_Reason_1__c", "hubspot": "expansion_reason_1"}
TRIES: Final = 10  # after the sixth the faults have stopped
STOPS: Final = 6
LANDS: Final = 12.0  # seconds after which a late write has landed at the latest: before the last look for it


def way_of(seed: int) -> tuple[str, dict[str, Any]]:
    """The kind of CRM of a seed, and the settings of its home."""
    kind, settings = WAYS[seed % len(WAYS)]
    return kind, {"write_batch": random.Random(seed).choice((3, 5, 10, 25)), **settings}


def weathered(home: Home, seed: int) -> tuple[list[Violation], list[Violation]]:
    """What is found once the plan was applied, and once it was taken back."""
    chance = random.Random(seed)
    home.let_pass(hours=2)  # nothing in the org was changed just now
    _land_late(home, chance)
    plan = home.plan(writes=chance.randint(20, 50), tasks=chance.randint(0, 10), seed=seed)
    share = chance.choice((0.2, 0.34, 0.5, 0.7))
    _edit(home, chance.sample(range(40), chance.randint(0, 6)))
    _rage(home, seed, share, quota=chance.choice((0, 0, 4)))
    for attempt in range(TRIES):
        if status_of(home.store, plan.id) == "applied":
            break
        with suppress(UpswellError):
            home.apply(plan.id, resume=attempt > 0, holder=f"apply {attempt}")
        _wait(home, chance, attempt)
    applied = home.violations()
    _edit(home, chance.sample(range(20), 3))
    _rage(home, seed + 1_000, share, quota=0)
    for attempt in range(TRIES):
        with suppress(UpswellError):
            left = home.rollback(plan.id).failed  # listed, and given back by another rollback
            if not left and status_of(home.store, plan.id) == "rolled_back":
                break
        _wait(home, chance, attempt)
    return applied, home.violations(rolled_back=(plan.id,))


def _rage(home: Home, seed: int, share: float, *, quota: int) -> None:
    home.sandbox.faults.replace(
        storm(home.org.kind, seed=seed, share=share, quota=quota, wait=0.0, seconds=3600.0)
    )


def _wait(home: Home, chance: random.Random, attempt: int) -> None:
    """Minutes or hours until somebody tries again; in the end without faults."""
    if attempt >= STOPS:
        home.sandbox.faults.clear()
    home.clock.sleep(chance.choice((5.0, 60.0, 3700.0)))
    home.sandbox.settle_late()


def _land_late(home: Home, chance: random.Random) -> None:
    """Let what is late land so many seconds after its call was given up; the org's clock goes along."""
    waited = 0.0

    def slept(seconds: float) -> None:
        nonlocal waited
        advance(home.sandbox.store, timedelta(seconds=seconds))
        waited += seconds
        if waited >= chance.uniform(1.0, LANDS):
            home.sandbox.settle_late()
            waited = 0.0

    home.clock.slept = slept


def _edit(home: Home, positions: list[int]) -> None:
    for position in positions:
        home.edit_here(position, {REASON[home.org.kind]: f"A person's word {position}"})
