"""Facts about the additive half of the model."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from model.additive import AdditiveModel, fit_additive
from model.trained import probabilities


@pytest.fixture(scope="module")
def sample() -> tuple[pd.DataFrame, np.ndarray]:
    """4,000 rows: one number that rises, one with gaps, one text, one constant, and their outcomes."""
    rng = np.random.default_rng(7)
    rising, gappy = rng.normal(size=4000), rng.exponential(size=4000)
    gappy[rng.random(4000) < 0.3] = np.nan
    tier = rng.choice(["Basic", "Gold"], size=4000)
    margin = -1.5 + rising + 1.5 * np.isnan(gappy) + 0.8 * (tier == "Gold")
    y = (rng.random(4000) < probabilities(margin)).astype(float)
    return pd.DataFrame({"rising": rising, "gappy": gappy, "tier": tier, "flat": np.ones(4000)}), y


@pytest.fixture(scope="module")
def fitted(sample: tuple[pd.DataFrame, np.ndarray]) -> AdditiveModel:
    """The model of the sample."""
    frame, y = sample
    return fit_additive(frame, ["tier"], y)


def test_curves_follow_what_happened(fitted: AdditiveModel) -> None:
    """A rising number rises, a gap that matters has its own height, the better tier is higher."""
    rising = fitted.curves["rising"].heights
    gappy, tier = fitted.curves["gappy"], fitted.curves["tier"]
    assert rising[0] < rising[len(rising) // 2] < rising[-1]
    assert gappy.unknown > max(gappy.heights)
    assert dict(zip(tier.knots, tier.heights, strict=True))["Gold"] > 0
    assert "flat" not in fitted.curves


def test_the_mean_probability_is_the_share_of_outcomes(
    fitted: AdditiveModel, sample: tuple[pd.DataFrame, np.ndarray]
) -> None:
    """A logistic regression with a free base is calibrated in the large."""
    frame, y = sample
    assert probabilities(fitted.margins(frame)).mean() == pytest.approx(y.mean(), abs=1e-3)


def test_contributions_sum_to_the_margin_and_to_nought_over_the_rows(
    fitted: AdditiveModel, sample: tuple[pd.DataFrame, np.ndarray]
) -> None:
    """What the features add, and the base, are the log-odds."""
    frame, _ = sample
    parts = fitted.contributions(frame)
    assert parts.sum(axis=1) + fitted.base == pytest.approx(fitted.margins(frame))
    assert parts.mean(axis=0) == pytest.approx(0, abs=1e-3)


def test_values_never_seen_stay_within_the_curve(fitted: AdditiveModel) -> None:
    """Beyond the outermost knots a curve is flat; an unknown text counts as unknown."""
    far = pd.DataFrame({"rising": [-99.0, 99.0], "gappy": [0.5, 1e9], "tier": ["Silver", ""], "flat": 1.0})
    parts = fitted.contributions(far)
    assert parts[:, 0].tolist() == [fitted.curves["rising"].heights[0], fitted.curves["rising"].heights[-1]]
    assert set(parts[:, 2]) == {fitted.curves["tier"].unknown}


def test_a_model_survives_json(fitted: AdditiveModel) -> None:
    """Written and read again it is the same model."""
    assert AdditiveModel.from_json(json.loads(json.dumps(fitted.as_json()))) == fitted


def test_features_without_pattern_get_flat_curves() -> None:
    """The penalty keeps chance down: no curve of pure noise moves the odds by a fifth."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"n{i}": rng.normal(size=2000) for i in range(5)})
    fitted = fit_additive(frame, [], (rng.random(2000) < 0.15).astype(float))
    assert np.abs([curve.heights for curve in fitted.curves.values()]).max() < 0.2
