"""Health by stated rules: green, yellow (nurture, no price ask), red (retention first) or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from model.frame import numbers
from model.wordsmith import figures_of, sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign of trouble worth `points`: 1 makes an account yellow, 3 or more in sum make it red."""

    feature: str
    bound: float | str
    points: int
    text: str
    below: bool = False


WARNINGS: Final = (
    Sign(
        feature="usage_trend",
        bound="usage_decline",
        points=1,
        below=True,
        text="Usage {usage_trend} on the three months before",
    ),
    Sign(
        feature="usage_trend",
        bound=-0.35,
        points=1,
        below=True,
        text="Usage {usage_trend} on the three months before",
    ),
    Sign(
        feature="users_growth_90",
        bound=-0.2,
        points=1,
        below=True,
        text="Active users {users_growth_90} in 90 days",
    ),
    Sign(
        feature="seat_utilisation",
        bound=0.3,
        points=1,
        below=True,
        text="Only {seat_utilisation} of seats used",
    ),
    Sign(
        feature="champion_left_180",
        bound=1.0,
        points=1,
        text="{champion_left_180} champion(s) or sponsor(s) left in 180 days",
    ),
    Sign(
        feature="csat_180", bound="low_csat", points=1, below=True, text="CSAT of {csat_180} over half a year"
    ),
    Sign(feature="escalations_open", bound=1.0, points=1, text="{escalations_open} escalated ticket(s) open"),
    Sign(
        feature="tickets_critical_90",
        bound=2.0,
        points=1,
        text="{tickets_critical_90} critical ticket(s) in 90 days",
    ),
    Sign(feature="nps", bound="low_nps", points=1, below=True, text="NPS answers average {nps}"),
    Sign(feature="qbr_outcome", bound=-1.0, points=1, below=True, text="Last QBR went badly"),
    Sign(
        feature="arr_growth_180",
        bound=-0.03,
        points=2,
        below=True,
        text="ARR {arr_growth_180} in half a year",
    ),
)
RED_POINTS = 3
# Health rests on these; without a single one of them nothing can be said.
EVIDENCE: Final = ("usage_trend", "seat_utilisation", "csat_180", "nps", "qbr_outcome")


def judge_health(
    table: pa.Table, signals: Mapping[str, float], *, through: Mapping[str, date] | None = None
) -> tuple[list[str], list[list[str]]]:
    """The flag of each row and the sentences that led to it, the weightiest first.

    `through` has the newest day of which each source table tells anything."""
    n = table.num_rows
    points = np.zeros(n, int)
    found: list[list[str]] = [[] for _ in range(n)]
    for warning in sorted(WARNINGS, key=lambda w: -w.points):
        bound = signals[warning.bound] if isinstance(warning.bound, str) else warning.bound
        values = numbers(table, warning.feature)
        holds = values <= bound if warning.below else values >= bound
        points += np.where(holds, warning.points, 0)
        for name in figures_of(warning.text):
            holds &= ~np.isnan(numbers(table, name))
        rows = np.flatnonzero(holds)
        for i, text in zip(
            rows.tolist(), sentences(table, rows, warning.feature, warning.text, through), strict=True
        ):
            if text not in found[i]:
                found[i].append(text)
    known = np.zeros(n, bool)
    for name in EVIDENCE:
        known |= ~np.isnan(numbers(table, name))
    flags = np.select(
        [~known & (points == 0), points >= RED_POINTS, points >= 1], ["unknown", "red", "yellow"], "green"
    )
    return [str(flag) for flag in flags], found
