"""Expected expansion ARR by period: what the model expects of one account, and the period a deal closes in.

An account's probability is spread over its horizon by timing: an account to talk to now expands within the
first third of the horizon, one within 30 days in the first two thirds, any other evenly over all of it. After
the horizon the model says nothing; there its own rate is assumed to go on among accounts that have not
expanded by then, so later periods are a run rate and are reported as such. Only an account's first expansion
is counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

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
    """One account's expected ARR in each span after `today`; what the model expected before is past.

    `arr` is the mean ARR added if it expands. Over the horizon the parts sum to probability × arr."""
    window = horizon_days * WINDOW_SHARE.get(timing or "", 1.0)
    found = []
    for span in spans:
        start = max(span.first - timedelta(days=1), today, scored_on)
        begin, end = (start - scored_on).days, max((span.last - scored_on).days, (start - scored_on).days)
        inside, total = 0.0, 0.0
        if end > begin:
            total = _by_day(end, probability, window, horizon_days) - _by_day(
                begin, probability, window, horizon_days
            )
            inside = _by_day(min(end, horizon_days), probability, window, horizon_days) - _by_day(
                min(begin, horizon_days), probability, window, horizon_days
            )
        found.append(Expected(arr=arr * total, beyond=arr * (total - inside)))
    return found


def span_of(day: date, spans: Sequence[Span]) -> int | None:
    """The index of the span that a deal closes in, overdue ones in the first; None when later than all."""
    if day < spans[0].first:
        return 0
    return next((at for at, span in enumerate(spans) if span.first <= day <= span.last), None)


def _by_day(day: int, probability: float, window: float, horizon_days: int) -> float:
    """Probability that the first expansion has come by so many days after the scoring."""
    if day <= horizon_days:
        return probability * min(day / window, 1.0)
    held = min(probability, _SURE)
    rate = -math.log1p(-held) / horizon_days
    return probability + (1 - probability) * -math.expm1(-rate * (day - horizon_days))
