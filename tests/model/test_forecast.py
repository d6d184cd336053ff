"""Facts about expected ARR by period."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.forecast import Span, expected_by_span, span_of

SCORED = date(2026, 11, 2)
HORIZON = 90


def quarters(first: date, lengths: tuple[int, ...]) -> list[Span]:
    """Spans that follow one another."""
    found = []
    for position, days in enumerate(lengths):
        last = first + timedelta(days=days - 1)
        found.append(Span(label=f"Q{position}", first=first, last=last))
        first = last + timedelta(days=1)
    return found


@settings(deadline=None, derandomize=True)
@given(
    probability=st.floats(0, 1),
    arr=st.floats(0, 1e6),
    timing=st.sampled_from(["now", "d30", "d90", "hold", None]),
    begun=st.integers(0, 89),
    lengths=st.tuples(*[st.integers(28, 95)] * 4),
)
def test_what_is_expected_grows_up_to_one_expansion_and_is_never_negative(
    probability: float, arr: float, timing: str | None, begun: int, lengths: tuple[int, ...]
) -> None:
    """Whatever the quarters, their sum is at most the account's ARR; the run rate is part of it."""
    spans = quarters(SCORED - timedelta(days=begun), lengths)
    found = expected_by_span(
        spans,
        probability=probability,
        arr=arr,
        timing=timing,
        scored_on=SCORED,
        today=SCORED,
        horizon_days=HORIZON,
    )
    assert all(0 <= part.beyond <= part.arr + 1e-6 for part in found)
    assert sum(part.arr for part in found) <= arr * (1 + 1e-9)


@pytest.mark.parametrize("timing", ["now", "d30", "d90", "hold"])
def test_over_the_horizon_the_parts_sum_to_probability_times_arr(timing: str) -> None:
    """Inside the horizon nothing is lost and nothing is added, however it is cut into periods."""
    spans = quarters(SCORED + timedelta(days=1), (10, 20, 15, 45))
    found = expected_by_span(
        spans,
        probability=0.4,
        arr=10_000,
        timing=timing,
        scored_on=SCORED,
        today=SCORED,
        horizon_days=HORIZON,
    )
    assert sum(part.arr for part in found) == pytest.approx(4_000)
    assert [part.beyond for part in found] == pytest.approx([0, 0, 0, 0])


def test_an_account_to_talk_to_now_is_expected_in_the_first_third_of_the_horizon() -> None:
    """Timing moves the money to earlier periods, not its sum."""
    spans = quarters(SCORED + timedelta(days=1), (30, 30, 30))
    by_timing = {
        timing: [
            part.arr
            for part in expected_by_span(
                spans,
                probability=0.3,
                arr=1_000,
                timing=timing,
                scored_on=SCORED,
                today=SCORED,
                horizon_days=HORIZON,
            )
        ]
        for timing in ("now", "d30", "d90")
    }
    assert by_timing["now"] == pytest.approx([300, 0, 0])
    assert by_timing["d30"] == pytest.approx([150, 150, 0])
    assert by_timing["d90"] == pytest.approx([100, 100, 100])


def test_what_was_expected_before_today_is_past() -> None:
    """Days that went by since the scoring add nothing to any period."""
    spans = quarters(SCORED + timedelta(days=1), (90,))
    (found,) = expected_by_span(
        spans,
        probability=0.3,
        arr=1_000,
        timing="d90",
        scored_on=SCORED,
        today=SCORED + timedelta(days=30),
        horizon_days=HORIZON,
    )
    assert found.arr == pytest.approx(200)


def test_after_the_horizon_the_account_s_own_rate_goes_on_among_those_left() -> None:
    """A second horizon expects p of what did not expand in the first, and is all run rate."""
    first, second = quarters(SCORED + timedelta(days=1), (90, 90))
    found = expected_by_span(
        [first, second],
        probability=0.4,
        arr=1_000,
        timing="hold",
        scored_on=SCORED,
        today=SCORED,
        horizon_days=HORIZON,
    )
    assert found[1].arr == pytest.approx(0.6 * 0.4 * 1_000)
    assert found[1].beyond == pytest.approx(found[1].arr)


def test_an_overdue_deal_counts_in_the_first_period_and_a_far_one_in_none() -> None:
    """A close date in the past is late, not lost; one after the last period is not forecast."""
    spans = quarters(date(2026, 11, 1), (91, 90))
    assert span_of(date(2026, 3, 1), spans) == 0
    assert span_of(date(2026, 11, 1), spans) == 0
    assert span_of(date(2027, 1, 31), spans) == 1
    assert span_of(date(2028, 1, 1), spans) is None
