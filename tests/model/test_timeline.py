"""Facts about exact rolling activity."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.engine import Engine
from model.partials import partials_of
from model.rolling import Grid, rolling_totals, rolling_users
from model.timeline import Timeline, code_days, first_known, in_windows, read_timeline
from model.workspace import Workspace

WINDOWS = (1, 7, 30)
BACKEND = Engine().connect()
EVENTS = st.lists(
    st.tuples(
        st.sampled_from("ab"),  # account
        st.sampled_from("xyz"),  # user
        st.integers(0, 60),  # day
        st.sampled_from([0, 0, 0, 1, 5, 40]),  # days until it was known
    ),
    min_size=1,
    max_size=25,
)
DAYS = st.lists(st.integers(0, 110), min_size=1, max_size=6)


def _timeline(events: Sequence[tuple[str, str, int, int]], days: Sequence[int], space: Workspace) -> Timeline:
    columns = {
        "account_id": [e[0] for e in events],
        "user_id": [e[1] for e in events],
        "event": ["use"] * len(events),
        "feature": ["f"] * len(events),
        "session_id": [str(i) for i in range(len(events))],
        "at": [e[2] for e in events],
        "known_from": [e[2] + e[3] for e in events],
    }
    partials = partials_of(space.keep(ibis.memtable(pa.table(columns))), ("account_id",))
    return read_timeline(code_days(partials, space), days, space)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(events=EVENTS, days=DAYS)
def test_rolling_users_equal_a_brute_force_count(
    events: list[tuple[str, str, int, int]], days: list[int]
) -> None:
    """The coverage rule gives count(distinct user) for every window and day, late rows included."""
    with Workspace(BACKEND) as space:
        timeline = _timeline(events, days, space)
        grids = rolling_users(timeline.active_day, dict.fromkeys(WINDOWS, days))
        codes = BACKEND.to_pyarrow(timeline.accounts).to_pylist()
    # a day's events count from the first moment that one of them was known
    known: dict[tuple[str, str, int], int] = {}
    for account, user, day, lag in events:
        known[account, user, day] = min(day + lag, known.get((account, user, day), 10**9))
    assert {e[0] for e in events} == {code["account_id"] for code in codes}
    for code, width, day in itertools.product(codes, WINDOWS, days):
        active = {
            user
            for (account, user, d), known_on in known.items()
            if account == code["account_id"] and day - width < d <= day and known_on <= day
        }
        assert grids[width].at(np.array([code["account"]]), np.array([day])) == len(active)


def test_any_number_of_accounts_and_users_is_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes and days that no longer fit one number together are told apart, wherever a batch ends."""
    monkeypatch.setattr("model.rolling.BATCH", 3)
    lines = [(a, u, d, d + late) for a in (0, 99_999) for u in (7, 2**31 - 1) for d, late in ((3, 0), (9, 2))]
    columns = zip(("account", "user", "at", "known"), zip(*lines, strict=True), strict=True)
    engine = Engine().connect()
    engine.con.register(
        "far_apart", pa.table({name: pa.array(values, pa.int32()) for name, values in columns})
    )
    days = [2, 3, 10, 11, 13, 19, 4000]
    grid = rolling_users(engine.table("far_apart"), {10: days})[10]
    engine.disconnect()
    accounts = np.array([0, 5, 99_999])[:, None]
    assert grid.at(accounts, np.array(days)).tolist() == [
        [0, 2, 2, 2, 2, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 2, 2, 2, 2, 0, 0],
    ]


@settings(max_examples=3, deadline=None, derandomize=True)
@given(events=EVENTS, days=DAYS)
def test_rolling_totals_equal_a_brute_force_sum(
    events: list[tuple[str, str, int, int]], days: list[int]
) -> None:
    """Event totals of a window are the sum over its days of what was known by then, late events too."""
    with Workspace(BACKEND) as space:
        timeline = _timeline(events, days, space)
        grid = rolling_totals(timeline.user_day, "events", {30: days})[30]
        codes = BACKEND.to_pyarrow(timeline.accounts).to_pylist()
    for code, day in itertools.product(codes, days):
        own = [e for e in events if e[0] == code["account_id"] and e[2] + e[3] <= day]
        inside = [e for e in own if day - 30 < e[2] <= day]
        assert grid.at(np.array([code["account"]]), np.array([day])) == len(inside)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(events=EVENTS, days=DAYS)
def test_windows_hold_what_had_happened_and_was_known(
    events: list[tuple[str, str, int, int]], days: list[int]
) -> None:
    """A user's day is in each window that holds it, once, from the as-of day on which it was known."""
    with Workspace(BACKEND) as space:
        user_day = _timeline(events, days, space).active_day
        seen = in_windows(user_day, days, {0: 30, 90: 10}, space)
        found = BACKEND.to_pyarrow(seen.select("account", "user", "at", "day", "lag")).to_pylist()
        lines = BACKEND.to_pyarrow(user_day).to_pylist()
    expected = [
        (line["user"], line["at"], day, lag)
        for line in lines
        for day in set(days)
        for lag, width in ((0, 30), (90, 10))
        if day - lag - width < line["at"] <= day - lag and line["known"] <= day
    ]
    assert sorted((f["user"], f["at"], f["day"], f["lag"]) for f in found) == sorted(expected)


def test_a_first_use_is_dated_by_what_was_known_first() -> None:
    """A use that arrives late does not move an earlier-known first use back in time."""
    with Workspace(BACKEND) as space:
        timeline = _timeline([("a", "x", 10, 0), ("a", "x", 5, 40)], [60], space)
        first = BACKEND.to_pyarrow(first_known(timeline.feature_day, "account", "feature")).to_pylist()
    assert [(line["at"], line["known"]) for line in first] == [(10, 10)]


def test_an_account_without_events_has_no_figure() -> None:
    """Unknown is not zero, and a day that nobody asked for is an error."""
    grid = Grid(days=np.array([3, 5]), values=np.array([[1, 2]]))
    assert np.array_equal(grid.at(np.array([0, -1]), np.array([5, 5])), [2, np.nan], equal_nan=True)
    with pytest.raises(KeyError, match="4 is not a day of this grid"):
        grid.at(np.array([0]), np.array([4]))


def test_a_code_beyond_the_grid_has_none_of_what_is_counted() -> None:
    """Its figure is 0 on each day that was asked for; another day is an error."""
    grid = Grid(days=np.array([3, 5]), values=np.array([[1, 2], [3, 4]]))
    assert grid.on(5, 4).tolist() == [2, 4, 0, 0]
    assert grid.on(3, 1).tolist() == [1]
    for day in (4, 6):
        with pytest.raises(KeyError, match=f"{day} is not a day of this grid"):
            grid.on(day, 2)


def test_a_workspace_leaves_no_tables_behind() -> None:
    """Intermediate tables are gone when the block ends."""
    with Workspace(BACKEND) as space:
        _timeline([("a", "x", 1, 0)], [9], space)
    left = BACKEND.raw_sql("select count(*) from duckdb_tables()").fetchone()
    assert left == (0,)
