"""Facts about when to talk."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from model.signals import DEFAULTS
from model.timing import choose_timing

TIERS = {"very_high": 0.6, "high": 0.35, "medium": 0.15}


def timing(soon: float, probability: float, *, health: str = "green", **features: float) -> str:
    """The window of one account whose chances are these; a third of a typical one's falls into the first."""
    table = pa.table({name: [value] for name, value in features.items()} | {"row": [0]})
    curve = np.array([[soon, (soon + probability) / 2, probability]])
    (found,) = choose_timing(table, curve, typical=1 / 3, health=[health], tiers=TIERS, signals=DEFAULTS)
    return found


@pytest.mark.parametrize(
    "pressing",
    [
        {"seat_days_to_limit": 20.0},
        {"overage_months_6": 3.0},
        {"finance_billing_views_30": 4.0},
        {"days_to_renewal": 45.0},
        {"months_to_fiscal_year_end": 1.0},
        {"fiscal_month": 2.0},
    ],
)
def test_what_will_not_wait_makes_soon_now(pressing: dict[str, float]) -> None:
    """Each of them moves a likely account from 30 days to now, and a less likely one from 90 days to 30."""
    assert timing(0.15, 0.45) == "d30"
    assert timing(0.15, 0.45, **pressing) == "now"
    assert timing(0.05, 0.2) == "d90"
    assert timing(0.05, 0.2, **pressing) == "d30"


def test_the_curve_decides_between_accounts_of_one_probability() -> None:
    """Who expands late in the horizon waits; who expands early does not."""
    assert timing(0.05, 0.45) == "d90"
    assert timing(0.2, 0.45) == "d30"


@pytest.mark.parametrize(
    ("probability", "health", "features"),
    [(0.1, "green", {}), (0.9, "red", {}), (0.9, "green", {"days_since_expansion": 44.0})],
)
def test_some_accounts_are_left_alone(probability: float, health: str, features: dict[str, float]) -> None:
    """An unlikely one, one in trouble, and one that has just expanded, whatever presses."""
    found = timing(probability, probability, health=health, days_to_renewal=10.0, **features)
    assert found == "hold"
