"""When schedules are due, minute by minute against a clock that is looked at, in zones that change it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.slots import Timetable

MINUTE = timedelta(minutes=1)
# zone and a day on which its clock changes: by an hour, by half an hour, at midnight, by a whole day, never
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Australia/Lord_Howe", "2027-04-04"),
    ("America/Santiago", "2026-09-06"),
    ("America/Santiago", "2027-04-04"),
    ("America/Havana", "2026-11-01"),
    ("Pacific/Apia", "2011-12-30"),
    ("Asia/Kathmandu", "2026-11-01"),
    ("UTC", "2026-03-29"),
]


def table(
    zone: str, cron: str | None = None, *, every: int | None = None, quiet: tuple[str, ...] = ()
) -> Timetable:
    """A timetable."""
    return Timetable(cron=cron, every_seconds=every, zone=ZoneInfo(zone), quiet=quiet)


def utc(zone: str, wall: str, fold: int = 0) -> datetime:
    """The moment at which the clock of the zone shows that."""
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def walls(zone: str, after: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Every minute after the one moment up to the other, with what the zone's clock shows."""
    count = int((until - after) / MINUTE)
    moments = [after + n * MINUTE for n in range(1, count + 1)]
    return [(m, m.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for m in moments]


Fields = st.lists(st.integers(0, 59), min_size=1, max_size=3, unique=True)
Hours = st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True)


@given(
    change=st.sampled_from(CHANGES),
    minutes=st.one_of(st.none(), Fields),
    hours=Hours,
    start=st.integers(-2000, 2000),
)
def test_a_job_with_a_star_goes_by_the_clock_as_it_stands(
    change: tuple[str, str], minutes: list[int] | None, hours: list[int], start: int
) -> None:
    """Exactly the minutes of real time at which the clock shows one of the line's times."""
    zone, day = change
    after = utc(zone, day) + start * MINUTE
    until = after + timedelta(days=2)
    # without minutes: */20 of these hours; with them: these minutes of every hour
    cron = (
        f"*/20 {','.join(map(str, hours))} * * *"
        if minutes is None
        else f"{','.join(map(str, minutes))} * * * *"
    )
    shown = walls(zone, after, until)
    if minutes is None:
        expected = [m for m, wall in shown if wall.hour in hours and wall.minute % 20 == 0]
    else:
        expected = [m for m, wall in shown if wall.minute in minutes]
    assert list(table(zone, cron).between(after, until)) == expected


@given(change=st.sampled_from(CHANGES), minutes=Fields, hours=Hours, start=st.integers(-2000, 2000))
def test_a_job_at_fixed_hours_runs_once_for_each_of_its_times(
    change: tuple[str, str], minutes: list[int], hours: list[int], start: int
) -> None:
    """The first time the clock shows it; where the clock skips it, when the gap ends."""
    zone, day = change
    after = utc(zone, day) + start * MINUTE
    until = after + timedelta(days=2)
    cron = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    # the clock, looked at from before on, so that what was shown already is known
    expected: set[datetime] = set()
    highest: datetime | None = None
    for moment, wall in walls(zone, after - timedelta(days=3), until):
        # every wall time that is reached or passed over for the first time is due at this moment
        reached = [] if highest is None else list(_minutes_between(highest, wall))
        if any(each.hour in hours and each.minute in minutes for each in reached) and moment > after:
            expected.add(moment)
        highest = wall if highest is None else max(highest, wall)
    assert list(table(zone, cron).between(after, until)) == sorted(expected)


def _minutes_between(after: datetime, until: datetime) -> list[datetime]:
    return [after + n * MINUTE for n in range(1, int((until - after) / MINUTE) + 1)]


@given(
    change=st.sampled_from(CHANGES),
    cron=st.sampled_from(["*/15 * * * *", "30 2 * * *", "0 */6 * * *", "5 0,1,2,3 * * *", "0 9 * * 1-5"]),
    stops=st.lists(st.integers(1, 4000), min_size=1, max_size=12),
)
def test_looking_in_pieces_finds_what_looking_at_once_finds(
    change: tuple[str, str], cron: str, stops: list[int]
) -> None:
    """Wherever the pieces meet, in a gap or in an hour that comes twice: no slot twice, none missed."""
    zone, day = change
    start = utc(zone, day) - timedelta(days=1)
    found: list[datetime] = []
    at = start
    for stop in stops:
        found += table(zone, cron).between(at, at + stop * MINUTE)
        at += stop * MINUTE
    assert found == list(table(zone, cron).between(start, at))


def test_the_half_hour_of_lord_howe_loses_no_slot() -> None:
    """There the clock goes from 2:00 to 2:30; six o'clock is six o'clock all the same."""
    zone = "Australia/Lord_Howe"
    slots = islice(table(zone, "0 */6 * * *").after(utc(zone, "2026-10-03T23:00")), 3)
    assert [f"{slot.astimezone(ZoneInfo(zone)):%H:%M}" for slot in slots] == ["00:00", "06:00", "12:00"]


def test_asked_from_the_second_pass_of_an_hour_the_first_does_not_come_back() -> None:
    """A slot is never before the moment it is asked from."""
    zone = "Europe/Berlin"
    second_pass = utc(zone, "2026-10-25T02:10", fold=1)
    assert next(table(zone, "30 2 * * *").after(second_pass)) == utc(zone, "2026-10-26T02:30")


def test_intervals_do_not_care_for_clocks() -> None:
    """Every quarter of an hour is so from 1970 on, wherever one starts to look."""
    start = datetime(2026, 3, 29, 0, 7, 30, tzinfo=UTC)
    slots = list(islice(table("Europe/Berlin", every=900).after(start), 3))
    assert [f"{slot:%H:%M}" for slot in slots] == ["00:15", "00:30", "00:45"]
    assert next(table("UTC", every=900).after(slots[0])) == slots[1]


@pytest.mark.parametrize(
    ("quiet", "hours"), [("20:00-07:00", range(7, 20)), ("12:00-13:00", [*range(12), *range(13, 24)])]
)
def test_nothing_is_due_in_quiet_hours(quiet: str, hours: list[int]) -> None:
    """Also over midnight; the end of the quiet is not quiet any more."""
    zone = "America/New_York"
    start = utc(zone, "2026-06-01T00:00") - MINUTE
    slots = table(zone, "0 * * * *", quiet=(quiet,)).between(start, start + timedelta(days=1))
    assert [slot.astimezone(ZoneInfo(zone)).hour for slot in slots] == list(hours)


def test_a_schedule_that_is_always_quiet_is_never_due() -> None:
    """Looking for its next slot comes to an end."""
    assert (
        list(table("UTC", "0 22 * * *", quiet=("20:00-23:00",)).after(datetime(2026, 1, 1, tzinfo=UTC))) == []
    )


def test_the_29th_of_february_comes_every_four_years() -> None:
    """It is far away, and found."""
    slots = islice(table("UTC", "0 0 29 2 *").after(datetime(2026, 1, 1, tzinfo=UTC)), 2)
    assert [slot.year for slot in slots] == [2028, 2032]
