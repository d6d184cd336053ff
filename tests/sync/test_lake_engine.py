"""The engine of the lake counts days as the calendar does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from model.days import day_number
from sync.lake_engine import arrow_view, day_of, open_engine

# Around midnights of any year, where a rounded division would fall on the other side.
MOMENTS = st.builds(
    lambda day, microseconds: datetime(1960, 1, 1, tzinfo=UTC) + timedelta(day, microseconds=microseconds),
    st.integers(1, 130_000),
    st.sampled_from([-1, 0, 1]) | st.integers(0, 86_399_999_999),
)


@settings(max_examples=25, deadline=None)
@given(moments=st.lists(st.none() | MOMENTS, min_size=1, max_size=500))
def test_a_time_lies_on_its_utc_day(moments: list[datetime | None]) -> None:
    """To the microsecond, before 1970 too, and an unknown time on an unknown day."""
    connection = open_engine("duckdb://")
    rows = pa.table({"n": range(len(moments)), "at": pa.array(moments, pa.timestamp("us", "UTC"))})
    table = arrow_view(connection, rows)
    found = table.select("n", day=day_of(table["at"])).order_by("n").to_pyarrow()["day"].to_pylist()
    connection.disconnect()
    assert found == [None if moment is None else day_number(moment.date()) for moment in moments]
