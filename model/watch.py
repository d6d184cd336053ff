"""Whether a model in use has slipped, by outcomes that matured since it scored: calibration and log loss.

Calibration by Spiegelhalter's test (Statistics in Medicine 5, 1986): under calibrated probabilities

    z = Σ (y − p)(1 − 2p) / sqrt(Σ (1 − 2p)² p (1 − p))

is standard normal. Accounts of one quarter share its weather: sums of outcomes deviate 1.75 times as far as
independent ones (MODEL-FACTS), so z is divided by that. Log loss by skill against the base rate, 1 − loss ÷
the base rate's loss on the same rows: slipped when even the upper end of its 95 % interval is below half of
what was measured at training.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from model.evaluate import FloatArray, log_losses

SHOCKS: Final = 1.75
CRITICAL: Final = 2.58  # two-sided 1 %
KEPT_SKILL: Final = 0.5
MIN_ROWS: Final = 100
MIN_EXPANDED: Final = 20
RESAMPLES: Final = 500


def slipped(outcome: FloatArray, probability: FloatArray, skill_at_training: float | None) -> str | None:
    """What has slipped, in a sentence; None while nothing has, or too little has matured to tell."""
    y, p = np.asarray(outcome, float), np.clip(np.asarray(probability, float), 1e-9, 1 - 1e-9)
    trusted = calibrated(y, p)
    if trusted is None:
        return None
    if not trusted:
        return f"calibration has slipped: {p.mean():.1%} were said to expand and {y.mean():.1%} did"
    if skill_at_training is None or skill_at_training <= 0:
        return None
    rng = np.random.default_rng(0)
    draws = [skill(y[at], p[at]) for at in rng.integers(0, y.size, (RESAMPLES, y.size))]
    high = float(np.quantile([each for each in draws if each is not None], 0.975))
    if high < KEPT_SKILL * skill_at_training:
        now = skill(y, p) or 0.0
        then = f"{skill_at_training:.1%} at training"
        return f"log loss has slipped: its gain over the base rate is {now:.1%}, {then}"
    return None


def calibrated(outcome: FloatArray, probability: FloatArray) -> bool | None:
    """Whether probabilities, and their mean, are off by no more than noise; None with too little to tell."""
    y, p = np.asarray(outcome, float), np.clip(np.asarray(probability, float), 1e-9, 1 - 1e-9)
    if y.size < MIN_ROWS or not MIN_EXPANDED <= y.sum() <= y.size - MIN_EXPANDED:
        return None
    z = spiegelhalter(y, p) / SHOCKS
    off = (y.mean() - p.mean()) / np.sqrt((p * (1 - p)).sum()) * y.size / SHOCKS
    return bool(max(abs(z), abs(off)) <= CRITICAL)


def spiegelhalter(outcome: FloatArray, probability: FloatArray) -> float:
    """Spiegelhalter's z; 0 where all probabilities are one half and it says nothing."""
    weight = 1 - 2 * probability
    spread = float(np.sqrt((weight**2 * probability * (1 - probability)).sum()))
    return float(((outcome - probability) * weight).sum() / spread) if spread > 0 else 0.0


def skill(outcome: FloatArray, probability: FloatArray) -> float | None:
    """1 − log loss ÷ that of the rows' own rate for all; None while all outcomes are the same."""
    rate = outcome.mean()
    if not 0 < rate < 1:
        return None
    base = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    return float(1 - log_losses(outcome, probability).mean() / base)
