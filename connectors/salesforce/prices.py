"""List prices of products: the standard price book's entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from connectors.canonical import REAL
from connectors.errors import SetupError
from connectors.page import Page, Records
from connectors.salesforce.children import Children, ChildRows
from connectors.salesforce.schema import Schemas
from connectors.salesforce.soql import Condition


class ListPrices:
    """Looks up the standard price of products."""

    def __init__(self, children: Children, schemas: Schemas) -> None:
        self._children = children
        self._schemas = schemas

    def of(self, page: Page) -> pa.Array:
        """The standard list price of each product; null where there is none or it isn't visible."""
        found = self._children.of(page, _Entries).prices if self._visible() else {}
        return pa.array([found.get(str(record["Id"])) for record in page.records], REAL)

    def _visible(self) -> bool:
        needed = (_Entries.source.link, *_Entries.source.fields, "Pricebook2.IsStandard")
        try:
            return all(self._schemas.holds_path("PricebookEntry", path) for path in needed)
        except SetupError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entries:
    """The standard price by product; a company has some hundreds of them, not millions."""

    prices: dict[str, float]
    source: ClassVar[ChildRows] = ChildRows(
        object="PricebookEntry",
        parent="Product2",
        link="Product2Id",
        fields=("UnitPrice",),
        also=(Condition(field="Pricebook2.IsStandard", operator="=", value=True),),
    )

    @classmethod
    def of_pages(cls, pages: Iterable[Records]) -> Self:
        """From rows of PricebookEntry."""
        return cls(prices={row["Product2Id"]: row["UnitPrice"] for rows in pages for row in rows})
