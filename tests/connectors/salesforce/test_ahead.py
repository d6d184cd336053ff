"""Tables whose turn comes next are asked for in the same call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.crm import Window
from connectors.errors import SetupError
from connectors.sandbox.salesforce.ids import salesforce_id

TABLES = ("accounts", "contacts", "opportunities", "activities", "tickets", "owners", "products")
FULL = Window(since=None, until=datetime(2026, 11, 1, tzinfo=UTC))
SINCE = Window(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC))


def read(crm: Any, window: Window, tables: tuple[str, ...] = TABLES) -> dict[str, list[str]]:
    """Ids by table, each table told which follow."""
    found = {}
    for place, table in enumerate(tables):
        pages = crm.pull(table, window, also=tables[place + 1 :])
        found[table] = sorted(each for page in pages for each in page["crm_id"].to_pylist())
    return found


@pytest.fixture
def some(org: Any) -> dict[str, list[str]]:
    """A few records; their ids by table."""
    account = org.create("Account", Name="Acme")
    deal = {"AccountId": account, "StageName": "Closed Won", "CloseDate": "2026-02-01"}
    return {
        "accounts": [account],
        "contacts": [org.create("Contact", LastName="Ng", AccountId=account)],
        "opportunities": [org.create("Opportunity", Name="D", **deal)],
        "activities": [org.create("Task", Subject="T", WhatId=account)],
        "tickets": [org.create("Case", Subject="C", AccountId=account)],
    }


@pytest.mark.parametrize("window", [FULL, SINCE])
def test_eight_objects_cost_two_calls(org: Any, some: Any, window: Window) -> None:
    """Five queries to a call; and what was read is what each alone would read."""
    apart = {table: ids for table in TABLES for ids in read(org.connect(), window, (table,)).values()}
    crm = org.connect()
    crm.org()
    list(crm.pull("products", SINCE))  # describes
    before, queries = crm.usage().calls, len(org.requests("/query"))
    assert read(crm, window) == apart
    assert {table: apart[table] for table in some} == some
    also_asked = 2 if window is SINCE else 3  # stages and lines of deals; how many records there are
    assert crm.usage().calls - before == 2 + also_asked
    assert len(org.requests("/query")) - queries == 2


def test_a_page_read_ahead_serves_its_own_window_only(org: Any, some: Any) -> None:
    """A pull that broke off leaves nothing to a later one."""
    crm = org.connect()
    next(crm.pull("accounts", FULL, also=TABLES[1:]))
    new = org.create("Contact", LastName="New")
    later = Window(since=None, until=FULL.until + timedelta(hours=1))
    assert new in read(crm, later)["contacts"]


def test_a_table_that_is_not_there_stops_no_other(org: Any, some: Any) -> None:
    """Its own turn says so."""
    crm = org.connect(mapping={"contacts": {"role": "Nothing__c"}})
    with pytest.raises(SetupError, match="Nothing__c"):
        read(crm, SINCE)
    assert read(crm, SINCE, ("accounts", "tickets"))["tickets"] == some["tickets"]


def test_where_the_org_refuses_the_call_each_table_asks_for_itself(org: Any, some: Any) -> None:
    """Nothing is lost but the calls."""
    crm = org.connect()
    org.fault(kind="status", endpoint="composite", status=400, code="INVALID_INPUT")
    assert {table: ids for table, ids in read(crm, SINCE).items() if table in some} == some


@pytest.mark.parametrize("number", [1_999, 2_001])
def test_what_follows_a_page_read_ahead_comes_too(org: Any, number: int) -> None:
    """Behind its cursor, or by a job where there are more rows than a page."""
    ids = org.many_accounts(number)
    found = read(org.connect(), SINCE, ("contacts", "accounts"))
    assert found == {"contacts": [], "accounts": sorted(ids)}
    assert bool(org.requests("/jobs/query")) == (number > 2_000)


def deals_with_a_past(org: Any) -> None:
    """Open, closed and reopened deals, with lines and without."""
    account = org.create("Account", Name="Acme")
    product = org.create("Product2", Name="Seats", ProductCode="SEAT", IsActive=True)
    facts = {"AccountId": account, "CloseDate": "2026-02-01", "StageName": "Prospecting"}
    deals = [org.create("Opportunity", Name=f"D {each}", **facts) for each in range(4)]
    for deal, stage in zip(deals, ("Closed Won", "Closed Lost", "Negotiation/Review"), strict=False):
        org.advance(days=1)
        org.edit("Opportunity", deal, StageName=stage)
    lines = [
        {"Id": salesforce_id("00k", 5_000 + place), "OpportunityId": deal, "Product2Id": product}
        for place, deal in enumerate(deals[1:])
    ]
    org.sandbox.store.bulk_insert("OpportunityLineItem", lines)


def rows_of(crm: Any, tables: tuple[str, ...], *, along: bool) -> dict[str, list[dict[str, Any]]]:
    """Rows by table of a full read, which says or does not say which tables follow."""
    found = {}
    for place, table in enumerate(tables):
        pages = crm.pull(table, FULL, also=tables[place + 1 :] if along else ())
        rows = [row for page in pages for row in page.to_pylist()]
        found[table] = sorted(rows, key=lambda row: str(row["crm_id"]))
    return found


def test_stages_and_lines_that_are_tables_too_are_read_once(org: Any) -> None:
    """A first pull has their rows anyway; what deals get from them is the same."""
    deals_with_a_past(org)
    tables = ("opportunities", "opportunity_lines", "opportunity_history")
    apart = rows_of(org.connect(), tables, along=False)
    assert any(row["closed_at"] for row in apart["opportunities"])
    assert {row["product_id"] for row in apart["opportunities"]} == {None, "SEAT"}
    crm = org.connect()
    before = len(org.requests("/query"))
    assert rows_of(crm, tables, along=True) == apart
    assert len(org.requests("/query")) - before == 3


def test_what_was_set_aside_serves_one_pull(org: Any) -> None:
    """A pull that broke off behind the deals leaves nothing to a later one."""
    deals_with_a_past(org)
    crm = org.connect()
    list(crm.pull("opportunities", FULL, also=("opportunity_history",)))
    account = org.create("Account", Name="New")
    org.create("Opportunity", Name="D", AccountId=account, StageName="Closed Won", CloseDate="2026-02-01")
    later = Window(since=None, until=FULL.until + timedelta(hours=1))
    pages = crm.pull("opportunity_history", later)
    assert sum(page.num_rows for page in pages) == 8


def test_lines_that_the_settings_map_are_read_apart(org: Any, pulled: Any) -> None:
    """Their product may be another one then."""
    deals_with_a_past(org)
    crm = org.connect(mapping={"opportunity_lines": {"product_id": "Description"}})
    found = rows_of(crm, ("opportunities", "opportunity_lines"), along=True)
    assert {row["product_id"] for row in found["opportunities"]} == {None, "SEAT"}
    assert {row["product_id"] for row in found["opportunity_lines"]} == {None}
