"""Facts about telling a better model from a lucky one."""

from __future__ import annotations

import numpy as np
import pytest

from model.evidence import edge


def test_a_better_model_is_told_from_the_base_rate() -> None:
    """Probabilities that the outcomes were drawn from beat the rate of all."""
    rng = np.random.default_rng(1)
    chance = rng.beta(1, 6, 4000)
    outcome = (rng.random(4000) < chance).astype(float)
    found = edge(outcome, chance, np.full(4000, outcome.mean()), np.arange(4000))
    assert found.is_sure
    assert found.gain > 0


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_not_taken_for_a_better_model(seed: int) -> None:
    """Probabilities that have nothing to do with the outcomes are never better."""
    rng = np.random.default_rng(seed)
    outcome = (rng.random(2000) < 0.12).astype(float)
    said = np.clip(rng.normal(0.12, 0.03, 2000), 0.01, 0.99)
    assert not edge(outcome, said, np.full(2000, 0.12), np.arange(2000)).is_sure


def test_the_same_account_many_times_is_one_observation() -> None:
    """Repeating every row ten times does not make the evidence any surer."""
    rng = np.random.default_rng(2)
    chance = rng.beta(2, 12, 300)
    outcome = (rng.random(300) < chance).astype(float)
    once = edge(outcome, chance, np.full(300, 0.14), np.arange(300))
    often = edge(
        np.repeat(outcome, 10), np.repeat(chance, 10), np.full(3000, 0.14), np.repeat(np.arange(300), 10)
    )
    assert often.error == pytest.approx(once.error)
    assert often.gain == pytest.approx(once.gain)


def test_one_account_tells_nothing() -> None:
    """Its error is without bounds."""
    assert not edge(np.ones(3), np.full(3, 0.9), np.full(3, 0.1), ["A", "A", "A"]).is_sure
