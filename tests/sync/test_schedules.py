"""Schedules and their slots: each is started once, by whoever comes first, whatever the clock does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from connectors.errors import UsageError
from sync.config import load
from sync.dispatch import KEPT, SlotFound, dispatch
from sync.schedules import given_schedule, put, remove, seed, start_now, state_of, states, switch
from sync.settings import Settings
from sync.slots import Timetable
from sync.store import Store
from sync.store.queue import OPEN
from sync.store.tables import RunRow, StepRow
from sync.store.work import ScheduleRow, SlotRow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GRACE = HOUR  # the default


def configured(schedules: str = "{}") -> Settings:
    """Settings with these schedules, as TOML writes them."""
    return load(None, {"UPSWELL_CRM__KIND": "salesforce", "UPSWELL_SCHEDULES": schedules})


def add(store: Store, now: datetime, *, cron: str = "0 * * * *", every: str = "", zone: str = "UTC") -> None:
    """A schedule named `it` that pulls."""
    given = given_schedule(cron="" if every else cron, every=every, timezone=zone, job="pull")
    put(store, "it", given, asked={}, home_zone="UTC", by="os:ann", now=now)


def look(store: Store, now: datetime, by: str = "d") -> list[tuple[datetime, str]]:
    """What one dispatcher finds, and what becomes of it."""
    return [(found.slot, found.status) for found in dispatch(store, configured(), now=now, by=by)]


def end_runs(store: Store) -> None:
    """All runs are done."""
    with store.begin() as session:
        session.execute(update(RunRow).where(RunRow.status.in_(OPEN)).values(status="done"))


def slots(store: Store) -> dict[datetime, tuple[str, str | None]]:
    """Every slot with its status and run."""
    with store.session() as session:
        return {row.slot: (row.status, row.run_id) for row in session.scalars(select(SlotRow))}


def clear(store: Store) -> None:
    """No schedule and no run."""
    with store.begin() as session:
        for table in (SlotRow, ScheduleRow, StepRow, RunRow):
            session.execute(delete(table))


def test_a_slot_that_is_due_queues_its_run(ledger: Store, noon: datetime) -> None:
    """With the schedule's options and steps, and with the schedule as who asked for it."""
    add(ledger, noon - MINUTE)
    assert look(ledger, noon - timedelta(seconds=1)) == []
    assert look(ledger, noon) == [(noon, "started")]
    run_id = slots(ledger)[noon][1]
    with ledger.session() as session:
        run = session.get_one(RunRow, run_id)
        steps = session.scalars(select(StepRow.name).where(StepRow.run_id == run_id))
        assert (run.verb, run.status, run.created_by) == ("pull", "queued", "schedule:it")
        assert list(steps) == ["pull", "exports"]
    assert look(ledger, noon) == []


def test_no_slot_from_before_a_schedule_was_made_or_resumed_is_due(ledger: Store, noon: datetime) -> None:
    """Whoever adds a schedule at noon did not ask for eleven o'clock."""
    add(ledger, noon)
    assert look(ledger, noon) == []
    switch(ledger, "it", enabled=False, by="os:ann", now=noon + MINUTE)
    assert look(ledger, noon + HOUR) == []
    switch(ledger, "it", enabled=True, by="os:ann", now=noon + HOUR + MINUTE)
    assert look(ledger, noon + HOUR + 2 * MINUTE) == []
    assert look(ledger, noon + 2 * HOUR) == [(noon + 2 * HOUR, "started")]


def test_a_slot_found_too_late_is_missed(ledger: Store, noon: datetime) -> None:
    """After a night without workers one run is enough, and the rest is told."""
    add(ledger, noon)
    found = look(ledger, noon + 3 * HOUR + 30 * MINUTE)
    assert found == [(noon + HOUR, "missed"), (noon + 2 * HOUR, "missed"), (noon + 3 * HOUR, "started")]
    assert look(ledger, noon + 3 * HOUR + 40 * MINUTE) == []


def test_of_several_slots_on_time_the_last_is_started(ledger: Store, noon: datetime) -> None:
    """The ones before it would do the same work."""
    add(ledger, noon, cron="*/20 * * * *")
    found = look(ledger, noon + 50 * MINUTE)
    assert found == [(noon + 20 * MINUTE, "skipped"), (noon + 40 * MINUTE, "started")]


def test_a_slot_whose_predecessor_still_runs_is_skipped_and_said(ledger: Store, noon: datetime) -> None:
    """Runs don't pile up; with the first one over, the next slot is started."""
    add(ledger, noon)
    look(ledger, noon + HOUR)
    run = slots(ledger)[noon + HOUR][1]
    (found,) = dispatch(ledger, configured(), now=noon + 2 * HOUR, by="d")
    assert isinstance(found, SlotFound)
    assert found.status == "skipped"
    assert str(run) in str(found)
    end_runs(ledger)
    assert look(ledger, noon + 3 * HOUR) == [(noon + 3 * HOUR, "started")]


def test_a_slot_called_missed_while_the_clock_was_ahead_is_started_in_its_time(
    ledger: Store, noon: datetime
) -> None:
    """And what was started while it was ahead is not started again."""
    add(ledger, noon)
    ahead = look(ledger, noon + 5 * HOUR)
    assert [status for _, status in ahead] == ["missed"] * 3 + ["skipped", "started"]
    end_runs(ledger)
    assert look(ledger, noon + 30 * MINUTE) == []
    assert look(ledger, noon + HOUR) == [(noon + HOUR, "started")]
    # the slot at three, called missed as well, is just as old as it may be, and a later one is due
    assert [look(ledger, noon + hours * HOUR) for hours in (4, 5)] == [[(noon + 3 * HOUR, "skipped")], []]


def test_after_a_month_away_missed_minutes_are_not_all_noted(ledger: Store, noon: datetime) -> None:
    """The last hundred tell enough, and what is remembered stays bounded."""
    add(ledger, noon, cron="* * * * *")
    assert len(look(ledger, noon + timedelta(days=30))) == 100
    for day in range(31, 60):
        look(ledger, noon + timedelta(days=day))
    assert len(slots(ledger)) <= KEPT


def test_the_settings_schedules_are_taken_in_changed_and_removed(ledger: Store, noon: datetime) -> None:
    """As long as nobody else has changed them; the zone is the company's unless it is named."""
    seed(
        ledger,
        configured('{ run = { cron = "0 6 * * *" }, fresh = { job = "pull", every = "15m" } }'),
        now=noon,
    )
    assert [(s.name, s.job, s.cron, s.every_seconds, s.timezone) for s in states(ledger, now=noon)] == [
        ("fresh", "pull", None, 900, "UTC"),
        ("run", "run", "0 6 * * *", None, "UTC"),
    ]
    assert look(ledger, noon + 15 * MINUTE) == [(noon + 15 * MINUTE, "started")]
    seed(ledger, configured('{ run = { cron = "0 7 * * *", timezone = "Asia/Kathmandu" } }'), now=noon)
    (left,) = states(ledger, now=noon)
    assert (left.name, left.cron, left.timezone) == ("run", "0 7 * * *", "Asia/Kathmandu")


def test_an_operators_edit_outlives_the_settings_until_it_is_removed(ledger: Store, noon: datetime) -> None:
    """Paused by a person stays paused over every restart; removed, the settings' own stands again."""
    stands = configured('{ run = { cron = "0 6 * * *" } }')
    seed(ledger, stands, now=noon)
    switch(ledger, "run", enabled=False, by="os:ann", now=noon)
    seed(ledger, stands, now=noon)
    seed(ledger, configured(), now=noon)
    held = state_of(ledger, "run", now=noon)
    assert (held.enabled, held.source) == (False, "os:ann")
    assert remove(ledger, "run", stands, now=noon) is False
    held = state_of(ledger, "run", now=noon)
    assert (held.enabled, held.source, held.next_slot) == (True, "settings", noon + 18 * HOUR)
    with pytest.raises(UsageError, match="schedule pause run"):
        remove(ledger, "run", stands, now=noon)


def test_an_added_schedule_goes_with_its_slots_and_its_runs_stay(ledger: Store, noon: datetime) -> None:
    """What was done stays in the ledger."""
    add(ledger, noon)
    look(ledger, noon + HOUR)
    assert remove(ledger, "it", configured(), now=noon) is True
    assert (states(ledger, now=noon), slots(ledger)) == ([], {})
    with ledger.session() as session:
        assert len(list(session.scalars(select(RunRow)))) == 1


def test_a_schedule_can_be_started_now_without_using_up_a_slot(ledger: Store, noon: datetime) -> None:
    """For whoever does not want to wait."""
    add(ledger, noon)
    run_id = start_now(ledger, "it", configured(), by="os:ann", now=noon)
    with ledger.session() as session:
        assert session.get_one(RunRow, run_id).created_by == "os:ann"
    assert look(ledger, noon + HOUR) == [(noon + HOUR, "started")]


@pytest.mark.parametrize(
    ("attempt", "told"),
    [
        (
            lambda: given_schedule(cron="0 6 * * *", every="6h", timezone="", job="run"),
            "either cron or every",
        ),
        (lambda: given_schedule(cron="61 * * * *", every="", timezone="", job="run"), "minute"),
        (lambda: given_schedule(cron="", every="often", timezone="", job="run"), "15m"),
        (lambda: given_schedule(cron="0 6 * * *", every="", timezone="Mars/Base", job="run"), "IANA"),
    ],
)
def test_a_schedule_that_can_not_be_is_refused(attempt: Callable[[], object], told: str) -> None:
    """With what is wrong about it."""
    with pytest.raises(UsageError, match=told):
        attempt()


def test_a_job_that_is_no_verb_and_a_schedule_that_is_not_there_are_told(
    ledger: Store, noon: datetime
) -> None:
    """With the nearest name."""
    given = given_schedule(cron="0 6 * * *", every="", timezone="", job="trian")
    with pytest.raises(UsageError, match="Did you mean train"):
        put(ledger, "it", given, asked={}, home_zone="UTC", by="os:ann", now=noon)
    add(ledger, noon)
    with pytest.raises(UsageError, match="Did you mean it"):
        switch(ledger, "its", enabled=False, by="os:ann", now=noon)


# zone and the moment (UTC) at which its clock changes: forward and back, by an hour and by half of one
CLOCK_CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
]
LINES = ["*/30 * * * *", "0 */2 * * *", "30 2 * * *", "0,30 1,2,3 * * *", "15 0 * * *"]


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    change=st.sampled_from(CLOCK_CHANGES),
    line=st.sampled_from(LINES),
    steps=st.lists(st.integers(1, 29), min_size=12, max_size=24),
    skews=st.tuples(*[st.integers(-10, 10)] * 3),
)
def test_three_dispatchers_racing_over_a_clock_change_start_each_slot_once(
    ledger: Store,
    ledger_url: str,
    change: tuple[str, datetime],
    line: str,
    steps: list[int],
    skews: tuple[int, ...],
) -> None:
    """No slot twice, none missed, though their clocks differ by minutes."""
    zone, moment = change
    clear(ledger)
    begun = moment - 2 * HOUR
    add(ledger, begun, cron=line, zone=zone)
    at = begun
    with Store.open(ledger_url) as second, Store.open(ledger_url) as third:
        stores = (ledger, second, third)
        for step in steps:
            at += step * MINUTE
            start = threading.Barrier(3)

            def race(number: int, now: datetime, start: threading.Barrier = start) -> None:
                start.wait()
                look(stores[number], now, by=f"dispatcher {number}")

            racers = [
                threading.Thread(target=race, args=(number, at + skew * MINUTE))
                for number, skew in enumerate(skews)
            ]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()
            end_runs(ledger)
    table = Timetable(cron=line, every_seconds=None, zone=ZoneInfo(zone))
    due = list(table.between(begun, at + max(skews) * MINUTE))
    found = slots(ledger)
    assert sorted(found) == due
    runs = [run for _, run in found.values() if run is not None]
    assert len(runs) == len(set(runs))
    with ledger.session() as session:
        assert sorted(runs) == sorted(session.scalars(select(RunRow.id)))
    # a step may pass over two slots at once, of which the later is started; a single one always is
    assert all(status in ("started", "skipped") for status, _ in found.values())
    assert all(found[slot][0] == "started" for slot in due if (slot + 30 * MINUTE) not in due)


@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(moves=[21, 100, -1])  # back to where the slot at one is just as old as it may be
@given(moves=st.lists(st.integers(-90, 100), min_size=3, max_size=25))
def test_a_clock_that_jumps_to_and_fro_starts_no_slot_twice(
    ledger: Store, noon: datetime, moves: list[int]
) -> None:
    """Each slot that was on time at some look has been settled for good, whatever the clock did since."""
    clear(ledger)
    add(ledger, noon, cron="*/30 * * * *")
    table = Timetable(cron="*/30 * * * *", every_seconds=None, zone=ZoneInfo("UTC"))
    at, settled = noon, set[datetime]()
    for move in moves:
        at += move * MINUTE
        began = [slot for slot, status in look(ledger, at) if status == "started"]
        assert len(began) <= 1
        assert settled.isdisjoint(began)
        settled |= set(table.between(max(noon, at - GRACE - MINUTE), at))
        end_runs(ledger)
    found = slots(ledger)
    assert all(found[slot][0] in ("started", "skipped") for slot in settled)
    runs = [run for _, run in found.values() if run is not None]
    assert len(runs) == len(set(runs))
