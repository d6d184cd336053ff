"""How far a distribution of scores has moved."""

from __future__ import annotations

import numpy as np
import pytest

from model.drift import population_stability


def spread(seed: int, accounts: int, shift: float = 0.0) -> list[float]:
    """Probabilities around 0.15, as scores are spread, moved by so many log-odds."""
    odds = np.random.default_rng(seed).normal(-1.7 + shift, 0.9, accounts)
    return [float(p) for p in 1 / (1 + np.exp(-odds))]


def test_equal_distributions_have_no_index() -> None:
    """Whatever their order."""
    values = spread(1, 400)
    assert population_stability(values, values[::-1]) == 0


@pytest.mark.parametrize("accounts", [100, 400, 2000])
def test_chance_alone_stays_far_below_the_limit(accounts: int) -> None:
    """Two samples of one distribution; the limit of 0.25 is for a shift."""
    worst = max(population_stability(spread(s, accounts), spread(s + 100, accounts)) for s in range(50))
    assert worst < 0.25


def test_a_shift_of_the_scores_is_above_the_limit() -> None:
    """Most scores up by three quarters of a spread."""
    assert population_stability(spread(1, 400), spread(2, 400, shift=0.7)) > 0.25


def test_the_index_grows_with_the_shift() -> None:
    """A larger shift is no smaller index."""
    indices = [population_stability(spread(1, 400), spread(1, 400, shift=s)) for s in (0, 0.2, 0.5, 1.0, 2.0)]
    assert indices == sorted(indices)


def test_scores_that_have_collapsed_into_one_are_no_division_by_zero() -> None:
    """A model that says the same for everybody leaves bins empty."""
    assert 0.25 < population_stability(spread(1, 400), [0.13] * 400) < 100
    assert population_stability([0.13] * 400, [0.13] * 400) == 0


def test_a_known_case_by_hand() -> None:
    """Two bins of 20 each before; 30 and 10 now, with half a case added to each bin."""
    before, now = [0.1] * 20 + [0.3] * 20, [0.1] * 30 + [0.3] * 10
    was, is_now = np.array([20.5, 20.5]) / 41, np.array([30.5, 10.5]) / 41
    expected = float(((is_now - was) * np.log(is_now / was)).sum())
    assert population_stability(before, now) == pytest.approx(expected)


def test_nothing_can_be_compared_with_no_scores() -> None:
    """The guard asks only where there are enough."""
    with pytest.raises(ValueError, match="without values"):
        population_stability([], [0.1])
