"""PostHog's batch exports: Parquet and JSON lines of events, and persons."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import InputError
from infra.doubles.analytics import posthog_event

AT = datetime(2026, 11, 2, 9, 0, 0, 123_456, tzinfo=UTC)
LATER = datetime(2026, 11, 2, 9, 5, tzinfo=UTC)


def as_parquet(events: list[dict[str, Any]]) -> bytes:
    """Events as Parquet: properties are texts of JSON, times are typed."""
    rows = [
        {
            **each,
            "properties": json.dumps(each["properties"]),
            "person_properties": json.dumps(each["person_properties"]),
            "timestamp": AT,
            "created_at": LATER,
        }
        for each in events
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer, compression="zstd")
    return buffer.getvalue()


def test_parquet_and_json_lines_say_the_same(load: Any, lines: Any) -> None:
    """Properties are reached by path in both; a session, its group and its times are there."""
    events = [posthog_event(1), posthog_event(2, **{"$group_0": None, "$session_id": ""})]
    table = load(as_parquet(events))
    assert table.equals(load(gzip.compress(lines(events))))
    first, second = table.to_pylist()
    assert (first["account_key"], first["user_id"], first["session_id"]) == ("acme", "u1", "s1")
    assert (first["at"], first["known_from"], first["event"]) == (AT, LATER, "$pageview")
    assert first["feature"] is None  # PostHog's own event of every page
    (named,) = load(as_parquet(events[:1]), columns={"feature": "event"})["feature"].to_pylist()
    assert named == "$pageview"  # unless the settings say what is a feature
    assert (second["account_key"], second["session_id"]) == (None, None)


def test_properties_as_text_in_json_lines_are_read_all_the_same(load: Any, lines: Any) -> None:
    """Some versions and copies keep them as a text of JSON there too."""
    events = [posthog_event(1), posthog_event(2)]
    texts = [each | {"properties": json.dumps(each["properties"])} for each in events]
    assert load(lines(texts)).equals(load(lines(events)))


def test_an_event_exported_twice_counts_once(load: Any, lines: Any) -> None:
    """An interval that was exported again repeats its uuids."""
    again = [posthog_event(1), posthog_event(2), posthog_event(1)]
    assert load(lines(again)).num_rows == load(as_parquet(again)).num_rows == 2


def test_somebody_who_is_not_identified_is_no_user(load: Any, lines: Any) -> None:
    """The event counts, its user does not."""
    table = load(lines([posthog_event(1, **{"$is_identified": False})]))
    assert table.column("user_id").to_pylist() == [None]


def test_another_type_of_group_may_be_the_account(load: Any) -> None:
    """Groups by name work as well as by number."""
    table = load(as_parquet([posthog_event(1)]), account_key="properties.$groups.project")
    assert table.column("account_key").to_pylist() == ["p1"]


def test_persons_are_users_of_a_named_account(load: Any, lines: Any) -> None:
    """Which property of a person holds the account must be said."""
    person = {
        "team_id": 1,
        "distinct_id": "u1",
        "person_id": "018e0000-0000-7000-8000-000000000001",
        "properties": {"email": "a@acme.test", "company_id": 7, "department": "Finance", "role": "user"},
        "person_version": 3,
        "person_distinct_id_version": 1,
        "created_at": "2026-01-05T08:00:00+00:00",
        "is_deleted": False,
    }
    with pytest.raises(InputError, match="which account"):
        load(lines([person]), kind="users")
    (row,) = load(lines([person]), kind="users", account_key="properties.company_id").to_pylist()
    assert (row["account_key"], row["user_id"], row["email"]) == ("7", "u1", "a@acme.test")
    assert (row["department"], row["created_at"]) == ("Finance", datetime(2026, 1, 5, 8, tzinfo=UTC))


def test_properties_that_are_no_json_are_refused_by_row(load: Any) -> None:
    """Parquet has no lines; its rows are counted."""
    whole = pq.read_table(io.BytesIO(as_parquet([posthog_event(1), posthog_event(2)])))
    texts = whole.column("properties").to_pylist()
    at = whole.schema.get_field_index("properties")
    cut = whole.set_column(at, "properties", pa.array([texts[0], texts[1][:-3]]))
    buffer = io.BytesIO()
    pq.write_table(cut, buffer)
    with pytest.raises(InputError, match="properties is no JSON") as caught:
        load(buffer.getvalue())
    assert str(caught.value.record).endswith("row 2")
