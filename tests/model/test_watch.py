"""A model that keeps its word is left in peace, and one that has slipped is told."""

from __future__ import annotations

import numpy as np
import pytest

from model.watch import skill, slipped, spiegelhalter


def world(seed: int, rows: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities with a mean of about 12 %, and outcomes drawn from them."""
    rng = np.random.default_rng(seed)
    said = 1 / (1 + np.exp(-rng.normal(-2.4, 1.2, rows)))
    return (rng.random(rows) < said).astype(float), said


def test_a_calibrated_model_is_hardly_ever_suspected() -> None:
    """In 200 quarters of 2,000 accounts at most two alarms."""
    alarms = [seed for seed in range(200) if slipped(*world(seed), None)]
    assert len(alarms) <= 2


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_probabilities_that_are_off_are_told_with_both_rates(shift: float) -> None:
    """Said on the wrong scale: too low or too high by one on log-odds."""
    outcome, said = world(1)
    off = 1 / (1 + np.exp(-(np.log(said / (1 - said)) + shift)))
    told = slipped(outcome, off, None)
    assert told is not None
    assert f"{outcome.mean():.1%} did" in told


def test_a_ranking_that_got_lost_is_told_even_when_the_mean_is_right() -> None:
    """Everybody gets the base rate: calibrated in the mean, and worth nothing."""
    outcome, said = world(2)
    flat = np.full(said.size, outcome.mean())
    assert slipped(outcome, flat, None) is None
    told = slipped(outcome, flat, skill(outcome, said))
    assert told is not None
    assert "log loss has slipped" in told


def test_too_little_says_nothing() -> None:
    """Fewer than 100 rows, or 20 of either outcome."""
    outcome, said = world(3, rows=90)
    assert slipped(outcome, 1 - said, 0.2) is None
    assert slipped(np.zeros(500), np.full(500, 0.4), 0.2) is None


def test_spiegelhalters_z_is_standard_normal_under_calibration() -> None:
    """Mean 0 and spread 1 over 400 worlds."""
    values = [spiegelhalter(*world(seed, rows=500)) for seed in range(400)]
    assert abs(np.mean(values)) < 0.15
    assert 0.85 < np.std(values) < 1.15
