"""Health by stated rules and the risk model: green, yellow (nurture, no price ask), red or unknown.

Red means retention first: no expansion task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from model.frame import numbers
from model.wordsmith import figures_of, sentences, write_day


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


# Red by the model: a loss several times as likely as usual, and likely enough in itself to act on. Seven of
# ten such accounts still stay, so a lower bound would take the offer from many who would have bought.
RED_TIMES, RED_AT_LEAST = 4.0, 0.30
YELLOW_TIMES, YELLOW_AT_LEAST = 2.5, 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What `model.risk` says of each row: churn and contraction (0–1) within the horizon; `usual` is of both
    together in a usual account."""

    churn: np.ndarray
    contraction: np.ndarray
    usual: float
    horizon_days: int


def judge_health(
    table: pa.Table,
    signals: Mapping[str, float],
    risk: Risk | None = None,
    *,
    through: Mapping[str, date] | None = None,
) -> tuple[list[str], list[list[str]]]:
    """The flag of each row and the sentences that led to it, the weightiest first.

    `through` has the newest day of which each source table tells anything.

    With `risk`, an account whose chance to churn or contract is RED_TIMES the usual and at least RED_AT_LEAST
    is red whatever the signs say, and one at YELLOW_TIMES and YELLOW_AT_LEAST is at least yellow."""
    n = table.num_rows
    points = np.zeros(n, int)
    found: list[list[str]] = [[] for _ in range(n)]
    for warning in sorted(WARNINGS, key=lambda w: -w.points):
        holds = _holds(table, warning, signals)
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
    red, yellow = np.zeros(n, bool), np.zeros(n, bool)
    if risk is not None:
        lost = risk.churn + risk.contraction
        red = (lost >= RED_TIMES * risk.usual) & (lost >= RED_AT_LEAST)
        yellow = (lost >= YELLOW_TIMES * risk.usual) & (lost >= YELLOW_AT_LEAST)
        for i in np.flatnonzero(red | yellow).tolist():
            found[i].insert(0, _at_risk(risk, i, table["as_of"][i].as_py()))
    flags = np.select(
        [red | (points >= RED_POINTS), yellow | (points >= 1), ~known], ["red", "yellow", "unknown"], "green"
    )
    return [str(flag) for flag in flags], found


def trouble(table: pa.Table, signals: Mapping[str, float]) -> np.ndarray:
    """The points of each row's signs of trouble."""
    points = np.zeros(table.num_rows, int)
    for warning in WARNINGS:
        points += np.where(_holds(table, warning, signals), warning.points, 0)
    return points


def _holds(table: pa.Table, warning: Sign, signals: Mapping[str, float]) -> np.ndarray:
    bound = signals[warning.bound] if isinstance(warning.bound, str) else warning.bound
    values = numbers(table, warning.feature)
    holds: np.ndarray = values <= bound if warning.below else values >= bound
    return holds


def _at_risk(risk: Risk, row: int, as_of: date) -> str:
    churn, shrink = risk.churn[row], risk.contraction[row]
    lost = churn + shrink
    parts = f"churn {100 * churn:.0f} %, contraction {100 * shrink:.0f} %"
    return (
        f"{100 * lost:.0f} % likely to lose ARR within {risk.horizon_days} days ({parts}), "
        f"{lost / risk.usual:.1f} times the usual (risk model, {write_day(as_of, as_of)})"
    )
