"""When a deal was closed, and which product it is mainly about: from its stages and its line items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from connectors.canonical import TEXT, TIME
from connectors.errors import SetupError
from connectors.hubspot.links import Links
from connectors.hubspot.objects import Objects
from connectors.hubspot.pipelines import Pipelines
from connectors.hubspot.schema import Schemas
from connectors.hubspot.values import parse_time
from connectors.page import Records

_ENTERED = "hs_v2_date_entered_"


class Closings:
    """Looks up stage dates, line items and products of a page of deals."""

    def __init__(self, objects: Objects, schemas: Schemas, links: Links, pipelines: Pipelines) -> None:
        self._objects = objects
        self._schemas = schemas
        self._links = links
        self._pipelines = pipelines
        self._codes: dict[str, str] = {}  # product id -> SKU, of the products seen so far
        self._known: Mapping[str, str] | None = None  # deal -> main product, once all lines were read

    def know(self, lines: Iterable[pa.Table] | None) -> None:
        """Take the main products from these pages, all lines there are; with None, ask for them again."""
        if lines is None:
            self._known = None
            return
        best: dict[str, tuple[float, str]] = {}
        for page in lines:
            columns = (page[name].to_pylist() for name in ("opportunity_crm_id", "product_id", "amount"))
            for deal, product, amount in zip(*columns, strict=True):
                if deal is not None and product is not None:
                    entry = (-float(amount or 0.0), product)
                    best[deal] = min(best.get(deal, entry), entry)
        self._known = {deal: product for deal, (_, product) in best.items()}

    def needed(self) -> list[str]:
        """Properties that tell when a closed stage was entered, where the account has them."""
        here = self._schemas["deals"]
        stages = [name for name, stage in self._pipelines["deals"].items() if stage.is_closed]
        return [_ENTERED + stage for stage in stages if here.has(_ENTERED + stage)]

    def is_closed(self, record: Mapping[str, Any]) -> bool:
        """Whether a deal is closed: its own flag, else its stage's."""
        told = record["properties"].get("hs_is_closed")
        if told:
            return str(told).lower() == "true"
        stage = self._pipelines["deals"].get(str(record["properties"].get("dealstage")))
        return stage is not None and stage.is_closed

    def closed_at(self, records: Records) -> pa.Array:
        """When each closed deal entered its present stage; null while open.

        From the property that dates the stage; where the account has none, from the history of
        dealstage (the start of the unbroken stay); else closedate, which a person typed, held between
        the record's creation and its last change.
        """
        entered = {str(r["id"]): self._dated(r) for r in records if self.is_closed(r)}
        unknown = [identifier for identifier, moment in entered.items() if moment is None]
        entered |= self._from_history(unknown)
        return pa.array(
            [(entered[str(r["id"])] or _typed(r)) if str(r["id"]) in entered else None for r in records],
            TIME,
        )

    def main_product(self, records: Records) -> pa.Array:
        """SKU (else the product's id) of the line with the largest amount; null without lines."""
        ids = [str(record["id"]) for record in records]
        if self._known is not None:
            return pa.array([self._known.get(identifier) for identifier in ids], TEXT)
        lines_of = self._lines(records)
        every = [line for lines in lines_of.values() for line in lines]
        products = self.products(every)
        best: dict[str, str] = {}
        for deal, lines in lines_of.items():
            priced = [
                (-float(line["properties"].get("amount") or 0.0), product)
                for line in lines
                if (product := products[str(line["id"])]) is not None
            ]
            if priced:
                best[deal] = min(priced)[1]  # of equal amounts the first by name, so that two pulls agree
        return pa.array([best.get(identifier) for identifier in ids], TEXT)

    def products(self, lines: Records) -> Mapping[str, str | None]:
        """Line item id -> the product's SKU, else the product's id."""
        ids = {str(line["properties"].get("hs_product_id") or "") for line in lines if not _sku(line)}
        self._learn(ids - {""} - self._codes.keys())
        return {
            str(line["id"]): _sku(line) or self._codes.get(str(line["properties"].get("hs_product_id") or ""))
            for line in lines
        }

    def associations(self) -> Sequence[str]:
        """Objects whose associations with a deal are needed."""
        return ["line_items"] if self._known is None and self._visible("line_items") else []

    def _lines(self, deals: Records) -> Mapping[str, Records]:
        """The line items of each deal; none where our app may not read them."""
        if not self._visible("line_items"):
            return {}
        linked = self._links.of("deals", "line_items", deals)
        wanted = [each for lines in linked.values() for each in lines]
        read = self._objects.by_id("line_items", wanted, ["amount", "hs_sku", "hs_product_id"])
        by_id = {str(line["id"]): line for line in read}
        return {deal: [by_id[each] for each in lines if each in by_id] for deal, lines in linked.items()}

    def _learn(self, ids: Iterable[str]) -> None:
        """Read the SKUs of products that no line item tells; a product without one keeps its id."""
        unknown = sorted(ids)
        self._codes |= {each: each for each in unknown}
        if unknown and self._visible("products"):
            for product in self._objects.by_id("products", unknown, ["hs_sku"]):
                self._codes[str(product["id"])] = product["properties"].get("hs_sku") or str(product["id"])

    def _visible(self, object_name: str) -> bool:
        try:
            self._schemas[object_name]
        except SetupError:
            return False
        return True

    def _dated(self, record: Mapping[str, Any]) -> datetime | None:
        told = record["properties"].get(_ENTERED + str(record["properties"].get("dealstage")))
        return parse_time(str(told)) if told else None

    def _from_history(self, ids: Sequence[str]) -> Mapping[str, datetime | None]:
        began: dict[str, datetime | None] = {}
        for record in self._objects.by_id("deals", ids, history=["dealstage"]) if ids else ():
            versions = (record.get("propertiesWithHistory") or {}).get("dealstage") or ()
            stays = sorted((parse_time(str(v["timestamp"])), v.get("value")) for v in versions)
            start: datetime | None = None
            for moment, stage in reversed(stays):
                if stage != stays[-1][1]:
                    break
                start = moment
            began[str(record["id"])] = start
        return began


def _sku(line: Mapping[str, Any]) -> str | None:
    return line["properties"].get("hs_sku") or None


def _typed(record: Mapping[str, Any]) -> datetime | None:
    """The best guess without history."""
    typed = record["properties"].get("closedate")
    if not typed:
        return None
    earliest = parse_time(str(record["createdAt"]))
    latest = parse_time(str(record.get("updatedAt") or record["createdAt"]))
    midnight = parse_time(str(typed)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(earliest, min(midnight, latest))
