"""What Upswell is compared with, on the same rows: probabilities and rankings of simpler ways to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from sklearn.ensemble import GradientBoostingClassifier

from model.evaluate import auc, scores
from model.frame import numbers
from model.reliability import gains

SEAT_RULE: Final = 0.8
FLAT: Final = (
    *("seats", "arr", "users_30", "sessions_30", "events_30", "features_30"),
    *("tickets_90", "csat_180", "nps", "meetings_90", "tenure_days", "days_to_renewal"),
)
"""Twelve columns that anybody can export for each account."""
PRIOR_ROWS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a way to tell said of each row: a probability, and a ranking where that is finer."""

    probability: np.ndarray
    ranking: np.ndarray

    def figures(self, outcome: np.ndarray) -> dict[str, float]:
        """The metrics of `model.evaluate.scores`, those of order by the ranking."""
        found = scores(outcome, self.probability)
        return found | {
            "auc": auc(outcome, self.ranking),
            "pr_auc": scores(outcome, _as_shares(self.ranking))["pr_auc"],
            "lift_20": gains(outcome, self.ranking, steps=5)[0].lift,
        }


def seat_rule(past: pa.Table, rows: pa.Table) -> Said:
    """More than 80 % of the seats in use: the two past rates; ranked by utilisation."""
    before, now = (np.nan_to_num(numbers(table, "seat_utilisation")) for table in (past, rows))
    label = numbers(past, "label")
    full, rest = label[before > SEAT_RULE].mean(), label[before <= SEAT_RULE].mean()
    return Said(probability=np.where(now > SEAT_RULE, full, rest), ranking=now)


def blog_recipe(past: pa.Table, rows: pa.Table, seed: int) -> Said:
    """scikit-learn's gradient boosting (200 trees, 0.05, depth 4) on 12 flat columns of the last snapshot."""
    last = past.filter(pa.array(past["as_of"].to_numpy() == past["as_of"].to_numpy().max()))
    columns = np.column_stack([numbers(last, name) for name in FLAT])
    middle = np.nan_to_num(np.nanmedian(columns, axis=0))
    model = GradientBoostingClassifier(n_estimators=200, learning_rate=0.05, max_depth=4, random_state=seed)
    model.fit(_filled(columns, middle), numbers(last, "label"))
    later = _filled(np.column_stack([numbers(rows, name) for name in FLAT]), middle)
    probability = model.predict_proba(later)[:, 1]
    return Said(probability=probability, ranking=probability)


def last_quarter(past: pa.Table, rows: pa.Table) -> Said:
    """The account's own rate of the last matured quarter, drawn towards that of its segment."""
    dates = np.unique(past["as_of"].to_numpy())
    recent = past.filter(pa.array(np.isin(past["as_of"].to_numpy(), dates[-3:])))
    label = numbers(recent, "label")
    overall = float(label.mean())
    segment = _rates(recent["segment"].to_pylist(), label, {}, overall)
    by_account = recent["account_id"].to_pylist()
    drawn = dict(
        zip(by_account, (segment.get(s, overall) for s in recent["segment"].to_pylist()), strict=True)
    )
    own = _rates(by_account, label, drawn, overall)
    ids, segments = rows["account_id"].to_pylist(), rows["segment"].to_pylist()
    probability = np.array(
        [own.get(a, segment.get(s, overall)) for a, s in zip(ids, segments, strict=True)], float
    )
    return Said(probability=probability, ranking=probability)


def _rates(
    keys: list[str], label: np.ndarray, drawn_to: dict[str, float], overall: float
) -> dict[str, float]:
    hits: dict[str, float] = {}
    rows: dict[str, int] = {}
    for key, value in zip(keys, label, strict=True):
        hits[key] = hits.get(key, 0.0) + value
        rows[key] = rows.get(key, 0) + 1
    return {
        key: (hits[key] + PRIOR_ROWS * drawn_to.get(key, overall)) / (rows[key] + PRIOR_ROWS) for key in hits
    }


def _filled(columns: np.ndarray, middle: np.ndarray) -> np.ndarray:
    filled: np.ndarray = np.where(np.isnan(columns), middle, columns)
    return filled


def _as_shares(ranking: np.ndarray) -> np.ndarray:
    """The ranking as numbers of 0–1."""
    low, high = float(ranking.min()), float(ranking.max())
    return (ranking - low) / (high - low) if high > low else np.zeros(ranking.size)
