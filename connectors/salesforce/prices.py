"""List prices of products: the standard price book's entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from connectors.canonical import REAL
from connectors.errors import SetupError
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.schema import Schemas

_NEEDED: Final = ("Product2Id", "UnitPrice", "Pricebook2.IsStandard")


class ListPrices:
    """Looks up the standard price of products."""

    def __init__(self, client: SalesforceClient, schemas: Schemas) -> None:
        self._client = client
        self._schemas = schemas

    def of(self, product_ids: Sequence[str]) -> pa.Array:
        """The standard list price of each product id; null where there is none or it isn't visible."""
        found: dict[str, float] = {}
        if self._visible():
            for chunk in soql.in_chunks(product_ids):
                statement = soql.select(
                    ["Product2Id", "UnitPrice"],
                    "PricebookEntry",
                    where=[
                        soql.Condition(field="Pricebook2.IsStandard", operator="=", value=True),
                        soql.Condition(field="Product2Id", operator="IN", value=chunk),
                    ],
                )
                for entry in self._client.records(statement):
                    found[entry["Product2Id"]] = entry["UnitPrice"]
        return pa.array([found.get(each) for each in product_ids], REAL)

    def _visible(self) -> bool:
        try:
            return all(self._schemas.holds_path("PricebookEntry", path) for path in _NEEDED)
        except SetupError:
            return False
