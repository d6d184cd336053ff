"""What a plan says of itself, to people who look before they apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.crm import Value
from sync.cells import Cell
from sync.planned import Plan, PlannedChange, Skip, SkipReason

Make = Callable[..., Plan]


def change(account: str, *cells: tuple[str, Value, Value]) -> PlannedChange:
    """New values for an account: (our key, before, after) by cell."""
    return PlannedChange(
        key=f"plan:{account}",
        object="Account",
        record_id=f"crm-{account}",
        account_id=account,
        cells=tuple(
            Cell(key=key, name=f"{key}__c", before=before, after=after) for key, before, after in cells
        ),
        why="score",
    )


def skip(account: str, subject: str, reason: SkipReason) -> Skip:
    """An account left out of `score` or `task`."""
    return Skip(account_id=account, record_id=None, subject=subject, reason=reason, detail="")


@pytest.fixture
def make(world: Any) -> Make:
    """Make a plan of these changes and skips, and of nothing else."""
    empty = world.plan()
    return lambda *changes, skips=(): replace(empty, changes=changes, tasks=(), skips=tuple(skips))


def test_a_plan_of_only_tasks_or_only_changes_is_not_empty(make: Make, world: Any, score: Any) -> None:
    """Either is a write."""
    both = world.plan(score(1))
    assert make().is_empty
    assert not make(change("a", ("score", 1, 2))).is_empty
    assert both.tasks
    assert not replace(both, changes=()).is_empty


def test_cells_are_counted_over_all_records(make: Make) -> None:
    """The field that most records change comes first."""
    plan = make(change("a", ("tier", "low", "high"), ("score", 1, 2)), change("b", ("score", 3, 4)))
    assert plan.cells == 3
    assert list(plan.cells_by_field().items()) == [("score", 2), ("tier", 1)]


def test_skips_are_counted_for_one_subject_at_a_time(make: Make) -> None:
    """An account may get its score and no task; the commonest reason comes first."""
    plan = make(
        skips=(
            skip("a", "score", SkipReason.GONE),
            skip("b", "score", SkipReason.NO_CHANGE),
            skip("c", "score", SkipReason.NO_CHANGE),
            skip("b", "task", SkipReason.TIER),
        )
    )
    assert list(plan.skips_by_reason("score").items()) == [("no_change", 2), ("gone", 1)]
    assert plan.skips_by_reason("task") == {"tier": 1}


def test_the_largest_move_comes_first_whichever_way_it_goes(make: Make) -> None:
    """Of equal moves the one of the account that is first by id."""
    plan = make(
        change("d", ("score", 50, 54)),
        change("c", ("score", 10, 40)),
        change("b", ("score", 90, 20)),
        change("a", ("score", 80, 76)),
    )
    assert plan.largest_moves() == (
        ("b", 90.0, 20.0),
        ("c", 10.0, 40.0),
        ("a", 80.0, 76.0),
        ("d", 50.0, 54.0),
    )


@pytest.mark.parametrize("cell", [("score", None, 71), ("score", 71, None), ("priority", 1, 90)])
def test_a_first_score_a_removed_one_and_another_number_are_no_moves(
    make: Make, cell: tuple[str, Value, Value]
) -> None:
    """There is nothing to compare with, or it is not the score."""
    assert make(change("a", cell)).largest_moves() == ()


def test_ten_moves_are_shown_unless_asked_otherwise(make: Make) -> None:
    """A preview is read by people."""
    plan = make(*(change(f"a{n:02}", ("score", 0, 90 - n)) for n in range(12)))
    assert [account for account, _, _ in plan.largest_moves()] == [f"a{n:02}" for n in range(10)]
    assert len(plan.largest_moves(3)) == 3
