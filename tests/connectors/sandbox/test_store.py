"""The SQLite file behind every dialect."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.store import BOOLEAN, DATE, DATETIME, KEY, NUMBER, TEXT, Store, moment, stamp

COLUMNS = {"Id": KEY, "Name": TEXT, "Open": BOOLEAN, "Amount": NUMBER, "Due": DATE, "At": DATETIME}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one table."""
    made = Store.create(tmp_path / "crm.sqlite")
    made.define("Deal", COLUMNS, indexes=["Name"])
    return made


def test_a_bulk_insert_keeps_python_values_as_cells_of_their_kind(store: Store) -> None:
    """Dates, moments, booleans and decimals come back as the store's own texts and numbers."""
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    row = {"Id": "1", "Name": "A", "Open": True, "Amount": Decimal("1.5"), "Due": date(2026, 1, 2), "At": at}
    assert store.bulk_insert("Deal", [row]) == 1
    assert store.row("Deal", "1") == {
        "Id": "1",
        "Name": "A",
        "Open": 1,
        "Amount": 1.5,
        "Due": "2026-01-02",
        "At": "2026-11-02T09:00:00.000+0000",
    }


def test_rows_may_lack_columns_and_a_missing_boolean_is_false(store: Store) -> None:
    """Rows of several shapes go in together."""
    assert store.bulk_insert("Deal", [{"Id": "1"}, {"Id": "2", "Name": "B"}, {"Id": "3", "Open": True}]) == 3
    rows = store.rows("Deal", ["1", "2", "3", "4"])
    assert [rows[key]["Open"] for key in ("1", "2", "3")] == [0, 0, 1]
    assert rows.keys() == {"1", "2", "3"}


def test_an_unknown_column_is_refused_by_name(store: Store) -> None:
    """The error names the column, and nothing of the call stays."""
    with pytest.raises(KeyError, match="Colour"):
        store.bulk_insert("Deal", [{"Id": "1"}, {"Id": "2", "Colour": "red"}])
    assert store.row("Deal", "1") is None


def test_a_bulk_update_touches_the_given_columns_only(store: Store) -> None:
    """Other columns keep their values."""
    store.bulk_insert("Deal", [{"Id": "1", "Name": "A", "Amount": 5}])
    assert store.bulk_update("Deal", [{"Id": "1", "Amount": 7}, {"Id": "9", "Name": "nobody"}]) == 1
    row = store.row("Deal", "1")
    assert row is not None
    assert (row["Name"], row["Amount"]) == ("A", 7.0)


def insert_then_fail(store: Store) -> None:
    """A transaction that ends in an error after its first row."""
    with store.transaction():
        store.bulk_insert("Deal", [{"Id": "2"}])
        store.bulk_insert("Deal", [{"Colour": "red"}])


def test_an_inner_transaction_rolls_back_alone(store: Store) -> None:
    """What the outer one did before and after it stays."""
    with store.transaction():
        store.bulk_insert("Deal", [{"Id": "1"}])
        with pytest.raises(KeyError):
            insert_then_fail(store)
        store.bulk_insert("Deal", [{"Id": "3"}])
    assert store.rows("Deal", ["1", "2", "3"]).keys() == {"1", "3"}


def test_a_table_grows_by_the_columns_it_lacks(store: Store) -> None:
    """Defining a table again adds columns and keeps rows."""
    store.bulk_insert("Deal", [{"Id": "1"}])
    store.define("Deal", {"Won": BOOLEAN})
    assert store.rows("Deal", ["1"])["1"]["Won"] == 0
    store.drop_column("Deal", "Won")
    assert "Won" not in store.columns("Deal")


def test_another_store_on_the_same_file_sees_committed_rows(store: Store) -> None:
    """`sandbox advance` runs in a process of its own."""
    other = Store.open(store.path)
    other.bulk_insert("Deal", [{"Id": "1"}])
    other.close()
    assert store.row("Deal", "1") is not None


@pytest.mark.parametrize("name", ['a"b', "a b", "1a", "", "a;--"])
def test_a_name_that_is_no_identifier_never_reaches_sql(store: Store, name: str) -> None:
    """Quoting is not relied on."""
    with pytest.raises(ValueError, match="not a table or column name"):
        store.define("Deal", {name: TEXT})


def test_creating_over_a_store_and_opening_none_are_refused(store: Store, tmp_path: Path) -> None:
    """Both errors name the file."""
    with pytest.raises(FileExistsError, match=r"crm\.sqlite"):
        Store.create(store.path)
    with pytest.raises(FileNotFoundError, match=r"none\.sqlite"):
        Store.open(tmp_path / "none.sqlite")


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
        timezones=st.timezones(),
    )
)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_stamp_reads_back_to_the_millisecond(when: datetime) -> None:
    """Text and moment are two forms of one thing."""
    back = moment(stamp(when))
    assert abs((back - when).total_seconds()) < 0.001
    assert stamp(back) == stamp(when)
