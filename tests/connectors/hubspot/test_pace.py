"""Calls spread over time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hubspot.pace import Pace


class Machine:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    calls=st.integers(1, 7),
    gaps=st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=60),
)
def test_no_window_holds_more_calls_than_allowed(calls: int, gaps: list[float]) -> None:
    """Whatever the gaps between callers, every second has at most so many calls."""
    machine = Machine()
    pace = Pace(calls=calls, seconds=1.0, clock=machine.clock, sleep=machine.sleep)
    starts = []
    for gap in gaps:
        machine.now += gap
        pace.wait()
        starts.append(machine.now)
    assert all(sum(start <= other < start + 1.0 for other in starts) <= calls for start in starts)


def test_nobody_waits_below_the_limit() -> None:
    """The allowed number of calls leaves at once, and the next one waits its turn."""
    machine = Machine()
    pace = Pace(calls=5, seconds=1.0, clock=machine.clock, sleep=machine.sleep)
    for _ in range(5):
        pace.wait()
    assert pace.waited == 0
    pace.wait()
    assert 1.0 <= pace.waited < 1.2


def test_a_lower_limit_takes_effect() -> None:
    """After the account told a smaller limit, it holds."""
    machine = Machine()
    pace = Pace(calls=5, seconds=1.0, clock=machine.clock, sleep=machine.sleep)
    pace.allow(1)
    pace.wait()
    pace.wait()
    assert machine.now >= 101.0
