"""Plans in the ledger: kept frozen, found again, refused when changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors.errors import StateError
from sync.plan_ledger import latest_plan_id, load, load_terms, set_status, status_of
from sync.store.writeback import OperationRow, PlanRow, SkipRow

Score = Callable[..., dict[str, Any]]
Load = Callable[..., Any]
READERS = pytest.mark.parametrize("read", [load, load_terms])


def change_rows(world: Any, *, kind: str, **values: Any) -> None:
    """Somebody changes the operations of a kind behind our back."""
    with world.store.begin() as session:
        session.execute(update(OperationRow).where(OperationRow.kind == kind).values(values))


def rows_of(world: Any) -> list[Mapping[str, Any]]:
    """What the ledger holds of each operation, tasks first."""
    columns = OperationRow.__table__.columns
    with world.store.session() as session:
        found = session.execute(select(*columns).order_by(OperationRow.kind, OperationRow.position))
        return [dict(row._mapping) for row in found]


def test_the_terms_of_a_plan_are_those_of_the_plan(world: Any, score: Score) -> None:
    """Applying reads them without its ten thousand cells."""
    plan = world.plan()  # an empty scoring, which breaks a guard
    terms = load_terms(world.store, plan.id)
    assert terms.findings == plan.findings != ()
    assert (terms.id, terms.run_id, terms.org_id) == (plan.id, plan.run_id, plan.org_id)
    assert (terms.expires_at, terms.fields) == (plan.expires_at, plan.fields)


@READERS
def test_a_plan_that_is_not_there_is_named(world: Any, read: Load) -> None:
    """With the verb that lists those that are."""
    with pytest.raises(StateError) as caught:
        read(world.store, "plan-0")
    assert caught.value.record == "plan-0"
    assert caught.value.message == "no such plan"
    assert caught.value.fix == "List plans with `upswell status`."


@READERS
@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "write", "object": "Contact"},
        {"kind": "write", "record_id": "0019"},
        {"kind": "write", "account_id": "a9"},
        {"kind": "write", "key": "another"},
        {"kind": "write", "payload": {"cells": [], "why": "tier"}},
        {"kind": "task", "record_id": "0019"},
        {"kind": "task", "payload": {}},
    ],
)
def test_no_part_of_an_operation_may_be_changed(
    world: Any, score: Score, read: Load, changed: dict[str, Any]
) -> None:
    """What people approved is what is written."""
    plan = world.plan(score(1))
    assert plan.tasks
    read(world.store, plan.id)
    change_rows(world, **changed)
    with pytest.raises(StateError) as caught:
        read(world.store, plan.id)
    assert caught.value.record == plan.id
    assert caught.value.message == "the plan's rows differ from what was frozen"
    assert caught.value.fix == "Make a new plan: upswell plan."


@READERS
def test_an_operation_that_is_removed_or_moved_is_missed(world: Any, score: Score, read: Load) -> None:
    """The order decides what a limited apply writes first."""
    plan = world.plan(score(1), score(2))
    with world.store.begin() as session:
        moved = update(OperationRow).where(OperationRow.kind == "write", OperationRow.position == 0)
        session.execute(moved.values(position=7))
    with pytest.raises(StateError, match="differ from what was frozen"):
        read(world.store, plan.id)
    other = world.plan(score(1), score(2))
    with world.store.begin() as session:
        taken = update(OperationRow).where(OperationRow.plan_id == other.id, OperationRow.position == 1)
        session.execute(taken.values(plan_id=plan.id))
    with pytest.raises(StateError, match="differ from what was frozen"):
        read(world.store, other.id)


def test_what_is_left_out_comes_back_in_its_order(world: Any, score: Score) -> None:
    """By position, not as the database happens to hold it."""
    plan = world.plan(score(1, crm_id=None), score(2, crm_id=None))
    with world.store.begin() as session:
        session.execute(update(SkipRow).values(position=100 - SkipRow.position))
    assert load(world.store, plan.id).skips == plan.skips[::-1] != plan.skips


def test_what_takes_a_plan_back_is_no_part_of_it(world: Any, score: Score) -> None:
    """A rollback adds operations to the plan, which stays as it was frozen."""
    plan = world.plan(score(1))
    world.apply(plan)
    world.rollback(plan.id)
    assert {row["kind"] for row in rows_of(world)} == {"write", "task", "restore", "close"}
    found = load(world.store, plan.id)
    assert (found.changes, found.tasks, found.status) == (plan.changes, plan.tasks, "rolled_back")


def test_a_task_is_an_operation_on_the_account_it_belongs_to(world: Any, score: Score) -> None:
    """Its key holds the plan, so that a later plan for the same task is another operation."""
    plan = world.plan(score(1), score(2))
    tasks = [row for row in rows_of(world) if row["kind"] == "task"]
    assert [(row["key"], row["object"], row["record_id"], row["account_id"]) for row in tasks] == [
        (f"{plan.id}:{task.draft.key}", "tasks", task.draft.account_crm_id, task.account_id)
        for task in plan.tasks
    ]
    assert [row["position"] for row in rows_of(world)] == [0, 1, 0, 1]
    assert {row["run_id"] for row in rows_of(world)} == {plan.run_id}


def test_the_newest_plan_is_the_last_one_made(world: Any, score: Score) -> None:
    """By the CRM's clock, and of one moment the one whose id comes last; of a run, where one is named."""
    assert latest_plan_id(world.store) is None
    same_moment = [world.plan(score(1)), world.plan(score(2))]
    assert latest_plan_id(world.store) == max(plan.id for plan in same_moment)
    world.now -= timedelta(hours=1)
    earlier = world.plan(score(3))
    assert latest_plan_id(world.store) == max(plan.id for plan in same_moment)
    with world.store.begin() as session:
        late = update(PlanRow).where(PlanRow.id == min(plan.id for plan in same_moment))
        session.execute(late.values(created_at=world.now + timedelta(days=1)))
    assert latest_plan_id(world.store) == min(plan.id for plan in same_moment)
    assert latest_plan_id(world.store, run_id=earlier.run_id) == earlier.id
    assert latest_plan_id(world.store, run_id="run-0") is None


def test_the_newest_written_plan_has_written_something(world: Any, score: Score) -> None:
    """One that is only planned has not, and neither has one without operations."""
    plan = world.plan(score(1))
    assert latest_plan_id(world.store, written=True) is None
    for status in ("applying", "applied", "rolled_back"):
        with world.store.begin() as session:
            set_status(session, plan.id, status)
        assert latest_plan_id(world.store, written=True) == plan.id
    empty = world.plan()
    with world.store.begin() as session:
        set_status(session, empty.id, "applied")
    assert latest_plan_id(world.store, written=True) == plan.id
    assert latest_plan_id(world.store, run_id=empty.run_id, written=True) is None


def test_a_plans_status_is_what_it_was_moved_to_last(world: Any, score: Score) -> None:
    """Others keep theirs; a plan that is not there has none and gets none."""
    plan, other = world.plan(score(1)), world.plan(score(2))
    with world.store.begin() as session:
        set_status(session, plan.id, "applying")
        set_status(session, "plan-0", "applying")
    assert [status_of(world.store, name) for name in (plan.id, other.id, "plan-0")] == [
        "applying",
        "planned",
        None,
    ]
