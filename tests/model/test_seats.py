"""Weeks in a row with full seats."""

from __future__ import annotations

import numpy as np

from model.features.seats import streak

NAN = np.nan


def test_a_streak_is_of_weeks_that_are_known_to_be_full() -> None:
    """The newest first; it ends at a week below the level, and at one of which nothing is known.

    A customer of five weeks was not full for half a year."""
    used = np.array(
        [
            [0.90, 0.80, 0.79, 0.95],
            [0.79, 0.95, 0.95, 0.95],
            [0.95, 0.95, NAN, NAN],
            [NAN, 0.95, 0.95, 0.95],
            [0.80, 0.80, 0.80, 0.80],
        ]
    )
    assert streak(used, 0.8).tolist() == [2, 0, 2, 0, 4]
