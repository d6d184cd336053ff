"""What a CRM found changed without a stamp, filled up to whole rows from the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.canonical import CRM_TABLES
from sync.lake_engine import arrow_view, open_engine
from sync.stitch import live_rows, stitched

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCHEMA = CRM_TABLES["activities"]
IDS = st.sampled_from([str(number) for number in range(8)])
NAMES = st.none() | st.text(max_size=3)


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """DuckDB, opened once."""
    connection = open_engine("duckdb://")
    yield connection
    connection.disconnect()


def lake_of(engine: Any, rows: list[Mapping[str, Any]]) -> Any:
    """A lake that holds these activities."""
    held = arrow_view(engine, pa.Table.from_pylist([dict(row) for row in rows], schema=SCHEMA))
    return SimpleNamespace(connection=engine, tables=lambda: {"activities": held})


def activity(identifier: str, account: str | None, *, deleted: bool = False) -> dict[str, Any]:
    """A row with something in most columns."""
    return dict.fromkeys(SCHEMA.names) | {
        "crm_id": identifier,
        "account_crm_id": account,
        "contact_crm_id": "P",
        "subject": f"of {identifier}",
        "modified_at": NOON,
        "known_from": NOON,
        "is_deleted": deleted,
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.dictionaries(IDS, NAMES), now=st.dictionaries(IDS, NAMES), split=st.integers(1, 4))
def test_a_changed_row_is_what_we_hold_but_for_what_changed(
    engine: Any, held: dict[str, str | None], now: dict[str, str | None], split: int
) -> None:
    """Whatever the pages; a row that we do not hold is left to the pull that finds it."""
    lake = lake_of(engine, [activity(key, account) for key, account in held.items()])
    told = pa.table(
        {
            "crm_id": pa.array(now.keys(), pa.string()),
            "account_crm_id": pa.array(now.values(), pa.string()),
        }
    )
    pages = [told.slice(start, split) for start in range(0, told.num_rows, split)]
    found = [row for page in stitched(lake, "activities", pages) for row in page.to_pylist()]
    expected = [activity(key, account) for key, account in now.items() if key in held]
    assert sorted(found, key=lambda row: row["crm_id"]) == sorted(expected, key=lambda row: row["crm_id"])


def test_a_row_that_two_pages_tell_of_is_one_row(engine: Any) -> None:
    """Each with its own column, empty or not."""
    lake = lake_of(engine, [activity("1", "A"), activity("2", "B"), activity("3", "C")])
    pages = [
        pa.table({"crm_id": ["1", "2"], "account_crm_id": pa.array([None, "Z"], pa.string())}),
        pa.table({"crm_id": ["1", "3"], "subject": ["new", "newer"]}),
    ]
    found = [row for page in stitched(lake, "activities", pages) for row in page.to_pylist()]
    assert sorted(found, key=lambda row: row["crm_id"]) == [
        activity("1", None) | {"subject": "new"},
        activity("2", "Z"),
        activity("3", "C") | {"subject": "newer"},
    ]


def test_whole_rows_stay_as_they_are(engine: Any) -> None:
    """New ones, and ones that are gone, need nothing of ours."""
    page = pa.Table.from_pylist([activity("9", "A", deleted=True)], schema=SCHEMA)
    assert list(stitched(lake_of(engine, []), "activities", [page])) == [page]


def test_deleted_rows_are_not_compared(engine: Any) -> None:
    """What is gone has no associations to ask for."""
    lake = lake_of(engine, [activity("1", "A"), activity("2", "B", deleted=True)])
    told = live_rows(lake)("activities", ["crm_id", "account_crm_id"])
    assert told.to_pylist() == [{"crm_id": "1", "account_crm_id": "A"}]
