"""Events by day are kept beside the events, and say what the events say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from model.days import day_number
from model.partials import LAYOUT, PARTIALS, partial_schema
from sync.lake import Lake
from sync.store import Store
from sync.store.tables import SegmentRow
from sync.usage_days import reduce_events, stage_counted, usage_by_key

Rows = Callable[..., pa.Table]
Event = tuple[str | None, str | None, str | None, str | None, int, int]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),  # account
        st.sampled_from(["x", "y", None]),  # user
        st.sampled_from(["f", "invoice_page", None]),  # feature
        st.sampled_from(["s", "t", None]),  # session
        st.integers(0, 3),  # day
        st.sampled_from([0, 0, 1]),  # days until it was known
    ),
    max_size=12,
)


@pytest.fixture
def database() -> str:
    """SQLite is enough here."""
    return "sqlite"


@pytest.fixture
def put(lake: Lake, canonical_rows: Rows, noon: datetime) -> Callable[..., None]:
    """Put a source's events into the lake, in place of what it said before."""

    def make(source: str, events: list[Event]) -> None:
        rows = [
            {
                "account_key": account,
                "user_id": user,
                "event": "use",
                "feature": feature,
                "session_id": session,
                "at": noon + timedelta(days=day),
                "known_from": noon + timedelta(days=day + late),
            }
            for account, user, feature, session, day, late in events
        ]
        staged = lake.stage("events", [canonical_rows("events", *rows)], source=source) if rows else None
        replaced = [("events", source)]
        lake.commit([] if staged is None else [staged], run_id=None, now=noon, replace=replaced)

    return make


def told(lake: Lake) -> dict[str, Counter[tuple[Any, ...]]]:
    """What the partials add up to: events by user and feature, views of billing pages, and sessions."""
    rows = {name: table.to_pyarrow().to_pylist() for name, table in usage_by_key(lake).items()}
    found = {name: Counter[tuple[Any, ...]]() for name in ("users", "features", "billing", "sessions")}
    for row in rows["user_day"]:
        key = (row["account_key"], row["user_id"], row["at"], row["known"])
        found["users"][key] += row["events"]
        found["billing"][key] += row["billing_views"]
    for row in rows["feature_day"]:
        found["features"][row["account_key"], row["feature"], row["at"], row["known"]] += row["events"]
    first: dict[tuple[Any, ...], int] = {}
    for row in rows["session_day"]:
        session = (row["account_key"], row["user_id"], row["session_id"], row["at"])
        first[session] = min(row["known"], first.get(session, row["known"]))
    found["sessions"] = Counter({(*session, known): 1 for session, known in first.items()})
    return {name: Counter({k: n for k, n in counts.items() if n}) for name, counts in found.items()}


def counted(noon: datetime, sources: Mapping[str, list[Event]]) -> dict[str, Counter[tuple[Any, ...]]]:
    """The same, counted event by event."""
    today = day_number(noon.date())
    found = {name: Counter[tuple[Any, ...]]() for name in ("users", "features", "billing", "sessions")}
    first: dict[tuple[Any, ...], int] = {}
    for account, user, feature, session, day, late in (e for events in sources.values() for e in events):
        at, known = today + day, today + day + late
        found["users"][account, user, at, known] += 1
        if feature is not None:
            found["features"][account, feature, at, known] += 1
        if feature == "invoice_page":
            found["billing"][account, user, at, known] += 1
        if session is not None and user is not None:
            key = (account, user, session, at)
            first[key] = min(known, first.get(key, known))
    found["sessions"] = Counter({(*session, known): 1 for session, known in first.items()})
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sources=st.lists(st.tuples(st.sampled_from(["one", "two"]), EVENTS), max_size=4))
def test_partials_of_several_files_say_what_all_of_their_events_say(
    lake: Lake, put: Callable[..., None], noon: datetime, sources: list[tuple[str, list[Event]]]
) -> None:
    """Written or not yet, whatever was sent again, and however the events lie in files."""
    for source in ("one", "two"):
        put(source, [])
    reduce_events(lake, run_id=None, now=noon)
    held: dict[str, list[Event]] = {}
    for number, (source, events) in enumerate(sources):
        held[source] = events
        put(source, events)
        assert told(lake) == counted(noon, held)
        if number % 2:
            reduce_events(lake, run_id=None, now=noon)
            assert told(lake) == counted(noon, held)


def test_events_are_reduced_once(lake: Lake, put: Callable[..., None], noon: datetime) -> None:
    """A second look writes nothing, and what is not reduced yet is read from the events themselves."""
    put("one", [("a", "x", "f", "s", 0, 0)])
    put("two", [("b", "y", None, None, 1, 0)])
    assert not any(lake.segments(partial) for partial in PARTIALS)
    assert sum(told(lake)["users"].values()) == 2
    assert reduce_events(lake, run_id=None, now=noon) == 4  # of the second, user_day only
    assert reduce_events(lake, run_id=None, now=noon) == 0
    (events,) = (segment for segment in lake.segments("events") if segment.source == "one")
    (lake.folder / events.path).unlink()
    assert sum(told(lake)["users"].values()) == 2, "the events are not read again"


def test_an_older_lake_is_reduced_by_the_next_reading(
    lake: Lake, ledger: Store, put: Callable[..., None], noon: datetime
) -> None:
    """As after a crash between the commit of a file and that of its days."""
    put("one", [("a", "x", "f", "s", 0, 0)])
    reduce_events(lake, run_id=None, now=noon)
    with ledger.begin() as session:
        session.execute(
            update(SegmentRow)
            .where(SegmentRow.table_name == "user_day")
            .values(active=False, retired_at=noon)
        )
    assert sum(told(lake)["users"].values()) == 1
    assert sum(told(lake)["features"].values()) == 1
    assert reduce_events(lake, run_id=None, now=noon) == 3
    assert sum(told(lake)["features"].values()) == 1


def test_days_of_an_older_layout_are_made_anew(
    lake: Lake, ledger: Store, put: Callable[..., None], noon: datetime
) -> None:
    """A column that they lack is read from the events at once, and written by the next reading."""
    put("one", [("a", "x", "f", "s", 0, 0)])
    reduce_events(lake, run_id=None, now=noon)
    for partial in PARTIALS:
        (twin,) = lake.segments(partial)
        older = twin.path.replace(f".{LAYOUT}-", ".")
        rows = pq.read_table(lake.folder / twin.path)
        pq.write_table(
            rows.drop_columns([c for c in ("gate_events",) if c in rows.column_names]), lake.folder / older
        )
        with ledger.begin() as session:
            session.execute(
                update(SegmentRow)
                .where(SegmentRow.path == twin.path)
                .values(path=older, bytes=(lake.folder / older).stat().st_size)
            )
    assert usage_by_key(lake)["user_day"].gate_events.sum().to_pyarrow().as_py() == 0
    assert sum(told(lake)["users"].values()) == 1
    assert reduce_events(lake, run_id=None, now=noon) == 3
    assert [LAYOUT in twin.path for twin in lake.segments("user_day")] == [True]
    assert sum(told(lake)["users"].values()) == 1


def test_days_counted_elsewhere_before_a_column_came_count_none_of_it(
    lake: Lake, noon: datetime, tmp_path: Path
) -> None:
    """They are counted there again as soon as something there changes."""
    day = {"account_key": "a", "user_id": "x", "at": 1, "known": 1, "events": 2, "billing_views": 1}
    schema = partial_schema("user_day", ("account_key",))
    pq.write_table(pa.Table.from_pylist([day | {"gate_events": 5}], schema), tmp_path / "days.parquet")
    (segment,) = stage_counted(lake, {"user_day": tmp_path / "days.parquet"}, name="w", first=noon, last=noon)
    file = lake.folder / segment.path
    pq.write_table(pq.read_table(file).drop_columns(["gate_events"]), file)
    lake.commit([replace(segment, bytes=file.stat().st_size)], run_id=None, now=noon)
    assert usage_by_key(lake)["user_day"].to_pyarrow().to_pylist() == [day | {"gate_events": 0}]
