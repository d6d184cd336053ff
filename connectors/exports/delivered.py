"""Which rows of a file were delivered before, by the vendor's own rule for what is one event.

Two hashes of a row's id are kept (16 bytes a row): that two ids agree in all 128 bits is not to be expected
in any number of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.exports.engine import cursor

Hashes = npt.NDArray[np.uint64]
_BETWEEN = "\x1f"


def _again(key: Any) -> Any:
    """The key behind a letter, which moves its blocks: keys that agree in one hash differ in the other."""
    return duckdb.FunctionExpression("concat", duckdb.ConstantExpression("#"), key)


class Delivered:
    """The ids of a file's rows so far."""

    def __init__(self) -> None:
        self._runs: list[tuple[Hashes, Hashes]] = []  # each sorted by the first
        self._engine = cursor()
        key = duckdb.ColumnExpression("key")
        self._hashes = (
            duckdb.FunctionExpression("hash", key).alias("first"),
            duckdb.FunctionExpression("hash", _again(key)).alias("second"),
        )

    def fresh(self, parts: Sequence[pa.Array]) -> npt.NDArray[np.bool_]:
        """Whether each row is the first of its id. One without the first part has no id and is fresh."""
        texts = [part.cast(pa.string()) for part in parts]
        key = pc.binary_join_element_wise(*texts, _BETWEEN, null_handling="replace", null_replacement="")
        table = self._engine.from_arrow(pa.table({"key": key})).select(*self._hashes).to_arrow_table()
        first = table.column("first").to_numpy()
        second = table.column("second").to_numpy()
        has_id = texts[0].is_valid().to_numpy(zero_copy_only=False)
        _, firsts, inverse = np.unique(first, return_index=True, return_inverse=True)
        leader = firsts[inverse]
        again = (leader != np.arange(len(first))) & (second == second[leader])
        for known, other in self._runs:
            at = np.minimum(np.searchsorted(known, first), len(known) - 1)
            again |= (known[at] == first) & (other[at] == second)
        fresh: npt.NDArray[np.bool_] = ~(again & has_id)
        self._add(first[fresh & has_id], second[fresh & has_id])
        return fresh

    def _add(self, first: Hashes, second: Hashes) -> None:
        """Keep the hashes; runs of like length are merged, so that there are few of them."""
        if not len(first):
            return
        while self._runs and len(self._runs[-1][0]) <= 2 * len(first):
            before, other = self._runs.pop()
            first, second = np.concatenate([before, first]), np.concatenate([other, second])
        order = np.argsort(first, kind="stable")
        self._runs.append((first[order], second[order]))
