"""Facts about a score taken apart, and about what moved it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.breakdown import break_down, steps_between
from model.panel import Rows
from model.trained import TrainedModel, probabilities


def test_the_families_and_the_base_sum_to_the_score(trained: TrainedModel, rows: Rows) -> None:
    """For each of several accounts; shares of all movement sum to one."""
    for position in range(5):
        row = rows.table.slice(position, 1)
        found = break_down(trained, row)
        assert found.base + sum(part.log_odds for part in found.parts) == pytest.approx(found.log_odds)
        assert sum(abs(part.share) for part in found.parts) == pytest.approx(1)
        assert all(0 <= part.known <= part.features for part in found.parts)


def test_the_steps_sum_to_the_change_between_any_two_scores(trained: TrainedModel, rows: Rows) -> None:
    """Even where the model was trained anew and the ledger said something else at the time."""
    before, after = (break_down(trained, rows.table.slice(position, 1)) for position in (0, 1))
    retrained = replace(after, base=after.base + 0.3, log_odds=after.log_odds + 0.3)
    said_now = float(probabilities(retrained.log_odds))
    steps = steps_between(before, retrained, said_before=0.2, said_now=said_now)
    causes = {step.cause for step in steps}
    assert sum(step.points for step in steps) == pytest.approx(100 * (said_now - 0.2))
    assert {"the model", "what became known later"} <= causes


def test_nothing_moved_when_the_scores_are_the_same(trained: TrainedModel, rows: Rows) -> None:
    """No step is made up for a score that stayed."""
    found = break_down(trained, rows.table.slice(0, 1))
    said = float(probabilities(found.log_odds))
    assert steps_between(found, found, said_before=said, said_now=said) == ()


def test_rounding_is_no_step(trained: TrainedModel, rows: Rows) -> None:
    """Two scores as the ledger keeps them, at six digits: no cause is made up for the digits left out."""
    before, after = (break_down(trained, rows.table.slice(position, 1)) for position in (0, 1))
    then, now = (float(probabilities(each.log_odds)) for each in (before, after))
    steps = steps_between(before, after, said_before=round(then, 6), said_now=round(now, 6))
    assert "what became known later" not in {step.cause for step in steps}
    assert sum(step.points for step in steps) == pytest.approx(100 * (now - then), abs=1e-6)
