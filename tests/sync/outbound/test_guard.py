"""Rules that stop a bad run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sync.cells import Cell
from sync.guard import check
from sync.planned import PlannedChange
from sync.settings import GuardSettings

Score = Callable[..., dict[str, Any]]


def change(number: int, *cells: tuple[str, Any, Any]) -> PlannedChange:
    """A planned change of an account's cells (key, before, after)."""
    made = tuple(Cell(key=key, name=key, before=before, after=after) for key, before, after in cells)
    return PlannedChange(
        key=f"p:{number}",
        object="Account",
        record_id=f"001{number}",
        account_id=f"a{number}",
        cells=made,
        why="",
        news=tuple(key for key, before, _ in cells if before is not None),
    )


def rules(
    rows: list[dict[str, Any]],
    changes: list[PlannedChange],
    limits: GuardSettings | None = None,
    *,
    held: int = 0,
    last: int = 0,
) -> set[str]:
    """The rules broken when the CRM holds scores of `held` accounts and the last run scored `last`."""
    found = check(
        rows,
        changes,
        limits or GuardSettings(),
        held_scores={f"001{n}": 50 for n in range(held)},
        scored_last={f"001{n}" for n in range(last)},
    )
    assert all(finding.override == finding.rule and finding.message for finding in found)
    return {finding.rule for finding in found}


def test_a_first_fill_breaks_no_rule(score: Score) -> None:
    """There is nothing to compare with."""
    changes = [change(n, ("tier", None, "high"), ("score", None, 90)) for n in range(40)]
    assert rules([score(n) for n in range(40)], changes) == set()


def test_most_tiers_changing_at_once_stops_the_run(score: Score) -> None:
    """More than a fifth of the records held is no ordinary week."""
    rows = [score(n) for n in range(40)]
    changes = [change(n, ("tier", "low", "high")) for n in range(9)]
    assert rules(rows, changes, held=40) == {"changed_share"}
    assert rules(rows, changes[:8], held=40) == set()


def test_scores_jumping_in_the_mean_stop_the_run(score: Score) -> None:
    """The mean counts unmoved accounts too."""
    changes = [change(n, ("score", 5, 95)) for n in range(20)]
    rows, any_share = [score(n) for n in range(40)], GuardSettings(max_changed_share=1.0)
    assert rules(rows, changes, any_share, held=40) == {"score_jump"}
    assert rules(rows, changes, any_share, held=60) == set()


def test_accounts_vanishing_stop_the_run(score: Score) -> None:
    """A tenth of the last scoring missing points to a lost export."""
    assert rules([score(n) for n in range(35)], [], last=40) == {"vanished_share"}
    assert rules([score(n) for n in range(36)], [], last=40) == set()


@pytest.mark.parametrize(
    "cell", [{"probability": float("nan")}, {"expected_arr": float("inf")}, {"probability": 1.2}]
)
def test_a_score_that_is_no_number_stops_the_run(score: Score, cell: dict[str, float]) -> None:
    """One is enough: it says that the model is broken."""
    assert rules([score(1), score(2, **cell)], []) == {"not_finite"}


def test_a_few_accounts_make_no_share(score: Score) -> None:
    """Two of ten accounts changing is an ordinary week in a small company."""
    changes = [change(n, ("tier", "low", "high")) for n in range(10)]
    assert rules([score(1)], changes, held=10, last=10) == set()
