"""Facts about what came of values and timings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.aftermath import timing_figures, value_figures

NONE = np.array([float("nan")] * 4)


def test_only_expansions_of_a_known_amount_count() -> None:
    """Of four rows two added ARR: one as said, one twice as much, which lies above its range."""
    actual = np.array([100.0, 400.0, float("nan"), 0.0])
    said = np.array([100.0, 200.0, 50.0, 50.0])
    found = value_figures(actual, said, said / 2, said * 1.5)
    assert found is not None
    assert (found.rows, found.coverage, found.said, found.actual) == (2, 0.5, 300.0, 500.0)
    assert (found.median_error, found.mape, found.wape) == pytest.approx((0.25, 0.25, 0.4))


def test_without_an_expansion_nothing_is_said_of_values() -> None:
    """No row, no figure."""
    assert value_figures(NONE, NONE, NONE, NONE) is None


def test_the_mean_of_percentages_rewards_lowballing() -> None:
    """Said a hundredth of what comes, each error is 99 %; said ten times as much, it is 900 %."""
    actual = np.array([10.0, 1000.0])
    low, high = (value_figures(actual, actual * by, actual * by, actual * by) for by in (0.01, 10.0))
    assert low is not None
    assert high is not None
    assert low.mape == pytest.approx(0.99)
    assert high.mape == pytest.approx(9.0)


def test_each_timing_is_counted_by_when_the_expansion_came() -> None:
    """Called now, and expanded on days 10, 60 and never. Hold comes last; what was never said is left out."""
    timing = ["hold", "now", "now", "now"]
    outcome, days = np.array([0.0, 1, 1, 0]), np.array([float("nan"), 10, 60, float("nan")])
    now, hold = timing_figures(timing, np.full(4, 0.5), outcome, days, 90)
    assert (now.timing, now.rows, hold.timing, hold.rows) == ("now", 3, "hold", 1)
    assert [(each.days, each.expanded) for each in now.within] == [(30, 1), (60, 2), (90, 2)]
    assert [each.expanded for each in hold.within] == [0, 0, 0]


def test_without_days_only_the_horizon_is_told() -> None:
    """Where it is not known when an expansion came, nothing is said of 30 days."""
    found = timing_figures(["now"] * 4, np.full(4, 0.5), np.array([1.0, 0, 0, 0]), NONE, 90)
    assert [[each.days for each in timing.within] for timing in found] == [[90]]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["now", "d30", "d90", "hold"]), st.one_of(st.none(), st.integers(1, 120))),
        min_size=1,
        max_size=60,
    ),
    horizon=st.sampled_from([45, 90, 120]),
)
def test_every_row_is_counted_once_and_rates_never_fall_with_time(
    rows: list[tuple[str, int | None]], horizon: int
) -> None:
    """Whatever was called and whenever it came, the last column is every expansion within the horizon."""
    days = np.array([float("nan") if day is None or day > horizon else day for _, day in rows])
    outcome = (~np.isnan(days)).astype(float)
    found = timing_figures([timing for timing, _ in rows], np.full(len(rows), 0.1), outcome, days, horizon)
    assert sum(each.rows for each in found) == len(rows)
    assert sum(each.within[-1].expanded for each in found) == outcome.sum()
    for each in found:
        counts = [within.expanded for within in each.within]
        assert counts == sorted(counts)
        assert all(within.rate_low <= within.rate <= within.rate_high for within in each.within)
