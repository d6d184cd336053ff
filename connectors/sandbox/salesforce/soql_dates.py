"""SOQL's date literals as days: TODAY, LAST_N_DAYS:30, THIS_QUARTER.

Source: "Date Formats and Date Literals", SOQL and SOSL Reference. The org's time zone is UTC and its week
begins on Sunday, as in the United States locale.
"""

from __future__ import annotations

from datetime import date, timedelta

_DAYS = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}


def _add_months(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _start(unit: str, today: date) -> date:
    match unit:
        case "WEEK":
            return today - timedelta(days=(today.weekday() + 1) % 7)
        case "MONTH":
            return today.replace(day=1)
        case "QUARTER":
            return date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    return date(today.year, 1, 1)


def _shift(unit: str, start: date, steps: int) -> date:
    if unit == "WEEK":
        return start + timedelta(weeks=steps)
    return _add_months(start, steps * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit])


def date_range(literal: str, count: int | None, today: date) -> tuple[date, date]:
    """First day and the day after the last one that the literal stands for."""
    if literal in _DAYS:
        first = today + timedelta(days=_DAYS[literal])
        return first, first + timedelta(days=1)
    n = 90 if literal.endswith("_90_DAYS") else count
    which, _, unit = literal.partition("_")
    if n is None:
        steps = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
        start = _start(unit, today)
        return _shift(unit, start, steps), _shift(unit, start, steps + 1)
    return _counted(literal, n, today)


def _counted(literal: str, n: int, today: date) -> tuple[date, date]:
    """LAST_N_DAYS includes today, other LAST_N_ end before the present unit; NEXT_N_ begins after it."""
    if literal == "N_DAYS_AGO":
        first = today - timedelta(days=n)
        return first, first + timedelta(days=1)
    if literal.endswith("_DAYS"):
        tomorrow = today + timedelta(days=1)
        if literal.startswith("LAST"):
            return today - timedelta(days=n), tomorrow
        return tomorrow, tomorrow + timedelta(days=n)
    unit = literal.rsplit("_", 1)[1].removesuffix("S")
    start = _start(unit, today)
    if literal.startswith("LAST"):
        return _shift(unit, start, -n), start
    return _shift(unit, start, 1), _shift(unit, start, n + 1)
