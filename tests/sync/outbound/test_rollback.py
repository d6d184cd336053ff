"""What a rollback gives back, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import StateError
from sync import journal
from sync.plan_ledger import latest_plan_id

Score = Callable[..., dict[str, Any]]
TIER = "Expansion_Tier__c"


def filled(records: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The records without their empty cells."""
    return {key: {n: v for n, v in held.items() if v is not None} for key, held in records.items()}


def test_rollback_restores_every_cell_exactly(world: Any, score: Score) -> None:
    """Cells that were empty are empty again, and old values are back to the last digit."""
    world.crm.person("0012", Expansion_Score__c=12, Expansion_Reason_1__c="An  old reason ")
    before = deepcopy(world.crm.records)
    plan = world.plan(*(score(n) for n in range(5)))
    world.apply(plan)

    report = world.rollback(plan.id)

    assert filled(world.crm.records) == before
    assert report.restored_cells == plan.cells
    assert report.restored_records == 5
    assert not report.left
    assert report.tasks_closed == 5
    assert all(task.is_closed for task in world.crm.tasks.values())


def test_rolling_back_twice_does_nothing_more(world: Any, score: Score) -> None:
    """The second time finds nothing to give back."""
    plan = world.plan(score(1))
    world.apply(plan)
    world.rollback(plan.id)
    writes = len(world.crm.writes)

    again = world.rollback(plan.id)

    assert (again.restored_cells, again.tasks_closed, len(world.crm.writes)) == (0, 0, writes)


def test_a_cell_that_a_person_changed_meanwhile_is_left_and_listed(world: Any, score: Score) -> None:
    """The person's value stays; the record's other cells are given back."""
    plan = world.plan(score(1), score(2))
    world.apply(plan)
    world.crm.person("0011", **{TIER: "low"})

    report = world.rollback(plan.id)

    assert filled(world.crm.records)["0011"] == {TIER: "low"}
    assert [(cell.record_id, cell.field, cell.ours, cell.held) for cell in report.left] == [
        ("0011", TIER, "high", "low")
    ]


def test_a_task_that_someone_worked_on_is_left(world: Any, score: Score) -> None:
    """Its key is listed; the untouched one is closed with a note."""
    plan = world.plan(score(1), score(2))
    world.apply(plan)
    touched, other = world.crm.tasks
    world.crm.tasks[touched] = replace(world.crm.tasks[touched], touched=True)

    report = world.rollback(plan.id)

    assert report.tasks_left == (touched,)
    assert not world.crm.tasks[touched].is_closed
    assert world.crm.tasks[other].is_closed
    assert "rolled back" in world.crm.bodies[world.crm.tasks[other].id]


def test_a_dry_run_says_the_same_and_changes_nothing(world: Any, score: Score) -> None:
    """Its figures are those of the rollback that follows."""
    plan = world.plan(score(1), score(2))
    world.apply(plan)
    held = deepcopy(world.crm.records)

    dry = world.rollback(plan.id, dry_run=True)

    assert world.crm.records == held
    real = world.rollback(plan.id)
    assert (dry.restored_cells, dry.restored_records, dry.tasks_closed) == (
        real.restored_cells, real.restored_records, real.tasks_closed,
    )  # fmt: skip


def test_one_account_or_one_field_can_be_taken_back(world: Any, score: Score) -> None:
    """The rest stays, and can be taken back later."""
    plan = world.plan(score(1), score(2))
    world.apply(plan)

    one_field = world.rollback(plan.id, field="tier")
    assert one_field.restored_cells == 2
    assert one_field.tasks_closed == 0
    one_account = world.rollback(plan.id, account="a1")
    assert one_account.restored_records == 1
    assert filled(world.crm.records)["0011"] == {}
    assert TIER not in filled(world.crm.records)["0012"]
    world.rollback(plan.id)
    assert filled(world.crm.records)["0012"] == {}


def test_a_run_is_taken_back_plan_by_plan(world: Any, score: Score) -> None:
    """Two plans of one run give back what was there before the first."""
    first = world.plan(score(1))
    world.apply(first)
    world.plans -= 1
    world.now += timedelta(minutes=5)
    second = world.plan(score(1, tier="very_high", probability=0.9))
    world.apply(second)

    report = world.rollback("run-1")

    assert report.plan_ids == (second.id, first.id)
    assert filled(world.crm.records)["0011"] == {}


def test_a_partly_applied_plan_can_be_taken_back(
    world: Any, score: Score, faults: Mapping[str, Callable[[], None]]
) -> None:
    """A write of unknown outcome is settled first, and then given back too."""
    plan = world.plan(*(score(n) for n in range(6)))
    world.crm.after_write += [lambda: None, faults["crash"]]
    with pytest.raises(KeyboardInterrupt):
        world.apply(plan)

    world.rollback(plan.id)

    assert all(cells == {} for cells in filled(world.crm.records).values())
    with pytest.raises(StateError, match="rolled back already"):
        world.apply(plan)


def test_a_killed_rollback_is_completed_by_the_next(
    world: Any, score: Score, faults: Mapping[str, Callable[[], None]]
) -> None:
    """No cell is given back twice, none is forgotten."""
    plan = world.plan(*(score(n) for n in range(6)))
    world.apply(plan)
    world.crm.after_write += [lambda: None, faults["crash"]]
    with pytest.raises(KeyboardInterrupt):
        world.rollback(plan.id)

    world.rollback(plan.id)

    assert all(cells == {} for cells in filled(world.crm.records).values())
    assert len(world.crm.writes) == 12


def test_the_journal_holds_each_cell_before_and_after(world: Any, score: Score) -> None:
    """A write and its restore are two entries, and neither can be changed."""
    plan = world.plan(score(1))
    world.apply(plan)
    world.rollback(plan.id)

    with world.store.session() as session:
        tier = [(e.before, e.after) for e in journal.history(session, "0011") if e.key == "tier"]
        assert journal.standing(session, plan.id) == []
    assert tier == [(None, "high"), ("high", None)]


def test_an_unknown_run_is_named(world: Any) -> None:
    """The error says which."""
    with pytest.raises(StateError, match="run-99: no such plan or run"):
        world.rollback("run-99")


def test_a_run_that_found_nothing_new_hides_no_plan_from_an_undo(world: Any, score: Score) -> None:
    """The newest plan that wrote is found behind a later, empty one."""
    plan = world.plan(score(1))
    world.apply(plan)
    world.now += timedelta(minutes=1)
    empty = world.plan(score(1))
    world.apply(empty)
    assert empty.is_empty
    assert latest_plan_id(world.store) == empty.id
    assert latest_plan_id(world.store, written=True) == plan.id
