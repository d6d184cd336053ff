"""When an opportunity was closed, and which product it is mainly about: from its history and its lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from connectors.canonical import TEXT, TIME
from connectors.errors import SetupError
from connectors.page import Records
from connectors.salesforce import soql
from connectors.salesforce.cells import at, column
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.schema import Schemas


class Closings:
    """Looks up history and lines of a page of opportunities, some hundred per query."""

    def __init__(self, client: SalesforceClient, schemas: Schemas) -> None:
        self._client = client
        self._schemas = schemas

    def closed_at(self, records: Records) -> pa.Array:
        """When each closed opportunity entered its closed stage; null while open.

        It is the start of the unbroken stay in the present stage in OpportunityHistory: a later change
        of amount or close date makes no new entry, and reopening starts a new stay. Where no history is
        visible: LastStageChangeDate, else CloseDate, which a person typed, held between the record's
        creation and its last change.
        """
        closed = [record for record in records if record.get("IsClosed")]
        entered = self._entered(closed)
        stamps = [
            entered.get(record["Id"], _fallback(record)) if record.get("IsClosed") else None
            for record in records
        ]
        return column(stamps, TIME)

    def main_product(self, records: Records) -> pa.Array:
        """ProductCode (else the id) of the line with the largest amount; null without lines."""
        best: dict[str, tuple[float, str]] = {}
        fields = ["OpportunityId", "Product2Id", "Product2.ProductCode", "TotalPrice"]
        for line in self._related("OpportunityLineItem", fields, (record["Id"] for record in records)):
            product = at(line, "Product2.ProductCode") or line.get("Product2Id")
            amount = float(line.get("TotalPrice") or 0.0)
            if product is not None:
                # the larger amount; of equal ones the first by name, so that two pulls agree
                best.setdefault(line["OpportunityId"], (amount, str(product)))
                now = best[line["OpportunityId"]]
                if (-amount, str(product)) < (-now[0], now[1]):
                    best[line["OpportunityId"]] = (amount, str(product))
        return pa.array([best[r["Id"]][1] if r["Id"] in best else None for r in records], TEXT)

    def _entered(self, closed: Records) -> Mapping[str, str]:
        """Opportunity id -> when its present stage began, for those whose history shows it."""
        histories: dict[str, list[tuple[str, str]]] = defaultdict(list)
        fields = ["OpportunityId", "StageName", "CreatedDate"]
        for row in self._related("OpportunityHistory", fields, (record["Id"] for record in closed)):
            histories[row["OpportunityId"]].append((row["CreatedDate"], row["StageName"]))
        began: dict[str, str] = {}
        for record in closed:
            for moment, stage in sorted(histories.get(record["Id"], ()), reverse=True):
                if stage != record.get("StageName"):
                    break
                began[record["Id"]] = moment
        return began

    def _related(
        self, object_name: str, fields: Sequence[str], ids: Iterable[str]
    ) -> Iterable[Mapping[str, Any]]:
        """Rows of a child object by OpportunityId; none where our user doesn't see it."""
        try:
            visible = [name for name in fields if self._schemas.holds_path(object_name, name)]
        except SetupError:
            return
        for chunk in soql.in_chunks(ids):
            condition = soql.Condition(field="OpportunityId", operator="IN", value=chunk)
            yield from self._client.records(soql.select(visible, object_name, where=[condition]))


def _fallback(record: Mapping[str, Any]) -> str | None:
    """The best guess without history."""
    if record.get("LastStageChangeDate"):
        return str(record["LastStageChangeDate"])
    if not record.get("CloseDate"):
        return None
    typed = f"{record['CloseDate']}T00:00:00.000+0000"
    earliest, latest = record.get("CreatedDate") or typed, record.get("SystemModstamp") or typed
    return max(str(earliest), min(typed, str(latest)))
