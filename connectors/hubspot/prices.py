"""price_book_entries: HubSpot's one list of prices, a row for each currency that a product is priced in.

The price in the account's own currency is `price`; with several currencies a product has a property for each
of the others, such as hs_price_eur.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

import pyarrow as pa

from connectors.canonical import CRM_TABLES
from connectors.crm import FieldType, Window
from connectors.hubspot.cells import moment_of
from connectors.hubspot.derive import is_active, product_code
from connectors.hubspot.objects import Objects
from connectors.hubspot.schema import Schemas
from connectors.hubspot.tables import PRODUCTS

_PRICE: Final = re.compile(r"hs_price_([a-z]{3})")
_NUMBERS: Final = {FieldType.NUMBER, FieldType.CURRENCY}


class Prices:
    """Reads the prices of products; `home` tells the account's own currency when it is needed."""

    def __init__(self, objects: Objects, schemas: Schemas, home: Callable[[], str]) -> None:
        self._objects = objects
        self._schemas = schemas
        self._home = home

    def pages(self, window: Window) -> Iterator[pa.Table]:
        """The prices of the products that changed in the window; once a day of archived ones, deleted."""
        here = self._schemas[PRODUCTS.object]
        currencies = {
            name: found[1].upper()
            for name, field in here.schema.fields.items()
            if (found := _PRICE.fullmatch(name)) and field.type in _NUMBERS
        }
        currencies |= {"price": self._home()}
        wanted = [name for name in (*currencies, *PRODUCTS.extra) if here.has(name)]
        pages = (
            self._objects.listed(PRODUCTS.object, wanted)
            if window.since is None
            else self._objects.changed(PRODUCTS.object, PRODUCTS.cursor, window, wanted)
        )
        if window.new_day:
            pages = chain(self._objects.listed(PRODUCTS.object, wanted, archived=True), pages)
        for products in pages:
            rows = [row for product in products for row in _rows(product, currencies)]
            if rows:
                yield pa.Table.from_pylist(rows, schema=CRM_TABLES["price_book_entries"])


def _rows(product: Mapping[str, Any], currencies: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """One row for each currency. A price that was taken away is a row that is deleted."""
    for name, currency in currencies.items():
        price = product["properties"].get(name)
        yield {
            "crm_id": f"{product['id']}:{currency}",
            "created_at": moment_of(product["createdAt"]),
            "modified_at": moment_of(product.get("updatedAt")),
            "known_from": moment_of(product["createdAt"]),
            "is_deleted": not price or bool(product.get("archived")),
            "product_id": product_code(product),
            "price_book": "Standard",
            "is_standard": True,
            "price": float(price) if price else None,
            "currency": currency,
            "is_active": is_active(product),
        }
