"""Deals with their line items and stage history, and products, as HubSpot records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from connectors.sandbox.company.hubspot_rows import (
    Part,
    Row,
    link,
    number_of,
    numbered,
    row_of,
    rows_of,
    text,
)
from connectors.sandbox.company.salesforce_sales import opportunity_number
from connectors.sandbox.hubspot.automation import calculate
from connectors.sandbox.hubspot.history import Change
from connectors.sandbox.hubspot.pipelines import PIPELINES

_BEGAN: Final = "2020-01-06T09:00:00.000Z"
_PIPELINE: Final = PIPELINES["deals"][0]
_STAGES: Final = {stage.label: stage.id for stage in _PIPELINE.stages}
_TRACKED: Final = ("dealstage", "amount", "closedate")
_DEAL_TO_COMPANY, _DEAL_TO_LINE = 5, 19  # the company is the deal's primary one


def sales_rows(tables: Mapping[str, pa.Table], people: Mapping[str, str]) -> Part:
    """Rows of products, deals and line_items, how they belong together, and the deals' history."""
    part = Part()
    products = rows_of(tables["products"])
    place = {row["product_id"]: number for number, row in enumerate(products, 1)}
    part.rows["products"] = [_product(row, place[row["product_id"]]) for row in products]
    past: dict[str, list[dict[str, Any]]] = {}
    for row in rows_of(tables["opportunity_history"]):
        past.setdefault(row["opportunity_key"], []).append(row)
    part.rows["deals"] = []
    for row in rows_of(tables["opportunities"]):
        deal, history = _deal(row, past.get(row["opportunity_key"], []), people)
        part.rows["deals"].append(deal)
        part.history += history
        company = number_of("companies", row["account_key"])
        part.links.append(link("deals", int(deal["Id"]), "companies", company, _DEAL_TO_COMPANY))
    part.rows["line_items"] = []
    for row in rows_of(tables["opportunity_lines"]):
        number = opportunity_number(row["opportunity_key"])
        part.rows["line_items"].append(_line(row, number, place[row["product_id"]]))
        deal_id, line_id = numbered("deals", number), numbered("line_items", number)
        part.links.append(link("deals", deal_id, "line_items", line_id, _DEAL_TO_LINE))
    return part


def _product(row: Mapping[str, Any], number: int) -> Row:
    return row_of(
        numbered("products", number),
        createdate=_BEGAN,
        hs_lastmodifieddate=_BEGAN,
        name=row["name"],
        price=row["price"],
        hs_sku=row["product_id"],
        hs_status="active",
        product_family=row["family"],
    )


def _deal(
    row: Mapping[str, Any], past: Sequence[Mapping[str, Any]], people: Mapping[str, str]
) -> tuple[Row, list[Change]]:
    """The deal as it stands after the account's automation saw each of its changes, and those changes."""
    deal_id = numbered("deals", opportunity_number(row["opportunity_key"]))
    deal = row_of(
        deal_id,
        createdate=row["created_at"],
        hs_lastmodifieddate=row["modified_at"],
        dealname=row["name"],
        pipeline=_PIPELINE.id,
        dealtype=row["opportunity_type"],
        deal_currency_code=row["currency"],
        hubspot_owner_id=people[row["owner_key"]],
        hs_primary_associated_company=number_of("companies", row["account_key"]),
    )
    before: Row | None = None
    history = []
    for entry in past:
        at = entry["changed_at"]
        after = {
            **deal,
            "dealstage": _STAGES[entry["stage"]],
            "amount": text(entry["amount"]),
            "closedate": f"{entry['close_date']}T00:00:00.000Z",  # a day is midnight UTC
        }
        calculate("deals", before, after, at)
        for name in _TRACKED:
            old = None if before is None else before[name]
            if old != after[name]:
                history.append(
                    Change(object="deals", id=str(deal_id), name=name, value=after[name], previous=old, at=at)
                )
        before = deal = after
    return deal, history


def _line(row: Mapping[str, Any], number: int, product: int) -> Row:
    return row_of(
        numbered("line_items", number),
        createdate=row["created_at"],
        hs_lastmodifieddate=row["modified_at"],
        name=row["product_name"],
        hs_product_id=numbered("products", product),
        hs_sku=row["product_id"],
        quantity=row["quantity"],
        price=round(row["amount"] / row["quantity"], 2),
        amount=row["amount"],
    )
