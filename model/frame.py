"""Panel columns in the shape that CatBoost takes: floats with NaN, categories as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import catboost
import numpy as np
import pandas as pd
import pyarrow as pa

from model.errors import ModelError


def feature_frame(table: pa.Table, features: Sequence[str], categorical: Iterable[str]) -> pd.DataFrame:
    """The named feature columns in that order. Raises ModelError naming the columns that are missing."""
    missing = [name for name in features if name not in table.column_names]
    if missing:
        raise ModelError(
            f"The rows lack {len(missing)} features of the model, first {missing[0]!r}.",
            fix="Build the rows with the same version of Upswell that trained the model, or train again.",
        )
    texts = set(categorical)
    columns: dict[str, Any] = {}
    for name in features:
        if name in texts:
            columns[name] = [value if value is not None else "" for value in table[name].to_pylist()]
        else:
            columns[name] = table[name].cast(pa.float64()).to_numpy()
    return pd.DataFrame(columns)


def numbers(table: pa.Table, name: str) -> np.ndarray:
    """One numeric column as float64 with NaN for unknown; all NaN when the table lacks it."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    column: np.ndarray = table[name].cast(pa.float64()).to_numpy()
    return column


def pool(frame: pd.DataFrame, categorical: Sequence[str], label: np.ndarray | None = None) -> catboost.Pool:
    """A CatBoost pool of the frame."""
    return catboost.Pool(frame, label=label, cat_features=list(categorical), thread_count=2)
