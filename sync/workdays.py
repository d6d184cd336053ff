"""Business days: what is no weekend and no holiday, and the day on which a task is due."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

DUE_BUSINESS_DAYS: Final = 3
DUE_DAYS: Final = 14
DAY: Final = timedelta(days=1)
LONGEST_REST: Final = 60  # days in a row: a calendar that never lets anybody work is a mistake
_COUNTRY: Final = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,4}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdays:
    """Monday to Friday, without the days on which `is_holiday` says that nobody works."""

    is_holiday: Callable[[date], bool] = lambda _: False

    @classmethod
    def of(cls, holidays: Sequence[str]) -> Workdays:
        """Workdays without these: days (2026-12-25), and countries or parts of them (US, DE-BY)."""
        days = {date.fromisoformat(each) for each in holidays if each[:1].isdigit()}
        calendars = [_calendar(each) for each in holidays if not each[:1].isdigit()]
        return cls(is_holiday=lambda day: day in days or any(day in each for each in calendars))

    def is_workday(self, day: date) -> bool:
        """Whether people work on it."""
        return day.weekday() < 5 and not self.is_holiday(day)

    def from_day(self, day: date) -> date:
        """The day itself, or the first workday after it."""
        for _ in range(LONGEST_REST):
            if self.is_workday(day):
                break
            day += DAY
        return day

    def after(self, day: date, count: int) -> date:
        """The workday that is so many workdays after the day."""
        for _ in range(count):
            day = self.from_day(day + DAY)
        return day


EVERY_WEEK: Final = Workdays()


def due_on(timing: str, today: date, workdays: Workdays = EVERY_WEEK) -> date:
    """Three business days on for `now`, else two weeks on; never on a weekend or holiday."""
    if timing != "now":
        return workdays.from_day(today + timedelta(days=DUE_DAYS))
    return workdays.after(today, DUE_BUSINESS_DAYS)


def check_holidays(holidays: tuple[str, ...]) -> tuple[str, ...]:
    """The holidays themselves; raises ValueError for what is neither a day nor a country with a calendar."""
    for each in holidays:
        if each[:1].isdigit():
            try:
                date.fromisoformat(each)
            except ValueError:
                raise ValueError(f"{each} is no day, such as 2026-12-25") from None
        else:
            _calendar(each)
    return holidays


def _calendar(code: str) -> dict[date, str]:
    """The public holidays of a country, or of a part of it, whatever the year."""
    import holidays

    found = _COUNTRY.fullmatch(code)
    if found is None:
        raise ValueError(f"{code} is neither a day (2026-12-25) nor a country (US, DE-BY)")
    try:
        calendar: dict[date, str] = holidays.country_holidays(found[1], subdiv=found[2])
    except NotImplementedError:
        raise ValueError(f"there is no calendar of holidays for {code}; name the days instead") from None
    return calendar
