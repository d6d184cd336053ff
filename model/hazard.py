"""When an expansion comes, given how likely it is: a discrete hazard over the thirds of the horizon.

One additive model a third: the chance that the expansion comes in it, given that it did not before. Each
learns from every row whose third has passed, so the first knows rows that are two thirds of a horizon newer
than any label. They look at the score itself and at what is bound to dates: limits about to be reached,
renewal, the customer's fiscal year, fresh triggers. The hazards are then moved on log-odds until the curve
ends at the account's own probability, so that it never falls and never contradicts it.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from model.additive import AdditiveModel, fit_additive
from model.frame import numbers

THIRDS: Final = 3
SCORE: Final = "score"
DATED: Final = (
    *("seat_days_to_limit", "seat_weeks_above_90", "limit_days_to_limit", "overage_months_6"),
    *("finance_billing_views_30", "billing_views_30", "senior_new_90", "days_since_trigger"),
    *("days_to_renewal", "months_to_fiscal_year_end", "fiscal_month", "days_since_goal", "touches_30"),
    *("days_since_expansion", "days_since_lost", "tenure_days"),
)
"""Features that say something about when."""
MIN_EVENTS: Final = 30  # in each third; with fewer the time is even over the horizon
_STEPS: Final = 50  # of halving the move
_FAR: Final = 20.0  # log-odds; nothing lies beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardModel:
    """One additive model a third of the horizon; `features` are those of DATED that it knows.

    `typical` is the share of expansions that come in the first third, when it was fitted."""

    features: tuple[str, ...]
    thirds: tuple[AdditiveModel, ...]
    typical: float

    def curve(self, table: pa.Table, margins: np.ndarray) -> np.ndarray:
        """rows × 3: chance of an expansion within one, two and three thirds; the last is the margin's own."""
        frame = _frame(table, margins, self.features)
        odds = np.column_stack([third.margins(frame) for third in self.thirds])
        survives = 1 - _chance(margins)
        low, high = np.full(margins.size, -_FAR), np.full(margins.size, _FAR)
        for _ in range(_STEPS):
            half = (low + high) / 2
            above = _survival(odds + half[:, None])[:, -1] < survives
            low, high = np.where(above, low, half), np.where(above, half, high)
        curve = 1 - _survival(odds + ((low + high) / 2)[:, None])
        curve[:, -1] = _chance(margins)
        rising: np.ndarray = np.minimum(np.maximum.accumulate(curve, axis=1), curve[:, -1:])
        return rising

    def as_json(self) -> dict[str, Any]:
        """The model as plain JSON values."""
        return {
            "features": list(self.features),
            "thirds": [third.as_json() for third in self.thirds],
            "typical": self.typical,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> HazardModel:
        """The model that `as_json` wrote."""
        return cls(
            features=tuple(values["features"]),
            thirds=tuple(AdditiveModel.from_json(third) for third in values["thirds"]),
            typical=values["typical"],
        )


def even_curve(margins: np.ndarray) -> np.ndarray:
    """rows × 3: the same hazard in each third, for want of anything better."""
    chance = _chance(margins)
    return np.column_stack([1 - (1 - chance) ** (step / THIRDS) for step in range(1, THIRDS + 1)])


def fit_hazard(
    table: pa.Table, margins: np.ndarray, features: Collection[str], *, horizon: int
) -> HazardModel | None:
    """The hazard from rows with `days_to` and `observed`, matured or not; None with too few expansions."""
    if "days_to" not in table.column_names:
        return None
    known = tuple(name for name in DATED if name in features)
    frame = _frame(table, margins, known)
    days, observed = numbers(table, "days_to"), numbers(table, "observed")
    edges = [horizon * step / THIRDS for step in range(THIRDS + 1)]
    thirds, hits = [], []
    for begin, end in itertools.pairwise(edges):
        at_risk = (observed >= end) & ~(days <= begin)
        came = at_risk & (days <= end)
        hits.append(int(came.sum()))
        if came.sum() < MIN_EVENTS or came.sum() == at_risk.sum():
            return None
        rows = np.flatnonzero(at_risk)
        thirds.append(fit_additive(frame.iloc[rows], (), came[rows].astype(float)))
    matured = observed >= horizon
    came = matured & (days <= horizon)
    typical = float((days[came] <= edges[1]).mean()) if came.any() else 1 / THIRDS
    return HazardModel(features=known, thirds=tuple(thirds), typical=round(typical, 4))


def _frame(table: pa.Table, margins: np.ndarray, features: Sequence[str]) -> pd.DataFrame:
    columns = {SCORE: margins} | {name: numbers(table, name) for name in features}
    return pd.DataFrame(columns)


def _survival(odds: np.ndarray) -> np.ndarray:
    """rows × thirds: the chance that nothing has come by the end of each."""
    total: np.ndarray = np.cumprod(1 - _chance(odds), axis=1)
    return total


def _chance(margins: np.ndarray) -> np.ndarray:
    result: np.ndarray = 1.0 / (1.0 + np.exp(-margins))
    return result
