"""A trained model: everything that scoring needs, and what was measured about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from model.additive import AdditiveModel
from model.frame import feature_frame, pool
from model.hazard import HazardModel, even_curve
from model.health import Risk
from model.risk import RiskModel
from model.scorecard import rule_points
from model.target import Target
from model.value import ValueModel

NO_SIGNAL: Final = "no_signal"
"""The basis of a model whose data don't predict expansion: the rate of all, and no ranking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """Probability, value and time of expansion, with the figures of the slice on which it was judged.

    `basis` says who scores: scorecard, blend or model, and `weight` the model's part on log-odds; or it is
    no_signal, and every account has the rate of all, `flat` on log-odds.
    `booster` and `additive`, the two halves of the model, are None where neither scores. `intercept` is
    the scorecard's base, on log-odds. `hazard` is None where expansions are too few to tell when they come.
    `product_shares` are of past expansions, `product_pull` the trust in each product type's rules.
    """

    version: str
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    booster: Any
    additive: AdditiveModel | None
    value: ValueModel
    hazard: HazardModel | None
    basis: str
    weight: float
    intercept: float
    flat: float
    product_shares: Mapping[str, float]
    product_pull: Mapping[str, float]
    signals: Mapping[str, float]
    target: Target
    data_hash: str
    metrics: Mapping[str, Mapping[str, float]]
    facts: Mapping[str, Any]
    risk: RiskModel | None = None  # of churn and contraction; models of before there was one have none

    def with_version(self, version: str) -> TrainedModel:
        """The same model under that version."""
        return replace(self, version=version)

    def frame(self, table: pa.Table) -> pd.DataFrame:
        """The table's features in this model's order."""
        return feature_frame(table, self.features, self.categorical)

    def margins(self, table: pa.Table) -> np.ndarray:
        """Log-odds of expansion, one a row."""
        if self.basis == NO_SIGNAL:
            return np.full(table.num_rows, self.flat)
        margin = np.zeros(table.num_rows)
        if self.weight < 1:
            points = rule_points(table, self.signals, self.features).sum(axis=1)
            margin += (1 - self.weight) * (self.intercept + points)
        if self.booster is not None:
            margin += self.weight * model_margins(
                self.booster, self.additive, self.frame(table), self.categorical
            )
        return margin

    def curve(self, table: pa.Table, margins: np.ndarray) -> np.ndarray:
        """rows × 3: chance of an expansion within one, two and all three thirds of the horizon."""
        return even_curve(margins) if self.hazard is None else self.hazard.curve(table, margins)

    def risks(self, table: pa.Table) -> Risk | None:
        """Chance of churn and of contraction of each row; None where the model has no part for them."""
        if self.risk is None:
            return None
        found = self.risk.predict(table, self.features, self.categorical, self.signals)
        return Risk(
            churn=found[:, 0],
            contraction=found[:, 1],
            usual=sum(self.risk.base),
            horizon_days=self.risk.horizon_days,
        )

    def contributions(self, table: pa.Table) -> np.ndarray:
        """rows × features: what each feature adds to the log-odds; with the base they sum to the margin.

        CatBoost's own SHAP values and the heights of the additive half's curves, half and half; the
        scorecard's points; or all of them in the blend's proportion.
        """
        total = np.zeros((table.num_rows, len(self.features)))
        if self.basis == NO_SIGNAL:
            return total
        if self.weight < 1:
            total += (1 - self.weight) * rule_points(table, self.signals, self.features)
        if self.booster is not None:
            frame = self.frame(table)
            values = self.booster.get_feature_importance(
                pool(frame, self.categorical), type="ShapValues", thread_count=2
            )[:, :-1]
            if self.additive is not None:
                values = (values + self.additive.contributions(frame)) / 2
            total += self.weight * values
        return total


def model_margins(
    booster: Any, additive: AdditiveModel | None, frame: pd.DataFrame, categorical: tuple[str, ...]
) -> np.ndarray:
    """Log-odds of trees and curves, half and half; of the trees alone where there are no curves."""
    raw: np.ndarray = booster.predict(pool(frame, categorical), prediction_type="RawFormulaVal")
    return raw if additive is None else (raw + additive.margins(frame)) / 2


def probabilities(margins: np.ndarray) -> np.ndarray:
    """Probabilities of log-odds."""
    result: np.ndarray = 1.0 / (1.0 + np.exp(-margins))
    return result
