"""Rows, ids and links of HubSpot records, as the parts of the company's loader make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.hubspot.associations import Link
from connectors.sandbox.hubspot.automation import number_text
from connectors.sandbox.hubspot.history import Change
from connectors.sandbox.hubspot.schema import ARCHIVED, NUMBER

Row = dict[str, Any]

# each object type numbers its records in a range of its own, all below those of records made through the API
_FIRST: Final[Mapping[str, int]] = {
    "companies": 9_000_000_000,
    "contacts": 10_000_000_000,
    "deals": 12_000_000_000,
    "line_items": 14_000_000_000,
    "products": 16_000_000_000,
    "tickets": 18_000_000_000,
    "activities": 20_000_000_000,
}
_PEOPLE: Final = 100  # numbers kept for the people of one account


@dataclass(slots=True)
class Part:
    """Part of an account's content: rows by object type, links and history."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    history: list[Change] = field(default_factory=list)


def number_of(object_name: str, key: str, person: int = 0) -> int:
    """The id of the company (or of a person there) with the company's own key, such as C-00042."""
    number = int(key.removeprefix("C-"))
    return _FIRST[object_name] + (number * _PEOPLE + person if object_name == "contacts" else number)


def numbered(object_name: str, number: int) -> int:
    """The id of the numbered record of an object type."""
    return _FIRST[object_name] + number


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """The table's rows, with days and moments already as HubSpot writes them.

    Column by column, because there are half a million moments."""
    for i, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            told = pc.strftime(table[i].cast(pa.timestamp("ms", tz="UTC")), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(i, column.name, told)
        elif pa.types.is_date(column.type):
            table = table.set_column(i, column.name, table[i].cast(pa.string()))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def row_of(record_id: int, **properties: object) -> Row:
    """A row for the store from Python values; days and moments are text already."""
    row: Row = {"Id": str(record_id), NUMBER: record_id, ARCHIVED: 0}
    return row | {name: text(value) for name, value in properties.items()}


def text(value: object) -> str | None:
    """A value as it travels, None for none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    raise TypeError(f"{value!r} has no form as a property's value")


def link(from_object: str, from_id: int, to_object: str, to_id: int, type_id: int) -> Link:
    """An association of two numbered records."""
    return Link(
        from_object=from_object, from_id=str(from_id), to_object=to_object, to_id=str(to_id), type_id=type_id
    )
