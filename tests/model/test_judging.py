"""Facts about what a training says of itself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import norm

from model.judging import MIN_POSITIVES, has_signal, judge_time
from model.split import Split


def judged(outcome: np.ndarray, margins: np.ndarray, *, rows_an_account: int = 1) -> bool | None:
    """Whether a signal is seen in these later rows, after as many earlier ones with a rate of 12 %."""
    n = outcome.size
    earlier = (np.arange(n) % 25 < 3).astype(float)
    split = Split(train=np.arange(n), valid=np.arange(n), before_test=np.arange(n), test=np.arange(n, 2 * n))
    accounts = pa.table({"account_id": [f"A{row // rows_an_account}" for row in range(2 * n)]})
    return has_signal(accounts, np.r_[earlier, outcome], split, margins)


def drawn(n: int, slope: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes at a rate of about 12 % and the margins that a model with that much insight gives."""
    rng = np.random.default_rng(seed)
    insight = rng.normal(size=n)
    margins = -2.1 + slope * insight
    return (rng.random(n) < 1 / (1 + np.exp(-margins))).astype(float), margins


@pytest.mark.parametrize("seed", range(5))
def test_a_model_with_insight_has_a_signal(seed: int) -> None:
    """In a large company and in a small one."""
    assert judged(*drawn(4000, 1.0, seed)) is True
    assert judged(*drawn(450, 1.3, seed)) is True


@pytest.mark.parametrize("seed", range(5))
def test_a_model_without_insight_has_none(seed: int) -> None:
    """Margins that spread for no reason are worse than the rate of all."""
    outcome, _ = drawn(3000, 0.0, seed)
    margins = -2.1 + np.random.default_rng(seed + 100).normal(0, 0.5, 3000)
    assert judged(outcome, margins) is False


def test_few_outcomes_say_nothing() -> None:
    """Below forty expansions neither a signal nor its absence is stated."""
    outcome = np.zeros(1000)
    outcome[: MIN_POSITIVES - 1] = 1.0
    assert judged(outcome, np.linspace(1, -4, 1000)) is None


def test_the_same_rows_again_are_no_more_evidence() -> None:
    """An AUC of .62 among fifteen expansions is luck, and so when each account is judged three times."""
    ranks = [norm.ppf((np.arange(n) + 0.5) / n) for n in (15, 105)]
    insight = np.r_[ranks[0] + 0.43, ranks[1]]
    outcome, margins = np.repeat([1.0, 0.0], [15, 105]), -2.1 + 0.43 * insight
    assert judged(np.repeat(outcome, 3), np.repeat(margins, 3), rows_an_account=3) is False
    assert judged(np.repeat(outcome, 3), np.repeat(margins, 3)) is True


def test_time_is_judged_only_where_there_is_some() -> None:
    """What is said of the first third is what came of it; with all expansions at once nothing is said."""
    rng = np.random.default_rng(1)
    n = 6000
    margins = rng.normal(-1.5, 1, n)
    grown = rng.random(n) < 1 / (1 + np.exp(-margins))
    days = np.where(grown, rng.uniform(1, 90, n), np.nan)
    rows = pa.table({"label": grown.astype(float), "days_to": days, "observed": np.full(n, 90.0)})
    half = np.arange(n // 2)
    split = Split(train=half, valid=half, before_test=half, test=half + n // 2)
    told = judge_time(rows, margins, split, (), 90)["time"]
    assert told["soon_said"] == pytest.approx(told["soon"], abs=0.02)
    assert told["soon_auc"] > 0.6
    at_once = rows.set_column(1, "days_to", pa.array(np.where(grown, 5.0, np.nan)))
    assert judge_time(at_once, margins, split, (), 90) == {}
