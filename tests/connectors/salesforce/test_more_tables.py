"""Roles of people in deals, the past of a deal's fields, contracts, assets, campaigns, prices and rates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.crm import Window
from connectors.errors import AbsentError

EVERYTHING = Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))


@pytest.fixture
def sold(org: Any) -> dict[str, str]:
    """An account with a person, a deal and a product with a price."""
    account = org.create("Account", Name="Acme")
    return {
        "account": account,
        "person": org.create("Contact", LastName="Ng", AccountId=account),
        "deal": org.create(
            "Opportunity",
            Name="D",
            AccountId=account,
            StageName="Prospecting",
            CloseDate="2026-12-01",
            Amount=5,
        ),
        "product": org.create("Product2", Name="Seats", ProductCode="SEATS", IsActive=True),
    }


def test_a_contact_role_speaks_our_words(org: Any, sold: dict[str, str], pulled: Any) -> None:
    """Decision Maker is decision_maker, as a contact's own role is."""
    org.create(
        "OpportunityContactRole",
        OpportunityId=sold["deal"],
        ContactId=sold["person"],
        Role="Decision Maker",
        IsPrimary=True,
    )
    row = pulled(org.connect(), "contact_roles")[0]
    assert (sold["deal"], sold["person"], "decision_maker", True) == (
        row["opportunity_crm_id"],
        row["contact_crm_id"],
        row["role"],
        row["is_primary"],
    )


def test_each_change_of_a_tracked_field_is_a_row(org: Any, sold: dict[str, str], pulled: Any) -> None:
    """With the canonical column's name, known from the moment of the change."""
    org.advance(days=1)
    org.edit("Opportunity", sold["deal"], Amount=9, CloseDate="2027-01-31")
    rows = {row["field"]: row for row in pulled(org.connect(), "opportunity_field_history")}
    assert {
        name: (row["old_value"], row["new_value"]) for name, row in rows.items() if name != "created"
    } == {
        "amount": ("5", "9"),
        "close_date": ("2026-12-01", "2027-01-31"),
    }
    assert all(row["known_from"] == row["changed_at"] for row in rows.values())


def test_contracts_and_assets_belong_to_their_account(org: Any, sold: dict[str, str], pulled: Any) -> None:
    """Terms in months, prices in the record's currency, products by their code."""
    org.create("Contract", AccountId=sold["account"], StartDate="2026-01-01", ContractTerm=12, Status="Draft")
    org.create(
        "Asset",
        Name="Seats of Acme",
        AccountId=sold["account"],
        Product2Id=sold["product"],
        Quantity=40,
        Price=1200.5,
        CurrencyIsoCode="GBP",
        UsageEndDate="2027-01-01",
    )
    crm = org.connect()
    contract, asset = pulled(crm, "contracts")[0], pulled(crm, "assets")[0]
    assert (sold["account"], 12.0, date(2026, 1, 1), "Draft") == (
        contract["account_crm_id"],
        contract["term_months"],
        contract["start_date"],
        contract["status"],
    )
    assert (sold["account"], "SEATS", 40.0, 1200.5, "GBP", date(2027, 1, 1)) == (
        asset["account_crm_id"],
        asset["product_id"],
        asset["quantity"],
        asset["price"],
        asset["currency"],
        asset["ends_on"],
    )


def test_a_campaigns_member_belongs_to_the_persons_account(
    org: Any, sold: dict[str, str], pulled: Any
) -> None:
    """The campaign by its name."""
    campaign = org.create("Campaign", Name="Roadshow")
    org.create("CampaignMember", CampaignId=campaign, ContactId=sold["person"], Status="Sent")
    row = pulled(org.connect(), "campaign_members")[0]
    assert (campaign, "Roadshow", sold["person"], sold["account"], "Sent", False) == (
        row["campaign_crm_id"],
        row["campaign_name"],
        row["contact_crm_id"],
        row["account_crm_id"],
        row["status"],
        row["has_responded"],
    )


def test_every_price_book_has_its_own_price(org: Any, sold: dict[str, str], pulled: Any) -> None:
    """By the product's code; a price without a currency is in the org's."""
    book = org.create("Pricebook2", Name="Partners", IsActive=True)
    org.create("PricebookEntry", Pricebook2Id=book, Product2Id=sold["product"], UnitPrice=80, IsActive=True)
    row = next(r for r in pulled(org.connect(), "price_book_entries") if r["price_book"] == "Partners")
    assert (row["product_id"], row["is_standard"], row["price"], row["currency"], row["is_active"]) == (
        "SEATS",
        False,
        80.0,
        "EUR",
        True,
    )


def test_a_rate_is_what_one_unit_is_worth(org: Any, pulled: Any) -> None:
    """Salesforce tells the reverse, what one unit of the corporate currency buys; dated rates come too."""
    org.create("CurrencyType", IsoCode="USD", ConversionRate=1, IsActive=True, IsCorporate=True)
    org.create("CurrencyType", IsoCode="EUR", ConversionRate=0.8, IsActive=False)
    org.create("DatedConversionRate", IsoCode="EUR", StartDate="2026-01-01", ConversionRate=0.5)
    rows = pulled(org.connect(), "exchange_rates")
    assert {(r["currency"], r["rate"], r["valid_from"]) for r in rows} == {
        ("USD", 1.0, None),
        ("EUR", 1.25, None),
        ("EUR", 2.0, date(2026, 1, 1)),
    }
    assert not any(row["is_deleted"] for row in rows)


def test_without_dated_rates_the_others_come(org: Any, pulled: Any) -> None:
    """DatedConversionRate is there with advanced currency management only."""
    org.create("CurrencyType", IsoCode="USD", ConversionRate=1, IsActive=True, IsCorporate=True)
    org.hide("DatedConversionRate")
    assert [row["currency"] for row in pulled(org.connect(), "exchange_rates")] == ["USD"]


def test_an_org_with_one_currency_has_no_rates(org: Any) -> None:
    """That is no lack of permission, and nothing to warn of."""
    org.hide("Account.CurrencyIsoCode")
    with pytest.raises(AbsentError, match="one currency"):
        next(org.connect().pull("exchange_rates", EVERYTHING))
