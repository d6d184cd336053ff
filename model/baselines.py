"""Simpler ways to tell who expands, each on the same rows as the model: what a model has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import catboost
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import rankdata

from model.evaluate import auc, scores
from model.frame import numbers
from model.reliability import gains

SEAT_RULE: Final = 0.8
FLAT: Final = (
    *("seats", "arr", "users_30", "sessions_30", "events_30", "features_30"),
    *("tickets_90", "csat_180", "nps", "meetings_90", "tenure_days", "days_to_renewal"),
)
"""Twelve columns that anybody can export for each account."""
# The rate of a segment with fewer rows than this is drawn towards the rate of all.
PRIOR_ROWS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one way to tell said of each row: a probability, and a ranking where that is finer."""

    probability: np.ndarray
    ranking: np.ndarray

    def figures(self, outcome: np.ndarray) -> dict[str, float]:
        """The metrics of `model.evaluate.scores`; those of order are the ranking's, and ties are chance."""
        return scores(outcome, self.probability) | {
            "auc": auc(outcome, self.ranking),
            "pr_auc": scores(outcome, rankdata(self.ranking) / self.ranking.size)["pr_auc"],
            "lift_20": gains(outcome, self.ranking, steps=5)[0].lift,
        }


def baselines(history: pa.Table, rows: pa.Table, *, horizon_days: int, seed: int) -> Mapping[str, Said]:
    """seat_rule, blog_recipe, last_quarter and base_rate for the `rows`.

    `history` holds rows with a label; of them only those are looked at whose horizon had ended by the day of
    the earliest row, or of each row for last_quarter. There must be some, or a ModelError is raised."""
    first = pc.min(rows["as_of"]).as_py()
    past = history.filter(pc.less_equal(history["as_of"], first - timedelta(days=horizon_days)))
    rate = float(numbers(past, "label").mean())
    flat = np.full(rows.num_rows, rate)
    return {
        "seat_rule": seat_rule(past, rows),
        "blog_recipe": blog_recipe(past, rows, seed=seed),
        "last_quarter": last_quarter(history, rows, horizon_days=horizon_days),
        "base_rate": Said(probability=flat, ranking=flat),
    }


def seat_rule(past: pa.Table, rows: pa.Table) -> Said:
    """More than 80 % of the seats used: the two past rates as probabilities, ranked by utilisation."""
    before, now = (np.nan_to_num(numbers(table, "seat_utilisation")) for table in (past, rows))
    label = numbers(past, "label")
    below, above = (
        label[side].mean() if side.any() else label.mean()
        for side in (before <= SEAT_RULE, before > SEAT_RULE)
    )
    return Said(probability=np.where(now > SEAT_RULE, above, below), ranking=now)


def blog_recipe(past: pa.Table, rows: pa.Table, *, seed: int) -> Said:
    """The recipe that articles give: boosting of 200 trees (rate 0.05, depth 4) on 12 flat columns of one
    snapshot, the newest whose outcomes were known."""
    snapshot = past.filter(pc.equal(past["as_of"], pc.max(past["as_of"])))
    label = numbers(snapshot, "label")
    if not 0 < label.sum() < label.size:
        flat = np.full(rows.num_rows, numbers(past, "label").mean())
        return Said(probability=flat, ranking=flat)
    model = catboost.CatBoostClassifier(
        iterations=200,
        learning_rate=0.05,
        depth=4,
        random_seed=seed,
        thread_count=2,
        allow_writing_files=False,
        verbose=False,
    )
    model.fit(_flat(snapshot), label)
    probability = model.predict_proba(_flat(rows))[:, 1]
    return Said(probability=probability, ranking=probability)


def last_quarter(history: pa.Table, rows: pa.Table, *, horizon_days: int) -> Said:
    """How many of the account's segment expanded in the horizon that ended last before each row's day."""
    known = history["as_of"].to_numpy().astype("datetime64[D]")
    days = rows["as_of"].to_numpy().astype("datetime64[D]")
    label, probability = numbers(history, "label"), np.empty(rows.num_rows)
    groups, now = _segments(history), _segments(rows)
    for day in np.unique(days):
        ended = known <= day - np.timedelta64(horizon_days, "D")
        snapshot = ended & (known == known[ended].max())
        overall = label[snapshot].mean()
        for segment in np.unique(now):
            own = label[snapshot & (groups == segment)]
            rate = (own.sum() + PRIOR_ROWS * overall) / (own.size + PRIOR_ROWS)
            probability[(days == day) & (now == segment)] = rate
    return Said(probability=probability, ranking=probability)


def _flat(table: pa.Table) -> np.ndarray:
    return np.column_stack([numbers(table, name) for name in FLAT])


def _segments(table: pa.Table) -> np.ndarray:
    if "segment" not in table.column_names:
        return np.full(table.num_rows, "")
    return np.array([segment or "" for segment in table["segment"].to_pylist()], str)
