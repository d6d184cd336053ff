"""What the past teaches, month by month: who was called high and expanded, and what of it was right.

Of each month the last scoring counts whose horizon has ended. Nothing here is of the training rows: these are
scores as they stood in the ledger, and what came of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from model.days import calendar_date
from model.expansions import closing_day, is_expansion, is_won
from model.reliability import Bin, calibration
from model.sources import read_sources
from model.workspace import Workspace
from sync.heard import Heard, heard_of
from sync.matured import Matured, foretold, matured_scores

if TYPE_CHECKING:
    from sync.workplace import Workplace

HIGH: Final = ("very_high", "high")
HEARD_BY: Final = timedelta(days=28)
"""A person's call counts for a score when a plan heard it by then: later ones may know the outcome."""
MIN_SIGNAL: Final = 20
HELD: Final = 2.0
"""Standard deviations by which expansions of accounts with a signal exceed, or miss, those of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOutcome:
    """One month's scoring against what happened.

    `high_said` is how many of those called high were expected to expand, `others_rate` all others' rate.
    Values are of accounts that expanded by a known amount: `value_error` is the median of
    |said − realised| ÷ realised, `in_range` the share within low to high. `lead_days` is the median from the
    score to the creation of the opportunity that was won."""

    month: str
    as_of: date
    model_version: str
    accounts: int
    expanded: int
    high: int
    high_expanded: int
    high_said: float
    others_rate: float | None
    said: float
    expected_arr: float
    realised_arr: float
    value_error: float | None
    in_range: float | None
    lead_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What came of accounts for which a reason was given: `lift` is expansions ÷ those that would come of the
    month's rate. `verdict` is held (they moved as it said, beyond noise), misled (the other way) or open."""

    code: str
    side: str  # for, against
    accounts: int
    expanded: int
    expected: float
    lift: float | None
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Accounts of which people said the same: what the model said, and what happened."""

    field: str  # csm_call, feedback
    value: str
    accounts: int
    said: float  # the model's mean probability
    expanded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """The report over all months. `bins` is the calibration of everything that has matured."""

    today: date
    horizon_days: int
    months: tuple[MonthOutcome, ...]
    bins: tuple[Bin, ...]
    signals: tuple[Signal, ...]
    calls: tuple[Call, ...]
    waiting: date | None  # when the first horizon ends, while none has

    def facts(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)


def learning(work: Workplace, today: date) -> Learning:
    """The report from the ledger's scores and the lake's outcomes."""
    rows = _last_of_month(matured_scores(work.store, work.tables(), work.target, today))
    created = _created(work) if rows else {}
    by_month: dict[str, list[Matured]] = {}
    for row in rows:
        by_month.setdefault(f"{row.as_of:%Y-%m}", []).append(row)
    outcome = np.array([row.expanded for row in rows], float)
    said = np.array([row.probability for row in rows], float)
    return Learning(
        today=today,
        horizon_days=work.target.horizon_days,
        months=tuple(_month(month, of_month, created) for month, of_month in sorted(by_month.items())),
        bins=tuple(calibration(outcome, said)) if rows else (),
        signals=tuple(signals(rows)),
        calls=tuple(calls(rows, heard_of(work.store))),
        waiting=None if rows else _first_end(work),
    )


def signals(rows: Sequence[Matured]) -> list[Signal]:
    """Every reason code given often enough, the strongest verdicts first."""
    rates: dict[date, tuple[int, int]] = {}
    for row in rows:
        hits, n = rates.get(row.as_of, (0, 0))
        rates[row.as_of] = hits + row.expanded, n + 1
    with_code: dict[tuple[str, str], list[Matured]] = {}
    for row in rows:
        for side, codes in (("for", row.reasons), ("against", row.against)):
            for code in codes:
                with_code.setdefault((side, code), []).append(row)
    found = []
    for (side, code), held in with_code.items():
        if len(held) < MIN_SIGNAL:
            continue
        base = np.array([rates[row.as_of][0] / rates[row.as_of][1] for row in held])
        expected, spread = float(base.sum()), float(np.sqrt((base * (1 - base)).sum()))
        expanded = sum(row.expanded for row in held)
        away = (expanded - expected) / spread if spread > 0 else 0.0
        along = away if side == "for" else -away
        found.append(
            Signal(
                code=code,
                side=side,
                accounts=len(held),
                expanded=expanded,
                expected=round(expected, 2),
                lift=round(expanded / expected, 3) if expected > 0 else None,
                verdict="held" if along >= HELD else "misled" if along <= -HELD else "open",
            )
        )
    order = {"held": 0, "misled": 1, "open": 2}
    return sorted(found, key=lambda s: (order[s.verdict], s.side, -abs((s.lift or 1.0) - 1.0), s.code))


def calls(rows: Sequence[Matured], heard: Mapping[str, Sequence[Heard]]) -> list[Call]:
    """What people said in the weeks after each score, beside the model's probability and the outcome."""
    told: dict[tuple[str, str], list[Matured]] = {}
    for row in rows:
        until = row.as_of + HEARD_BY
        in_time = [each for each in heard.get(row.account_id, ()) if each.seen_at.date() <= until]
        if not in_time:
            continue
        for name in ("csm_call", "feedback"):
            value = in_time[-1].said.get(name)
            if value:
                told.setdefault((name, str(value)), []).append(row)
    return [
        Call(
            field=name,
            value=value,
            accounts=len(held),
            said=float(np.mean([row.probability for row in held])),
            expanded=sum(row.expanded for row in held),
        )
        for (name, value), held in sorted(told.items())
    ]


def _last_of_month(rows: Iterable[Matured]) -> list[Matured]:
    """The rows of each calendar month's last scoring."""
    held = list(rows)
    last: dict[tuple[int, int], date] = {}
    for row in held:
        month = (row.as_of.year, row.as_of.month)
        last[month] = max(row.as_of, last.get(month, row.as_of))
    return [row for row in held if last[row.as_of.year, row.as_of.month] == row.as_of]


def _month(month: str, rows: Sequence[Matured], created: Mapping[tuple[str, date], date]) -> MonthOutcome:
    high = [row for row in rows if row.tier in HIGH]
    others = [row for row in rows if row.tier not in HIGH]
    grown = [row for row in rows if (row.arr_added or 0) > 0 and row.arr_if_expands is not None]
    errors = [
        abs((row.arr_if_expands or 0) - row.arr_added) / row.arr_added for row in grown if row.arr_added
    ]
    ranged = [row for row in grown if row.arr_low is not None and row.arr_high is not None]
    inside = [row for row in ranged if (row.arr_low or 0) <= (row.arr_added or 0) <= (row.arr_high or 0)]
    leads = [
        (opened - row.as_of).days
        for row in high
        for event in row.expansions[:1]
        if (opened := created.get((row.account_id, event.day))) is not None
    ]
    return MonthOutcome(
        month=month,
        as_of=rows[0].as_of,
        model_version=rows[0].model_version,
        accounts=len(rows),
        expanded=sum(row.expanded for row in rows),
        high=len(high),
        high_expanded=sum(row.expanded for row in high),
        high_said=round(sum(row.probability for row in high), 2),
        others_rate=sum(row.expanded for row in others) / len(others) if others else None,
        said=round(sum(row.probability for row in rows), 2),
        expected_arr=round(_total(rows, lambda row: row.expected_arr), 2),
        realised_arr=round(_total(rows, lambda row: row.arr_added), 2),
        value_error=median(errors) if errors else None,
        in_range=len(inside) / len(ranged) if ranged else None,
        lead_days=float(median(leads)) if leads else None,
    )


def _total(rows: Iterable[Matured], figure: Callable[[Matured], float | None]) -> float:
    return sum(figure(row) or 0.0 for row in rows)


def _created(work: Workplace) -> dict[tuple[str, date], date]:
    """When the opportunity of each won expansion was created, by account and the day it was decided on."""
    tables, target = work.tables().tables, work.target
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        deals = read_sources(tables, space, only=("opportunities",))["opportunities"]
        won = deals.filter(is_expansion(deals, target) & is_won(deals, target) & deals.created_at.notnull())
        told = won.select("account_id", day=closing_day(won), created=won.created_at)
        rows = told.group_by("account_id", "day").agg(created=told.created.min()).to_pyarrow().to_pylist()
    return {
        (row["account_id"], calendar_date(row["day"])): calendar_date(row["created"])
        for row in rows
        if row["day"] is not None
    }


def _first_end(work: Workplace) -> date | None:
    """The day on which the oldest scoring's horizon ends; None when nothing was scored."""
    return min((scoring.last for scoring in foretold(work.store, work.target)), default=None)
