"""Facts about slices of time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.split import purged_split


@settings(deadline=None, derandomize=True)
@given(dates=st.integers(1, 40), step=st.integers(7, 40), horizon=st.integers(7, 200))
def test_every_slice_is_a_full_horizon_later_than_the_one_before(dates: int, step: int, horizon: int) -> None:
    """No label's window reaches into a later slice, whatever the calendar; no slice is empty."""
    days = np.repeat(np.arange(dates) * step, 3)
    split = purged_split(days, horizon)
    if split is None:
        return
    train, valid, known, test = (days[i] for i in (split.train, split.valid, split.before_test, split.test))
    assert train.max() + horizon <= valid.min()
    assert valid.max() + horizon <= test.min()
    assert known.max() + horizon <= test.min()
    assert test.max() == days.max()


def test_a_short_history_gives_no_split() -> None:
    """Three months of dates can't be judged on a 90-day horizon, and that is said by None."""
    assert purged_split(np.arange(4) * 28, 90) is None
