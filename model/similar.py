"""Accounts like this: of those scored about the same, and whose horizon has ended, how many expanded.

Scores lie in ten bands of the probability. A band with fewer than 20 accounts takes in its neighbours; if
they are still fewer, nothing is said: the interval of a rate of so few is up to 40 points wide (Wilson).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from model.shapes import LIKE_THIS
from model.trained import probabilities

BANDS: Final = 10
MIN_ACCOUNTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Matured:
    """Accounts scored in each band, and how many of them expanded within the horizon; `source` says which."""

    accounts: tuple[int, ...]
    expanded: tuple[int, ...]
    source: str

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"accounts": list(self.accounts), "expanded": list(self.expanded), "source": self.source}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Matured:
        """What `as_json` wrote."""
        return cls(
            accounts=tuple(values["accounts"]), expanded=tuple(values["expanded"]), source=values["source"]
        )


def matured(
    probability: np.ndarray, expanded: np.ndarray, source: str, accounts: Sequence[str] | None = None
) -> Matured:
    """Scores whose outcome (0 or 1) is known, by band; with `accounts` only the last of each counts."""
    last = np.arange(probability.size)
    if accounts is not None:
        last = np.array(sorted({account: place for place, account in enumerate(accounts)}.values()), int)
    band, hit = _band(probability[last]), expanded[last] > 0
    return Matured(
        accounts=tuple(np.bincount(band, minlength=BANDS).tolist()),
        expanded=tuple(np.bincount(band[hit], minlength=BANDS).tolist()),
        source=source,
    )


def judged(rows: pa.Table, test: np.ndarray, margins: np.ndarray) -> Matured:
    """The rows of the slice on which the model was judged, by their log-odds; the last of each account."""
    later = rows.take(pa.array(test))
    last = later["as_of"][-1].as_py()
    return matured(
        probabilities(margins),
        later["label"].to_numpy(),
        f"the model's test on later data, to {last.day} {last:%b %Y}",
        later["account_id"].to_pylist(),
    )


def like_this(probability: np.ndarray, past: Matured | None, horizon_days: int) -> pa.Array:
    """For each score its band's outcomes: struct<expanded, accounts, low, high (0–1), source, sentence>."""
    said = [None if past is None else _said(band, past, horizon_days) for band in range(BANDS)]
    told = pa.array(said, LIKE_THIS)
    return told.take(pa.array(_band(probability), mask=np.isnan(probability)))


def _band(probability: np.ndarray) -> np.ndarray:
    places = np.floor(np.nan_to_num(probability) * BANDS).astype(np.int64)
    clipped: np.ndarray = np.clip(places, 0, BANDS - 1)
    return clipped


def _said(band: int, past: Matured, horizon_days: int) -> dict[str, Any] | None:
    for reach in (0, 1):
        first, last = max(band - reach, 0), min(band + reach, BANDS - 1) + 1
        accounts, expanded = sum(past.accounts[first:last]), sum(past.expanded[first:last])
        if accounts >= MIN_ACCOUNTS:
            range_said = f"{100 * first // BANDS}–{100 * last // BANDS} %"
            return {
                "expanded": expanded,
                "accounts": accounts,
                "low": first / BANDS,
                "high": last / BANDS,
                "source": past.source,
                "sentence": f"{expanded:,} of {accounts:,} accounts scored {range_said} expanded within "
                f"{horizon_days} days ({past.source})",
            }
    return None
