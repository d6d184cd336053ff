"""What is learnt of the rows, trees and curves: by what was known before the test, and by everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model.additive import AdditiveModel, fit_additive
from model.boosting import best_trees, fit_probability
from model.frame import pool
from model.split import Split
from model.trained import model_margins


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """The features of the rows, and whether each expanded (`y`, 0 or 1)."""

    frame: pd.DataFrame
    categorical: tuple[str, ...]
    y: np.ndarray
    seed: int
    threads: int

    def out_of_time(self, split: Split, say: Callable[[str], None]) -> tuple[int, np.ndarray]:
        """How many trees are best on the validation slice, and the log-odds of all rows by a model with as
        many that knows nothing from within one horizon before the test slice."""
        say("finding the number of trees")
        first = fit_probability(
            self._slice(split.train), seed=self.seed, threads=self.threads, valid=self._slice(split.valid)
        )
        trees = best_trees(first)
        say("judging on the latest matured slice")
        booster, additive = self._fit(split.before_test, trees)
        return trees, model_margins(booster, additive, self.frame, self.categorical)

    def on_everything(self, trees: int) -> tuple[Any, AdditiveModel]:
        """Trees and curves of all rows."""
        return self._fit(np.arange(self.y.size), trees)

    def _fit(self, rows: np.ndarray, trees: int) -> tuple[Any, AdditiveModel]:
        booster = fit_probability(self._slice(rows), seed=self.seed, threads=self.threads, trees=trees)
        return booster, fit_additive(self.frame.iloc[rows], self.categorical, self.y[rows])

    def _slice(self, rows: np.ndarray) -> Any:
        return pool(self.frame.iloc[rows], self.categorical, self.y[rows])
