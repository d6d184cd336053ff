"""Canonical tables pulled from the org."""

# ruff: noqa: E501  # a record in one line reads better

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.canonical import CRM_TABLES
from connectors.crm import Window
from connectors.errors import SetupError
from connectors.sandbox.salesforce.ids import salesforce_id

MAPPING = {
    "accounts": {
        "plan_tier": "Plan_Tier__c",
        "seats": "Seats__c",
        "arr": "ARR__c",
        "renewal_date": "Renewal_Date__c",
        "fiscal_year_start": "Fiscal_Year_Start_Month__c",
        "segment": "Segment__c",
    },
    "contacts": {"role": "Role__c", "left_at": "Left_Company_On__c"},
    "tickets": {"csat": "CSAT__c"},
}
LATER = datetime(2100, 1, 1, tzinfo=UTC)


BOTH_WAYS = pytest.mark.parametrize("way", ["auto", "never"])  # of [crm.salesforce] bulk_reads


def connect(org: Any, way: str = "auto") -> Any:
    """With the company's own fields mapped."""
    settings = org.settings(bulk_reads=way)
    return org.connect(settings, mapping=MAPPING, account_external_id="Customer_Id__c")


def test_an_account_arrives_with_standard_mapped_and_derived_columns(org: Any, pulled: Any) -> None:
    """Names, numbers, dates, the customer flag and the org's currency."""
    parent = org.create("Account", Name="Parent", Type="Prospect")
    record = org.create(
        "Account",
        Name="Müller & Söhne",
        ParentId=parent,
        Type="Customer",
        NumberOfEmployees=250,
        AnnualRevenue=1e7,
        Customer_Id__c="001",
        Plan_Tier__c="Growth",
        Seats__c=120,
        ARR__c=24000.5,
        Renewal_Date__c="2027-01-31",
        Fiscal_Year_Start_Month__c=2,
    )
    rows = {row["crm_id"]: row for row in pulled(connect(org), "accounts")}
    row = rows[record]
    assert row["name"] == "Müller & Söhne"
    assert row["parent_crm_id"] == parent
    assert (row["external_id"], row["plan_tier"], row["seats"], row["arr"]) == (
        "001",
        "Growth",
        120.0,
        24000.5,
    )
    assert (row["renewal_date"], row["fiscal_year_start"]) == (date(2027, 1, 31), 2)
    assert (row["employees"], row["annual_revenue"], row["currency"]) == (250, 1e7, "EUR")
    assert (row["is_customer"], rows[parent]["is_customer"]) == (True, False)
    assert row["known_from"] == row["created_at"]
    assert row["is_deleted"] is False
    assert row["segment"] is None


def test_each_table_comes_in_its_canonical_schema(org: Any) -> None:
    """Also where a page has nothing but nulls in a column."""
    account = org.create("Account", Name="Acme")
    contact = org.create("Contact", LastName="Ng", AccountId=account)
    org.create("Opportunity", Name="O", AccountId=account, StageName="Prospecting", CloseDate="2026-12-01")
    org.create("Task", Subject="T", WhatId=account, WhoId=contact)
    org.create("Case", Subject="C", AccountId=account)
    org.create("Product2", Name="P", IsActive=True)
    crm = connect(org)
    for table in ("accounts", "contacts", "opportunities", "opportunity_history", "activities", "tickets", "owners", "products"):  # fmt: skip
        pages = list(crm.pull(table, Window(since=None, until=LATER)))
        assert pages, table
        assert all(page.schema == CRM_TABLES[table] for page in pages), table


@BOTH_WAYS
def test_a_first_pull_reads_every_page_once(org: Any, way: str, pulled: Any) -> None:
    """More rows than a page holds, none lost, none twice."""
    ids = org.many_accounts(4_500)
    crm = connect(org, way)
    pages = list(crm.pull("accounts", Window(since=None, until=LATER)))
    assert len(pages) >= 3
    found = [each for page in pages for each in page.column("crm_id").to_pylist()]
    assert sorted(found) == sorted(ids)
    again = list(crm.pull("accounts", Window(since=datetime(2026, 1, 5, tzinfo=UTC), until=LATER)))
    assert sorted(each for page in again for each in page.column("crm_id").to_pylist()) == sorted(ids)


def test_an_increment_holds_what_changed_and_what_was_deleted(org: Any, pulled: Any) -> None:
    """A deleted record comes once more, flagged."""
    kept, changed, gone = (org.create("Account", Name=name) for name in ("kept", "changed", "gone"))
    crm = connect(org)
    org.advance(hours=1)
    since = org.sandbox.clock.now()
    org.advance(minutes=1)
    org.edit("Account", changed, Name="changed indeed")
    org.delete("Account", gone)
    rows = {row["crm_id"]: row for row in pulled(crm, "accounts", since)}
    assert set(rows) == {changed, gone}
    assert (rows[changed]["name"], rows[changed]["is_deleted"]) == ("changed indeed", False)
    assert rows[gone]["is_deleted"] is True
    assert rows[changed]["modified_at"] > rows[changed]["created_at"]
    assert {row["crm_id"] for row in pulled(crm, "accounts")} == {kept, changed}


def test_closed_at_is_when_the_closed_stage_was_entered(org: Any, pulled: Any) -> None:
    """Not the typed close date, and not a later edit of the amount."""
    account = org.create("Account", Name="Acme")
    deal = org.create(
        "Opportunity", Name="D", AccountId=account, StageName="Prospecting", CloseDate="2026-01-01", Amount=5
    )
    still_open = org.create(
        "Opportunity", Name="O", AccountId=account, StageName="Prospecting", CloseDate="2026-12-01"
    )
    won_at = org.advance(days=3)
    org.edit("Opportunity", deal, StageName="Closed Won")
    org.advance(days=5)
    org.edit("Opportunity", deal, Amount=7)
    rows = {row["crm_id"]: row for row in pulled(connect(org), "opportunities")}
    assert abs((rows[deal]["closed_at"] - won_at).total_seconds()) < 60
    assert (rows[deal]["is_won"], rows[deal]["amount"], rows[deal]["probability"]) == (True, 7.0, 1.0)
    assert rows[still_open]["closed_at"] is None
    assert rows[still_open]["probability"] == pytest.approx(0.1)


def test_a_reopened_deal_was_closed_when_it_closed_for_good(org: Any, pulled: Any) -> None:
    """The first, undone closing does not count."""
    account = org.create("Account", Name="Acme")
    deal = org.create(
        "Opportunity", Name="D", AccountId=account, StageName="Closed Won", CloseDate="2026-01-01"
    )
    org.advance(days=1)
    org.edit("Opportunity", deal, StageName="Negotiation/Review")
    again = org.advance(days=1)
    org.edit("Opportunity", deal, StageName="Closed Won")
    (row,) = pulled(connect(org), "opportunities")
    assert abs((row["closed_at"] - again).total_seconds()) < 60


def test_the_main_product_is_that_of_the_largest_line(org: Any, pulled: Any) -> None:
    """By its product code; lines have product, quantity and amount of their own."""
    account = org.create("Account", Name="Acme")
    deal = org.create(
        "Opportunity", Name="D", AccountId=account, StageName="Prospecting", CloseDate="2026-12-01"
    )
    small, large = (org.create("Product2", Name=name, ProductCode=code, IsActive=True) for name, code in (("Seats", "SEAT"), ("Audit", "AUDIT")))  # fmt: skip
    store = org.sandbox.store
    book = store.select("SELECT Id FROM Pricebook2 WHERE IsStandard = 1")
    book_id = book[0][0] if book else org.create("Pricebook2", Name="Standard", IsActive=True)
    for product, price in ((small, 10), (large, 90)):
        entry = org.create(
            "PricebookEntry", Pricebook2Id=book_id, Product2Id=product, UnitPrice=price, IsActive=True
        )
        org.create("OpportunityLineItem", OpportunityId=deal, PricebookEntryId=entry, Product2Id=product, Quantity=1, UnitPrice=price, TotalPrice=price)  # fmt: skip
    crm = connect(org)
    (row,) = pulled(crm, "opportunities")
    assert row["product_id"] == "AUDIT"
    lines = {line["product_id"]: line for line in pulled(crm, "opportunity_lines")}
    assert (lines["AUDIT"]["product_name"], lines["AUDIT"]["amount"], lines["AUDIT"]["quantity"]) == (
        "Audit",
        90.0,
        1.0,
    )
    products = {each["product_id"]: each for each in pulled(crm, "products")}
    assert set(products) == {"SEAT", "AUDIT"}
    assert products["AUDIT"]["is_active"] is True


def test_history_of_a_mapped_field_bears_the_canonical_name(org: Any, pulled: Any) -> None:
    """Seats__c is seats, Name is name; values are text without a trailing .0."""
    tracked = org.create("Account", Name="Acme", Seats__c=10)
    org.advance(days=1)
    org.edit("Account", tracked, Seats__c=25, Plan_Tier__c="Growth")
    rows = [row for row in pulled(connect(org), "account_history") if row["field"] != "created"]
    changes = {row["field"]: (row["old_value"], row["new_value"]) for row in rows}
    assert changes == {"seats": ("10", "25"), "plan_tier": (None, "Growth")}
    assert {row["account_crm_id"] for row in rows} == {tracked}
    assert all(row["changed_at"] == row["known_from"] == row["modified_at"] for row in rows)


def test_tasks_and_events_are_activities_of_one_account(org: Any, pulled: Any) -> None:
    """Meetings, calls, mails and tasks, each with its time and its contact."""
    account = org.create("Account", Name="Acme")
    contact = org.create("Contact", LastName="Ng", AccountId=account)
    org.create("Event", Subject="QBR", WhatId=account, WhoId=contact, StartDateTime="2026-10-01T09:00:00Z", EndDateTime="2026-10-01T10:00:00Z", DurationInMinutes=60, ActivityDateTime="2026-10-01T09:00:00Z")  # fmt: skip
    org.create(
        "Task",
        Subject="Call",
        WhatId=account,
        TaskSubtype="Call",
        ActivityDate="2026-10-02",
        Status="Completed",
    )
    org.create("Task", Subject="Todo", WhatId=account)
    rows = {row["subject"]: row for row in pulled(connect(org), "activities")}
    assert {name: row["kind"] for name, row in rows.items()} == {
        "QBR": "meeting",
        "Call": "call",
        "Todo": "task",
    }
    assert {row["account_crm_id"] for row in rows.values()} == {account}
    assert rows["QBR"]["occurred_at"] == datetime(2026, 10, 1, 9, tzinfo=UTC)
    assert rows["QBR"]["contact_crm_id"] == contact
    assert rows["Todo"]["occurred_at"] == rows["Todo"]["created_at"]


def test_contacts_and_tickets_speak_our_words(org: Any, pulled: Any) -> None:
    """Roles and priorities are normalised, CSAT is mapped."""
    account = org.create("Account", Name="Acme")
    org.create(
        "Contact",
        LastName="Ng",
        AccountId=account,
        Role__c="Executive Sponsor",
        Left_Company_On__c="2026-09-01",
    )
    org.create("Case", Subject="Help", AccountId=account, Priority="High", CSAT__c=4)
    crm = connect(org)
    (contact,) = pulled(crm, "contacts")
    assert (contact["role"], contact["left_at"], contact["account_crm_id"]) == (
        "executive_sponsor",
        date(2026, 9, 1),
        account,
    )
    (ticket,) = pulled(crm, "tickets")
    assert (ticket["priority"], ticket["csat"], ticket["is_closed"]) == ("high", 4.0, False)


def test_owners_are_users_and_never_deleted(org: Any, pulled: Any) -> None:
    """A User has no recycle bin."""
    rows = pulled(connect(org), "owners")
    assert all(row["crm_id"].startswith("005") and row["is_deleted"] is False for row in rows)
    assert any(row["is_active"] for row in rows)


@pytest.mark.parametrize(
    ("table", "mapping", "word"),
    [
        ("accounts", {"seats": "Seets__c"}, "Seets__c"),
        ("accounts", {"colour": "Name"}, "no such column"),
        ("accounts", {"crm_id": "Name"}, "no such column"),
        ("contacts", {"role": "Account.Nothing__c"}, "Account.Nothing__c"),
        ("accounts", {"seats": "Name FROM User"}, "Name FROM User"),
    ],
)
def test_a_wrong_mapping_is_named_before_any_query(
    org: Any, table: str, mapping: dict[str, str], word: str
) -> None:
    """Table, column, field and fix."""
    crm = org.connect(mapping={table: mapping})
    with pytest.raises(SetupError, match=f"(?i){word}") as caught:
        list(crm.pull(table, Window(since=None, until=LATER)))
    assert str(caught.value.record).startswith(f"[mapping.{table}]")
    assert not org.requests("/query")


def test_a_missing_external_id_field_is_named(org: Any) -> None:
    """Without it no export can be joined."""
    crm = org.connect(account_external_id="Kunden_Nr__c")
    with pytest.raises(SetupError, match="Kunden_Nr__c"):
        list(crm.pull("accounts", Window(since=None, until=LATER)))


def test_a_field_of_another_kind_names_record_and_value(org: Any) -> None:
    """Seats mapped to the name can't be read."""
    record = org.create("Account", Name="Acme")
    crm = org.connect(mapping={"accounts": {"seats": "Name"}})
    with pytest.raises(SetupError, match="'Acme', which is no number") as caught:
        list(crm.pull("accounts", Window(since=None, until=LATER)))
    assert record in str(caught.value.record)


def test_numbers_in_a_text_field_are_numbers(org: Any, pulled: Any) -> None:
    """A company may keep its seats as text."""
    org.create("Account", Name="17")
    (row,) = pulled(org.connect(mapping={"accounts": {"seats": "Name"}}), "accounts")
    assert row["seats"] == 17.0


def test_a_path_over_a_relationship_can_be_mapped(org: Any, pulled: Any) -> None:
    """The owner's name as the account's segment."""
    org.create("Account", Name="Acme")
    (row,) = pulled(org.connect(mapping={"accounts": {"segment": "Owner.Name"}}), "accounts")
    assert row["segment"]


@BOTH_WAYS
def test_a_session_that_ends_between_two_pages_costs_nothing(org: Any, way: str, pulled: Any) -> None:
    """The cursor goes on after one login."""
    org.many_accounts(4_100)
    crm = connect(org, way)
    org.fault(kind="expire_session", endpoint="*query*", request=(2,))
    assert len(pulled(crm, "accounts")) == 4_100


@BOTH_WAYS
@pytest.mark.parametrize("since", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_lost_query_cursor_costs_no_row_and_doubles_none(
    org: Any, way: str, pulled: Any, since: Any
) -> None:
    """The pull goes on behind the last row it saw, also where thousands bear one stamp."""
    ids = org.many_accounts(6_500)
    crm = connect(org, way)
    org.fault(
        kind="status", endpoint="*/query*/?*", request=(1, 3, 4), status=400, code="INVALID_QUERY_LOCATOR"
    )
    found = [row["crm_id"] for row in pulled(crm, "accounts", since)]
    assert sorted(found) == sorted(ids)


@BOTH_WAYS
def test_a_pull_that_waits_while_others_run_loses_nothing(org: Any, way: str) -> None:
    """Salesforce keeps ten cursors a user; the slow pull's is the one that goes."""
    ids = org.many_accounts(4_100)
    crm = connect(org, way)
    slow = crm.pull("accounts", Window(since=None, until=LATER))
    found = next(slow).column("crm_id").to_pylist()
    for _ in range(12):
        next(crm.pull("accounts", Window(since=None, until=LATER)))
    for page in slow:
        found += page.column("crm_id").to_pylist()
    assert sorted(found) == sorted(ids)


def test_activities_come_without_the_object_that_our_user_may_not_see(org: Any, pulled: Any) -> None:
    """Tasks without events; what is missing is told."""
    org.create("Task", Subject="T")
    org.hide("Event")
    crm = org.connect()
    assert [row["kind"] for row in pulled(crm, "activities")] == ["task"]
    assert set(crm.hidden("activities")) == {"Event"}
    assert crm.hidden("accounts") == {}


def test_what_an_org_has_is_asked_in_one_call(org: Any, pulled: Any) -> None:
    """Every object that a pull of all tables reads; one by one where the org refuses that call."""
    org.create("Account", Name="Acme")
    crm = connect(org)
    for table in ("accounts", "contacts", "opportunities", "tickets", "owners"):
        pulled(crm, table)
    assert len(org.requests("/composite")) == 1
    assert not org.requests("/describe")
    org.fault(kind="status", endpoint="composite", status=400, code="INVALID_INPUT")
    (row,) = pulled(connect(org), "accounts")
    assert row["name"] == "Acme"
    assert org.requests("/describe")


def test_a_second_pull_of_a_connection_reads_lines_anew(org: Any, pulled: Any) -> None:
    """Also over the same window: nothing of the first one is kept for it."""
    account = org.create("Account", Name="Acme")
    facts = {"AccountId": account, "CloseDate": "2026-12-01", "StageName": "Closed Won"}
    deal = org.create("Opportunity", Name="D", **facts)
    product = org.create("Product2", Name="Seats", ProductCode="SEAT", IsActive=True)
    crm = connect(org)
    assert [row["product_id"] for row in pulled(crm, "opportunities")] == [None]
    line = {"Id": salesforce_id("00k", 5_000), "OpportunityId": deal, "Product2Id": product, "TotalPrice": 5}
    org.sandbox.store.bulk_insert("OpportunityLineItem", [line])
    assert [row["product_id"] for row in pulled(crm, "opportunities")] == ["SEAT"]
