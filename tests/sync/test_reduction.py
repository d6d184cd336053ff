"""Events that are reduced from the lake's files come to what the engine makes of the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.canonical import schema_of
from model.days import day_number
from model.partials import partials_of
from sync.reduction import ACCOUNT, reduce_segment

# Around midnights of any year, where a rounded division would fall on the other side.
MOMENTS = st.builds(
    lambda day, microseconds: datetime(1960, 1, 1, tzinfo=UTC) + timedelta(day, microseconds=microseconds),
    st.integers(1, 130_000) | st.integers(20_000, 20_003),
    st.sampled_from([-1, 0, 1]) | st.integers(0, 86_399_999_999),
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "account_key": st.sampled_from(["a", "b", None]),
            "user_id": st.sampled_from(["x", "y", "é", None]),
            "event": st.sampled_from(["use", "Invoice opened", "Preview opened", "unlocked", None]),
            "feature": st.sampled_from(["f", "_page", "BILLING", "upgrade", None]),
            "session_id": st.sampled_from(["s", "t", None]),
            "at": st.none() | MOMENTS,
            "known_from": st.none() | MOMENTS,
        }
    ),
    max_size=30,
)
Told = dict[str, Counter[tuple[Any, ...]]]


def written(folder: Path, events: list[dict[str, Any]], row_group: int = 4) -> Path:
    """The events as a segment of the lake."""
    file = folder / "events.parquet"
    schema = schema_of("events")
    rows = [{name: event.get(name) for name in schema.names} for event in events]
    pq.write_table(pa.Table.from_pylist(rows, schema), file, row_group_size=row_group)
    return file


def told(rows: dict[str, list[dict[str, Any]]]) -> Told:
    """What partials add up to: counts by what they count, and the first day that knew of a session."""
    found: Told = {
        "events": Counter(),
        "billing_views": Counter(),
        "gate_events": Counter(),
        "sessions": Counter(),
    }
    for name, lines in rows.items():
        for line in lines:
            counts = {
                column: line.pop(column)
                for column in ("events", "billing_views", "gate_events")
                if column in line
            }
            for column, count in counts.items():
                found[column][name, *sorted(line.items())] += count
            if name == "session_day":
                known = line.pop("known")
                key = tuple(sorted(line.items()))
                found["sessions"][key] = min(known, found["sessions"].get(key, known))
    return found


def reduced(file: Path) -> dict[str, list[dict[str, Any]]]:
    """What the file is reduced to."""
    return {name: pa.concat_tables(made).to_pylist() for name, made in reduce_segment(file).items()}


@pytest.fixture(scope="module")
def engine_makes() -> Iterator[Callable[[Path], dict[str, list[dict[str, Any]]]]]:
    """What the engine makes of a file's events, by queries that are put together once."""
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'UTC'")
    events = ibis.table(ibis.schema(schema_of("events")), name="events")
    queries = {name: connection.compile(made) for name, made in partials_of(events, ACCOUNT).items()}

    def made(file: Path) -> dict[str, list[dict[str, Any]]]:
        connection.con.register("events", pq.read_table(file))
        return {
            name: connection.con.sql(query).to_arrow_table().to_pylist() for name, query in queries.items()
        }

    yield made
    connection.disconnect()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, block=st.sampled_from([1, 2**21]))
def test_a_file_comes_to_what_the_engine_makes_of_its_events(
    tmp_path: Path,
    engine_makes: Callable[[Path], dict[str, list[dict[str, Any]]]],
    events: list[dict[str, Any]],
    block: int,
) -> None:
    """In one block or many, without days, users, accounts, features and sessions, and in any year."""
    file = written(tmp_path, events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sync.reduction.BLOCK", block)
        found = reduced(file)
    assert told(found) == told(engine_makes(file))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(MOMENTS, min_size=1, max_size=100))
def test_a_time_lies_on_its_utc_day(tmp_path: Path, moments: list[datetime]) -> None:
    """To the microsecond, and before 1970 too."""
    file = written(tmp_path, [{"event": "use", "user_id": "x", "at": moment} for moment in moments], 1000)
    found = {line["at"]: line["events"] for line in reduced(file)["user_day"]}
    assert found == Counter(day_number(moment.date()) for moment in moments)


def test_lines_too_wide_for_one_number_are_told_apart(tmp_path: Path) -> None:
    """Users, features, sessions and days that fill 64 bits leave no room for the account."""
    first, last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days) for days in (0, 2**17 - 1))
    events = [
        {"account_key": account, "event": "use", "at": at, "known_from": at}
        | {text: f"{text}{n}" for text in ("user_id", "feature", "session_id")}
        for account in ("a", "b")
        for n, at in [(0, last), *((n, first) for n in range(2**10))]
    ]
    found = reduced(written(tmp_path, events, 5000))
    assert {name: len(lines) for name, lines in found.items()} == dict.fromkeys(found, 2 * (2**10 + 1))
