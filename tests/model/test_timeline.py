"""Facts about exact rolling activity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from model.timeline import distinct_active, read_timeline, total_events
from model.workspace import Workspace

WINDOWS = (1, 7, 30)
BACKEND = ibis.duckdb.connect()
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


def _tables(events: Sequence[tuple[str, str, int, int]]) -> dict[str, Any]:
    columns = {
        "account_id": [e[0] for e in events],
        "user_id": [e[1] for e in events],
        "event": ["use"] * len(events),
        "feature": ["f"] * len(events),
        "session_id": [str(i) for i in range(len(events))],
        "at": [e[2] for e in events],
        "known": [e[2] + e[3] for e in events],
    }
    users = pa.table({"account_id": ["a"], "user_id": ["x"], "department": ["Sales"]})
    return {"events": ibis.memtable(pa.table(columns)), "users": ibis.memtable(users)}


@settings(max_examples=10, deadline=None, derandomize=True)
@given(events=EVENTS, days=DAYS)
def test_rolling_users_equal_a_brute_force_count(
    events: list[tuple[str, str, int, int]], days: list[int]
) -> None:
    """The coverage rule gives count(distinct user) for every window and day, late rows included."""
    with Workspace(BACKEND) as space:
        user_day = read_timeline(_tables(events), space).user_day
        figures = distinct_active(user_day, windows=WINDOWS, days=days, name="users")
        found = BACKEND.to_pyarrow(figures).to_pylist()
    # a day's events count from the first moment that one of them was known
    known: dict[tuple[str, str, int], int] = {}
    for account, user, day, lag in events:
        known[account, user, day] = min(day + lag, known.get((account, user, day), 10**9))
    expected = [
        {"account_id": account, "day": day}
        | {
            f"users_{w}": len(
                {
                    u
                    for (a, u, d), known_on in known.items()
                    if a == account and day - w < d <= day and known_on <= day
                }
            )
            for w in WINDOWS
        }
        for account in sorted({e[0] for e in events})
        for day in sorted(set(days))
    ]
    assert sorted(found, key=lambda r: (r["account_id"], r["day"])) == expected


@settings(max_examples=5, deadline=None, derandomize=True)
@given(events=EVENTS, days=DAYS)
def test_rolling_totals_equal_a_brute_force_sum(
    events: list[tuple[str, str, int, int]], days: list[int]
) -> None:
    """Event totals of a window are the sum over its days."""
    prompt = [(a, u, d, 0) for a, u, d, _ in events]
    with Workspace(BACKEND) as space:
        user_day = read_timeline(_tables(prompt), space).user_day
        found = BACKEND.to_pyarrow(total_events(user_day, "events", windows=(30,), days=days)).to_pylist()
    for row in found:
        inside = [e for e in prompt if e[0] == row["account_id"] and row["day"] - 30 < e[2] <= row["day"]]
        assert row["events_30"] == len(inside)


def test_a_workspace_leaves_no_tables_behind() -> None:
    """Intermediate tables are gone when the block ends."""
    with Workspace(BACKEND) as space:
        read_timeline(_tables([("a", "x", 1, 0)]), space)
    left = BACKEND.raw_sql("select count(*) from duckdb_tables()").fetchone()
    assert left == (0,)
