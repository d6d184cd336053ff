"""Roles of people in deals, the past of a deal's fields, prices and exchange rates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from connectors.canonical import CRM_TABLES
from connectors.crm import Window
from connectors.errors import SetupError
from connectors.sandbox.hubspot.account import set_rate
from connectors.sandbox.hubspot.schema import Property, Schema

EVERYTHING = Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))
DECIDES, BUYS = 10_001, 10_003  # labels of the account's own


@pytest.fixture
def deal(account: Any) -> dict[str, str]:
    """A deal with somebody who decides and somebody without a role."""
    made = {
        "deal": account.create(
            "deals", dealname="D", pipeline="default", dealstage="prospecting", amount="10"
        ),
        "ann": account.create("contacts", firstname="Ann"),
        "bob": account.create("contacts", firstname="Bob"),
    }
    account.link("deals", made["deal"], made["ann"], DECIDES)
    account.link("deals", made["deal"], made["bob"], 3)
    return made


def roles(rows: list[dict[str, Any]]) -> dict[str, str | None]:
    """Person -> role."""
    return {row["contact_crm_id"]: row["role"] for row in rows if not row["is_deleted"]}


def test_a_label_is_a_persons_role_in_a_deal(
    account: Any, deal: dict[str, str], pulled: Callable[..., Any]
) -> None:
    """In our words; a person without a label takes part without a role."""
    crm = account.connect()
    rows = pulled(crm, "contact_roles")
    assert roles(rows) == {deal["ann"]: "decision_maker", deal["bob"]: None}
    assert {row["opportunity_crm_id"] for row in rows} == {deal["deal"]}
    along = list(crm.pull("opportunities", EVERYTHING, also=("contact_roles",)))
    assert along
    before = crm.usage().calls
    assert rows == pulled(crm, "contact_roles")
    assert crm.usage().calls == before


def test_a_role_is_known_from_the_deals_last_change_on(
    account: Any, deal: dict[str, str], pulled: Callable[..., Any]
) -> None:
    """Never earlier than it can have been given, and never in the future."""
    account.advance(days=2)
    account.edit("deals", deal["deal"], amount="20")
    crm = account.connect()
    known = {row["known_from"] for row in pulled(crm, "contact_roles")}
    assert known == {pulled(crm, "opportunities")[0]["modified_at"]}
    assert max(known) <= crm.server_time()


def test_people_who_join_leave_or_change_their_role_are_found(
    account: Any, deal: dict[str, str], pulled: Callable[..., Any]
) -> None:
    """Once a day, by comparing: the deal's stamp need not have moved."""
    crm = account.connect()
    held = {
        table: pa.Table.from_pylist(pulled(crm, table), schema=CRM_TABLES[table])
        for table in ("contact_roles", "opportunities")
    }
    assert not list(crm.moved("contact_roles", lambda table, columns: held[table].select(columns)))
    account.advance(days=1)
    cid = account.create("contacts", firstname="Cid")
    account.link("deals", deal["deal"], cid, BUYS)
    account.unlink("deals", deal["deal"], "contacts", deal["ann"])
    account.link("deals", deal["deal"], deal["bob"], DECIDES)
    pages = list(crm.moved("contact_roles", lambda table, columns: held[table].select(columns)))
    rows = [row for page in pages for row in page.to_pylist()]
    assert roles(rows) == {cid: "economic_buyer", deal["bob"]: "decision_maker"}
    assert [row["contact_crm_id"] for row in rows if row["is_deleted"]] == [deal["ann"]]
    assert all(page.schema == CRM_TABLES["contact_roles"] for page in pages)


def test_a_deal_whose_people_are_hidden_comes_without_them(account: Any, deal: dict[str, str]) -> None:
    """The roles' own turn names the missing scope."""
    account.grant(
        "oauth",
        *(f"crm.{kind}.{name}.read" for kind in ("objects", "schemas") for name in ("companies", "deals")),
    )
    crm = account.connect()
    assert list(crm.pull("opportunities", EVERYTHING, also=("contact_roles",)))
    with pytest.raises(SetupError, match="contacts"):
        next(crm.pull("contact_roles", EVERYTHING))
    assert deal


def test_each_change_of_a_deals_field_is_a_row(account: Any, pulled: Callable[..., Any]) -> None:
    """With the canonical column's name, and stages as people see them; the first value is no change."""
    deal = account.create("deals", dealname="D", pipeline="default", dealstage="prospecting", amount="10")
    account.advance(days=1)
    account.edit("deals", deal, dealstage="closedwon", amount="20")
    account.advance(days=1)
    account.edit("deals", deal, dealname="E")
    rows = pulled(account.connect(), "opportunity_field_history")
    assert {(row["field"], row["old_value"], row["new_value"]) for row in rows} == {
        ("stage", "Prospecting", "Closed Won"),
        ("amount", "10", "20"),
        ("name", "D", "E"),
    }
    assert {row["opportunity_crm_id"] for row in rows} == {deal}
    assert all(row["known_from"] == row["changed_at"] for row in rows)


def test_a_product_has_a_price_in_each_currency(account: Any, pulled: Callable[..., Any]) -> None:
    """The account's own, and those of the properties that HubSpot makes for the others."""
    euro = Property(
        name="hs_price_eur", label="EUR price", type="number", field_type="number", group="productinformation"
    )
    Schema(account.sandbox.store).add("products", [euro])
    product = account.create("products", name="Seats", hs_sku="SEATS", price="100", hs_price_eur="90")
    crm = account.connect()
    rows = {row["currency"]: row for row in pulled(crm, "price_book_entries") if not row["is_deleted"]}
    assert {code: row["price"] for code, row in rows.items()} == {"USD": 100.0, "EUR": 90.0}
    assert {row["product_id"] for row in rows.values()} == {"SEATS"}
    since = account.advance(hours=1)
    account.edit("products", product, hs_price_eur="")
    gone = pulled(crm, "price_book_entries", since, since + timedelta(hours=1))
    assert [row["currency"] for row in gone if row["is_deleted"]] == ["EUR"]
    account.archive("products", product)
    over_midnight = pulled(crm, "price_book_entries", since, since + timedelta(days=1))
    assert {row["currency"] for row in over_midnight if row["is_deleted"]} == {"USD", "EUR"}


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_exchange_rates_hold_until_the_next_one(
    account: Any, pulled: Callable[..., Any], version: str
) -> None:
    """What one unit is worth in the account's own currency, whose own rate is 1."""
    store, now = account.sandbox.store, datetime(2026, 11, 2, tzinfo=UTC)
    for rate, day in ((1.08, 1), (1.11, 15)):
        set_rate(store, "EUR", rate, effective_at=datetime(2026, 10, day, tzinfo=UTC), now=now)
    set_rate(store, "GBP", 1.3, effective_at=datetime(2026, 1, 1, tzinfo=UTC), now=now)
    rows = pulled(account.connect(account.settings(api_version=version)), "exchange_rates")
    assert [(r["currency"], r["rate"], r["valid_from"], r["valid_to"]) for r in rows] == [
        ("EUR", 1.08, date(2026, 10, 1), date(2026, 10, 15)),
        ("EUR", 1.11, date(2026, 10, 15), None),
        ("GBP", 1.3, date(2026, 1, 1), None),
        ("USD", 1.0, None, None),
    ]


def test_exchange_rates_without_their_scope_are_reported(account: Any) -> None:
    """The error names the scope."""
    account.grant("oauth", "crm.objects.companies.read")
    with pytest.raises(SetupError, match=r"settings\.currencies\.read"):
        next(account.connect().pull("exchange_rates", EVERYTHING))
