"""Canonical columns that Salesforce does not hold as such: computed from a page's records.

A column that the settings map is never computed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, FLAG, REAL, TEXT
from connectors.mappings import Mappings
from connectors.page import Arrays, Page
from connectors.salesforce.cells import at, column, historic, text
from connectors.salesforce.opportunities import Closings
from connectors.salesforce.prices import ListPrices
from connectors.salesforce.tables import ACCOUNTS, OPPORTUNITIES, Source

_OF_COLUMNS: Final = frozenset({"accounts", "contacts", "tickets"})  # tables derived from their columns only
_CONTACT_PREFIX: Final = "003"
_ACCOUNT_PREFIX: Final = "001"
_PRIORITIES: Final = {"urgent": "critical", "normal": "medium"}
_SUBTYPES: Final = {"call": "call", "email": "email", "listemail": "email"}


class Derivation:
    """Computes the derived columns of each table; opportunities and products cost queries of their own."""

    def __init__(
        self,
        *,
        mappings: Mappings,
        currency: str,
        customer_types: Sequence[str],
        closings: Closings,
        prices: ListPrices,
        today: Callable[[], date],
    ) -> None:
        self._own = mappings.objects
        self._currency = currency
        self._customer_types = pa.array(sorted(customer_types), TEXT)
        self._closings = closings
        self._prices = prices
        self._today = today
        self._account_names = _names_in_history(ACCOUNTS, mappings.columns("accounts"))
        self._opportunity_names = _names_in_history(OPPORTUNITIES, mappings.columns("opportunities"))
        self._tables: dict[str, Callable[[Page], Arrays]] = {
            "accounts": self._accounts,
            "contacts": self._roles,
            "opportunities": self._opportunities,
            "opportunity_lines": self._opportunity_lines,
            "opportunity_field_history": self._opportunity_field_history,
            "contact_roles": self._roles,
            "account_history": self._account_history,
            "activities": self._activities,
            "tickets": self._tickets,
            "assets": self._assets,
            "products": self._products,
            "price_book_entries": self._price_book_entries,
            "exchange_rates": self._exchange_rates,
        }

    def columns(self, table: str, page: Page) -> Arrays:
        """Columns to add to, or put over, those read for this page."""
        if table in self._own:  # an object that the settings name tells what they say, and nothing else
            return self._with_currency(page) if "currency" in page.arrays else {}
        derive = self._tables.get(table)
        return derive(page) if derive is not None else {}

    def translated(self, table: str, page: Page) -> Arrays:
        """What is put over the columns read for this page, and what follows from them alone."""
        if table not in _OF_COLUMNS or table in self._own:
            return {}
        follows = {"is_customer"} if "account_type" in page.arrays else set()
        made = self._tables[table](page)
        return {name: values for name, values in made.items() if name in follows | page.arrays.keys()}

    def _accounts(self, page: Page) -> Arrays:
        made = dict(self._with_currency(page))
        if "is_customer" not in page.arrays and "account_type" in page.arrays:
            kinds = page.arrays["account_type"]
            known = pc.is_in(kinds, value_set=self._customer_types)
            made["is_customer"] = pc.if_else(pc.is_valid(kinds), known, pa.scalar(None, FLAG))
        return made

    def _roles(self, page: Page) -> Arrays:
        """Roles in our words: "Executive Sponsor" is executive_sponsor."""
        if "role" not in page.arrays:
            return {}
        return {
            "role": pc.replace_substring_regex(pc.utf8_lower(page.arrays["role"]), r"[^\p{L}\p{N}]+", "_")
        }

    def _opportunities(self, page: Page) -> Arrays:
        made = dict(self._with_currency(page))
        if "closed_at" not in page.arrays:
            made["closed_at"] = self._closings.closed_at(page)
        if "product_id" not in page.arrays:
            made["product_id"] = self._closings.main_product(page)
        return made

    def _opportunity_lines(self, page: Page) -> Arrays:
        if "product_id" in page.arrays:
            return {}
        ids = [at(r, "Product2.ProductCode") or r.get("Product2Id") for r in page.records]
        return {"product_id": pa.array(ids, TEXT)}

    def _assets(self, page: Page) -> Arrays:
        return {**self._with_currency(page), **self._opportunity_lines(page)}

    def _price_book_entries(self, page: Page) -> Arrays:
        return {**self._with_currency(page), **self._opportunity_lines(page)}

    def _exchange_rates(self, page: Page) -> Arrays:
        """Salesforce tells how much of a currency one unit of the corporate one buys; we the reverse.

        An inactive currency keeps its rate, for records of the past are in it."""
        told = [record.get("ConversionRate") for record in page.records]
        made = {"told_on": pa.array([self._today()] * len(told), DAY)}
        if "rate" not in page.arrays:
            made["rate"] = pa.array([1.0 / float(each) if each else None for each in told], REAL)
        return made

    def _account_history(self, page: Page) -> Arrays:
        return self._named(page, self._account_names)

    def _opportunity_field_history(self, page: Page) -> Arrays:
        return self._named(page, self._opportunity_names)

    def _named(self, page: Page, names: Mapping[str, str]) -> Arrays:
        """The canonical column behind the changed field, Salesforce's own name where there is none."""
        fields = [text(record.get("Field")) for record in page.records]
        shown = {
            name: pa.array(
                [historic(record.get(path), record.get("DataType")) for record in page.records], TEXT
            )
            for name, path in (("old_value", "OldValue"), ("new_value", "NewValue"))
        }
        return {"field": pa.array([names.get(name or "", name) for name in fields], TEXT), **shown}

    def _activities(self, page: Page) -> Arrays:
        made: dict[str, pa.Array] = {}
        if "kind" not in page.arrays:
            made["kind"] = pa.array([_kind(page.object, record) for record in page.records], TEXT)
        if "occurred_at" not in page.arrays:
            stamps = [_occurred(page.object, record) for record in page.records]
            made["occurred_at"] = column(stamps, pa.timestamp("us", tz="UTC"))
        people = [
            _only(record.get("WhoId"), _CONTACT_PREFIX) for record in page.records
        ]  # a lead is no contact
        made["contact_crm_id"] = pa.array(people, TEXT)
        accounts = [r.get("AccountId") or _only(r.get("WhatId"), _ACCOUNT_PREFIX) for r in page.records]
        made["account_crm_id"] = pa.array(accounts, TEXT)
        return made

    def _tickets(self, page: Page) -> Arrays:
        """Priorities in our words: low, medium, high, critical."""
        if "priority" not in page.arrays:
            return {}
        said = pc.utf8_lower(page.arrays["priority"]).to_pylist()
        return {"priority": pa.array([_PRIORITIES.get(word or "", word) for word in said], TEXT)}

    def _products(self, page: Page) -> Arrays:
        made: dict[str, pa.Array] = {}
        if "product_id" not in page.arrays:
            ids = [record.get("ProductCode") or record["Id"] for record in page.records]
            made["product_id"] = pa.array(ids, TEXT)
        if "price" not in page.arrays:
            made["price"] = self._prices.of(page)
        return made

    def _with_currency(self, page: Page) -> Arrays:
        """The org's own currency where records carry none of their own."""
        if "currency" in page.arrays:
            return {"currency": pc.fill_null(page.arrays["currency"], self._currency)}
        return {"currency": pa.array([self._currency] * len(page.records), TEXT)}


def _names_in_history(source: Source, mapped: Mapping[str, str]) -> Mapping[str, str]:
    """Field of a history -> canonical column: a lookup is named there without its Id (Owner, Parent)."""
    back: dict[str, str] = {}
    for name, field in {**source.columns, **mapped}.items():
        back[field] = name
        if field.endswith("Id"):
            back[field.removesuffix("Id")] = name
    return back


def _only(identifier: Any, prefix: str) -> str | None:
    """The id if it is of the object with this key prefix."""
    return str(identifier) if identifier is not None and str(identifier).startswith(prefix) else None


def _kind(object_name: str, record: Mapping[str, Any]) -> str:
    if object_name == "Event":
        return "meeting"
    return _SUBTYPES.get(str(record.get("TaskSubtype") or "").lower(), "task")


def _occurred(object_name: str, record: Mapping[str, Any]) -> str | None:
    """When it took place; for a task when it was completed, else its day, else when it was logged."""
    order = (
        ("StartDateTime", "ActivityDateTime", "ActivityDate")
        if object_name == "Event"
        else ("CompletedDateTime", "ActivityDate")
    )
    for name in (*order, "CreatedDate"):
        if record.get(name):
            return str(record[name])
    return None
