"""The API calls of all processes, counted in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from connectors.budget import Shares
from connectors.errors import QuotaError
from sync.budget import LARGEST_BLOCK, SharedBudget
from sync.store import Store
from sync.store.calls import CallCountRow

ORG = "salesforce acme.example"


class World:
    """Processes that share a budget, and the clock of their machine."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def process(self, org: str = ORG, *, works_for: str = "", **shares: float) -> SharedBudget:
        """One more process, which works for this run."""
        return SharedBudget(
            self.store, org, shares=Shares(**shares), run_of=lambda: works_for, clock=lambda: self.now
        )

    def counted(self, org: str = ORG) -> int:
        """Calls that the ledger counts."""
        with self.store.session() as session:
            return session.scalar(select(func.sum(CallCountRow.calls)).where(CallCountRow.org == org)) or 0


@pytest.fixture
def world(ledger: Store) -> World:
    return World(ledger)


def spend(budget: SharedBudget, calls: int) -> int:
    """Make calls until the budget refuses; how many were made."""
    for made in range(calls):
        try:
            budget.spend()
        except QuotaError:
            return made
    return calls


def test_nothing_is_refused_before_the_limit_is_known(world: World) -> None:
    """The first reply tells it."""
    assert spend(world.process(), 300) == 300


def test_the_share_is_that_of_all_processes_together(world: World) -> None:
    """To the last call, however they take turns."""
    one, other = world.process(), world.process()
    one.observe(used=0, limit=500)
    made = spend(one, 3) + spend(other, 40) + spend(one, 20) + spend(other, 10)
    other.close()
    assert made + spend(one, 100) == 100
    with pytest.raises(QuotaError, match="Upswell has made 100 of its 100 API calls in 24 hours"):
        one.spend()


def test_calls_fall_out_after_a_day_and_the_error_says_when(world: World) -> None:
    """The day is a rolling one."""
    process = world.process()
    process.observe(used=0, limit=500)
    assert spend(process, 200) == 100
    with pytest.raises(QuotaError) as caught:
        process.spend()
    assert caught.value.retry_after is not None
    world.now += timedelta(seconds=caught.value.retry_after - 1)
    assert spend(process, 1) == 0
    world.now += timedelta(seconds=1)
    assert spend(world.process(), 1) == 1


def test_what_is_left_of_a_block_is_given_back(world: World) -> None:
    """When a process ends, and when a block is old."""
    process = world.process()
    spend(process, 10)
    assert world.counted() == 15
    world.now += timedelta(minutes=2)
    spend(process, 1)
    assert world.counted() == 11
    process.close()
    assert world.counted() == 11
    assert process.spent() == 11


def test_a_process_that_dies_leaves_less_booked_than_it_has_called(world: World) -> None:
    """Whenever it dies, blocks being as large as what was used up before."""
    for calls in (1, 2, 3, 4, 7, 8, 31, 64, 69):
        org = f"salesforce number{calls}.example"
        spend(world.process(org=org), calls)
        assert calls <= world.counted(org) < 2 * calls


def test_a_call_costs_a_write_to_the_ledger_once_in_many_times(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks grow with use."""
    written = 0
    counting = world.store.counting

    @contextmanager
    def seen() -> Iterator[Connection]:
        nonlocal written
        written += 1
        with counting() as connection:
            yield connection

    monkeypatch.setattr(world.store, "counting", seen)
    spend(world.process(), 1000)
    assert written <= 1000 / LARGEST_BLOCK + 6


def test_one_run_has_its_part_of_our_share(world: World) -> None:
    """The rest is there for the other runs of the day."""
    greedy, modest = world.process(works_for="1", run=0.5), world.process(works_for="2", run=0.5)
    greedy.observe(used=0, limit=1000)
    assert spend(greedy, 500) == 100
    with pytest.raises(QuotaError, match=r"This run has made 100 of the 100 .* run_share"):
        greedy.spend()
    assert spend(modest, 500) == 100


def test_another_run_of_the_same_process_is_counted_by_itself(world: World) -> None:
    """A worker takes up one run after another."""
    runs = iter(["a", "a", "b", "b", "b"])
    process = SharedBudget(
        world.store, ORG, shares=Shares(), run_of=lambda: next(runs), clock=lambda: world.now
    )
    spend(process, 5)
    process.close()
    with world.store.session() as session:
        rows = session.execute(select(CallCountRow.run_id, CallCountRow.calls)).all()
    assert {run: calls for run, calls in rows} == {"a": 2, "b": 3}  # noqa: C416  # rows are no pairs to dict()


def test_above_the_ceiling_everything_is_left_to_others(world: World) -> None:
    """As soon as a reply tells, also for processes that heard nothing of it."""
    process = world.process()
    process.observe(used=100, limit=1000)
    assert spend(process, 20) == 20
    process.observe(used=800, limit=1000)
    with pytest.raises(QuotaError, match="leaves everything above 800"):
        process.spend()
    process.close()
    assert spend(world.process(), 5) == 0


def test_what_the_crm_said_long_ago_is_asked_anew_by_one_call(world: World) -> None:
    """Or nobody would ever hear that the org's use fell."""
    process = world.process()
    process.observe(used=900, limit=1000)
    assert spend(process, 5) == 0
    world.now += timedelta(minutes=11)
    assert spend(process, 1) == 1
    process.observe(used=10, limit=1000)
    assert spend(process, 50) == 50


def test_more_calls_than_a_block_are_booked_at_once(world: World) -> None:
    """Whoever knows what is coming may ask for it all."""
    process = world.process()
    process.spend(100)
    assert world.counted() == 100
    process.observe(used=100, limit=1000)
    process.spend(99)
    with pytest.raises(QuotaError):
        process.spend(2)


STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 40), st.sampled_from(["goes on", "ends", "dies"])),
    min_size=1,
    max_size=25,
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, limit=st.integers(5, 1000))
def test_the_share_holds_whoever_calls_ends_or_dies(
    ledger: Store, steps: list[tuple[int, int, Any]], limit: int
) -> None:
    """And all that was made is counted."""
    world = World(ledger)
    org = f"{ORG} {limit} {hash(tuple(steps))}"
    processes = [world.process(org=org) for _ in range(4)]
    processes[0].observe(used=0, limit=limit)
    made = spend(processes[0], 1)
    for number, calls, then in steps:
        made += spend(processes[number], calls)
        if then == "ends":
            processes[number].close()
        if then != "goes on":
            processes[number] = world.process(org=org)
    assert made <= world.counted(org) <= int(limit * 0.2)
