"""Calibration, lift and cohorts of judged probabilities, as small tables that can be shown or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.evaluate import auc

_Z = 1.96  # 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Rows of neighbouring probabilities: what was said, what happened, and its 95 % Wilson interval."""

    low: float
    high: float
    rows: int
    said: float
    expanded: int
    rate: float
    rate_low: float
    rate_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The best-scored share of the rows: the share of all expansions among them, and the lift over chance."""

    share: float
    captured: float
    lift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Rows of one group: what was said, what happened with its 95 % Wilson interval, and the ranking inside
    the group (None: all alike)."""

    name: str
    rows: int
    expanded: int
    rate: float
    rate_low: float
    rate_high: float
    said: float
    auc: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """To find that share of all expansions (recall), that many of the best-scored rows have to be taken, and
    that share of them expanded (precision)."""

    recall: float
    precision: float
    rows: int


def calibration(outcome: np.ndarray, probability: np.ndarray, bins: int = 10) -> list[Bin]:
    """Bins with as many rows each, the lowest probabilities first."""
    order = np.argsort(probability, kind="stable")
    found = []
    for part in np.array_split(order, min(bins, order.size)):
        hits, n = int(outcome[part].sum()), int(part.size)
        low, high = wilson(hits, n)
        found.append(
            Bin(
                low=float(probability[part].min()),
                high=float(probability[part].max()),
                rows=n,
                said=float(probability[part].mean()),
                expanded=hits,
                rate=hits / n,
                rate_low=low,
                rate_high=high,
            )
        )
    return found


def gains(outcome: np.ndarray, score: np.ndarray, steps: int = 20) -> list[Gain]:
    """Cumulative gains at equal steps of the rows, the highest score first; among equal scores the order is
    chance. Needs an expansion."""
    hits = _hits(outcome, score)
    found = []
    for step in range(1, steps + 1):
        n = max(1, round(step / steps * hits.size))
        captured = float(hits[n - 1] / hits[-1])
        found.append(Gain(share=step / steps, captured=captured, lift=captured / (n / hits.size)))
    return found


def precision_recall(outcome: np.ndarray, score: np.ndarray, steps: int = 20) -> list[Precision]:
    """The fewest best-scored rows that hold each equal step of all expansions. Needs an expansion."""
    hits = _hits(outcome, score)
    found = []
    for step in range(1, steps + 1):
        wanted = step / steps * hits[-1]
        # what is left of sums of fractions must not cost another row
        n = min(int(np.searchsorted(hits, wanted - 1e-9)) + 1, hits.size)
        found.append(
            Precision(recall=float(hits[n - 1] / hits[-1]), precision=float(hits[n - 1] / n), rows=n)
        )
    return found


def _hits(outcome: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Expansions among the best 1, 2, … rows, each of those with equal scores counted as their mean."""
    _, place, rows = np.unique(-score, return_inverse=True, return_counts=True)
    of_block = np.bincount(place, weights=outcome)
    block = np.repeat(np.arange(rows.size), rows)
    inside = np.arange(1, score.size + 1) - (np.cumsum(rows) - rows)[block]
    # counted from the block's start, so that sums of whole numbers stay whole at its end
    hits: np.ndarray = (np.cumsum(of_block) - of_block)[block] + inside * of_block[block] / rows[block]
    return hits


def cohorts(
    outcome: np.ndarray, probability: np.ndarray, names: Sequence[str | None], least: int = 30
) -> list[Cohort]:
    """Groups by name, the largest first; rows without a name, and groups smaller than `least`, together."""
    labels = np.array([name or "" for name in names], dtype=object)
    unique, counts = np.unique(labels.astype(str), return_counts=True)
    small = {str(name) for name, count in zip(unique, counts, strict=True) if count < least or not name}
    merged = np.array(["(other)" if name in small else name for name in labels], dtype=str)
    found = []
    for name in np.unique(merged):
        part = merged == name
        hits, n = int(outcome[part].sum()), int(part.sum())
        inside = auc(outcome[part], probability[part])
        low, high = wilson(hits, n)
        found.append(
            Cohort(
                name=str(name),
                rows=n,
                expanded=hits,
                rate=hits / n,
                rate_low=low,
                rate_high=high,
                said=float(probability[part].mean()),
                auc=None if np.isnan(inside) else inside,
            )
        )
    return sorted(found, key=lambda cohort: (-cohort.rows, cohort.name))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a rate (Wilson 1927); it stays inside 0–1 for few rows."""
    rate = hits / n
    middle = (rate + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * float(np.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n**2)))
    # in exact arithmetic the interval always holds the rate; at 0 and 1 rounding may not
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))
