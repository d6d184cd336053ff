"""When an opportunity was closed, and which product it is mainly about: from its history and its lines.

Both are read once for all opportunities of a pull's window, as columns; a company has several times as many
of them as it has opportunities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import REAL, TEXT, TIME
from connectors.page import Page, Records
from connectors.salesforce.cells import at, column
from connectors.salesforce.children import Children, ChildRows
from connectors.salesforce.soql import Condition

_ID: Final = "S18"


class Closings:
    """Looks up history and lines of the opportunities of a page."""

    def __init__(self, children: Children) -> None:
        self._children = children

    def closed_at(self, page: Page) -> pa.Array:
        """When each closed opportunity entered its closed stage; null while open.

        It is the start of the unbroken stay in the present stage in OpportunityHistory: a later change
        of amount or close date makes no new entry, and reopening starts a new stay. Where no history is
        visible: LastStageChangeDate, else CloseDate, which a person typed, held between the record's
        creation and its last change.
        """
        closed = [record for record in page.records if record.get("IsClosed")]
        if not closed:
            return pa.nulls(len(page.records), TIME)
        stays = self._children.of(page, Stays).of(closed)
        entered: dict[str, datetime] = {}
        guessed: list[Mapping[str, Any]] = []
        for record, stay in zip(closed, stays, strict=True):
            if stay is not None and stay["stage"] == record.get("StageName"):
                entered[record["Id"]] = stay["began"]
            else:
                guessed.append(record)
        guesses = column([_fallback(record) for record in guessed], TIME).to_pylist()
        entered |= {record["Id"]: guess for record, guess in zip(guessed, guesses, strict=True)}
        return pa.array([entered.get(record["Id"]) for record in page.records], TIME)

    def main_product(self, page: Page) -> pa.Array:
        """ProductCode (else the id) of the line with the largest amount; null without lines.

        Of equal amounts the first by name, so that two pulls agree."""
        best = self._children.of(page, MainProducts).of(page.records)
        return pa.array([None if each is None else each["product"] for each in best], TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """One row of facts an opportunity, in the order of their ids."""

    ids: npt.NDArray[np.bytes_]
    rows: pa.Table

    def of(self, records: Records) -> list[Mapping[str, Any] | None]:
        """The facts of each record; None for one that has none."""
        if not len(self.ids) or not records:
            return [None] * len(records)
        wanted = np.array([record["Id"] for record in records], _ID)
        places = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        found = self.ids[places] == wanted
        rows = self.rows.take(places).to_pylist()
        return [row if is_there else None for row, is_there in zip(rows, found, strict=True)]


class Stays(_Facts):
    """The stage in which each opportunity is by its history, and when that stay began."""

    __slots__ = ()
    source: ClassVar = ChildRows(
        object="OpportunityHistory",
        parent="Opportunity",
        link="OpportunityId",
        fields=("StageName", "CreatedDate"),
        only=(Condition(field="IsClosed", operator="=", value=True),),
    )

    @classmethod
    def of_pages(cls, pages: Iterable[Records]) -> Self:
        """From rows of OpportunityHistory."""
        return cls._of(map(_stays, pages))

    @classmethod
    def of_table(cls, pages: Iterable[pa.Table]) -> Self:
        """From pages of the canonical table opportunity_history."""
        names = ["opportunity_crm_id", "stage", "changed_at"]
        return cls._of(page.select(names).rename_columns(["deal", "stage", "began"]) for page in pages)

    @classmethod
    def _of(cls, pages: Iterable[pa.Table]) -> Self:
        read = pa.concat_tables([_NO_STAYS, *pages], promote_options="none")
        told = read.set_column(1, "stage", pc.fill_null(read["stage"], "")).sort_by(
            [("deal", "ascending"), ("began", "ascending"), ("stage", "ascending")]
        )
        deals, stages = told["deal"].combine_chunks(), told["stage"].combine_chunks()
        first_of_deal = _changes(deals)
        first_of_stay = np.flatnonzero(first_of_deal | _changes(stages))
        ends = np.flatnonzero(np.append(first_of_deal[1:], True)) if len(deals) else np.array([], np.intp)
        began = first_of_stay[np.searchsorted(first_of_stay, ends, side="right") - 1] if len(ends) else ends
        rows = told.take(began)
        return cls(ids=np.array(rows["deal"].to_pylist(), _ID), rows=rows)


class MainProducts(_Facts):
    """The product of each opportunity's largest line."""

    __slots__ = ()
    source: ClassVar = ChildRows(
        object="OpportunityLineItem",
        parent="Opportunity",
        link="OpportunityId",
        fields=("Product2Id", "Product2.ProductCode", "TotalPrice"),
    )

    @classmethod
    def of_pages(cls, pages: Iterable[Records]) -> Self:
        """From rows of OpportunityLineItem."""
        return cls._of(map(_lines, pages))

    @classmethod
    def of_table(cls, pages: Iterable[pa.Table]) -> Self:
        """From pages of the canonical table opportunity_lines."""
        return cls._of(_named(page) for page in pages)

    @classmethod
    def _of(cls, pages: Iterable[pa.Table]) -> Self:
        read = pa.concat_tables([_NO_LINES, *pages], promote_options="none")
        lines = read.sort_by([("deal", "ascending"), ("amount", "descending"), ("product", "ascending")])
        rows = lines.take(np.flatnonzero(_changes(lines["deal"].combine_chunks())))
        return cls(ids=np.array(rows["deal"].to_pylist(), _ID), rows=rows)


ALONG: Final[Mapping[str, type[Stays] | type[MainProducts]]] = MappingProxyType(
    {"opportunity_history": Stays, "opportunity_lines": MainProducts}
)
"""Tables of their own that tell what opportunities need: read once where both are wanted."""

_NO_STAYS: Final = pa.table(
    {"deal": pa.array([], TEXT), "stage": pa.array([], TEXT), "began": pa.array([], TIME)}
)
_NO_LINES: Final = pa.table(
    {"deal": pa.array([], TEXT), "product": pa.array([], TEXT), "amount": pa.array([], REAL)}
)


def _stays(records: Records) -> pa.Table:
    """A page of history as columns."""
    return pa.table(
        {
            "deal": pa.array([record["OpportunityId"] for record in records], TEXT),
            "stage": pa.array([record.get("StageName") or "" for record in records], TEXT),
            "began": column([record["CreatedDate"] for record in records], TIME),
        }
    )


def _lines(records: Records) -> pa.Table:
    """A page of lines that name a product, as columns."""
    products = [at(record, "Product2.ProductCode") or record.get("Product2Id") for record in records]
    named = [(record, product) for record, product in zip(records, products, strict=True) if product]
    return pa.table(
        {
            "deal": pa.array([record["OpportunityId"] for record, _ in named], TEXT),
            "product": pa.array([str(product) for _, product in named], TEXT),
            "amount": pa.array([float(record.get("TotalPrice") or 0.0) for record, _ in named], REAL),
        }
    )


def _named(page: pa.Table) -> pa.Table:
    """A page of canonical lines, those that name a product."""
    rows = page.filter(pc.is_valid(page["product_id"]))
    amounts = pc.fill_null(rows["amount"], 0.0)
    return pa.table({"deal": rows["opportunity_crm_id"], "product": rows["product_id"], "amount": amounts})


def _changes(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Where a value differs from the one before it; the first one does."""
    if not len(values):
        return np.array([], np.bool_)
    differs = pc.not_equal(values.slice(1), values.slice(0, len(values) - 1))
    return np.concatenate([[True], differs.to_numpy(zero_copy_only=False)]).astype(np.bool_)


def _fallback(record: Mapping[str, Any]) -> str | None:
    """The best guess without history."""
    if record.get("LastStageChangeDate"):
        return str(record["LastStageChangeDate"])
    if not record.get("CloseDate"):
        return None
    typed = f"{record['CloseDate']}T00:00:00.000+0000"
    earliest, latest = record.get("CreatedDate") or typed, record.get("SystemModstamp") or typed
    return max(str(earliest), min(typed, str(latest)))
