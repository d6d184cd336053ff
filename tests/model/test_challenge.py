"""A challenger takes over by what the policy says, and differences that are noise are called so."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.challenge import Verdict, challenge, paired_gain
from model.errors import ModelError
from model.panel import Panel
from model.product import Product
from model.promotion import Policy, decide
from model.registry import Registry
from model.target import Target
from model.trained import TrainedModel

ACCOUNTS = [f"A{number}" for number in range(200) for _ in range(3)]


def test_the_same_probabilities_gain_nothing() -> None:
    """Not a bit: the interval is a point."""
    rng = np.random.default_rng(0)
    said, outcome = rng.random(600), (rng.random(600) < 0.2).astype(float)
    assert paired_gain(outcome, said, said, ACCOUNTS) == (0.0, 0.0, 0.0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_interval_of_noise_holds_nought_and_that_of_knowledge_does_not(seed: int) -> None:
    """Two guesses around the truth differ by noise; the truth against the base rate does not."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.beta(1, 5, 200), 3)
    outcome = (rng.random(600) < truth).astype(float)
    _, low, _ = paired_gain(outcome, np.full(600, truth.mean()), np.clip(truth, 0.01, 0.9), ACCOUNTS)
    gain, worst, best = paired_gain(
        outcome, np.clip(truth, 0.01, 0.9), np.clip(truth, 0.01, 0.9) * 1.0001, ACCOUNTS
    )
    assert worst <= gain <= best
    assert abs(gain) < 0.001
    assert low > -0.01


def test_rows_of_an_account_count_as_one(as_of: date) -> None:
    """Each account three times over: the interval is as wide as with each once."""
    rng = np.random.default_rng(1)
    truth = rng.beta(1, 5, 200)
    outcome = (rng.random(200) < truth).astype(float)
    old, new = np.full(200, 0.17), np.clip(truth, 0.01, 0.9)
    _, low, high = paired_gain(outcome, old, new, [f"A{number}" for number in range(200)])
    _, low3, high3 = paired_gain(np.repeat(outcome, 3), np.repeat(old, 3), np.repeat(new, 3), ACCOUNTS)
    assert high3 - low3 == pytest.approx(high - low, rel=0.15)


def verdict(outcome: str) -> Verdict:
    """One that says so."""
    return Verdict(
        champion="2026.05.01-1", challenger="2026.06.01-1", outcome=outcome, gain=0.01, low=0.0, high=0.02,
        champion_saved=True, first_day=date(2026, 1, 1), last_day=date(2026, 3, 1), rows=100, accounts=40,
        expanded=9, figures={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "outcome", "age", "promoted"),
    [
        (Policy(), None, None, True),
        (Policy(automatic=False), None, None, True),
        (Policy(automatic=False), "better", 400, False),
        (Policy(), "better", 0, True),
        (Policy(), "worse", 400, False),
        (Policy(), "same", 27, False),
        (Policy(), "same", 28, True),
        (Policy(), None, 27, False),
        (Policy(), None, 28, True),
    ],
)
def test_the_policy_decides(policy: Policy, outcome: str | None, age: int | None, promoted: bool) -> None:
    """The first model always; then by verdict and age; a person's policy never by itself."""
    said = None if outcome is None else verdict(outcome)
    found = decide(policy, said, age_days=age, why_not="they can't be compared")
    assert found.promote is promoted
    assert found.why


def test_a_model_that_can_not_score_gives_way_whatever_its_age() -> None:
    """Damaged, or of a format of yesterday; where people decide, they decide this too."""
    assert decide(Policy(), None, age_days=1, fault="its sha256 differs").promote
    assert not decide(Policy(automatic=False), None, age_days=1, fault="its sha256 differs").promote


def test_a_model_for_what_the_target_states_now_takes_over_once_it_has_seen_expansions() -> None:
    """Scores of another target answer what nobody asks any more; people decide where they decide all."""
    assert decide(Policy(), None, age_days=1, retargeted=True, learnt=12).promote
    assert not decide(Policy(automatic=False), None, age_days=1, retargeted=True, learnt=12).promote
    unseen = decide(Policy(), None, age_days=400, retargeted=True, learnt=0)
    assert not unseen.promote
    assert "upswell target check" in unseen.why


def test_a_model_is_held_against_the_one_in_use_on_later_rows(
    panel: Panel, trained: TrainedModel, catalogue: tuple[Product, ...], as_of: date
) -> None:
    """Itself is no different; one that says the opposite of everything is beaten, and says so in words."""
    old = as_of - timedelta(days=300)
    itself = challenge(trained, trained, panel, trained_on=as_of, products=catalogue)
    assert (itself.outcome, itself.gain, itself.champion_saved) == ("same", 0.0, False)
    liar = dataclasses.replace(trained, booster=None, additive=None, weight=0.0, intercept=4.0)
    beaten = challenge(liar, trained, panel, trained_on=old, products=catalogue)
    assert beaten.outcome == "better"
    assert beaten.low > 0
    assert beaten.champion_saved
    assert "better than" in beaten.sentence()
    assert beaten.first_day > old


def test_models_of_two_targets_are_not_compared(
    panel: Panel, trained: TrainedModel, catalogue: tuple[Product, ...], as_of: date
) -> None:
    """They foresee different things."""
    other = dataclasses.replace(trained, target=Target(horizon_days=30))
    with pytest.raises(ModelError, match="different targets"):
        challenge(other, trained, panel, trained_on=as_of, products=catalogue)


def test_the_verdict_stands_beside_the_version(trained: TrainedModel, tmp_path: Any) -> None:
    """And is there when the model is loaded; a version without one has none."""
    registry = Registry(tmp_path)
    version = registry.save(trained, date(2026, 6, 1))
    assert registry.verdict(version) is None
    registry.keep_verdict(version, verdict("better"))
    assert registry.verdict(version) == verdict("better").facts()
    assert registry.load(version).version == version
