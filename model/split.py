"""Slices of time for training, stopping and testing, with one horizon between any two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Row indices by slice. `before_test` is everything whose outcomes were known when the test began."""

    train: np.ndarray
    valid: np.ndarray
    before_test: np.ndarray
    test: np.ndarray


def purged_split(
    days: np.ndarray, horizon: int, *, test_dates: int = 3, valid_dates: int = 2
) -> Split | None:
    """Train, validation and test rows by as-of day, each slice a full horizon later than the one before.

    A label reaches one horizon past its as-of day; without the gap its window would overlap the next
    slice's and leak. The slices shrink to one date each when history is short; None when even that
    leaves no date to train on.
    """
    dates = np.unique(days)
    for test_n, valid_n in ((test_dates, valid_dates), (2, 1), (1, 1)):
        test = dates[-test_n:]
        known = dates[dates <= test[0] - horizon]
        valid = known[-valid_n:]
        train = known[known <= valid[0] - horizon] if valid.size else known[:0]
        if train.size >= test_n or (train.size and (test_n, valid_n) == (1, 1)):
            return Split(
                train=np.flatnonzero(np.isin(days, train)),
                valid=np.flatnonzero(np.isin(days, valid)),
                before_test=np.flatnonzero(np.isin(days, known)),
                test=np.flatnonzero(np.isin(days, test)),
            )
    return None
