"""Chance and expected ARR of one account's expansion by period, and the period a deal closes in.

An account's probability is spread over its horizon by timing: an account to talk to now expands within the
first third of the horizon, one within 30 days in the first two thirds, any other evenly over all of it. After
the horizon the model says nothing; there a run rate goes on, and is reported as such: the book's own
(`model.book`), or where there is too little history for one the account's own among those that have not
expanded by then, of which only the first expansion is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

WINDOW_SHARE: Final = {"now": 1 / 3, "d30": 2 / 3, "d90": 1.0, "hold": 1.0}
"""How much of the horizon, from its start, the probability of each timing is spread over."""
_SURE: Final = 1 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A period from its first to its last day."""

    label: str
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Expected ARR in one span, and the part of it that lies beyond the model's horizon."""

    arr: float
    beyond: float


def chance_by_span(
    spans: Sequence[Span],
    *,
    probability: np.ndarray,
    timing: Sequence[str | None],
    scored_on: date,
    today: date,
    horizon_days: int,
) -> tuple[np.ndarray, np.ndarray]:
    """accounts × spans: the chance that the first expansion comes in each span after `today`, and the part
    of it that lies beyond the model's horizon. What was expected before is past.

    Over the horizon the parts sum to the account's probability."""
    window = horizon_days * np.array([WINDOW_SHARE.get(name or "", 1.0) for name in timing])
    total, beyond = (np.zeros((probability.size, len(spans))) for _ in range(2))

    def by(day: int) -> np.ndarray:
        return _by_day(day, probability, window, horizon_days)

    for at, span in enumerate(spans):
        begin = (max(span.first - timedelta(days=1), today, scored_on) - scored_on).days
        end = max((span.last - scored_on).days, begin)
        if end > begin:
            total[:, at] = by(end) - by(begin)
            inside = by(min(end, horizon_days)) - by(min(begin, horizon_days))
            beyond[:, at] = total[:, at] - inside
    return total, beyond


def expected_by_span(
    spans: Sequence[Span],
    *,
    probability: float,
    arr: float,
    timing: str | None,
    scored_on: date,
    today: date,
    horizon_days: int,
) -> list[Expected]:
    """One account's expected ARR in each span after `today`.

    `arr` is the mean ARR added if it expands. Over the horizon the parts sum to probability × arr."""
    total, beyond = chance_by_span(
        spans,
        probability=np.array([probability]),
        timing=[timing],
        scored_on=scored_on,
        today=today,
        horizon_days=horizon_days,
    )
    return [
        Expected(arr=float(arr * chance), beyond=float(arr * late))
        for chance, late in zip(total[0], beyond[0], strict=True)
    ]


def span_of(day: date, spans: Sequence[Span]) -> int | None:
    """The index of the span that a deal closes in, overdue ones in the first; None when later than all."""
    if day < spans[0].first:
        return 0
    return next((at for at, span in enumerate(spans) if span.first <= day <= span.last), None)


def _by_day(day: int, probability: np.ndarray, window: np.ndarray, horizon_days: int) -> np.ndarray:
    """Probability that the first expansion has come by so many days after the scoring."""
    if day <= horizon_days:
        within: np.ndarray = probability * np.minimum(day / window, 1.0)
        return within
    rate = -np.log1p(-np.minimum(probability, _SURE)) / horizon_days
    after: np.ndarray = probability + (1 - probability) * -np.expm1(-rate * (day - horizon_days))
    return after
