"""How far a distribution of scores has moved from an earlier one: the population stability index.

    PSI = Σ over bins (now_i − before_i) · ln(now_i / before_i)

with shares of accounts in bins of equal size before. The usual reading, from credit scoring: below 0.1 no
shift worth a look, 0.1 to 0.25 some, above 0.25 a large one (E. M. Lewis, An Introduction to Credit Scoring,
1994; N. Siddiqi, Credit Risk Scorecards, 2006). By chance alone it is about (bins − 1) · (1/n + 1/m) for
independent samples (B. Yurdakul, Statistical Properties of Population Stability Index, 2018), so few
accounts get few bins: at least 20 accounts each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

BINS: Final = 10
IN_A_BIN: Final = 20
HALF: Final = 0.5  # added to each bin, so that an empty one does not make the index infinite


def population_stability(before: Sequence[float], now: Sequence[float]) -> float:
    """The index, 0 for equal distributions, of probabilities now against those before; neither may be empty.

    Raises ValueError when one is."""
    if not len(before) or not len(now):
        raise ValueError("a distribution without values can't be compared")
    bins = max(2, min(BINS, min(len(before), len(now)) // IN_A_BIN))
    # cut inside, so that whatever lies beyond the values before falls into the first or last bin
    cuts = np.unique(np.quantile(np.asarray(before, dtype=float), np.linspace(0, 1, bins + 1)[1:-1]))
    shares = [_shares(np.asarray(values, dtype=float), cuts) for values in (before, now)]
    was, is_now = shares
    return float(np.sum((is_now - was) * np.log(is_now / was)))


def _shares(values: np.ndarray[tuple[int], np.dtype[np.float64]], cuts: np.ndarray) -> np.ndarray:
    counts = np.bincount(np.searchsorted(cuts, values, side="right"), minlength=len(cuts) + 1) + HALF
    shares: np.ndarray = counts / counts.sum()
    return shares
