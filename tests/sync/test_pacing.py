"""Turns that several processes share through the ledger."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from connectors.errors import LedgerError
from connectors.pace import Rate
from connectors.sandbox.server import Sandbox
from infra.bench.bench_pace import BURST_SECONDS, SECOND, run_workers
from infra.bench.bench_pace import most_within as most_in
from sync.pacing import SharedPace
from sync.store import Store

ORG = "hubspot api.example"
STRICT = Rate(name="searches", calls=3, seconds=1.0, strict=True)
LOOSE = Rate(name="burst", calls=4, seconds=10.0)


class World:
    """Processes that call one CRM: time passes when one of them waits, and calls under way end meanwhile."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = 1_800_000_000.0
        self.arrived: list[float] = []
        self._numbers = iter(range(10_000))
        self._under_way: list[tuple[float, int, AbstractContextManager[None]]] = []

    def process(self, org: str = ORG, **options: Any) -> SharedPace:
        """One more process."""
        options = {"longest_call": 65.0, "clock": lambda: self.now, "sleep": self.pass_time, **options}
        return SharedPace(self.store, org, **options)

    def call(self, process: SharedPace, *rates: Rate, seconds: float = 0.0, arrives: float = 1.0) -> float:
        """A call leaves, arrives after that part of its seconds, and goes on; when it left."""
        turn = process.turn(*rates)
        turn.__enter__()
        left = self.now
        self.arrived.append(left + arrives * seconds)
        heapq.heappush(self._under_way, (left + seconds, next(self._numbers), turn))
        self.pass_time(0.0)
        return left

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and end the calls whose time has come."""
        until = self.now + seconds
        while self._under_way and self._under_way[0][0] <= until:
            self.now, _, turn = heapq.heappop(self._under_way)
            turn.__exit__(None, None, None)
        self.now = until


@pytest.fixture
def world(ledger: Store) -> Iterator[World]:
    """Its calls end before the ledger is closed."""
    made = World(ledger)
    yield made
    made.pass_time(100)


def most_within(moments: list[float], seconds: float) -> int:
    """The most moments in any window of so many seconds."""
    return max(sum(start <= other < start + seconds for other in moments) for start in moments)


CALLS = st.lists(
    st.tuples(st.integers(0, 3), st.floats(0, 2), st.floats(0, 2), st.floats(0, 1)), min_size=5, max_size=25
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(calls=CALLS)
def test_no_window_holds_more_calls_than_allowed_whoever_makes_them(
    ledger: Store, calls: list[tuple[int, float, float, float]]
) -> None:
    """However long calls take, and whenever within that time the CRM counts them."""
    world = World(ledger)
    org = f"{ORG} {world.now + len(calls)} {hash(tuple(calls))}"
    processes = [world.process(org) for _ in range(4)]
    for process, gap, seconds, arrives in calls:
        world.pass_time(gap)
        world.call(processes[process], STRICT, seconds=seconds, arrives=arrives)
    world.pass_time(100)
    assert most_within(world.arrived, STRICT.seconds) <= STRICT.calls


def test_all_calls_that_are_allowed_leave_at_once(world: World) -> None:
    """A rate that nobody uses holds nobody back."""
    processes = [world.process() for _ in range(4)]
    assert {world.call(each, LOOSE) for each in processes} == {world.now}
    assert sum(each.waited for each in processes) == 0


def test_the_next_call_leaves_when_the_first_falls_out_of_the_window(world: World) -> None:
    """And not much later, or the CRM's calls would be left unused."""
    processes = [world.process() for _ in range(5)]
    first = min(world.call(each, LOOSE) for each in processes[:4])
    later = world.call(processes[4], LOOSE)
    assert LOOSE.seconds <= later - first <= LOOSE.seconds + LOOSE.margin + 0.3
    assert processes[4].waited == pytest.approx(later - first)


ONE = Rate(name="one", calls=1, seconds=0.0, strict=True)


@pytest.mark.parametrize(
    ("rate", "seconds"), [(ONE, 65.0), (Rate(name="search", calls=1, seconds=1.0, strict=True), 11.0)]
)
def test_a_turn_of_a_process_that_died_is_free_in_the_end(world: World, rate: Rate, seconds: float) -> None:
    """After the longest call; where the CRM counts calls by the second, when it must have counted it."""
    with world.process().turn(rate):
        died = world.now
        assert seconds <= world.call(world.process(), rate) - died <= seconds + 0.5


def test_a_number_that_the_crm_tells_one_process_holds_for_all(world: World) -> None:
    """More or less than what was thought before."""
    told, other = world.process(), world.process()
    told.allow(LOOSE, 2)
    began = world.now
    assert [world.call(other, LOOSE) - began < 1 for _ in range(3)] == [True, True, False]
    told.allow(LOOSE, 5)
    now = world.now
    assert [world.call(other, LOOSE) - now < 1 for _ in range(4)] == [True, True, True, True]


def test_a_clock_that_was_set_back_holds_no_turn_for_the_time_that_was(world: World) -> None:
    """Only for as long as a turn can last at all."""
    process = world.process()
    for _ in range(4):
        world.call(process, LOOSE)
    world.now -= 3600
    assert world.call(world.process(), LOOSE) - world.now < 1


def test_calls_to_another_crm_have_turns_of_their_own(world: World) -> None:
    """A ledger may know several."""
    one, other = world.process("hubspot one"), world.process("hubspot other")
    for _ in range(4):
        world.call(one, LOOSE)
    began = world.now
    assert world.call(other, LOOSE) == began


def test_a_reply_is_not_lost_when_the_ledger_is_away_at_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the call is told with the next one."""
    process = world.process()

    @contextmanager
    def away() -> Iterator[Connection]:
        raise LedgerError("the ledger's database is away.")
        yield

    counting = world.store.counting
    with process.turn(STRICT):
        monkeypatch.setattr(world.store, "counting", away)
    monkeypatch.setattr(world.store, "counting", counting)
    for _ in range(2):
        world.call(process, STRICT)
    assert world.call(process, STRICT) - 1_800_000_000.0 < 1.5


def test_an_end_that_is_told_late_leaves_the_turn_to_who_has_it_by_now(world: World) -> None:
    """It was given away after the longest call."""
    slow = world.process()
    with slow.turn(ONE):
        world.pass_time(70)
        world.call(world.process(), ONE, seconds=30)
        began = world.now
    assert world.call(world.process(), ONE) - began >= 30


def test_by_its_own_clock_the_ledger_paces_too(ledger: Store) -> None:
    """PostgreSQL's on PostgreSQL, the machine's on SQLite."""
    process = SharedPace(ledger, ORG, longest_call=65.0)
    short = Rate(name="short", calls=2, seconds=0.05, strict=True)
    for _ in range(5):
        with process.turn(short):
            pass
    assert process.waited > 0


def test_four_workers_at_once_stay_within_the_limits_of_a_hubspot_account(
    database: str, ledger_url: str, tmp_path: Path
) -> None:
    """By the account's own audit: no ten seconds above the burst limit, no second above five searches."""
    burst = 24 if database == "postgresql" else 190  # ten seconds are waited for once
    with Sandbox(tmp_path / "account", "hubspot", burst=burst, searches=5) as sandbox:
        load = {"searches": 4, "others": 4, "seconds": 60}
        seen = run_workers(sandbox, ledger_url, load, load, load, load)
    assert (len(seen.calls), len(seen.searches), seen.refused) == (32, 16, 0)
    assert most_in(seen.calls, BURST_SECONDS) <= burst
    assert most_in(seen.searches, SECOND) <= 5
