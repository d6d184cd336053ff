"""Opportunities with lines and stage history, products and the price book as Salesforce records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from typing import Any, Final

import pyarrow as pa

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import ADMIN_USER_ID

Row = dict[str, Any]
_CATEGORIES: Final = {
    "Proposal/Price Quote": ("BestCase", "Best Case"),
    "Negotiation/Review": ("Forecast", "Commit"),
    "Closed Won": ("Closed", "Closed"),
    "Closed Lost": ("Omitted", "Omitted"),
}
_BEGAN: Final = "2020-01-06T09:00:00.000+0000"
_PRICE_BOOK: Final = salesforce_id("01s", 1)


def sales_rows(
    tables: Mapping[str, pa.Table], accounts: Mapping[str, str], people: Mapping[str, str]
) -> dict[str, list[Row]]:
    """Rows of Product2, Pricebook2, PricebookEntry, Opportunity, its lines and its history."""
    deals = tables["opportunities"].to_pylist()
    owners = {row["opportunity_key"]: people[row["owner_key"]] for row in deals}
    lined = set(tables["opportunity_lines"]["opportunity_key"].to_pylist())
    products = tables["products"].to_pylist()
    place = {row["product_id"]: number for number, row in enumerate(products, 1)}
    return {
        "Product2": [_product(row, place[row["product_id"]]) for row in products],
        "Pricebook2": [_price_book()],
        "PricebookEntry": [_price(row, place[row["product_id"]]) for row in products],
        "Opportunity": [_opportunity(row, accounts, owners[row["opportunity_key"]], lined) for row in deals],
        "OpportunityLineItem": [
            _line(row, place[row["product_id"]], owners[row["opportunity_key"]])
            for row in tables["opportunity_lines"].to_pylist()
        ],
        "OpportunityHistory": _history(tables["opportunity_history"].to_pylist(), owners),
    }


def opportunity_number(key: str) -> int:
    """The number behind an opportunity's key: expansions, renewals and new business each in their range."""
    kind, rest = key[2], key[3:]
    if kind == "X":
        return 1_000_000 + int(rest)
    if kind == "N":
        return 5_000_000 + int(rest)
    account, week = rest.split("-")
    return 10_000_000 + int(account) * 1000 + int(week)


def _full_stamps(created: str, modified: str, by: str) -> Row:
    return {
        "CreatedDate": created,
        "CreatedById": by,
        "LastModifiedDate": modified,
        "LastModifiedById": by,
        "SystemModstamp": modified,
    }


def _product(row: Row, number: int) -> Row:
    return {
        "Id": salesforce_id("01t", number),
        "Name": row["name"],
        "ProductCode": row["product_id"],
        "Family": row["family"],
        "IsActive": True,
        **_full_stamps(_BEGAN, _BEGAN, ADMIN_USER_ID),
    }


def _price_book() -> Row:
    return {
        "Id": _PRICE_BOOK,
        "Name": "Standard Price Book",
        "IsActive": True,
        "IsStandard": True,
        **_full_stamps(_BEGAN, _BEGAN, ADMIN_USER_ID),
    }


def _price(row: Row, number: int) -> Row:
    return {
        "Id": salesforce_id("01u", number),
        "Name": row["name"],
        "Pricebook2Id": _PRICE_BOOK,
        "Product2Id": salesforce_id("01t", number),
        "ProductCode": row["product_id"],
        "UnitPrice": row["price"],
        "IsActive": True,
        "UseStandardPrice": False,
        **_full_stamps(_BEGAN, _BEGAN, ADMIN_USER_ID),
    }


def _opportunity(row: Row, accounts: Mapping[str, str], owner: str, lined: Set[str]) -> Row:
    category, label = _CATEGORIES.get(row["stage"], ("Pipeline", "Pipeline"))
    return {
        "Id": salesforce_id("006", opportunity_number(row["opportunity_key"])),
        "AccountId": accounts[row["account_key"]],
        "Name": row["name"][:120],
        "StageName": row["stage"],
        "Amount": row["amount"],
        "CurrencyIsoCode": row["currency"],
        "Probability": row["probability"],
        "ExpectedRevenue": _expected(row),
        "CloseDate": row["close_date"],
        "Type": row["opportunity_type"],
        "IsClosed": row["is_closed"],
        "IsWon": row["is_won"],
        "ForecastCategory": category,
        "ForecastCategoryName": label,
        "HasOpportunityLineItem": row["opportunity_key"] in lined,
        "Pricebook2Id": _PRICE_BOOK,
        "OwnerId": owner,
        "LastStageChangeDate": row["modified_at"],
        **_full_stamps(row["created_at"], row["modified_at"], owner),
    }


def _expected(row: Row) -> float | None:
    return None if row["amount"] is None else round(row["amount"] * row["probability"] / 100, 2)


def _line(row: Row, product: int, owner: str) -> Row:
    number = opportunity_number(row["opportunity_key"])
    price = round(row["amount"] / row["quantity"], 2)
    return {
        "Id": salesforce_id("00k", number),
        "OpportunityId": salesforce_id("006", number),
        "PricebookEntryId": salesforce_id("01u", product),
        "Product2Id": salesforce_id("01t", product),
        "ProductCode": row["product_id"],
        "Name": row["product_name"],
        "Quantity": row["quantity"],
        "UnitPrice": price,
        "ListPrice": price,
        "TotalPrice": row["amount"],
        **_full_stamps(row["created_at"], row["modified_at"], owner),
    }


def _history(rows: list[Row], owners: Mapping[str, str]) -> list[Row]:
    """One row a change; an opportunity has fewer than ten, so its number and the place make the Id."""
    seen: Counter[str] = Counter()
    result = []
    for row in rows:
        key = row["opportunity_key"]
        number = opportunity_number(key)
        result.append(
            {
                "Id": salesforce_id("008", number * 10 + seen[key]),
                "OpportunityId": salesforce_id("006", number),
                "StageName": row["stage"],
                "Amount": row["amount"],
                "Probability": row["probability"],
                "ExpectedRevenue": _expected(row),
                "CloseDate": row["close_date"],
                "ForecastCategory": _CATEGORIES.get(row["stage"], ("Pipeline", ""))[0],
                "CreatedDate": row["changed_at"],
                "CreatedById": owners[key],
                "SystemModstamp": row["changed_at"],
            }
        )
        seen[key] += 1
    return result
