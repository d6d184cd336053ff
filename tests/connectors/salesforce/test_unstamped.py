"""Formula fields and fields of parents, which change without moving their record's stamp."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.sandbox.salesforce.schema import Field, Schema
from connectors.sandbox.store import moment
from sync.lake import Lake
from sync.pull import PullReport, pull
from sync.store import Store

MAPPING = {
    "accounts": {"seats": "Seats_Now__c", "account_type": "Type_Now__c", "segment": "Owner.Department"},
    "contacts": {"role": "Account.Type"},
}


@pytest.fixture
def formula_org(org: Any) -> Any:
    """An org with a number and a text formula on its accounts."""
    kind: dict[str, Any] = {"calculated": True, "createable": False, "updateable": False, "required": True}
    fields = [
        Field(name="Seats_Now__c", label="Seats", type="double", precision=9, **kind),
        Field(name="Type_Now__c", label="Type", type="string", length=40, **kind),
    ]
    Schema(org.sandbox.store).add_fields("Account", fields)
    return org


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Store, Lake]]:
    """A ledger and a lake."""
    with (
        Store.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as store,
        Lake(tmp_path / "lake", store) as lake,
    ):
        yield store, lake


@pytest.fixture
def pull_now(formula_org: Any, home: tuple[Store, Lake]) -> Callable[..., PullReport]:
    """A pull of accounts and contacts over a connection of its own."""

    def once() -> PullReport:
        crm = formula_org.connect(mapping=MAPPING)
        now = formula_org.sandbox.clock.now()
        return pull(crm, *home, run_id=None, now=now, tables=("accounts", "contacts"))

    return once


def turn(org: Any, record: str, **values: Any) -> None:
    """A formula gives something else: no stamp moves."""
    org.sandbox.store.bulk_update("Account", [{"Id": record, **values}])


def rows(home: tuple[Store, Lake], table: str = "accounts") -> dict[str, dict[str, Any]]:
    """The lake's rows by id."""
    return {row["crm_id"]: row for row in home[1].tables()[table].to_pyarrow().to_pylist()}


def test_a_formula_that_changed_is_in_the_lake_the_day_after(
    formula_org: Any, home: Any, pull_now: Any
) -> None:
    """With what follows from it, and with everything else of the row as it was."""
    org = formula_org
    changed, same = (org.create("Account", Name=name) for name in ("changed", "same"))
    for each in (changed, same):
        turn(org, each, Seats_Now__c=10, Type_Now__c="Prospect")
    org.advance(hours=1)  # beyond the next pull's overlap
    pull_now()
    turn(org, changed, Seats_Now__c=25, Type_Now__c="Customer")
    org.advance(hours=1)
    pull_now()
    assert rows(home)[changed]["seats"] == 10.0
    before = rows(home)
    org.advance(days=1)
    report = pull_now()
    after = rows(home)
    assert after[changed] == before[changed] | {
        "seats": 25.0,
        "account_type": "Customer",
        "is_customer": True,
    }
    assert after[same] == before[same]
    assert {table.table: table.rows for table in report.tables}["accounts"] == 1


def test_a_parents_field_is_followed_too(formula_org: Any, home: Any, pull_now: Any) -> None:
    """A contact's role by its account's type, in our words."""
    org = formula_org
    account = org.create("Account", Name="Acme", Type="Prospect")
    contact = org.create("Contact", LastName="Ng", AccountId=account)
    pull_now()
    assert rows(home, "contacts")[contact]["role"] == "prospect"
    org.edit("Account", account, Type="Former Customer")
    org.advance(days=1)
    pull_now()
    assert rows(home, "contacts")[contact]["role"] == "former_customer"


def test_a_record_that_changed_as_well_is_taken_once_and_new(
    formula_org: Any, home: Any, pull_now: Any
) -> None:
    """The formula's row is older than the one that the increment brings."""
    org = formula_org
    record = org.create("Account", Name="old")
    turn(org, record, Seats_Now__c=10)
    pull_now()
    org.advance(days=1)
    org.edit("Account", record, Name="new")
    turn(org, record, Seats_Now__c=25)
    org.advance(minutes=5)
    pull_now()
    assert (rows(home)[record]["name"], rows(home)[record]["seats"]) == ("new", 25.0)


def test_many_formulas_are_read_by_a_job_and_only_their_columns(formula_org: Any) -> None:
    """Id and the mapped fields."""
    org = formula_org
    ids = org.many_accounts(2_100)
    org.sandbox.store.bulk_update("Account", [{"Id": each, "Seats_Now__c": 5.0} for each in ids])
    crm = org.connect(mapping={"accounts": {"seats": "Seats_Now__c"}})

    def held(table: str, columns: Sequence[str]) -> pa.Table:
        assert (table, list(columns)) == ("accounts", ["crm_id", "seats"])
        return pa.table({"crm_id": ids[:2_000], "seats": [5.0] * 1_990 + [None] * 10})

    found = pa.concat_tables(crm.moved("accounts", held))
    assert found.column_names == ["crm_id", "seats"]
    assert sorted(found["crm_id"].to_pylist()) == sorted(ids[1_990:2_000])
    assert sum(each.path.endswith("/jobs/query") for each in org.requests("/jobs")) == 1


def test_without_mapped_formulas_nothing_is_asked(org: Any, home: Any) -> None:
    """The day after costs no call more."""
    org.create("Account", Name="Acme")
    calls = []
    for _ in range(3):
        crm = org.connect()
        report = pull(crm, *home, run_id=None, now=moment(org.sandbox.clock.stamp()), tables=("accounts",))
        calls.append(report.api_calls)
        org.advance(days=1)
    assert calls[1] == calls[2] == 3  # which org it is, what it has, and the accounts


def test_a_newly_mapped_field_is_in_the_lake_with_the_next_pull(org: Any, home: Any) -> None:
    """For records that did not change, in one query for its column."""
    account = org.create("Account", Name="Acme", Seats__c=7, ARR__c=10)
    org.advance(hours=1)
    mapping: dict[str, str] = {}
    for own in ({}, {"seats": "Seats__c"}, {"seats": "ARR__c"}, {}):
        mapping = own
        crm = org.connect(mapping={"accounts": mapping})
        pull(crm, *home, run_id=None, now=moment(org.sandbox.clock.stamp()), tables=("accounts",))
        field = mapping.get("seats")
        assert rows(home)[account]["seats"] == {None: None, "Seats__c": 7.0, "ARR__c": 10.0}[field]
        org.advance(hours=1)
