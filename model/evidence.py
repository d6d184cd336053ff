"""Whether one way to tell is better than another by more than chance, on the same later rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.evaluate import log_losses

_SURE: Final = 2.0  # standard errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """How much smaller the mean log loss is, and the standard error of that."""

    gain: float
    error: float

    @property
    def is_sure(self) -> bool:
        """Whether the gain is more than two standard errors."""
        return self.gain > _SURE * self.error


def edge(
    outcome: np.ndarray, said: np.ndarray, instead: np.ndarray, accounts: Sequence[str] | np.ndarray
) -> Edge:
    """The edge of the probabilities `said` over those said `instead`.

    Rows of one account are taken as one observation: their horizons overlap, and so do their outcomes (the
    error of a mean of clusters; Cameron and Miller 2015). Infinitely unsure with fewer than two accounts."""
    gain = log_losses(outcome, instead) - log_losses(outcome, said)
    _, account = np.unique(np.asarray(accounts, dtype=str), return_inverse=True)
    off = np.bincount(account, gain - gain.mean())
    if off.size < 2:
        return Edge(gain=float(gain.mean()), error=float("inf"))
    error = np.sqrt((off**2).sum() * off.size / (off.size - 1)) / gain.size
    return Edge(gain=float(gain.mean()), error=float(error))
