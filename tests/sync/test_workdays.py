"""Tasks are due on days on which people work, and no sooner than they can do them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.workdays import Workdays, check_holidays, due_on

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@st.composite
def weeks_with_holidays(draw: st.DrawFn) -> tuple[date, set[date]]:
    """A day, and some holidays in the month after it."""
    today = draw(DAYS)
    return today, {today + timedelta(days=n) for n in draw(st.sets(st.integers(0, 40), max_size=15))}


@settings(derandomize=True, deadline=None)
@given(weeks_with_holidays())
def test_now_means_the_third_workday_from_today(case: tuple[date, set[date]]) -> None:
    """Weekends and holidays do not count, and the day itself is one on which people work."""
    today, off = case
    due = due_on("now", today, Workdays.of([each.isoformat() for each in off]))
    between = [today + timedelta(days=n) for n in range(1, (due - today).days + 1)]
    working = [day for day in between if day.weekday() < 5 and day not in off]
    assert len(working) == 3
    assert working[-1] == due


@settings(derandomize=True, deadline=None)
@given(weeks_with_holidays(), st.sampled_from(["d30", "d90"]))
def test_later_means_the_first_workday_from_two_weeks_on(case: tuple[date, set[date]], timing: str) -> None:
    """Nothing that people work on lies between."""
    today, off = case
    due = due_on(timing, today, Workdays.of([each.isoformat() for each in off]))
    aim = today + timedelta(days=14)
    assert due >= aim
    assert due.weekday() < 5
    assert due not in off
    skipped = [aim + timedelta(days=n) for n in range((due - aim).days)]
    assert all(day.weekday() >= 5 or day in off for day in skipped)


@settings(derandomize=True, deadline=None)
@given(DAYS)
def test_a_country_gives_its_public_holidays_whatever_the_year(day: date) -> None:
    """Christmas everywhere; Epiphany in Bavaria and not in Berlin."""
    everywhere, bavaria, berlin = (Workdays.of([code]) for code in ("US", "DE-BY", "DE-BE"))
    christmas, epiphany = date(day.year, 12, 25), date(day.year, 1, 6)
    assert not any(each.is_workday(christmas) for each in (everywhere, bavaria, berlin))
    assert not bavaria.is_workday(epiphany)
    assert berlin.is_workday(epiphany) is (epiphany.weekday() < 5)


@pytest.mark.parametrize("wrong", ["2026-02-30", "25.12.2026", "USA", "us", "XX", "DE-ZZ", "Germany"])
def test_what_is_neither_a_day_nor_a_country_is_refused(wrong: str) -> None:
    """With the word itself."""
    with pytest.raises(ValueError, match=wrong.replace(".", r"\.")):
        check_holidays((wrong,))


def test_a_calendar_that_never_lets_anybody_work_ends_somewhere() -> None:
    """Instead of never."""
    assert due_on("now", date(2026, 1, 1), Workdays(is_holiday=lambda _: True)) > date(2026, 1, 1)
