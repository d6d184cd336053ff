"""Canonical columns that HubSpot does not hold as such: computed from a page's records.

A column that the settings map is never computed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import unescape
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import FLAG, REAL, TEXT, TIME
from connectors.hubspot.cells import column
from connectors.hubspot.deals import Closings
from connectors.hubspot.pipelines import Pipelines, Stage
from connectors.page import Arrays, Page

KINDS: Final = {
    "meetings": "meeting",
    "calls": "call",
    "emails": "email",
    "notes": "note",
    "tasks": "task",
}
_WHEN: Final = {
    "meetings": ("hs_meeting_start_time", "hs_timestamp"),
    "tasks": ("hs_task_completion_date", "hs_timestamp"),
}
_RICH: Final = frozenset({"meetings", "calls", "notes", "tasks"})  # objects whose body is HTML
_PRIORITIES: Final = {"urgent": "critical", "normal": "medium"}
_NO_WORD: Final = re.compile(r"[\W_]+")
_BREAK: Final = re.compile(r"(?i)<(?:br|/p|/div|/li)\b[^>]*>")
_TAG: Final = re.compile(r"<[A-Za-z/!][^>]*>")


class Derivation:
    """Computes the derived columns of each table; deals and line items cost calls of their own."""

    def __init__(
        self,
        *,
        currency: Callable[[], str],
        customer_types: Sequence[str],
        closings: Closings,
        pipelines: Pipelines,
    ) -> None:
        self._currency = currency
        self._customer_types = frozenset(each.casefold() for each in customer_types)
        self._closings = closings
        self._pipelines = pipelines
        self._tables: dict[str, Callable[[Page], Arrays]] = {
            "accounts": self._accounts,
            "contacts": self._contacts,
            "opportunities": self._opportunities,
            "opportunity_lines": self._opportunity_lines,
            "activities": self._activities,
            "tickets": self._tickets,
            "products": self._products,
        }

    def columns(self, table: str, page: Page) -> Arrays:
        """Columns to add to, or put over, those read for this page."""
        derive = self._tables.get(table)
        made = derive(page) if derive is not None else {}
        return {name: array for name, array in made.items() if name not in page.arrays or name in _RECAST}

    def currency(self, page: Page) -> Arrays:
        """The account's currency where records name none of their own."""
        told = page.arrays.get("currency")
        return {} if told is None else {"currency": pc.fill_null(told, self._currency())}

    def needed(self, table: str) -> Sequence[str]:
        """Properties that derived columns of a table need besides those that its source names."""
        return self._closings.needed() if table == "opportunities" else ()

    def associated(self, table: str, columns: Mapping[str, str]) -> Sequence[str]:
        """Objects whose associations derived columns need, besides those of the source's links."""
        wanted = table == "opportunities" and "product_id" not in columns
        return self._closings.associations() if wanted else ()

    def _accounts(self, page: Page) -> Arrays:
        made: dict[str, pa.Array] = {}
        if "currency" not in page.arrays:
            made["currency"] = self._one_currency(page)
        if "account_type" in page.arrays:
            said = page.arrays["account_type"].to_pylist()
            known = [None if each is None else each.casefold() in self._customer_types for each in said]
            made["is_customer"] = pa.array(known, FLAG)
        return made

    def _contacts(self, page: Page) -> Arrays:
        """Roles in our words: "Executive Sponsor" is executive_sponsor."""
        names = [
            f"{_of(r, 'firstname') or ''} {_of(r, 'lastname') or ''}".strip() or None for r in page.records
        ]
        made = {"name": pa.array(names, TEXT)}
        if "role" in page.arrays:
            said = page.arrays["role"].to_pylist()
            made["role"] = pa.array([each and in_our_words(each) for each in said], TEXT)
        return made

    def _opportunities(self, page: Page) -> Arrays:
        stages = self._stages(page, "deals", "dealstage")
        chances = [
            _number(_of(r, "hs_deal_stage_probability"), stage.probability if stage else None)
            for r, stage in zip(page.records, stages, strict=True)
        ]
        won = [
            flag.lower() == "true" if (flag := _of(r, "hs_is_closed_won")) else bool(s and s.is_won)
            for r, s in zip(page.records, stages, strict=True)
        ]
        currencies = page.arrays.get("currency")
        told = currencies.to_pylist() if currencies is not None else [None] * len(page.records)
        ours = self._currency()
        return {
            "stage": _labels(stages, [_of(r, "dealstage") for r in page.records]),
            "pipeline": pa.array(
                [s.pipeline if s else _of(r, "pipeline") for r, s in zip(page.records, stages, strict=True)],
                TEXT,
            ),
            "probability": pa.array(chances, REAL),
            "is_closed": pa.array([self._closings.is_closed(r) for r in page.records], FLAG),
            "is_won": pa.array(won, FLAG),
            "currency": pa.array([each or ours for each in told], TEXT),
            **self._costly(page),
        }

    def _costly(self, page: Page) -> Arrays:
        """Columns that cost calls, unless the settings map them."""
        makers = {"closed_at": self._closings.closed_at, "product_id": self._closings.main_product}
        return {name: make(page.records) for name, make in makers.items() if name not in page.arrays}

    def _opportunity_lines(self, page: Page) -> Arrays:
        if "product_id" in page.arrays:
            return {}
        products = self._closings.products(page.records)
        return {"product_id": pa.array([products[str(r["id"])] for r in page.records], TEXT)}

    def _activities(self, page: Page) -> Arrays:
        names = (*_WHEN.get(page.object, ("hs_timestamp",)),)
        moments = [
            next((value for name in names if (value := _of(r, name))), r["createdAt"]) for r in page.records
        ]
        made = {
            "kind": pa.array([KINDS[page.object]] * len(page.records), TEXT),
            "occurred_at": column(moments, TIME),
        }
        if "body" in page.arrays and page.object in _RICH:
            made["body"] = pa.array([plain(each) for each in page.arrays["body"].to_pylist()], TEXT)
        return made

    def _tickets(self, page: Page) -> Arrays:
        """Priorities in our words: low, medium, high, critical."""
        stages = self._stages(page, "tickets", "hs_pipeline_stage")
        made = {
            "status": _labels(stages, [_of(r, "hs_pipeline_stage") for r in page.records]),
            "is_closed": pa.array([None if s is None else s.is_closed for s in stages], FLAG),
        }
        if "priority" in page.arrays:
            said = [each and each.lower() for each in page.arrays["priority"].to_pylist()]
            made["priority"] = pa.array([_PRIORITIES.get(each or "", each) for each in said], TEXT)
        return made

    def _products(self, page: Page) -> Arrays:
        ids = [product_code(record) for record in page.records]
        active = [is_active(record) for record in page.records]
        return {"product_id": pa.array(ids, TEXT), "is_active": pa.array(active, FLAG)}

    def _stages(self, page: Page, object_name: str, name: str) -> list[Stage | None]:
        known = self._pipelines[object_name]
        return [known.get(str(_of(record, name))) for record in page.records]

    def _one_currency(self, page: Page) -> pa.Array:
        """The account's one currency: HubSpot's companies have none of their own."""
        return pa.array([self._currency()] * len(page.records), TEXT)


_RECAST: Final = frozenset({"role", "priority", "body", "currency"})
"""Columns that are read, and then brought into our words; a currency is only filled in where it is empty."""


def product_code(product: Mapping[str, Any]) -> str:
    """A product's SKU, else its id."""
    return _of(product, "hs_sku") or str(product["id"])


def is_active(product: Mapping[str, Any]) -> bool:
    """Whether a product is sold; it is unless it is said not to be."""
    return (_of(product, "hs_status") or "active").lower() == "active"


def in_our_words(label: str) -> str:
    """A role as we write it: "Decision Maker" is decision_maker."""
    return _NO_WORD.sub("_", label.lower())


def plain(text: str | None) -> str | None:
    """Rich text as plain text: HubSpot keeps what people type into activities as HTML."""
    if text is None:
        return None
    return unescape(_TAG.sub("", _BREAK.sub("\n", text))).strip() or None


def _of(record: Mapping[str, Any], name: str) -> str | None:
    return record["properties"].get(name) or None


def _number(told: str | None, otherwise: float | None) -> float | None:
    return float(told) if told else otherwise


def _labels(stages: Sequence[Stage | None], ids: Sequence[str | None]) -> pa.Array:
    """The stages' labels; the id of one that is in no pipeline any more."""
    return pa.array([s.label if s else i for s, i in zip(stages, ids, strict=True)], TEXT)
