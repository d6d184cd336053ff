"""Canonical tables from a HubSpot account on a real port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.canonical import CRM_TABLES
from connectors.crm import Window
from connectors.errors import AbsentError, SetupError
from connectors.hubspot import objects as objects_module
from connectors.hubspot.tables import ABSENT
from connectors.sandbox.company.hubspot_rows import row_of

MAPPING = {
    "accounts": {"plan_tier": "plan_tier", "seats": "seats", "arr": "arr", "renewal_date": "renewal_date"},
    "contacts": {"role": "contact_role", "department": "department", "left_at": "left_company_on"},
    "tickets": {"csat": "csat", "is_escalated": "escalated"},
    "products": {"family": "product_family"},
}


def test_a_company_is_an_account_row(account: Any, pulled: Callable[..., Any]) -> None:
    """Standard and mapped properties arrive in their canonical types, with parent and external id."""
    group = account.create("companies", name="Group")
    child = account.create(
        "companies",
        name="Ünïcode; DROP TABLE",
        lifecyclestage="customer",
        customer_id="C-001",
        plan_tier="Business",
        seats="120",
        arr="84000.5",
        renewal_date="2027-01-31",
        numberofemployees="350",
        industry="Logistics",
    )
    account.link("companies", child, group, 14)
    crm = account.connect(mapping=MAPPING, account_external_id="customer_id")
    rows = {row["crm_id"]: row for row in pulled(crm, "accounts")}
    row = rows[child]
    assert {
        "external_id": "C-001",
        "name": "Ünïcode; DROP TABLE",
        "parent_crm_id": group,
        "account_type": "Customer",
        "is_customer": True,
        "plan_tier": "Business",
        "seats": 120.0,
        "arr": 84000.5,
        "renewal_date": date(2027, 1, 31),
        "employees": 350,
        "industry": "Logistics",
        "currency": "USD",
        "is_deleted": False,
    }.items() <= row.items()
    assert rows[group]["parent_crm_id"] is None
    assert row["known_from"] == row["created_at"]


def test_every_table_has_its_canonical_schema(account: Any) -> None:
    """Each table of an account with a record of each object has its schema, but for what HubSpot lacks."""
    company = account.create("companies", name="Acme")
    person = account.create("contacts", firstname="Ann", email="ann@acme.example")
    account.link("contacts", person, company, 1)
    deal = account.create("deals", dealname="D", dealstage="closedwon", pipeline="default")
    account.advance(hours=1)
    account.edit("companies", company, name="Acme Inc")
    account.edit("deals", deal, amount="7")
    account.advance(hours=1)
    account.edit("deals", deal, amount="8")
    account.link("deals", deal, person, 3)
    product = account.create("products", name="Seats", hs_sku="SEATS")
    line = account.create("line_items", hs_product_id=product, quantity="2", price="10")
    account.link("deals", deal, line, 19)
    account.create("tickets", subject="T", hs_pipeline="0", hs_pipeline_stage="1")
    account.create("meetings", hs_timestamp="2026-11-01T10:00:00Z", hs_meeting_title="QBR")
    crm = account.connect()
    window = Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))
    for table in ABSENT:
        with pytest.raises(AbsentError, match="HubSpot"):
            next(crm.pull(table, window))
    for table, schema in CRM_TABLES.items():
        if table in ABSENT:
            continue
        pages = list(crm.pull(table, window))
        assert pages, table
        assert all(page.schema == schema for page in pages), table


def test_contacts_tell_role_name_and_primary_company(account: Any, pulled: Callable[..., Any]) -> None:
    """A contact of two companies belongs to its primary one; roles are in our words."""
    first, second = account.create("companies", name="A"), account.create("companies", name="B")
    person = account.create(
        "contacts", firstname="Zoë", lastname="Ng", contact_role="executive_sponsor", department="IT"
    )
    account.link("contacts", person, first, 279)
    account.link("contacts", person, second, 1)
    row = pulled(account.connect(mapping=MAPPING), "contacts")[0]
    assert ("Zoë Ng", "executive_sponsor", "IT", second) == (
        row["name"],
        row["role"],
        row["department"],
        row["account_crm_id"],
    )


def test_a_deal_is_closed_when_its_stage_was_entered(account: Any, pulled: Callable[..., Any]) -> None:
    """closed_at is the stage's date, not the close date that a person typed."""
    deal = account.create(
        "deals",
        dealname="Seats",
        pipeline="default",
        dealstage="negotiationreview",
        dealtype="Seat Expansion",
        amount="5000",
        closedate="2026-12-31",
    )
    open_row = pulled(account.connect(), "opportunities")[0]
    account.advance(days=3)
    account.edit("deals", deal, dealstage="closedwon")
    row = pulled(account.connect(), "opportunities")[0]
    assert (
        open_row["is_closed"],
        open_row["closed_at"],
        open_row["stage"],
        open_row["probability"],
    ) == (False, None, "Negotiation/Review", 0.9)
    assert (
        True,
        True,
        "Closed Won",
        1.0,
        date(2026, 12, 31),
        "Seat Expansion",
        5000.0,
        "Sales Pipeline",
    ) == (
        row["is_closed"],
        row["is_won"],
        row["stage"],
        row["probability"],
        row["close_date"],
        row["opportunity_type"],
        row["amount"],
        row["pipeline"],
    )
    assert row["closed_at"] - row["created_at"] >= timedelta(days=3)


def test_without_dated_stages_the_history_tells_when_a_deal_closed(
    account: Any, pulled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account without hs_v2_date_entered properties gives the same closed_at."""
    deal = account.create("deals", dealname="D", pipeline="default", dealstage="prospecting")
    account.advance(days=2)
    account.edit("deals", deal, dealstage="closedlost")
    account.advance(days=2)
    account.edit("deals", deal, amount="7")
    expected = pulled(account.connect(), "opportunities")[0]["closed_at"]
    monkeypatch.setattr("connectors.hubspot.deals._ENTERED", "nowhere_")
    assert expected == pulled(account.connect(), "opportunities")[0]["closed_at"] is not None


def test_the_main_product_is_the_line_with_the_largest_amount(
    account: Any, pulled: Callable[..., Any]
) -> None:
    """A deal's product_id is its largest line's SKU, and each line names its deal and product."""
    deal = account.create("deals", dealname="D", pipeline="default", dealstage="prospecting")
    for sku, price in (("SEATS", "100"), ("API", "900")):
        product = account.create("products", name=sku, hs_sku=sku)
        line = account.create("line_items", name=sku, hs_product_id=product, quantity="2", price=price)
        account.link("deals", deal, line, 19)
    crm = account.connect()
    assert pulled(crm, "opportunities")[0]["product_id"] == "API"
    lines = {row["product_id"]: row for row in pulled(crm, "opportunity_lines")}
    assert {sku: row["amount"] for sku, row in lines.items()} == {"SEATS": 200.0, "API": 1800.0}
    assert {deal} == {row["opportunity_crm_id"] for row in lines.values()}


def test_deal_history_is_the_deal_as_it_was_at_each_change(account: Any, pulled: Callable[..., Any]) -> None:
    """Each row of opportunity_history holds stage, amount and close date of that moment."""
    deal = account.create("deals", dealname="D", pipeline="default", dealstage="prospecting", amount="10")
    account.advance(days=1)
    account.edit("deals", deal, amount="20")
    account.advance(days=1)
    account.edit("deals", deal, dealstage="closedwon")
    rows = sorted(pulled(account.connect(), "opportunity_history"), key=lambda row: row["changed_at"])
    assert [(row["stage"], row["amount"], row["probability"]) for row in rows] == [
        ("Prospecting", 10.0, 0.1),
        ("Prospecting", 20.0, 0.1),
        ("Closed Won", 20.0, 1.0),
    ]
    assert len({row["crm_id"] for row in rows}) == 3


def test_account_history_names_the_canonical_column(account: Any, pulled: Callable[..., Any]) -> None:
    """A change of a mapped property is a row with before and after; the first value is none."""
    company = account.create("companies", name="A", plan_tier="Growth", seats="5")
    account.advance(days=1)
    account.edit("companies", company, plan_tier="Business")
    rows = pulled(account.connect(mapping=MAPPING), "account_history")
    assert [("plan_tier", "Growth", "Business", company)] == [
        (row["field"], row["old_value"], row["new_value"], row["account_crm_id"]) for row in rows
    ]


def test_activities_of_five_kinds(account: Any, pulled: Callable[..., Any]) -> None:
    """Meetings, calls, emails, notes and tasks are activities of their company and contact."""
    company, person = account.create("companies", name="A"), account.create("contacts", firstname="P")
    when = "2026-10-05T10:00:00Z"
    made = {
        "meeting": account.create(
            "meetings", hs_timestamp=when, hs_meeting_title="QBR", hs_meeting_body="<p>Fish &amp; chips</p>"
        ),
        "call": account.create("calls", hs_timestamp=when, hs_call_title="Call"),
        "email": account.create(
            "emails", hs_timestamp=when, hs_email_subject="Mail", hs_email_direction="EMAIL"
        ),
        "note": account.create("notes", hs_timestamp=when, hs_note_body="<p>They grow</p>"),
        "task": account.create("tasks", hs_timestamp=when, hs_task_subject="Task"),
    }
    account.link("meetings", made["meeting"], company, 188)
    account.link("meetings", made["meeting"], person, 200)
    rows = {row["kind"]: row for row in pulled(account.connect(), "activities")}
    assert {kind: row["crm_id"] for kind, row in rows.items()} == made
    assert rows["note"]["body"] == "They grow"
    meeting = rows["meeting"]
    assert (company, person, "QBR", "Fish & chips", datetime(2026, 10, 5, 10, tzinfo=UTC)) == (
        meeting["account_crm_id"],
        meeting["contact_crm_id"],
        meeting["subject"],
        meeting["body"],
        meeting["occurred_at"],
    )


def test_tickets_speak_our_words(account: Any, pulled: Callable[..., Any]) -> None:
    """URGENT is critical; a stage's state says whether a ticket is closed."""
    ticket = account.create(
        "tickets",
        subject="Down",
        hs_pipeline="0",
        hs_pipeline_stage="3",
        hs_ticket_priority="URGENT",
        csat="2",
        escalated="true",
    )
    row = pulled(account.connect(mapping=MAPPING), "tickets")[0]
    assert tuple(
        row[name] for name in ("priority", "status", "is_closed", "closed_at", "csat", "is_escalated")
    ) == ("critical", "Escalated", False, None, 2.0, True)
    account.edit("tickets", ticket, hs_pipeline_stage="4")
    closed = pulled(account.connect(mapping=MAPPING), "tickets")[0]
    assert closed["is_closed"] is True
    assert closed["closed_at"] is not None


def test_long_property_lists_are_read_in_parts(
    account: Any, pulled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More properties than an address or a search holds come by batch read, with the same rows."""
    account.create("companies", name="A", seats="3", arr="9")
    crm = account.connect(mapping=MAPPING)
    whole = pulled(crm, "accounts")
    monkeypatch.setattr(objects_module, "_ADDRESS", 20)
    monkeypatch.setattr(objects_module, "_SEARCH_BODY", 20)
    assert whole == pulled(crm, "accounts")
    assert whole == pulled(crm, "accounts", datetime(2026, 1, 1, tzinfo=UTC))
    assert account.requests("companies/batch/read")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"accounts": {"arr": "no_such_property"}}, "no_such_property"),
        ({"accounts": {"no_such_column": "arr"}}, "no such column"),
        ({"accounts": {"arr": "name"}}, "is no number"),
    ],
)
def test_a_wrong_mapping_is_named(account: Any, mapping: Any, said: str) -> None:
    """A missing property, an unknown column and a value of another kind each get a clear error."""
    account.create("companies", name="Acme")
    crm = account.connect(mapping=mapping)
    with pytest.raises(SetupError, match=said):
        list(crm.pull("accounts", Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))))


def test_a_table_without_its_scope_is_a_setup_error(account: Any) -> None:
    """What the app may not read raises SetupError with the missing scope."""
    account.grant("oauth", "crm.objects.companies.read", "crm.schemas.companies.read")
    with pytest.raises(SetupError, match="tickets"):
        list(account.connect().pull("tickets", Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))))


def test_activities_come_without_the_kind_that_our_app_may_not_see(
    account: Any, pulled: Callable[..., Any]
) -> None:
    """E-mails take a scope of their own; meetings and calls come, and what is missing is told."""
    for name in ("meetings", "emails"):
        told = {"hs_email_direction": "EMAIL"} if name == "emails" else {}
        account.create(name, hs_timestamp="2026-10-05T10:00:00Z", **told)
    account.fault(kind="status", status=403, code="MISSING_SCOPES", endpoint="emails.properties.list")
    crm = account.connect()
    assert [row["kind"] for row in pulled(crm, "activities")] == ["meeting"]
    assert set(crm.hidden("activities")) == {"emails"}
    assert "MISSING_SCOPES" in crm.hidden("activities")["emails"]
    assert crm.hidden("accounts") == {}


def test_owners_come_with_their_team(account: Any, pulled: Callable[..., Any]) -> None:
    """An owner is a person with name, email and state."""
    row = pulled(account.connect(), "owners")[0]
    assert (
        row["name"],
        row["email"],
        row["is_active"],
    ) == ("Robin Admin", "robin.admin@northwind.example", True)


def test_a_first_pull_costs_little_more_than_its_pages(account: Any, pulled: Callable[..., Any]) -> None:
    """600 companies and 1,200 deals: 100 a page with their associations, and what describes them."""
    stamps = {"createdate": "2026-10-01T08:00:00.000Z", "hs_lastmodifieddate": "2026-10-01T08:00:00.000Z"}
    store = account.sandbox.store
    companies = [row_of(7_000_000_000 + n, name=f"C{n}", **stamps) for n in range(600)]
    store.bulk_insert("companies", companies)
    stage = {"pipeline": "default", "dealstage": "prospecting", "hs_is_closed": "false"}
    store.bulk_insert(
        "deals", [row_of(8_000_000_000 + n, dealname="D", **stage, **stamps) for n in range(1200)]
    )
    crm = account.connect()
    assert len(pulled(crm, "accounts")) == 600
    assert len(pulled(crm, "opportunities")) == 1200
    lists = 6 + 12  # parents, companies and line items of the deals come along
    described = 3 + 1 + 1  # properties of three objects, pipelines, account
    assert lists + described == crm.usage().calls


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_every_dialect_reads_the_same(account: Any, pulled: Callable[..., Any], version: str) -> None:
    """The dated API and v3 give the same rows."""
    company = account.create("companies", name="A", customer_id="1")
    crm = account.connect(account.settings(api_version=version), account_external_id="customer_id")
    assert [(company, "1")] == [(row["crm_id"], row["external_id"]) for row in pulled(crm, "accounts")]
    expected = "/crm/v3/objects/companies" if version == "v3" else f"/crm/objects/{version}/companies"
    assert account.requests(expected)
