"""What forbids an apply before its first write, and what a resume may still do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import SetupError, StateError


def test_another_mapping_than_the_plans_is_refused_with_the_field_named(
    crew: Any, make_settings: Any
) -> None:
    """Score would go to another field than the one that people looked at."""
    crew.world.settings = make_settings(mapping={"fields": {"score": "Our_Score__c"}})
    with pytest.raises(SetupError, match=r"mapping is another than when the plan was made \(score\)"):
        crew.world.apply(crew.plan)
    assert not crew.world.crm.writes
    assert {row.state for row in crew.rows()} == {"planned"}


def test_the_same_mapping_said_in_settings_is_none_the_other(crew: Any, make_settings: Any) -> None:
    """Naming our own field for itself changes nothing."""
    crew.world.settings = make_settings(mapping={"fields": {"score": "Expansion_Score__c"}})
    assert crew.world.apply(crew.plan).status == "applied"


@pytest.mark.parametrize(("hours", "refused"), [(23, False), (24, True)])
def test_an_apply_begins_within_a_day_of_its_plan(crew: Any, hours: int, refused: bool) -> None:
    """By the CRM server's clock."""
    crew.world.now += timedelta(hours=hours)
    if refused:
        with pytest.raises(StateError, match="expired at 2026-11-24 12:00 UTC"):
            crew.world.apply(crew.plan)
    else:
        assert crew.world.apply(crew.plan).status == "applied"


@pytest.mark.parametrize(("days", "refused"), [(6, False), (7, True)])
def test_a_plan_that_was_begun_may_be_completed_for_seven_days(crew: Any, days: int, refused: bool) -> None:
    """And each cell is compared anew: what a person changed in between is left alone."""
    crew.start()
    crew.some(limit=1)
    crew.world.machine.sleep(days * 86400)
    crew.world.now += timedelta(days=days)
    crew.world.crm.person("0013", Expansion_Tier__c="low")
    if refused:
        with pytest.raises(StateError, match="expired at 2026-11-30 12:00 UTC"):
            crew.world.apply(crew.plan, resume=True)
    else:
        assert crew.world.apply(crew.plan, resume=True).outcomes == {"applied": 3, "conflict": 1}


def test_a_plan_that_is_being_taken_back_is_not_gone_on_with(crew: Any) -> None:
    """Not even when the rollback was cut short."""
    crew.start()
    crew.some(limit=1)
    crew.world.machine.sleep(400)
    crew.world.crm.before_write.append(lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        crew.world.rollback(crew.plan.id)
    with pytest.raises(StateError, match="rolled back already"):
        crew.world.apply(crew.plan, resume=True)
    with pytest.raises(StateError, match="lost it to another"):
        crew.some()  # a worker of the run before


def test_an_override_is_asked_for_once(world: Any, score: Any) -> None:
    """What was passed over at the start is not asked again of the one who goes on."""
    plan = world.plan(score(1, probability=float("nan")), score(2), score(3), score(4), score(5))
    assert [finding.rule for finding in plan.findings] == ["not_finite"]
    with pytest.raises(StateError, match="--override not_finite"):
        world.apply(plan)
    world.crm.after_write.append(lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        world.apply(plan, override=["not_finite"])
    assert world.apply(plan).status == "applied"
