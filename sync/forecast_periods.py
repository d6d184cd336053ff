"""Fiscal quarters of the company: which one a day is in, and the ones after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalQuarter:
    """One fiscal quarter; `year` is the calendar year in which the fiscal year ends."""

    year: int
    quarter: int  # 1–4
    first_day: date
    last_day: date

    def __str__(self) -> str:
        return f"FY{self.year}Q{self.quarter}"


def fiscal_quarter(day: date, fiscal_year_start: int) -> FiscalQuarter:
    """The quarter that holds the day, for a fiscal year beginning with that month (1–12)."""
    months_in = (day.month - fiscal_year_start) % 12
    quarter = months_in // 3 + 1
    begun = day.year if day.month >= fiscal_year_start else day.year - 1
    first = _month_start(begun, fiscal_year_start + 3 * (quarter - 1))
    following = _month_start(begun, fiscal_year_start + 3 * quarter)
    ends = begun if fiscal_year_start == 1 else begun + 1
    return FiscalQuarter(year=ends, quarter=quarter, first_day=first, last_day=following - timedelta(days=1))


def quarters_from(day: date, fiscal_year_start: int, count: int) -> tuple[FiscalQuarter, ...]:
    """The quarter that holds the day and the ones after it, `count` in all."""
    quarters = []
    for _ in range(count):
        quarters.append(fiscal_quarter(day, fiscal_year_start))
        day = quarters[-1].last_day + timedelta(days=1)
    return tuple(quarters)


def quarters_before(day: date, fiscal_year_start: int, count: int) -> tuple[FiscalQuarter, ...]:
    """The `count` quarters before the one that holds the day, oldest first."""
    quarters: list[FiscalQuarter] = []
    for _ in range(count):
        day = fiscal_quarter(day, fiscal_year_start).first_day - timedelta(days=1)
        quarters.insert(0, fiscal_quarter(day, fiscal_year_start))
    return tuple(quarters)


def _month_start(year: int, month: int) -> date:
    """The first day of a month counted on past December."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
