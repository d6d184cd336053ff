"""Panel columns in the shape that CatBoost takes: floats with NaN, categories as text."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import catboost
import numpy as np
import pandas as pd
import pyarrow as pa

from model.errors import ModelError

_ODD: Final = np.uint64(
    0x9E3779B97F4A7C15
)  # 2^64 over the golden ratio: spreads bits well (Knuth, TAOCP 3, 6.4)


def feature_frame(table: pa.Table, features: Sequence[str], categorical: Iterable[str]) -> pd.DataFrame:
    """The named feature columns in that order. Raises ModelError naming the columns that are missing."""
    missing = [name for name in features if not has_column(table, name)]
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


def has_column(table: pa.Table, name: str) -> bool:
    """Whether the table has a column of that name; `column_names` would list all of them each time."""
    return bool(table.schema.get_field_index(name) >= 0)


def numbers(table: pa.Table, name: str) -> np.ndarray:
    """One numeric column as float64 with NaN for unknown; all NaN when the table lacks it."""
    if not has_column(table, name):
        return np.full(table.num_rows, np.nan)
    column: np.ndarray = table[name].cast(pa.float64()).to_numpy()
    return column


def in_order_of_content(table: pa.Table, columns: Iterable[str]) -> pa.Table:
    """The rows sorted by `as_of`, then by a digest of the columns: whatever order and ids they had before."""
    digest = np.zeros(table.num_rows, np.uint64)
    for name in columns:
        digest = (digest ^ _bits(table[name].combine_chunks())) * _ODD
        digest ^= digest >> np.uint64(29)
    days = table["as_of"].cast(pa.int32()).to_numpy()
    return table.take(np.lexsort((digest, days)))


def _bits(column: pa.Array) -> np.ndarray:
    """64 bits a value, the same for equal values on every machine."""
    if pa.types.is_string(column.type):
        coded = column.dictionary_encode(null_encoding="encode")
        texts = [repr(text).encode() for text in coded.dictionary.to_pylist()]
        codes = np.array([zlib.crc32(text) for text in texts], np.uint64)
        distinct: np.ndarray = codes[np.asarray(coded.indices)]
        return distinct
    values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    bits: np.ndarray = np.where(np.isnan(values), np.nan, values).astype("<f8").view(np.uint64)
    return bits


def pool(frame: pd.DataFrame, categorical: Sequence[str], label: np.ndarray | None = None) -> catboost.Pool:
    """A CatBoost pool of the frame."""
    return catboost.Pool(frame, label=label, cat_features=list(categorical), thread_count=2)
