"""What a property held before, where the account tells it: histories of deals and companies.

HubSpot keeps the last 20 values of a property with their time; they come 50 records at a time, listed or
read by id. A row is one moment at which something changed; its id is the record's and the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.canonical import CRM_TABLES
from connectors.crm import FieldType, Window
from connectors.hubspot.cells import day
from connectors.hubspot.objects import Objects, Records
from connectors.hubspot.pipelines import Pipelines
from connectors.hubspot.schema import Described, Schemas
from connectors.hubspot.tables import COMPANIES, DEALS, SOURCES, Source
from connectors.hubspot.values import decode, parse_time
from connectors.mappings import Mappings

Row = dict[str, Any]

_DEAL: Final = ("dealstage", "amount", "closedate")
_STAGE: Final = {DEALS.object: {"stage": "dealstage"}}  # told by its label, which the property has not
_OWNER: Final = {  # the table that a history is of, and the column that names its record
    COMPANIES.object: ("accounts", "account_crm_id"),
    DEALS.object: ("opportunities", "opportunity_crm_id"),
}


class Histories:
    """Reads property history of deals and companies."""

    def __init__(self, objects: Objects, schemas: Schemas, pipelines: Pipelines, mappings: Mappings) -> None:
        self._objects = objects
        self._schemas = schemas
        self._pipelines = pipelines
        self._mappings = mappings

    def pages(self, table: str, window: Window, zone: ZoneInfo) -> Iterator[pa.Table]:
        """What happened in the window, a page of deals or companies at a time."""
        source = SOURCES[table][0]
        for records in self._records(source, window, self.names(table)):
            page = self.page(table, records, window, zone)
            if page is not None:
                yield page

    def names(self, table: str) -> tuple[str, ...]:
        """The properties whose past values fill a table."""
        return _DEAL if table == "opportunity_history" else tuple(self._columns(SOURCES[table][0]))

    def page(self, table: str, records: Records, window: Window, zone: ZoneInfo) -> pa.Table | None:
        """What happened to these records in the window; they were read with the history of `names`."""
        if table == "opportunity_history":
            rows = self._deals(records, zone)
        else:
            rows = self._changes(records, SOURCES[table][0])
        rows = [row for row in rows if window.since is None or row["changed_at"] >= window.since]
        return pa.Table.from_pylist(rows, schema=CRM_TABLES[table]) if rows else None

    def _records(self, source: Source, window: Window, names: Sequence[str]) -> Iterator[Records]:
        """Records that changed in the window with the history of these properties; no search has history."""
        if window.since is None:
            yield from self._objects.listed(source.object, (), history=names)
            return
        for page in self._objects.changed(source.object, source.cursor, window, ()):
            yield self._objects.by_id(source.object, [str(r["id"]) for r in page], history=names)

    def _columns(self, source: Source) -> Mapping[str, str]:
        """Property -> canonical column, of the columns that are held in a property."""
        here = self._schemas[source.object]
        mapped = {**source.columns, **_STAGE.get(source.object, {})}
        mapped |= self._mappings.columns(_OWNER[source.object][0])
        return {prop: column for column, prop in mapped.items() if here.has(prop)}

    def _deals(self, records: Records, zone: ZoneInfo) -> list[Row]:
        """One row for each moment at which stage, amount or close date changed: the deal as it was then."""
        stages = self._pipelines["deals"]
        rows = []
        for record in records:
            held: dict[str, Any] = {}
            for moment, changes in _moments(record, _DEAL):
                held |= changes
                stage = stages.get(str(held.get("dealstage")))
                closes = held.get("closedate")
                rows.append(
                    _stamped(record, moment)
                    | {
                        "opportunity_crm_id": str(record["id"]),
                        "stage": stage.label if stage is not None else held.get("dealstage"),
                        "amount": float(held["amount"]) if held.get("amount") else None,
                        "probability": stage.probability if stage is not None else None,
                        "close_date": day(str(closes), zone) if closes else None,
                        "changed_at": moment,
                    }
                )
        return rows

    def _changes(self, records: Records, source: Source) -> list[Row]:
        """One row for each change of a column; the first value that a property had is no change."""
        here, columns = self._schemas[source.object], self._columns(source)
        stages = self._pipelines["deals"] if source is DEALS else {}
        owner = _OWNER[source.object][1]
        rows = []
        for record in records:
            before: dict[str, str | None] = {}
            for moment, changes in _moments(record, columns):
                for name, value in changes.items():
                    stage = stages.get(str(value)) if name == "dealstage" else None
                    new = stage.label if stage is not None else _shown(value, name, here)
                    if name in before and before[name] != new:
                        rows.append(
                            _stamped(record, moment, suffix=f":{name}")
                            | {
                                owner: str(record["id"]),
                                "field": columns[name],
                                "old_value": before[name],
                                "new_value": new,
                                "changed_at": moment,
                            }
                        )
                    before[name] = new
        return rows


def _moments(record: Mapping[str, Any], names: Iterable[str]) -> list[tuple[datetime, dict[str, Any]]]:
    """What changed at each moment, oldest first."""
    changes: dict[datetime, dict[str, Any]] = {}
    for name in names:
        for version in reversed((record.get("propertiesWithHistory") or {}).get(name) or ()):  # newest last
            changes.setdefault(parse_time(str(version["timestamp"])), {})[name] = version.get("value")
    return sorted(changes.items(), key=lambda each: each[0])


def _stamped(record: Mapping[str, Any], moment: datetime, *, suffix: str = "") -> Row:
    return {
        "crm_id": f"{record['id']}:{round(moment.timestamp() * 1000)}{suffix}",
        "created_at": moment,
        "modified_at": moment,
        "known_from": moment,
        "is_deleted": False,
    }


def _shown(value: Any, name: str, here: Described) -> str | None:
    """A past value as text, as people saw it."""
    if value in {None, ""}:
        return None
    field = here.schema.fields[name]
    if field.type in {FieldType.PICKLIST, FieldType.MULTI_PICKLIST}:
        seen = decode(value, field, here.choices.get(name))
        return ";".join(seen) if isinstance(seen, tuple) else str(seen)
    return str(value)
