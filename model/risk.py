"""How likely an account is to churn or contract within the horizon: trees where they earn it, else rates.

The rates are of accounts whose renewal falls into the horizon and of the others, drawn towards stated
defaults while history is short, and doubled by every sign of trouble that `model.health` sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from model.boosting import fit_losses
from model.customers import INVOICE_GRACE_DAYS
from model.evaluate import scores
from model.frame import feature_frame, in_order_of_content, numbers, pool
from model.health import trouble
from model.losses import CHURNED, COLUMNS, CONTRACTED
from model.signals import resolve_signals
from model.split import purged_split

MIN_LOSSES: Final = 60
"""Losses (accounts, not rows) before trees are tried; with fewer the held-out slice says nothing."""
STEP_DAYS: Final = 28
# Private SaaS companies report keeping about 90 % of their ARR a year before expansion (median GRR of the
# SaaS Capital and KeyBanc surveys of recent years): say 7 % of accounts leave and 6 % shrink, by a fifth.
YEARLY: Final = (0.07, 0.06)
DEFAULT_SHARE: Final = 0.2
# Customers leave and shrink when the contract lets them; a tenth is for bankruptcies and monthly terms.
AT_RENEWAL: Final = 0.9
# Rows whose weight the defaults have: about a hundred accounts watched for a quarter, in 4-weekly rows.
PRIOR_ROWS: Final = 300.0
DOUBLINGS: Final = 3  # signs of trouble beyond the third add nothing: they mostly tell of the same thing
KINDS: Final = ("churn", "contraction")
GROUPS: Final = ("due", "not_due")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModel:
    """Chance of churn and of contraction within the horizon.

    `rates` holds the chance of each kind for accounts whose renewal is `due` within the horizon and `not_due`
    ones, `usual` the mean factor of their signs of trouble, and `base` the chances of all; `lost_share` is
    the share of ARR that a contraction takes. `booster` is None where the rates decide."""

    booster: Any
    rates: Mapping[str, tuple[float, float]]
    usual: Mapping[str, float]
    base: tuple[float, float]
    lost_share: float
    horizon_days: int

    def predict(
        self,
        table: pa.Table,
        features: tuple[str, ...],
        categorical: tuple[str, ...],
        signals: Mapping[str, float],
    ) -> np.ndarray:
        """rows × 2: probability of churn and of contraction, which exclude each other."""
        if self.booster is not None:
            frame = feature_frame(table, features, categorical)
            found = self.booster.predict(pool(frame, categorical), prediction_type="Probability")
            return np.column_stack([found[:, int(CHURNED)], found[:, int(CONTRACTED)]])
        return self._by_rates(table, signals)

    def _by_rates(self, table: pa.Table, signals: Mapping[str, float]) -> np.ndarray:
        due = numbers(table, "days_to_renewal") <= self.horizon_days
        # what the signs multiply by is already in the rate seen, so it is taken out again
        rates = np.where(
            due[:, None],
            np.array(self.rates["due"]) / self.usual["due"],
            np.array(self.rates["not_due"]) / self.usual["not_due"],
        )
        odds = rates / (1 - rates) * _doubled(trouble(table, signals))[:, None]
        # both kinds together stay below 1, whatever the signs
        found: np.ndarray = odds / (1 + odds.sum(axis=1, keepdims=True))
        return found

    def as_json(self) -> dict[str, Any]:
        """All but the trees, as plain JSON values, for manifests."""
        return {
            "rates": {name: list(pair) for name, pair in self.rates.items()},
            "usual": dict(self.usual),
            "base": list(self.base),
            "lost_share": self.lost_share,
            "horizon_days": self.horizon_days,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], booster: Any) -> RiskModel:
        """The model that `as_json` wrote, with its trees."""
        return cls(
            booster=booster,
            rates={name: (pair[0], pair[1]) for name, pair in values["rates"].items()},
            usual=values["usual"],
            base=(values["base"][0], values["base"][1]),
            lost_share=values["lost_share"],
            horizon_days=values["horizon_days"],
        )


def default_risk(horizon_days: int) -> RiskModel:
    """What is said of churn and contraction where nothing was learnt: the stated defaults."""
    return _fit_rates(pa.table({}), resolve_signals(None), horizon_days)


def train_risk(
    table: pa.Table,
    *,
    features: tuple[str, ...],
    categorical: tuple[str, ...],
    signals: Mapping[str, float],
    horizon_days: int,
    seed: int,
    threads: int,
) -> tuple[RiskModel, dict[str, float]]:
    """A model from the panel's rows whose loss is known, and how it did on a later slice it had not seen.

    Metrics are those of `model.evaluate.scores` for either kind of loss, with `log_loss_rates`, that of the
    rates; empty where trees were not tried. They are kept only where they beat the rates there."""
    known = table.filter(pa.array(~np.isnan(numbers(table, "loss"))))
    rows = in_order_of_content(known, (*features, *COLUMNS))
    loss = numbers(rows, "loss")
    rates = _fit_rates(rows, signals, horizon_days)
    # a loss stands in as many rows as there are steps in a horizon
    losses = (loss > 0).sum() * STEP_DAYS / horizon_days
    days = rows["as_of"].cast(pa.int32()).to_numpy().astype(np.int64)
    split = purged_split(days, horizon_days + INVOICE_GRACE_DAYS) if rows.num_rows else None
    if losses < MIN_LOSSES or split is None or len({*loss[split.before_test].tolist()}) < 3:
        return rates, {}
    frame = feature_frame(rows, features, categorical)

    def fit(index: np.ndarray) -> Any:
        return fit_losses(pool(frame.iloc[index], categorical, loss[index]), seed=seed, threads=threads)

    before, later = rows.take(pa.array(split.before_test)), rows.take(pa.array(split.test))
    lost = (loss[split.test] > 0).astype(float)
    tried = replace(rates, booster=fit(split.before_test)).predict(later, features, categorical, signals)
    ruled = _fit_rates(before, signals, horizon_days).predict(later, features, categorical, signals)
    metrics = scores(lost, _either(tried))
    metrics["log_loss_rates"] = scores(lost, _either(ruled))["log_loss"]
    if metrics["log_loss"] >= metrics["log_loss_rates"]:
        return rates, metrics
    return replace(rates, booster=fit(np.arange(loss.size))), metrics


def _fit_rates(rows: pa.Table, signals: Mapping[str, float], horizon_days: int) -> RiskModel:
    """The rates seen, each drawn towards its default as if that had been seen in PRIOR_ROWS rows."""
    loss, due = numbers(rows, "loss"), numbers(rows, "days_to_renewal") <= horizon_days
    factor = _doubled(trouble(rows, signals))
    rates, usual = {}, {}
    for group, inside in (("due", due), ("not_due", ~due)):
        usual[group] = float(factor[inside].mean()) if inside.any() else 1.0
        pair = []
        for kind, default in zip((CHURNED, CONTRACTED), _defaults(group, horizon_days), strict=True):
            seen = float((loss[inside] == kind).sum())
            pair.append(float((seen + PRIOR_ROWS * default) / (inside.sum() + PRIOR_ROWS)))
        rates[group] = (pair[0], pair[1])
    base = [
        (float((loss == kind).sum()) + PRIOR_ROWS * yearly * min(1.0, horizon_days / 365))
        / (loss.size + PRIOR_ROWS)
        for kind, yearly in zip((CHURNED, CONTRACTED), YEARLY, strict=True)
    ]
    shrunk = numbers(rows, "lost_share")[loss == CONTRACTED]
    share = (float(shrunk.sum()) + 10 * DEFAULT_SHARE) / (shrunk.size + 10)
    return RiskModel(
        booster=None,
        rates=rates,
        usual=usual,
        base=(base[0], base[1]),
        lost_share=share,
        horizon_days=horizon_days,
    )


def _defaults(group: str, horizon_days: int) -> tuple[float, float]:
    """Churn and contraction within the horizon where nothing was seen, for contracts renewed once a year."""
    part = AT_RENEWAL if group == "due" else (1 - AT_RENEWAL) * min(1.0, horizon_days / 365)
    return YEARLY[0] * part, YEARLY[1] * part


def _doubled(points: np.ndarray) -> np.ndarray:
    doubled: np.ndarray = 2.0 ** np.minimum(points, DOUBLINGS)
    return doubled


def _either(found: np.ndarray) -> np.ndarray:
    both: np.ndarray = np.clip(found.sum(axis=1), 0.0, 1.0)
    return both
