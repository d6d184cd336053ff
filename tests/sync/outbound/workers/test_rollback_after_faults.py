"""Taking back what was cut short, lost or late: exactly what we wrote, and nothing of anybody else's."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import QuotaError, TransientError
from sync.rollback import rollback

TIER = "Expansion_Tier__c"


def taken_back(crew: Any, **options: Any) -> Any:
    """The report of a rollback through the wire."""
    world = crew.world
    return rollback(crew.plan.id, crew.wire, world.store, **(world.clocks() | options))


def held(crew: Any) -> dict[str, dict[str, Any]]:
    """What the CRM's records hold, without empty cells."""
    records = crew.world.crm.records.items()
    return {
        key: {n: v for n, v in cells.items() if v is not None}
        for key, cells in records
        if any(cells.values())
    }


def test_a_killed_apply_is_taken_back_once_its_outcome_is_known(crew: Any) -> None:
    """The rollback waits for the dead worker's lease, looks, and gives back what it finds."""
    crew.start()
    victim = crew.hire()
    victim.until("written")
    victim.kill()
    crew.world.machine.sleep(310)  # the lock of the dead run
    report = taken_back(crew)
    assert report.restored_records == 3
    assert held(crew) == {}
    assert {row.state for row in crew.rows("restore")} == {"done"}


def test_a_write_that_lands_late_is_taken_back_too(crew: Any) -> None:
    """It is looked for as long as it may still come."""
    crew.wire.faults = ["late 309"]
    crew.start()
    crew.some()
    crew.world.machine.sleep(301)
    assert taken_back(crew).restored_records == 3
    assert held(crew) == {}


@pytest.mark.parametrize("fault", ["lost_after", "lost_before", "late 4", "late 14", "away", "wait 20"])
def test_a_restore_survives_what_a_write_survives(crew: Any, fault: str) -> None:
    """Each cell is given back once, and people's edits stay."""
    crew.world.crm = crew.world.crm
    crew.start()
    crew.finish()
    crew.wire.person("0012", **{TIER: "low"})
    crew.wire.effects.clear()
    crew.wire.faults, crew.wire.task_faults = [fault], [fault]
    report = taken_back(crew, holder="another")
    crew.world.machine.sleep(60)
    crew.wire.land()
    assert held(crew) == {"0012": {TIER: "low"}}
    assert (report.restored_records, report.tasks_closed, report.failed) == (4, 4, ())
    assert len(crew.wire.effects) == 4
    assert all(body.count("rolled back") == 1 for body in crew.world.crm.bodies.values())


def test_a_rollback_without_quota_keeps_its_place(crew: Any) -> None:
    """What is taken back stays so; the same command does the rest."""
    crew.start()
    crew.finish()
    crew.wire.faults = ["none", "quota 3600"]
    with pytest.raises(QuotaError, match="for the rest, later: upswell rollback plan-"):
        taken_back(crew)
    assert len(held(crew)) == 1
    taken_back(crew)
    assert held(crew) == {}
    assert len(crew.wire.effects) == 8


def test_a_rollback_ends_when_the_crm_takes_nothing(crew: Any) -> None:
    """And says how to go on."""
    crew.start()
    crew.finish()
    crew.wire.faults = ["away"] * 3
    with pytest.raises(TransientError, match="for the rest, later"):
        taken_back(crew)
    taken_back(crew)
    assert held(crew) == {}


def test_a_preview_sends_nothing_and_waits_for_nothing(crew: Any) -> None:
    """Even while operations of unknown outcome are about."""
    crew.start()
    victim = crew.hire()
    victim.until("written")
    victim.kill()
    crew.world.machine.sleep(310)
    before, effects = crew.world.machine.now, len(crew.wire.effects)
    assert taken_back(crew, dry_run=True).dry_run
    assert crew.world.machine.now == before
    assert len(crew.wire.effects) == effects
    assert "sending" in {row.state for row in crew.rows()}


def test_taking_back_one_field_leaves_a_plan_that_can_go_on(crew: Any) -> None:
    """Only a whole rollback ends the plan."""
    crew.start()
    crew.some(limit=1)
    crew.world.machine.sleep(301)
    assert taken_back(crew, field="tier").restored_cells == 3
    assert crew.world.apply(crew.plan).status == "applied"
    assert all(TIER not in cells or key == "0013" for key, cells in held(crew).items())
