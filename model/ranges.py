"""P10, P50 and P90 of a sum of chances, widened by what all accounts have in common.

Items are independent but for a common shock: a good or bad quarter for all. Cumulants of independent items
add, so mean, variance and skewness of any part of the book are exact, and no simulation is needed; the range
is read off the distribution of Pearson's third type (a shifted gamma) that has all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import pearson3

NOMINAL: Final = 0.8
# A book's true deviation was 1.75 times that of independent accounts, from common shocks and contagion, on
# simulated companies whose truth is known (MODEL-FACTS).
DEFAULT_WIDENING: Final = 1.75
PRIOR_QUARTERS: Final = 4.0  # backtested quarters whose weight the default has
_LEVELS: Final = (0.1, 0.5, 0.9)
_NOTHING: Final = 1e-6  # a deviation of less than any coin
_STRAIGHT: Final = 1e-6  # a skewness below this is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """ARR that is expected, and the one that lies above 10, 50 and 90 % of what may come."""

    mean: float
    low: float
    middle: float
    high: float

    def holds(self, arr: float) -> bool:
        """Whether that ARR lies within P10–P90."""
        return self.low <= arr <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """What came of one forecast: `said` and `deviation` if all accounts were independent, `actual`; `lead`
    is how many quarters ahead it looked, 0 for the quarter about to begin."""

    lead: int
    said: float
    deviation: float
    actual: float


def cumulants(chance: np.ndarray, arr: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Mean, variance and third cumulant of each item, on a new last axis of `chance`.

    An item comes with `chance` and is then lognormal with mean `arr` and log deviation `spread`."""
    size = arr if chance.ndim == 1 else arr[:, None]
    wide = np.exp(spread**2) if chance.ndim == 1 else np.exp(spread**2)[:, None]
    first, second, third = chance * size, chance * size**2 * wide, chance * size**3 * wide**3
    variance = second - first**2
    skew = third - 3 * first * second + 2 * first**3
    return np.stack([first, np.maximum(variance, 0.0), skew], axis=-1)


def range_of(total: np.ndarray, shock: float = 0.0) -> Range:
    """The range of summed cumulants, whose mean a common shock moves by the share `shock` (a deviation)."""
    mean, variance, skew = (float(value) for value in total)
    common = shock * mean
    # the shock is a gamma factor of mean 1: variance s², third cumulant 2 s⁴
    variance, skew = variance + common**2, skew + 2 * common**3 * shock
    deviation = float(np.sqrt(max(variance, 0.0)))
    if deviation < _NOTHING:
        return Range(mean=mean, low=mean, middle=mean, high=mean)
    bent = skew / deviation**3
    shape = bent if abs(bent) > _STRAIGHT else 0.0
    low, middle, high = (max(0.0, float(q)) for q in pearson3.ppf(_LEVELS, shape, loc=mean, scale=deviation))
    return Range(mean=mean, low=low, middle=middle, high=high)


def widening(past: Sequence[Residual], lead: int) -> float:
    """How many times the deviation of independent accounts the true one was, so many quarters ahead; at
    least 1. Drawn towards DEFAULT_WIDENING, or towards one quarter less ahead, while quarters are few."""
    prior = DEFAULT_WIDENING if lead == 0 else widening(past, lead - 1)
    misses = [
        ((one.actual - one.said) / one.deviation) ** 2
        for one in past
        if one.lead == lead and one.deviation > 0
    ]
    square = (PRIOR_QUARTERS * prior**2 + sum(misses)) / (PRIOR_QUARTERS + len(misses))
    return float(max(1.0, np.sqrt(square)))


def common_shock(total: np.ndarray, times: float) -> float:
    """The shock that makes the whole book's deviation so many `times` that of independent accounts.

    A part of the book then has the same shock, and its own chance besides."""
    mean, variance = float(total[0]), float(total[1])
    if mean <= 0 or times <= 1:
        return 0.0
    return float(np.sqrt((times**2 - 1) * variance) / mean)
