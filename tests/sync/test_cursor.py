"""Windows overlap, never leave a gap, and never reach into the running minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.crm import Window
from sync.cursor import FORGETS_DELETED, OVERLAP, SETTLE, next_window

MINUTES = st.integers(min_value=0, max_value=40 * 24 * 60)


def test_the_first_window_has_no_beginning(noon: datetime) -> None:
    """Everything up to a minute ago."""
    assert next_window(None, noon) == Window(since=None, until=noon - SETTLE)


def test_a_later_window_starts_ten_minutes_before_the_bookmark(noon: datetime) -> None:
    """A row that was committed late lies below the bookmark."""
    read_until = noon - timedelta(hours=1)
    assert next_window(read_until, noon) == Window(since=read_until - OVERLAP, until=noon - SETTLE)
    assert next_window(read_until, noon, full=True) == Window(since=None, until=noon - SETTLE)


def test_after_a_long_gap_everything_is_read(noon: datetime) -> None:
    """The recycle bin has forgotten which rows were deleted."""
    window = next_window(noon - SETTLE - FORGETS_DELETED - timedelta(seconds=1), noon)
    assert window is not None
    assert window.since is None


def test_a_clock_that_went_back_reads_nothing(noon: datetime) -> None:
    """There is no window whose end lies before its beginning."""
    assert next_window(noon + timedelta(hours=1), noon) is None


@given(st.lists(MINUTES, min_size=1, max_size=12))
@settings(derandomize=True, deadline=None)
def test_every_moment_before_the_last_bookmark_is_in_some_window(minutes: list[int]) -> None:
    """Whatever the times of the pulls, nothing falls between two windows."""
    start = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    read_until: datetime | None = None
    windows: list[Window] = []
    for minute in minutes:
        window = next_window(read_until, start + timedelta(minutes=minute))
        if window is not None:
            windows.append(window)
            read_until = window.until if read_until is None else max(read_until, window.until)
    assert windows[0].since is None
    reached = windows[0].until
    for window in windows[1:]:
        assert window.since is None or window.since <= reached
        assert window.since is None or window.since < window.until
        reached = max(reached, window.until)
