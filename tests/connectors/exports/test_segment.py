"""Segment's calls, all types in one gzipped file."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

from connectors.canonical import EXPORT_TABLES
from infra.doubles.analytics import segment_call


def test_track_page_and_screen_calls_are_events(load: Any, lines: Any) -> None:
    """identify and group calls of the same file are not; a page without a name is a page."""
    calls = [
        segment_call("track", 1, event="Report Exported", properties={"format": "pdf"}),
        segment_call("identify", 1, traits={"email": "anna@acme.test"}),
        segment_call("page", 2, name="Pricing", properties={"path": "/pricing"}),
        segment_call("page", 3),
        segment_call("screen", 4, userId=None, context={}),
        segment_call("group", 1, groupId="0042", traits={"name": "Acme"}),
    ]
    table = load(gzip.compress(lines(calls)))
    assert table.column("event").to_pylist() == ["Report Exported", "Pricing", "page", "screen"]
    assert table.column("user_id").to_pylist() == ["u1", "u2", "u3", None]
    assert table.column("account_key").to_pylist() == ["0042", "0042", "0042", None]
    first = table.to_pylist()[0]
    assert first["at"] == datetime(2026, 11, 2, 9, 0, 0, 123_000, tzinfo=UTC)
    assert first["known_from"] == datetime(2026, 11, 2, 9, 0, 5, tzinfo=UTC)


def test_a_call_delivered_twice_counts_once(load: Any, lines: Any) -> None:
    """messageId tells; a call without one has no twin."""
    calls = [
        segment_call("track", 1, event="x"),
        segment_call("track", 1, event="x"),
        segment_call("track", 2, event="x"),
    ]
    assert load(lines(calls)).num_rows == 2
    nameless = [segment_call("track", 1, event="x", messageId=None)] * 2
    assert load(lines([*nameless, *calls])).num_rows == 4


def test_a_user_is_who_identify_says_where_group_says(load: Any, lines: Any) -> None:
    """The last word on each trait counts; a group's own traits are no user's; two groups are two rows."""
    bare = {"context": {}}
    anna_first = {"name": "Anna", "department": "Sales", "createdAt": "2026-01-05T08:00:00Z"}
    anna_later = {"department": "Finance", "email": "anna@acme.test"}
    calls = [
        segment_call("identify", 1, traits=anna_first, **bare),
        segment_call("group", 1, groupId="0042", traits={"name": "Acme, Inc.", "industry": "Steel"}, **bare),
        segment_call("identify", 11, userId="u1", traits=anna_later, **bare),
        segment_call("group", 12, userId="u1", groupId="0043", traits={}, **bare),
        segment_call("identify", 2, userId=None, traits={"name": "nobody"}, **bare),
        segment_call("identify", 3, traits={"name": "Cem"}, **bare),
    ]
    table = load(lines(calls), kind="users")
    assert table.schema == EXPORT_TABLES["users"]
    anna = {
        "user_id": "u1",
        "name": "Anna",
        "department": "Finance",
        "email": "anna@acme.test",
        "created_at": datetime(2026, 1, 5, 8, tzinfo=UTC),
        "title": None,
        "role": None,
        "deactivated_at": None,
    }
    first, second, third = table.to_pylist()
    assert first == anna | {"account_key": "0042"}
    assert second == anna | {"account_key": "0043"}
    assert (third["user_id"], third["account_key"], third["name"]) == ("u3", None, "Cem")
