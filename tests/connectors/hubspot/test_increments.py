"""What a search finds since the last pull, what only a list of archived records tells, and merges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.crm import Window
from connectors.hubspot import objects as objects_module
from connectors.sandbox.company.hubspot_rows import row_of
from sync.cursor import next_window


def test_increments_hold_what_changed_in_the_window(account: Any, pulled: Callable[..., Any]) -> None:
    """A search over the window finds the changed company and no other."""
    changed = account.create("companies", name="A")
    account.create("companies", name="B")
    since = account.advance(hours=1)
    account.edit("companies", changed, name="A2")
    rows = pulled(account.connect(), "accounts", since, since + timedelta(hours=2))
    assert [(changed, "A2")] == [(row["crm_id"], row["name"]) for row in rows]
    assert not account.requests("archived")


def test_a_new_employer_or_parent_is_seen(account: Any, pulled: Callable[..., Any]) -> None:
    """A primary company or parent that changes moves a property of the record, so the increment has it."""
    old, new = account.create("companies", name="Old"), account.create("companies", name="New")
    person = account.create("contacts", firstname="P")
    account.link("contacts", person, old, 1)
    since = account.advance(hours=1)
    account.link("contacts", person, new, 1)
    account.link("companies", old, new, 14)
    crm = account.connect()
    until = since + timedelta(hours=1)
    assert [(person, new)] == [
        (r["crm_id"], r["account_crm_id"]) for r in pulled(crm, "contacts", since, until)
    ]
    assert (old, new) in [(r["crm_id"], r["parent_crm_id"]) for r in pulled(crm, "accounts", since, until)]


def test_many_records_of_one_moment_come_through(
    account: Any, pulled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search pages continue from the last id, so equal timestamps and long windows lose nothing."""
    monkeypatch.setattr(objects_module, "SEARCH_PAGE", 3)
    since = account.advance(hours=1)
    made = {account.create("companies", name=f"C{n}") for n in range(10)}
    rows = pulled(account.connect(), "accounts", since, since + timedelta(hours=2))
    assert made == {row["crm_id"] for row in rows}
    assert len(rows) == 10


def test_more_than_ten_thousand_changes_come_through(account: Any, pulled: Callable[..., Any]) -> None:
    """HubSpot refuses to page past 10,000 results of a search; a window with more is read whole."""
    since = account.advance(hours=1)
    stamp = f"{since:%Y-%m-%dT%H:%M:%S}.000Z"
    stamps = {"createdate": stamp, "hs_lastmodifieddate": stamp}
    rows = [row_of(7_000_000_000 + n, name=f"C{n}", **stamps) for n in range(10_050)]
    account.sandbox.store.bulk_insert("companies", rows)
    window = Window(since=since - timedelta(minutes=1), until=since + timedelta(minutes=1))
    found = [
        crm_id for page in account.connect().pull("accounts", window) for crm_id in page["crm_id"].to_pylist()
    ]
    assert sorted(found) == sorted(str(row["Id"]) for row in rows)
    assert len(account.requests("companies/search")) == 51  # 200 a page
    assert not account.requests("batch/read")  # parents stand in a property


def test_what_the_index_shows_late_comes_with_the_next_window(
    tmp_path: Path, opened: Callable[..., Any], pulled: Callable[..., Any]
) -> None:
    """A search that runs minutes behind misses a change; windows overlap by more than that."""
    account = opened(tmp_path / "lagging", index_lag=300)
    crm = account.connect()
    read_until = account.advance(hours=1)
    changed = account.create("companies", name="A")
    rows = []
    for minutes in (3, 6):
        window = next_window(read_until, account.advance(minutes=minutes))
        assert window is not None
        rows.append([row["crm_id"] for row in pulled(crm, "accounts", window.since, window.until)])
        read_until = window.until
    assert rows == [[], [changed]]


def test_archived_records_are_seen_once_a_day(account: Any, pulled: Callable[..., Any]) -> None:
    """A window over a midnight asks for archived records, which no search shows."""
    gone, stays = account.create("companies", name="A"), account.create("companies", name="B")
    since = account.advance(hours=1)
    account.archive("companies", gone)
    crm = account.connect()
    assert pulled(crm, "accounts", since, since + timedelta(minutes=10)) == []
    until = account.advance(days=1)
    rows = pulled(crm, "accounts", since, until)
    assert [(gone, True)] == [(row["crm_id"], row["is_deleted"]) for row in rows]
    assert stays not in {row["crm_id"] for row in rows}


def test_a_merged_record_is_an_alias_of_its_survivor(account: Any, pulled: Callable[..., Any]) -> None:
    """The loser of a merge is deleted into the survivor, in an increment without a midnight too."""
    winner, loser = account.create("companies", name="A"), account.create("companies", name="B")
    since = account.advance(hours=1)
    crm = account.connect()
    survivor = account.merge(crm, "companies", winner, loser)
    rows = {row["crm_id"]: row for row in pulled(crm, "accounts", since, since + timedelta(minutes=10))}
    assert (True, survivor) == (rows[loser]["is_deleted"], rows[loser]["merged_into"])
    assert rows[survivor]["is_deleted"] is False
