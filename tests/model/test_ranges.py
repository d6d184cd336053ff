"""Facts about the range of a sum of chances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ranges import DEFAULT_WIDENING, Residual, common_shock, cumulants, range_of, widening


@settings(deadline=None, derandomize=True)
@given(
    items=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 0.8)), min_size=1, max_size=30),
    shock=st.floats(0, 0.6),
)
def test_p10_p50_and_p90_are_in_order_and_never_below_nothing(
    items: list[tuple[float, float, float]], shock: float
) -> None:
    """Of any book, of any size, and wider with a shock than without."""
    chance, arr, spread = (np.array(column) for column in zip(*items, strict=True))
    total = cumulants(chance, arr, spread).sum(axis=0)
    found, alone = range_of(total, shock), range_of(total)
    assert 0 <= found.low <= found.middle <= found.high
    assert found.mean == pytest.approx(float((chance * arr).sum()))
    assert found.high - found.low >= (alone.high - alone.low) * 0.9


def test_the_range_is_that_of_the_book_simulated_account_by_account() -> None:
    """Ten thousand seeded draws of forty accounts have the same P10, P50 and P90 within three per cent."""
    rng = np.random.default_rng(4)
    chance, arr, spread = rng.uniform(0.05, 0.6, 40), rng.uniform(2e3, 4e4, 40), rng.uniform(0.2, 0.7, 40)
    comes = rng.random((10_000, 40)) < chance
    size = arr * np.exp(spread * rng.standard_normal((10_000, 40)) - spread**2 / 2)
    drawn = np.quantile((comes * size).sum(axis=1), (0.1, 0.5, 0.9))
    found = range_of(cumulants(chance, arr, spread).sum(axis=0))
    assert [found.low, found.middle, found.high] == pytest.approx(drawn.tolist(), rel=0.03)


def test_a_book_of_few_unlikely_accounts_leans_to_the_low_side() -> None:
    """Mostly little comes and at times a lot: P50 lies below the mean, and P90 further from it than P10."""
    few = cumulants(np.full(12, 0.1), np.full(12, 1e4), np.full(12, 0.5)).sum(axis=0)
    found = range_of(few)
    assert found.middle < 0.9 * found.mean
    assert found.high - found.middle > 1.3 * (found.middle - found.low)


def test_a_sure_amount_has_no_range() -> None:
    """What was won has come: P10 and P90 are the amount."""
    found = range_of(cumulants(np.array([1.0]), np.array([500.0]), np.array([0.0])).sum(axis=0), 0.0)
    assert (found.low, found.middle, found.high) == (500.0, 500.0, 500.0)


def test_without_a_backtest_ranges_are_widened_by_the_default() -> None:
    """As measured on simulated companies; never narrower than if accounts were independent."""
    assert widening((), 0) == DEFAULT_WIDENING
    fair = [Residual(lead=0, said=100.0, deviation=10.0, actual=100.0)] * 50
    assert widening(fair, 0) == 1.0


def test_quarters_that_missed_by_far_make_later_ranges_wider() -> None:
    """Each miss counts in deviations of independent accounts; a longer look ahead begins at the shorter's."""
    missed = [Residual(lead=0, said=100.0, deviation=10.0, actual=140.0)] * 20
    assert 3.0 < widening(missed, 0) < 4.0
    assert widening(missed, 2) == pytest.approx(widening(missed, 0))


def test_the_whole_book_is_as_many_times_wider_as_was_asked_and_a_part_of_it_less() -> None:
    """A shock is common to all; a part has the more chance of its own, the smaller it is."""
    chance, arr, spread = np.full(200, 0.2), np.full(200, 1e4), np.full(200, 0.5)
    parts = cumulants(chance, arr, spread)
    shock = common_shock(parts.sum(axis=0), 2.0)

    def times(total: np.ndarray) -> float:
        own, wide = range_of(total), range_of(total, shock)
        return (wide.high - wide.low) / (own.high - own.low)

    assert times(parts.sum(axis=0)) == pytest.approx(2.0, rel=0.05)
    assert 1.0 < times(parts[:20].sum(axis=0)) < 1.5
