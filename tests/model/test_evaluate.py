"""Facts about the figures that models are judged by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import ModelError
from model.evaluate import auc, scores


@settings(deadline=None, derandomize=True)
@given(pairs=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[bool, int]]) -> None:
    """AUC equals the brute-force share of positive-negative pairs, ties counted half."""
    y = np.array([p[0] for p in pairs], float)
    score = np.array([p[1] for p in pairs], float)
    up, down = score[y > 0], score[y == 0]
    if not up.size or not down.size:
        assert np.isnan(auc(y, score))
        return
    wins = sum((a > b) + 0.5 * (a == b) for a in up for b in down)
    assert auc(y, score) == pytest.approx(wins / (up.size * down.size))


def test_the_base_rate_for_all_is_calibrated_and_ranks_nothing() -> None:
    """A constant probability at the base rate has ECE 0, AUC one half and PR-AUC the base rate."""
    y = np.tile([1.0] + [0.0] * 9, 100)
    found = scores(y, np.full(y.size, 0.1))
    assert found["ece"] == pytest.approx(0, abs=1e-9)
    assert found["auc"] == pytest.approx(0.5)
    assert found["pr_auc"] == pytest.approx(0.1)


def test_lift_of_a_perfect_ranking_is_five_at_twenty_percent() -> None:
    """With a 20 % base rate a perfect ranking puts every positive into the top fifth."""
    y = np.array([1.0] * 20 + [0.0] * 80)
    assert scores(y, np.linspace(0.9, 0.1, 100))["lift_20"] == pytest.approx(5.0)


def test_numbers_that_are_no_probabilities_are_refused() -> None:
    """NaN or 1.2 is not silently scored."""
    with pytest.raises(ModelError, match="0–1"):
        scores(np.array([1.0, 0.0]), np.array([1.2, np.nan]))


def test_equal_probabilities_have_no_order_so_their_lift_is_one() -> None:
    """However the rows lie; a rule with two rates counts the share of those above that fits."""
    y = np.r_[np.ones(20), np.zeros(80)]
    for outcome in (y, y[::-1]):
        assert scores(outcome, np.full(100, 0.2))["lift_20"] == pytest.approx(1.0)
    halves = np.where(np.arange(100) < 40, 0.3, 0.1)  # all 20 expansions among the 40 above
    assert scores(y, halves)["lift_20"] == pytest.approx(2.5)
