"""The journal as a file: every entry, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import InputError, UsageError
from sync.audit_export import COLUMNS, export, neutralised
from sync.cells import FORMULA_STARTS
from sync.erased import PLACEHOLDER
from sync.erasure import erase
from sync.mentions import Sought
from sync.store import Store
from sync.store.writeback import JournalRow


@pytest.fixture
def applied(world: Any, score: Callable[..., dict[str, Any]]) -> Any:
    """A world in which a plan was applied over values that people had typed."""
    world.crm.records["0010"]["Expansion_Reason_1__c"] = '=HYPERLINK("http://x.example")'
    world.crm.records["0010"]["Expansion_Priority__c"] = -7
    world.crm.records["0010"]["Expansion_Data_As_Of__c"] = date(2026, 1, 2)
    world.apply(world.plan(*(score(n) for n in range(3))))
    erase(world.store, Sought(records=frozenset({"0012"})), reason="request 1", at=world.now)
    return world


def read(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_csv_holds_each_entry_and_no_formula(applied: Any, tmp_path: Path) -> None:
    """A person's formula is text behind a quote; a negative number stays a number."""
    count = export(applied.store, tmp_path / "journal.csv")
    rows = read(tmp_path / "journal.csv")
    assert count == len(rows)
    assert list(rows[0]) == list(COLUMNS)
    held = {row["key"]: row for row in rows if row["record_id"] == "0010"}
    assert held["reason_1"]["before"] == '\'=HYPERLINK("http://x.example")'
    assert held["priority"]["before"] == "-7"
    assert held["tier"]["after"] == "high"
    assert held["scored_at"]["after"] == "2026-11-23T12:00:00+00:00"
    assert {row["after"] for row in rows if row["record_id"] == "0012"} == {PLACEHOLDER}
    assert {row["kind"] for row in rows} == {"write", "task"}


@settings(derandomize=True)
@given(st.text(max_size=20))
def test_no_text_begins_like_a_formula_once_neutralised(text: str) -> None:
    """And a text that does not is left as it is."""
    assert not neutralised(text).startswith(FORMULA_STARTS)
    assert neutralised(text) in (text, f"'{text}")


def test_parquet_holds_the_same_and_times_as_times(applied: Any, tmp_path: Path) -> None:
    """For an auditor's own tools; texts are as they were."""
    count = export(applied.store, tmp_path / "journal.PARQUET")
    table = pq.read_table(tmp_path / "journal.PARQUET")
    assert table.num_rows == count
    assert table.schema.names == list(COLUMNS)
    rows = {row["key"]: row for row in table.to_pylist() if row["record_id"] == "0010"}
    assert rows["reason_1"]["before"] == '=HYPERLINK("http://x.example")'
    assert rows["data_as_of"]["before"] == "2026-01-02"
    assert rows["score"]["after"] == "71"
    assert rows["tier"]["at"] == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_days_are_the_companys_and_both_ends_count(
    applied: Any, score: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Noon in UTC is the next day in Auckland."""
    first = export(applied.store, tmp_path / "all.csv")
    applied.now += timedelta(days=1)
    applied.apply(applied.plan(score(0, probability=0.5)))
    day = date(2026, 11, 24)
    both = export(applied.store, tmp_path / "all.csv")
    assert both > first

    def count(**days: date) -> int:
        return export(applied.store, tmp_path / "some.csv", timezone="Pacific/Auckland", **days)

    assert count(since=day, until=day) == first
    assert count(until=date(2026, 11, 23)) == 0
    assert count(since=date(2026, 11, 25)) == both - first


def test_another_ending_and_a_bad_place_are_the_users_slip(ledger: Store, tmp_path: Path) -> None:
    """Nothing is written then."""
    with pytest.raises(UsageError, match=r"\.csv or \.parquet"):
        export(ledger, tmp_path / "journal.xlsx")
    with pytest.raises(InputError, match="No such file"):
        export(ledger, tmp_path / "none" / "journal.csv")
    assert list(tmp_path.glob("*.xlsx")) == []


def test_an_empty_journal_is_a_header(ledger: Store, tmp_path: Path) -> None:
    """Both kinds of file can be read."""
    assert export(ledger, tmp_path / "journal.csv") == 0
    assert (tmp_path / "journal.csv").read_text().strip() == ",".join(COLUMNS)
    assert export(ledger, tmp_path / "journal.parquet") == 0
    assert pq.read_table(tmp_path / "journal.parquet").num_rows == 0


def test_the_columns_are_the_journals() -> None:
    """All but the salt, which is of no use to anybody, and would be a key to what is erased later."""
    assert set(JournalRow.__table__.columns.keys()) - set(COLUMNS) == {"salt"}
