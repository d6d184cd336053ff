"""Facts about when an expansion comes."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.hazard import HazardModel, even_curve, fit_hazard

HORIZON = 90
FEATURES = ("days_to_renewal", "tenure_days", "seat_utilisation")


def happened(n: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Accounts that expand just before their renewal, if at all, and their margins; a third of the rows has
    been seen for a month only."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(-1.5, 1, n)
    grows = rng.random(n) < 1 / (1 + np.exp(-margins))
    renewal = rng.integers(1, 91, n).astype(float)
    days = np.where(grows, np.clip(renewal - rng.integers(0, 10, n), 1, 90), np.nan)
    observed = np.where(rng.random(n) < 1 / 3, 30.0, 90.0)
    days = np.where(days <= observed, days, np.nan)
    table = pa.table({"days_to": days, "observed": observed, "days_to_renewal": renewal})
    return table, margins


@pytest.fixture(scope="module")
def hazard() -> HazardModel:
    """A hazard of 4,000 such rows."""
    found = fit_hazard(*happened(4000, seed=1), FEATURES, horizon=HORIZON)
    assert found is not None
    return found


def test_the_curve_ends_at_the_probability_and_never_falls(hazard: HazardModel) -> None:
    """For every account, however likely it is to expand."""
    table, _ = happened(500, seed=2)
    margins = np.linspace(-12, 12, 500)
    for curve in (hazard.curve(table, margins), even_curve(margins)):
        assert curve[:, -1] == pytest.approx(1 / (1 + np.exp(-margins)))
        assert (np.diff(curve, axis=1) >= 0).all()
        assert (curve >= 0).all()


def test_accounts_near_their_renewal_are_told_from_the_others(hazard: HazardModel) -> None:
    """Of the same probability, who renews within a month expands within a month."""
    renewal = pa.table({"days_to_renewal": [15.0, 80.0]})
    soon = hazard.curve(renewal, np.zeros(2))
    assert soon[0, 0] > 2 * soon[1, 0]
    assert soon[0, -1] == soon[1, -1]


def test_rows_that_are_not_matured_are_learnt_from() -> None:
    """Where the first third alone has passed, it still teaches the first third."""
    table, _ = happened(4000, seed=3)
    newer = table.set_column(1, "observed", pa.array(np.full(4000, 30.0)))
    early = (table["days_to"].to_numpy() <= 30).astype(float)
    newer = newer.set_column(0, "days_to", pa.array(np.where(early > 0, table["days_to"].to_numpy(), np.nan)))
    matured, _ = happened(1500, seed=4)
    both = pa.concat_tables([matured, newer.filter(pa.array(table["observed"].to_numpy() == 30))])
    more = fit_hazard(both, np.zeros(both.num_rows), FEATURES, horizon=HORIZON)
    less = fit_hazard(matured, np.zeros(1500), FEATURES, horizon=HORIZON)
    assert more is not None
    assert less is not None
    assert more.thirds[0] != less.thirds[0]
    assert more.thirds[2] == less.thirds[2]


def test_too_few_expansions_tell_nothing_about_when() -> None:
    """Below thirty in any third there is no hazard, and the time is even over the horizon."""
    assert fit_hazard(*happened(200, seed=5), FEATURES, horizon=HORIZON) is None
    assert even_curve(np.array([0.0]))[0] == pytest.approx([1 - 0.5 ** (1 / 3), 1 - 0.5 ** (2 / 3), 0.5])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(-15, 15), min_size=1, max_size=5))
def test_a_row_s_curve_hangs_on_no_other(hazard: HazardModel, margins: list[float]) -> None:
    """Alone and among others it is the same to the last bit."""
    table, _ = happened(len(margins), seed=6)
    whole = hazard.curve(table, np.array(margins))
    for place, margin in enumerate(margins):
        alone = hazard.curve(table.slice(place, 1), np.array([margin]))
        assert alone[0].tobytes() == whole[place].tobytes()


def test_a_hazard_survives_json(hazard: HazardModel) -> None:
    """What was written and read again is the same."""
    assert HazardModel.from_json(json.loads(json.dumps(hazard.as_json(), sort_keys=True))) == hazard
