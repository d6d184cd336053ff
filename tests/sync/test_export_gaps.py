"""Days that are missing from an export are found by its own rhythm."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.export_gaps import Gap, gaps
from sync.export_status import gap_words

MONDAY = date(2026, 8, 3)


def days(*offsets: int) -> list[date]:
    """Days after a Monday."""
    return [MONDAY + timedelta(days=offset) for offset in offsets]


def test_a_day_without_rows_is_a_gap_and_days_together_are_one() -> None:
    """Between the first and the last day; what comes after is no gap but age."""
    held = [day for day in days(*range(60)) if day not in days(10, 20, 21, 22)]
    assert gaps(held) == (Gap(*days(10, 10)), Gap(*days(20, 22)))
    assert gap_words(gaps(held)) == "2026-08-23 to 2026-08-25, 2026-08-13"


def test_quiet_weekends_are_no_gap_and_a_missing_friday_is() -> None:
    """A Saturday with rows now and then changes nothing."""
    worked = [offset for offset in range(70) if offset % 7 < 5]
    assert gaps(days(*worked)) == ()
    assert gaps(days(5, *worked)) == ()
    assert gaps(days(*(offset for offset in worked if offset != 32))) == (Gap(*days(32, 32)),)


@pytest.mark.parametrize("pace", [7, 14])
def test_figures_that_come_by_the_week_miss_a_week(pace: int) -> None:
    """The days between two are none of its days."""
    held = [pace * number for number in range(12)]
    assert gaps(days(*held)) == ()
    held.remove(5 * pace)
    assert gaps(days(*held)) == (Gap(*days(4 * pace + 1, 6 * pace - 1)),)


def test_a_missing_month_is_found_though_months_differ_in_length() -> None:
    """From the day after the one before to the day before the one after."""
    held = [date(2025 + month // 12, month % 12 + 1, 1) for month in range(20)]
    assert gaps(held) == ()
    held.remove(date(2025, 7, 1))
    assert gaps(held) == (Gap(date(2025, 6, 2), date(2025, 7, 31)),)


@given(st.sets(st.integers(0, 400), max_size=200))
def test_a_gap_holds_no_day_that_has_rows_and_lies_between_such_days(offsets: set[int]) -> None:
    """Whatever the rhythm; gaps come in order and don't touch."""
    held = days(*offsets)
    found = gaps(held)
    for gap in found:
        assert min(held) < gap.first <= gap.last < max(held)
        assert not any(gap.first <= day <= gap.last for day in held)
    assert list(found) == sorted(found)
