"""The company in HubSpot says the same as the company in Salesforce, and moves on with it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from connectors.sandbox import clock
from connectors.sandbox.company import hubspot, lifecycle, salesforce
from connectors.sandbox.hubspot.account import create_account
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.person import person_edit
from connectors.sandbox.hubspot.schema import standard_types
from connectors.sandbox.hubspot.values import ValueRefusedError, stored
from connectors.sandbox.store import Store

ACCOUNTS, MONTHS = 40, 6


@pytest.fixture(scope="session")
def company_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company."""
    folder = tmp_path_factory.mktemp("company")
    lifecycle.generate(folder, accounts=ACCOUNTS, months=MONTHS, seed=3)
    return folder


@pytest.fixture
def loaded(company_folder: Path, tmp_path: Path) -> tuple[Store, Path]:
    """An account that holds the company, and the company's folder."""
    folder = tmp_path / "company"
    shutil.copytree(company_folder, folder)
    store = create_account(tmp_path / "account")
    hubspot.load(store, folder)
    return store, folder


def count(store: Store, table: str) -> int:
    """Rows of a table."""
    return int(str(store.select(f"SELECT count(*) FROM {table}")[0][0]))


def test_every_record_of_the_company_is_there(company_folder: Path) -> None:
    """As many of each kind as in Salesforce."""
    tables = salesforce.read_tables(company_folder)
    theirs = {name: len(rows) for name, rows in salesforce.records(tables).items()}
    ours = {name: len(rows) for name, rows in hubspot.content(tables).rows.items()}
    assert ours["companies"] == theirs["Account"] == ACCOUNTS
    assert ours["contacts"] == theirs["Contact"]
    assert (ours["deals"], ours["line_items"]) == (theirs["Opportunity"], theirs["OpportunityLineItem"])
    assert ours["tickets"] == theirs["Case"]
    assert ours["meetings"] == theirs["Event"]
    assert ours["calls"] + ours["emails"] + ours["tasks"] == theirs["Task"]
    assert ours["products"] == theirs["Product2"]


def test_companies_carry_the_same_numbers(company_folder: Path) -> None:
    """Seats, ARR and renewal by the company's own key."""
    tables = salesforce.read_tables(company_folder)
    theirs = {
        row["Customer_Id__c"]: (row["Seats__c"], row["ARR__c"], row["Renewal_Date__c"])
        for row in salesforce.records(tables)["Account"].values()
    }
    ours = {}
    for row in hubspot.content(tables).rows["companies"].values():
        numbers = [None if row[name] is None else float(row[name]) for name in ("seats", "arr")]
        ours[row["customer_id"]] = (*numbers, row["renewal_date"])
    assert ours == {key: (*numbers, day and str(day)[:10]) for key, (*numbers, day) in theirs.items()}


def test_deals_were_closed_when_the_opportunities_were(company_folder: Path) -> None:
    """The entry date of the closed stage is the time of the opportunity's history row."""
    tables = salesforce.read_tables(company_folder)
    theirs = Counter(
        str(row["CreatedDate"]).replace(" ", "T")[:19]
        for row in salesforce.records(tables)["OpportunityHistory"].values()
        if row["StageName"].startswith("Closed")
    )
    stages = ("hs_v2_date_entered_closedwon", "hs_v2_date_entered_closedlost")
    deals = hubspot.content(tables).rows["deals"].values()
    assert Counter(row[name][:19] for row in deals for name in stages if row.get(name)) == theirs
    assert theirs


def test_every_loaded_value_is_one_that_the_account_would_accept(company_folder: Path) -> None:
    """The loader goes past the validation, so its values are checked here."""
    refused = []
    for name, rows in hubspot.content(salesforce.read_tables(company_folder)).rows.items():
        properties = standard_types()[name].properties
        for row in rows.values():
            for key, value in row.items():
                if value is None or key not in properties or properties[key].external:
                    continue
                try:
                    if stored(properties[key], value) != value:
                        refused.append((name, key, value))
                except ValueRefusedError as error:
                    refused.append((name, key, str(error)))
    assert refused == []


def test_everything_belongs_to_a_company(loaded: tuple[Store, Path]) -> None:
    """No deal, ticket or activity hangs in the air, and each pair is stored both ways."""
    store, _ = loaded
    associations = Associations(store)
    for name in ("contacts", "deals", "tickets", "meetings", "calls", "emails", "tasks"):
        ids = [str(row[0]) for row in store.select(f"SELECT Id FROM {name}")]
        assert associations.of(name, ids, "companies").keys() == set(ids)
    unpaired = store.select(
        "SELECT count(*) FROM associations AS a WHERE NOT EXISTS (SELECT 1 FROM associations AS b"
        " WHERE b.from_object = a.to_object AND b.from_id = a.to_id AND b.to_object = a.from_object"
        " AND b.to_id = a.from_id)"
    )
    assert unpaired == [(0,)]


def test_a_week_changes_only_what_the_company_changed(loaded: tuple[Store, Path]) -> None:
    """New records arrive, the clock moves on, and a person's own cell stays."""
    store, folder = loaded
    key = str(store.select("SELECT Id FROM companies ORDER BY Id LIMIT 1")[0][0])
    person_edit(store, "companies", key, {"description": "Ask for the CFO"})
    before, tickets = clock.base(store), count(store, "tickets")
    hubspot.advance(store, folder, 1)
    assert (clock.base(store) - before).days == 7
    assert count(store, "tickets") > tickets
    row = store.row("companies", key)
    assert row is not None
    assert row["description"] == "Ask for the CFO"
    fresh = hubspot.content(salesforce.read_tables(folder))
    held = {str(r[0]): r[1] for r in store.select("SELECT Id, seats FROM companies")}
    assert held == {k: r["seats"] for k, r in fresh.rows["companies"].items()}
    assert count(store, "property_history") >= len(fresh.history)
