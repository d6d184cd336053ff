"""How much ARR an expansion adds: a mean that sums fairly, and a P10–P90 range with an offset.

The target is log ARR added, on accounts that expanded. The mean is smeared (Duan 1983): exp of the log
prediction times the mean of exp(residual), because the plain exponential is a median and underestimates
totals. The range adds the residuals' own 10 % and 90 % quantiles from a later slice (split conformal).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from model.boosting import fit_value
from model.frame import numbers, pool

MIN_EXPANDED = 60
# Without history: an expansion adds about 15 % of ARR, usually between 5 and 40 %.
DEFAULT_SHARE, DEFAULT_LOW, DEFAULT_HIGH = 0.15, 0.05, 0.40
DEFAULT_ARR = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueModel:
    """Log ARR added given expansion. `booster` is None when there are too few expansions to learn from.

    `smear` multiplies exp(prediction) to the mean; `low` and `high` are added on the log scale.
    """

    booster: Any
    smear: float
    low: float
    high: float

    def predict(self, frame: pd.DataFrame, categorical: tuple[str, ...], arr: np.ndarray) -> np.ndarray:
        """rows × 3: mean, P10 and P90 of the ARR added if the account expands."""
        if self.booster is None:
            logs = np.log(np.where(np.isnan(arr) | (arr <= 0), DEFAULT_ARR, arr))
        else:
            logs = self.booster.predict(pool(frame, categorical))
        mean, low, high = (
            np.exp(logs) * factor for factor in (self.smear, np.exp(self.low), np.exp(self.high))
        )
        return np.column_stack([mean, np.minimum(low, mean), np.maximum(high, mean)])


PRIOR = ValueModel(
    booster=None, smear=DEFAULT_SHARE, low=float(np.log(DEFAULT_LOW)), high=float(np.log(DEFAULT_HIGH))
)


def train_value(
    table: pa.Table,
    frame: pd.DataFrame,
    categorical: tuple[str, ...],
    days: np.ndarray,
    *,
    horizon: int,
    seed: int,
    threads: int,
) -> tuple[ValueModel, dict[str, float]]:
    """A value model from rows that expanded, and its error and coverage on a later slice it had not seen.

    Metrics: value_rows, value_median_error (share), value_wape, value_coverage (of the P10–P90 range, with
    the offset taken from the earlier half of that slice). Empty with too few expansions.
    """
    added = numbers(table, "added_arr")
    grown = np.flatnonzero((numbers(table, "label") > 0) & (added > 0))
    dates = np.unique(days[grown])
    late = grown[days[grown] >= (np.quantile(days[grown], 0.7) if grown.size else 0)]
    early = grown[days[grown] <= (days[late].min() - horizon if late.size else 0)]
    if early.size < MIN_EXPANDED or late.size < MIN_EXPANDED or dates.size < 3:
        return PRIOR, {}
    logs = np.log(np.where(added > 0, added, 1.0))

    def fit(rows: np.ndarray) -> Any:
        return fit_value(pool(frame.iloc[rows], categorical, logs[rows]), seed=seed, threads=threads)

    predicted = fit(early).predict(pool(frame.iloc[late], categorical))
    residuals = logs[late] - predicted
    low, high = _conformal(residuals)
    smear = float(np.mean(np.exp(residuals)))
    # coverage is honest only on rows that did not set the offset
    middle = np.median(days[late])
    set_by, judged = residuals[days[late] <= middle], residuals[days[late] > middle]
    inner_low, inner_high = _conformal(set_by)
    mean = np.exp(predicted) * smear
    error = np.abs(mean - added[late])
    metrics = {
        "value_rows": float(late.size),
        "value_median_error": float(np.median(np.abs(np.exp(predicted) - added[late]) / added[late])),
        "value_wape": float(error.sum() / added[late].sum()),
        "value_coverage": float(np.mean((judged >= inner_low) & (judged <= inner_high)))
        if judged.size
        else float("nan"),
    }
    return ValueModel(booster=fit(grown), smear=smear, low=low, high=high), metrics


def _conformal(residuals: np.ndarray) -> tuple[float, float]:
    """P10 and P90 of the residuals with the finite-sample correction of split conformal prediction."""
    n = residuals.size
    upper = min(1.0, np.ceil(0.9 * (n + 1)) / n)
    return float(np.quantile(residuals, 1 - upper)), float(np.quantile(residuals, upper))
