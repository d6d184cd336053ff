"""Calls spread over time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.pace import LocalPace, Rate


class Machine:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def paced(machine: Machine) -> LocalPace:
    return LocalPace(clock=machine.clock, sleep=machine.sleep)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    calls=st.integers(1, 7),
    steps=st.lists(
        st.tuples(st.floats(0, 3, allow_nan=False), st.floats(0, 2, allow_nan=False)), min_size=1, max_size=60
    ),
)
def test_no_window_holds_more_calls_than_allowed(calls: int, steps: list[tuple[float, float]]) -> None:
    """Whatever the gaps between callers, and however long a call takes to arrive."""
    machine = Machine()
    pace = paced(machine)
    arrivals = []
    for gap, on_its_way in steps:
        machine.now += gap
        with pace.turn(Rate(name="r", calls=calls, seconds=1.0, strict=True)):
            machine.now += on_its_way
            arrivals.append(machine.now)
    assert all(sum(start <= other < start + 1.0 for other in arrivals) <= calls for start in arrivals)


def test_nobody_waits_below_the_limit() -> None:
    """The allowed number of calls leaves at once, and the next one waits its turn."""
    machine = Machine()
    pace = paced(machine)
    for _ in range(5):
        with pace.turn(FIVE):
            pass
    assert pace.waited == 0
    with pace.turn(FIVE):
        assert machine.now == 101.0
    assert pace.waited == 1.0


FIVE = Rate(name="five", calls=5, seconds=1.0)


def test_a_lower_limit_takes_effect() -> None:
    """After the account told a smaller limit, it holds."""
    machine = Machine()
    pace = paced(machine)
    pace.allow(FIVE, 1)
    for _ in range(2):
        with pace.turn(FIVE):
            pass
    assert machine.now >= 101.0


def test_a_call_of_two_rates_waits_for_the_slower_one() -> None:
    """A search counts as a call too, and both turns are held from when it leaves."""
    machine = Machine()
    pace = paced(machine)
    slow = Rate(name="slow", calls=1, seconds=10.0)
    with pace.turn(FIVE, slow):
        pass
    with pace.turn(FIVE, slow):
        assert machine.now == 110.0
