"""The API-call budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.budget import DailyBudget
from connectors.errors import QuotaError


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_nothing_is_refused_before_the_limit_is_known() -> None:
    """The first reply tells it."""
    budget = DailyBudget(now=Clock())
    for _ in range(1000):
        budget.spend()


def test_our_share_is_a_fifth_of_the_orgs_limit() -> None:
    """The call after it is refused, with the time until calls are free again."""
    budget = DailyBudget(now=Clock())
    budget.observe(used=0, limit=100)
    budget.spend(20)
    with pytest.raises(QuotaError) as caught:
        budget.spend()
    assert caught.value.retry_after == 24 * 3600


def test_calls_fall_out_of_the_budget_after_a_day() -> None:
    """The day is a rolling one."""
    clock = Clock()
    budget = DailyBudget(now=clock)
    budget.observe(used=0, limit=100)
    budget.spend(15)
    clock.now += timedelta(hours=12)
    budget.spend(5)
    clock.now += timedelta(hours=12)
    budget.observe(used=5, limit=100)
    budget.spend(15)
    with pytest.raises(QuotaError):
        budget.spend()


def test_above_four_fifths_everything_is_left_to_others() -> None:
    """Even if our own share is untouched."""
    budget = DailyBudget(now=Clock())
    budget.observe(used=79, limit=100)
    budget.spend()
    with pytest.raises(QuotaError, match="leaves everything above 80"):
        budget.spend()


@pytest.mark.parametrize(("share", "ceiling"), [(0, 0.8), (1.1, 0.8), (0.2, 0), (0.2, 2)])
def test_shares_are_parts_of_one(share: float, ceiling: float) -> None:
    """20 means nothing, 0.2 does."""
    with pytest.raises(ValueError, match="parts of 1"):
        DailyBudget(share=share, ceiling=ceiling)
