"""The chaos story: real workers and a real Redis are killed and wiped while a third of all writes fail."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from infra.chaos.crashes import start
from infra.chaos.home import Home
from infra.chaos.nursery import Nursery
from infra.chaos.result import APPLIED
from infra.chaos.story import tell
from sync.schedules import given_schedule, put
from sync.store.tables import RunRow
from sync.store.work import SlotRow

OPERATIONS = 300


@pytest.mark.slow
@pytest.mark.usefixtures("redis_server")  # the machine has a Redis, or says what is missing
@pytest.mark.parametrize("seed", [1, 3], ids=["HubSpot", "Salesforce"])
def test_no_promise_is_broken_while_everything_fails(nursery: Nursery, tmp_path: Path, seed: int) -> None:
    """Each operation has one true outcome after the faults stop, and a rollback takes it all back.

    How soon is `make chaos`' to say, on a machine that does nothing else."""
    result = tell(tmp_path, nursery, seed=seed, operations=OPERATIONS)
    assert (result.violations, result.rollback_violations) == ((), ())
    assert min(result.workers_killed, result.children_killed, result.redis_wipes) >= 3
    assert result.fault_share > 0.2
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


def test_of_several_schedulers_at_once_one_starts_the_run(home: Home, nursery: Nursery) -> None:
    """A slot is claimed once, in whichever process."""
    made, slot = datetime(2026, 11, 22, 7, 0, tzinfo=UTC), datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    daily = given_schedule(cron="0 6 * * *", every="", timezone="UTC", job="pull")
    put(home.store, "daily", daily, asked={}, home_zone="UTC", by="os:ann", now=made)
    begin = time.time() + 1.0
    together = [start(home, nursery, "dispatch_at", slot=slot.isoformat(), begin=begin) for _ in range(4)]
    assert [child.wait(60) for child in together] == [0] * 4
    assert sorted(child.said() for child in together) == ["", "", "", "started\n"]
    with home.store.session() as session:
        assert session.scalars(select(SlotRow.slot)).all() == [slot]
        assert session.scalars(select(RunRow.verb)).all() == ["pull"]
