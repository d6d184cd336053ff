"""What came of the values and timings that were said, as small tables that can be shown or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.reliability import wilson
from model.timing import TIMINGS

WITHIN: Final = (30, 60, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueFigures:
    """How far values were off, on rows that expanded by a known amount.

    `median_error` is the median of |said − actual| ÷ actual, `mape` its mean; `wape` is Σ |said − actual| ÷
    Σ actual. `coverage` is the share within the P10–P90 range (nominal 0.8), with its 95 % Wilson interval.
    Totals are ARR a year in the company's currency."""

    rows: int
    median_error: float
    wape: float
    mape: float
    coverage: float
    coverage_low: float
    coverage_high: float
    said: float
    actual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """How many of some rows expanded within so many days, as a count and a rate with its 95 % interval."""

    days: int
    expanded: int
    rate: float
    rate_low: float
    rate_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingFigures:
    """Rows that were given one timing: how many, their mean probability, and when they expanded."""

    timing: str
    rows: int
    said: float
    within: tuple[Within, ...]


def value_figures(
    actual: np.ndarray, said: np.ndarray, low: np.ndarray, high: np.ndarray
) -> ValueFigures | None:
    """The figures of rows whose `actual` ARR added is above nought; None when there is none."""
    grown = actual > 0
    if not grown.any():
        return None
    actual, said, low, high = (each[grown] for each in (actual, said, low, high))
    off = np.abs(said - actual)
    inside = int(((low <= actual) & (actual <= high)).sum())
    at_least, at_most = wilson(inside, actual.size)
    return ValueFigures(
        rows=int(actual.size),
        median_error=float(np.median(off / actual)),
        wape=float(off.sum() / actual.sum()),
        mape=float(np.mean(off / actual)),
        coverage=inside / actual.size,
        coverage_low=at_least,
        coverage_high=at_most,
        said=float(said.sum()),
        actual=float(actual.sum()),
    )


def timing_figures(
    timing: Sequence[str], probability: np.ndarray, outcome: np.ndarray, days_to: np.ndarray, horizon: int
) -> list[TimingFigures]:
    """Each timing that was given, the most urgent first, by 30, 60 and 90 days and the horizon.

    `days_to` is the days to the first expansion of rows whose `outcome` is 1. Where those of some are not
    known, only the horizon can be told."""
    grown = outcome > 0
    known = not np.isnan(days_to[grown]).any()
    marks = [*(days for days in WITHIN if known and days < horizon), horizon]
    given = np.array(timing, str)
    found = []
    for name in TIMINGS:
        part = given == name
        n = int(part.sum())
        if not n:
            continue
        within = []
        for days in marks:
            came = grown & part if days == horizon else grown & part & (days_to <= days)
            hits = int(came.sum())
            low, high = wilson(hits, n)
            within.append(Within(days=days, expanded=hits, rate=hits / n, rate_low=low, rate_high=high))
        said = float(probability[part].mean())
        found.append(TimingFigures(timing=name, rows=n, said=said, within=tuple(within)))
    return found
