"""What each account could be offered: every eligible product with its chance, its ARR, and a range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

OFFER: Final = pa.struct(
    [
        ("id", pa.string()),
        ("probability", pa.float64()),
        ("arr", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)


def offers(
    probability: np.ndarray, chances: np.ndarray, value: np.ndarray, products: Sequence[str]
) -> pa.Array:
    """list<OFFER> for each row: eligible products, the best expected ARR first.

    `probability` is of an expansion, `chances` (rows × products) of each product given one, 0 where it isn't
    eligible; `value` (rows × products × 3) has mean, P10 and P90 of the ARR added with it. The products'
    probabilities sum to the row's own, up to rounding."""
    likely = np.round(probability[:, None] * chances, 6)
    money = np.round(value, 2)
    worth = np.where(chances > 0, likely * money[..., 0], -1.0)
    order = np.argsort(-worth, axis=1, kind="stable")
    kept = np.take_along_axis(chances > 0, order, axis=1)

    def flat(figures: np.ndarray) -> np.ndarray:
        return np.take_along_axis(figures, order, axis=1)[kept]

    places = pa.array(order[kept])
    struct = pa.StructArray.from_arrays(
        [
            pa.array(list(products), pa.string()).take(places),
            pa.array(flat(likely)),
            *(pa.array(flat(money[..., column])) for column in range(3)),
        ],
        names=[field.name for field in OFFER],
    )
    offsets = pa.array(np.r_[0, np.cumsum(kept.sum(axis=1))], pa.int32())
    return pa.ListArray.from_arrays(offsets, struct)
