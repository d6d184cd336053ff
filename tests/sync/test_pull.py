"""A pull brings what changed, once, and moves the bookmark only with the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from connectors.canonical import CRM_TABLES
from connectors.errors import SetupError, StateError
from sync.aliases import Alias, load_aliases
from sync.cursor import SETTLE, bookmark
from sync.lake import COMPACT_FROM, Lake
from sync.pull import PullReport, pull
from sync.store import Store
from sync.store.tables import MappedColumnRow

Ids = Callable[[Any], Sequence[str]]
Pull = Callable[..., PullReport]


@pytest.fixture
def pull_once(crm_double: Any, ledger: Store, lake: Lake, noon: datetime) -> Pull:
    """Pull from the double into the lake."""

    def once(**options: Any) -> PullReport:
        return pull(crm_double, ledger, lake, run_id=None, now=noon, **options)

    return once


def test_the_first_pull_reads_everything(
    pull_once: Pull, crm_double: Any, ledger: Store, lake: Lake, ids_of: Ids, noon: datetime
) -> None:
    """Each table, its rows counted, its bookmark a minute behind the server's clock."""
    seen: list[tuple[str, int]] = []
    report = pull_once(progress=lambda table, rows: seen.append((table, rows)))
    assert [table.table for table in report.tables] == list(CRM_TABLES)
    assert report.rows == 4
    assert report.api_calls == 3
    assert ("accounts", 2) in seen
    assert ids_of(lake.tables()["accounts"]) == ["A1", "A2"]
    assert bookmark(ledger, crm_double.org_id, "accounts") == noon - SETTLE


def test_the_next_pull_reads_only_what_changed(
    pull_once: Pull, crm_double: Any, lake: Lake, noon: datetime
) -> None:
    """And the lake shows the newest version."""
    pull_once()
    crm_double.clock = noon + timedelta(hours=2)
    crm_double.put("accounts", {"crm_id": "A2", "name": "New", "modified_at": noon + timedelta(hours=1)})
    report = pull_once()
    assert {table.table: table.rows for table in report.tables if table.rows} == {"accounts": 1}
    rows = lake.tables()["accounts"].select("crm_id", "name").to_pyarrow().to_pylist()
    assert {row["crm_id"]: row["name"] for row in rows} == {"A1": None, "A2": "New"}


def test_a_row_committed_late_is_caught_by_the_overlap(
    pull_once: Pull, crm_double: Any, lake: Lake, ids_of: Ids, noon: datetime
) -> None:
    """Stamped below the bookmark, visible only after it was set."""
    pull_once()
    crm_double.put("accounts", {"crm_id": "A3", "modified_at": noon - timedelta(minutes=5)})
    crm_double.clock = noon + timedelta(minutes=3)
    pull_once()
    assert ids_of(lake.tables()["accounts"]) == ["A1", "A2", "A3"]


def test_a_pull_that_dies_goes_on_where_it_was(
    pull_once: Pull, crm_double: Any, ledger: Store, lake: Lake, ids_of: Ids
) -> None:
    """Whole tables stay; the broken one has neither rows nor a bookmark."""
    crm_double.fail_at = "contacts"
    with pytest.raises(ConnectionResetError):
        pull_once()
    assert ids_of(lake.tables()["accounts"]) == ["A1", "A2"]
    assert ids_of(lake.tables()["contacts"]) == []
    assert bookmark(ledger, crm_double.org_id, "contacts") is None
    crm_double.fail_at = None
    crm_double.windows.clear()
    pull_once()
    since = {table: window.since for table, window in crm_double.windows}
    assert since["accounts"] is not None
    assert since["contacts"] is None
    assert ids_of(lake.tables()["contacts"]) == ["P1"]


def test_a_full_pull_drops_what_the_crm_no_longer_has(
    pull_once: Pull, crm_double: Any, lake: Lake, ids_of: Ids
) -> None:
    """Even if nobody told of the deletion."""
    pull_once()
    crm_double.rows["accounts"] = crm_double.rows["accounts"][:1]
    pull_once(full=True)
    assert ids_of(lake.tables()["accounts"]) == ["A1"]


def test_an_optional_table_that_is_invisible_is_reported(
    pull_once: Pull, crm_double: Any, lake: Lake
) -> None:
    """The score is poorer for it, not absent."""
    crm_double.invisible = {"tickets"}
    report = pull_once()
    assert "grant read access" in report.invisible["tickets"]
    assert "tickets" not in {table.table for table in report.tables}


def test_a_required_table_that_is_invisible_stops_the_pull(pull_once: Pull, crm_double: Any) -> None:
    """There is nothing to score without accounts."""
    crm_double.invisible = {"opportunities"}
    with pytest.raises(SetupError, match="opportunities"):
        pull_once()


def test_a_crm_without_accounts_is_told_and_changes_nothing(
    pull_once: Pull, crm_double: Any, ledger: Store, lake: Lake
) -> None:
    """It is nearly always a missing permission."""
    crm_double.rows["accounts"] = []
    with pytest.raises(SetupError, match=r"Account: .*not a single account.*Fix: give that user"):
        pull_once()
    assert lake.segments() == []
    assert bookmark(ledger, crm_double.org_id, "accounts") is None


def test_losing_every_account_later_keeps_what_was_read(
    pull_once: Pull, crm_double: Any, lake: Lake, ids_of: Ids
) -> None:
    """A permission taken away must not look like a company without customers."""
    pull_once()
    crm_double.rows["accounts"] = []
    with pytest.raises(SetupError, match="not a single account"):
        pull_once(full=True)
    assert ids_of(lake.tables()["accounts"]) == ["A1", "A2"]


def test_another_org_is_kept_out_of_the_lake(pull_once: Pull, crm_double: Any, lake: Lake) -> None:
    """A sandbox's accounts must not mix with production's."""
    pull_once()
    crm_double.org_id = "00D000000000002EAA"
    with pytest.raises(StateError, match="another org"):
        pull_once()


def test_merges_are_kept_for_good(pull_once: Pull, crm_double: Any, ledger: Store, noon: datetime) -> None:
    """A later full pull does not bring the loser any more."""
    pull_once()
    crm_double.clock = noon + timedelta(hours=2)
    crm_double.put(
        "accounts",
        {"crm_id": "A2", "external_id": "c2", "is_deleted": True, "merged_into": "A1",
         "modified_at": noon + timedelta(hours=1)},
    )  # fmt: skip
    report = pull_once()
    assert report.tables[0].deleted == 1
    pull_once(full=True)
    alias = Alias(loser="A2", survivor="A1", external_id="c2")
    assert load_aliases(ledger, crm_double.org_id) == {"accounts": (alias,)}


def test_the_own_id_of_a_record_that_the_crm_forgot_is_remembered(
    pull_once: Pull, crm_double: Any, ledger: Store, noon: datetime
) -> None:
    """HubSpot tells of a merge by the losers' ids alone; usage goes on coming under their own ids."""
    crm_double.put("accounts", {"crm_id": "A2", "external_id": "c2", "modified_at": noon - timedelta(days=1)})
    pull_once()
    crm_double.clock = noon + timedelta(hours=2)
    crm_double.put(
        "accounts",
        {"crm_id": "A2", "is_deleted": True, "merged_into": "A1", "modified_at": noon + timedelta(hours=1)},
    )
    pull_once()
    pull_once(full=True)
    alias = Alias(loser="A2", survivor="A1", external_id="c2")
    assert load_aliases(ledger, crm_double.org_id) == {"accounts": (alias,)}


def test_many_small_pulls_are_compacted(
    pull_once: Pull, crm_double: Any, lake: Lake, ids_of: Ids, noon: datetime
) -> None:
    """A year of hourly pulls must not mean thousands of files to open."""
    for hour in range(COMPACT_FROM + 2):
        crm_double.clock = noon + timedelta(hours=hour + 2)
        crm_double.put(
            "accounts", {"crm_id": f"B{hour:02}", "modified_at": noon + timedelta(hours=hour + 1.75)}
        )
        pull_once(tables=["accounts"])
    assert len(lake.segments("accounts")) < COMPACT_FROM
    assert len(ids_of(lake.tables()["accounts"])) == 2 + COMPACT_FROM + 2


def test_what_moved_without_a_stamp_is_asked_for_once_a_day(
    pull_once: Pull, crm_double: Any, lake: Lake, noon: datetime
) -> None:
    """A contact handed to another account, whose stamp stays, comes with the first pull after a midnight."""
    pull_once()
    crm_double.moves = {"P1": {"account_crm_id": "A2"}}
    crm_double.clock = noon + timedelta(hours=2)
    pull_once()
    assert crm_double.asked_whether_moved == []
    crm_double.clock = noon + timedelta(hours=13)
    report = pull_once()
    assert {table.table: table.rows for table in report.tables if table.rows} == {"contacts": 1}
    rows = lake.tables()["contacts"].select("crm_id", "account_crm_id").to_pyarrow().to_pylist()
    assert rows == [{"crm_id": "P1", "account_crm_id": "A2"}]


def test_the_crm_is_told_which_tables_follow(pull_once: Pull, crm_double: Any, noon: datetime) -> None:
    """Those over the same window: one reading may then serve two tables."""
    pull_once(tables=["accounts"])
    crm_double.clock = noon + timedelta(hours=1)
    pull_once(tables=["accounts", "opportunities", "opportunity_history"])
    assert crm_double.also["accounts"] == ()
    assert crm_double.also["opportunities"] == ("opportunity_history",)


def test_a_table_that_comes_from_another_object_is_read_anew(
    pull_once: Pull, crm_double: Any, lake: Lake, ids_of: Ids, noon: datetime
) -> None:
    """Rows of the old object are gone, and going back to it is a new beginning too."""
    crm_double.objects = {"contracts": "Deal__c"}
    crm_double.put("contracts", {"crm_id": "D1", "modified_at": noon - timedelta(hours=1)})
    pull_once()
    crm_double.objects = {"contracts": "Contract__c"}
    crm_double.rows["contracts"] = [{"crm_id": "C1", "modified_at": noon - timedelta(hours=1)}]
    crm_double.clock = noon + timedelta(hours=1)
    pull_once()
    assert ids_of(lake.tables()["contracts"]) == ["C1"]
    crm_double.objects = {"contracts": "Deal__c"}
    crm_double.rows["contracts"] = [{"crm_id": "D2", "modified_at": noon - timedelta(hours=1)}]
    crm_double.clock = noon + timedelta(hours=2)
    pull_once()
    assert ids_of(lake.tables()["contracts"]) == ["D2"]


def test_an_object_that_the_settings_name_no_more_is_let_go(
    pull_once: Pull, crm_double: Any, lake: Lake, ids_of: Ids, noon: datetime
) -> None:
    """With its bookmark: named again, it is read from the beginning."""
    for name, expected in (("Usage__c", ["U1"]), (None, []), ("Usage__c", ["U1"])):
        crm_double.objects = {} if name is None else {"crm_usage": name}
        crm_double.put("crm_usage", {"crm_id": "U1", "modified_at": noon - timedelta(hours=1)})
        crm_double.clock += timedelta(hours=1)
        pull_once()
        assert ids_of(lake.tables()["crm_usage"]) == expected


def test_what_the_crm_has_none_of_is_no_warning(pull_once: Pull, crm_double: Any) -> None:
    """No permission would show it, so it is not among the invisible."""
    crm_double.absent = {"assets"}
    report = pull_once()
    assert set(report.absent) == {"assets"}
    assert report.invisible == {}


def test_what_is_never_stamped_is_read_whole_every_time(
    pull_once: Pull, crm_double: Any, noon: datetime
) -> None:
    """Exchange rates are few."""
    pull_once()
    crm_double.clock = noon + timedelta(hours=1)
    crm_double.windows.clear()
    pull_once()
    since = {table: window.since for table, window in crm_double.windows}
    assert since["exchange_rates"] is None
    assert since["products"] is not None


def as_capable(crm: Any, *, columns_alone: bool) -> None:
    """The double as a CRM of this kind."""
    crm.capabilities = replace(crm.capabilities, columns_alone=columns_alone)


def test_a_newly_mapped_field_is_read_for_all_rows_and_alone(
    pull_once: Pull, crm_double: Any, lake: Lake, noon: datetime
) -> None:
    """Once: with the first pull after it was mapped, or mapped to another field."""
    as_capable(crm_double, columns_alone=True)
    pull_once()
    crm_double.mapping = {"accounts": {"seats": "Seats__c"}}
    crm_double.moves = {"A1": {"seats": 5.0}}
    crm_double.clock = noon + timedelta(hours=1)
    report = pull_once()
    assert crm_double.reread_columns == [("accounts", ("seats",))]
    assert {table.table: table.rows for table in report.tables if table.rows} == {"accounts": 1}
    rows = lake.tables()["accounts"].select("crm_id", "external_id", "seats").to_pyarrow().to_pylist()
    assert {(row["crm_id"], row["external_id"], row["seats"]) for row in rows} == {
        ("A1", "c1", 5.0),
        ("A2", "c2", None),
    }
    crm_double.clock = noon + timedelta(hours=2)
    pull_once()
    assert len(crm_double.reread_columns) == 1
    crm_double.mapping = {"accounts": {"seats": "Licences__c"}}
    crm_double.clock = noon + timedelta(hours=3)
    pull_once()
    assert len(crm_double.reread_columns) == 2


@pytest.mark.parametrize(
    ("before", "after", "columns_alone"),
    [
        ({}, {"seats": "seats"}, False),
        ({"seats": "Seats__c"}, {}, True),
        ({"seats": "Seats__c", "arr": "ARR__c"}, {"arr": "Revenue__c"}, True),
        ({"segment": "=SMB"}, {"segment": "=Enterprise"}, True),
        ({}, {"known_from": "Issued__c"}, True),
    ],
)
def test_where_a_column_is_not_to_be_had_alone_the_table_is_read_as_a_whole(
    pull_once: Pull, crm_double: Any, noon: datetime, before: Any, after: Any, columns_alone: bool
) -> None:
    """In a CRM that lists whole records, and for a column that is mapped no more; other tables as ever."""
    as_capable(crm_double, columns_alone=columns_alone)
    crm_double.mapping = {"accounts": before}
    pull_once()
    crm_double.mapping = {"accounts": after}
    crm_double.clock = noon + timedelta(hours=1)
    crm_double.windows.clear()
    pull_once()
    since = {table: window.since for table, window in crm_double.windows}
    assert since["accounts"] is None
    assert since["contacts"] is not None
    assert crm_double.reread_columns == []


def test_a_pull_that_dies_reads_the_new_field_with_the_next(
    pull_once: Pull, crm_double: Any, noon: datetime
) -> None:
    """What was read is noted with the rows, not before."""
    as_capable(crm_double, columns_alone=True)
    pull_once()
    crm_double.mapping = {"accounts": {"seats": "Seats__c"}}
    crm_double.put("accounts", {"crm_id": "A2", "modified_at": noon})
    crm_double.clock = noon + timedelta(hours=1)
    crm_double.fail_at = "accounts"
    with pytest.raises(ConnectionResetError):
        pull_once()
    crm_double.fail_at = None
    pull_once()
    assert crm_double.reread_columns == [("accounts", ("seats",))]


def test_a_ledger_that_never_noted_its_fields_reads_nothing_again(
    pull_once: Pull, crm_double: Any, ledger: Store, noon: datetime
) -> None:
    """One of an earlier version, which had them mapped all along."""
    as_capable(crm_double, columns_alone=True)
    crm_double.mapping = {"accounts": {"seats": "Seats__c"}}
    pull_once()
    with ledger.begin() as session:
        session.execute(delete(MappedColumnRow))
    crm_double.clock = noon + timedelta(hours=1)
    pull_once()
    assert crm_double.reread_columns == []


def test_an_object_of_several_that_is_invisible_is_reported(pull_once: Pull, crm_double: Any) -> None:
    """By table and object, beside the rows of the others."""
    crm_double.hidden_objects = {"activities": ("emails",)}
    report = pull_once()
    assert report.invisible == {"activities (emails)": "grant it"}
    assert "activities" in {table.table for table in report.tables}
