"""Calls about lists: made, found by name, read and deleted; their filters are checked, not worked on.

Source: "Lists" and "List (segment) filters overview", HubSpot API reference: the root of the filters is an OR
of ANDs, an operation goes with the type of its property, and two lists of an object can't have the same name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from connectors.sandbox.hubspot.call import Call, mapping_of, text_of
from connectors.sandbox.hubspot.errors import CONFLICT, NOT_FOUND, invalid_json, refuse
from connectors.sandbox.hubspot.schema import ObjectType, Property
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.store import INTEGER, TEXT
from connectors.sandbox.wire import Response

_TEXTS: Final = ("Id", "name", "kind", "processing", "filters", "at")
_COLUMNS: Final = {**dict.fromkeys(_TEXTS, TEXT), "gone": INTEGER}
_PROCESSING: Final = ("DYNAMIC", "MANUAL", "SNAPSHOT")
_OPERATORS: Final[Mapping[str, frozenset[str]]] = {
    "ENUMERATION": frozenset({"IS_ANY_OF", "IS_NONE_OF", "IS_EXACTLY", "IS_NOT_EXACTLY", "CONTAINS_ALL"}),
    "NUMBER": frozenset({"IS_EQUAL_TO", "IS_NOT_EQUAL_TO", "IS_GREATER_THAN", "IS_LESS_THAN"}),
    "BOOL": frozenset({"IS_EQUAL_TO", "IS_NOT_EQUAL_TO"}),
    "TIME_RANGED": frozenset({"IS_BETWEEN", "IS_NOT_BETWEEN"}),
    "TIME_POINT": frozenset({"IS_BEFORE", "IS_AFTER"}),
    "ALL_PROPERTY": frozenset({"IS_KNOWN", "IS_UNKNOWN"}),
}
_FOR: Final[Mapping[str, frozenset[str]]] = {  # types of property that an operation goes with
    "ENUMERATION": frozenset({"enumeration"}),
    "NUMBER": frozenset({"number"}),
    "BOOL": frozenset({"bool"}),
    "TIME_RANGED": frozenset({"date", "datetime"}),
    "TIME_POINT": frozenset({"date", "datetime"}),
}
_POINTS: Final = {"TIME_RANGED": ("lowerBoundTimePoint", "upperBoundTimePoint"), "TIME_POINT": ("timePoint",)}

Entry = dict[str, object]


def create(call: Call) -> Response:
    """POST a list."""
    body = call.body()
    name, processing = text_of(body, "name"), text_of(body, "processingType")
    kind = call.object_type(text_of(body, "objectTypeId"))
    if processing not in _PROCESSING:
        raise refuse(f"processingType must be one of {', '.join(_PROCESSING)}", processingType=processing)
    if processing != "MANUAL":
        _check_root(kind, mapping_of(body, "filterBranch"))
    elif "filterBranch" in body:
        raise refuse("A MANUAL list has no filterBranch")
    call.store.define("lists", _COLUMNS)
    if call.store.select("SELECT 1 FROM lists WHERE name = ? AND kind = ? AND NOT gone", (name, kind.name)):
        raise refuse(f"A list named {name} already exists", category=CONFLICT, status=409, name=name)
    list_id = str(call.store.next_number("lists"))
    row = {"Id": list_id, "name": name, "kind": kind.name, "processing": processing, "at": iso(call.now)}
    filters = json.dumps(body.get("filterBranch"))
    call.store.bulk_insert("lists", [{**row, "filters": filters, "gone": 0}])
    return Response.of(200, {"list": _json(call, list_id)})


def search(call: Call) -> Response:
    """POST the lists whose name contains the query, in any case."""
    body = call.body()
    count = body.get("count", 20)
    if not isinstance(count, int) or not 1 <= count <= 500:
        raise refuse(f"count must be between 1 and 500, was {count}")
    kinds = body.get("processingTypes") or list(_PROCESSING)
    if not isinstance(kinds, list):
        raise invalid_json("processingTypes must be a list")
    call.store.define("lists", _COLUMNS)
    rows = call.store.select(
        "SELECT Id FROM lists WHERE NOT gone AND instr(lower(name), lower(?))"
        " AND processing IN (SELECT value FROM json_each(?)) ORDER BY rowid",
        (str(body.get("query") or ""), json.dumps(kinds)),
    )
    found = [_json(call, str(key)) for (key,) in rows]
    for each in found:
        each.pop("filterBranch")  # a search tells no filters
        each["additionalProperties"] = {}
    page, more = found[:count], len(found) > count
    return Response.of(200, {"lists": page, "offset": len(page), "hasMore": more, "total": len(found)})


def get_one(call: Call, list_id: str) -> Response:
    """GET a list with its filters."""
    return Response.of(200, {"list": _json(call, list_id)})


def delete(call: Call, list_id: str) -> Response:
    """DELETE a list; it can be restored for 90 days."""
    _json(call, list_id)
    call.store.bulk_update("lists", [{"Id": list_id, "gone": 1}])
    return Response(status=204)


def _check_root(kind: ObjectType, root: Mapping[str, object]) -> None:
    """Raises RefusalError unless the filters are an OR of ANDs of property filters."""
    if root.get("filterBranchType") != "OR" or root.get("filters"):
        raise refuse("The root filterBranch must be of type OR and have no filters of its own")
    branches = root.get("filterBranches")
    if not isinstance(branches, list) or not branches:
        raise refuse("The root filterBranch must have at least one AND branch")
    for branch in branches:
        if branch.get("filterBranchType") != "AND" or not isinstance(branch.get("filters"), list):
            raise refuse("Below the root there are branches of type AND")
        for each in branch["filters"]:
            if each.get("filterType") != "PROPERTY":
                raise refuse(
                    "The sandbox knows filters of type PROPERTY only", filterType=str(each.get("filterType"))
                )
            prop = kind.properties.get(text_of(each, "property"))
            if prop is None:
                raise refuse(f"Property {each['property']} does not exist", property=str(each["property"]))
            _check_operation(prop, mapping_of(each, "operation"))


def _check_operation(prop: Property, told: Mapping[str, object]) -> None:
    kind, operator = text_of(told, "operationType"), text_of(told, "operator")
    if operator not in _OPERATORS.get(kind, frozenset()):
        raise refuse(f"{operator} is no operator of a {kind} operation", property=prop.name)
    if prop.type not in _FOR.get(kind, {prop.type}):
        raise refuse(f"A {kind} operation does not go with the {prop.type} property {prop.name}")
    if not isinstance(told.get("includeObjectsWithNoValueSet"), bool):
        raise invalid_json("Some required fields were not set: [includeObjectsWithNoValueSet]")
    if kind == "ENUMERATION":
        values = told.get("values")
        known = {value for value, _ in prop.options}
        if not isinstance(values, list) or not values or not set(values) <= known:
            raise refuse(f"{values} are not all options of {prop.name}", property=prop.name)
    if kind in ("NUMBER", "BOOL") and isinstance(told.get("value"), bool) != (kind == "BOOL"):
        raise refuse(f"{told.get('value')} is no value of a {kind} operation", property=prop.name)
    for name in _POINTS.get(kind, ()):
        point = mapping_of(told, name)
        if told.get("type") != kind or point.get("timeType") != "INDEXED" or not point.get("zoneId"):
            raise refuse(f"{name} must be INDEXED, with a zoneId", property=prop.name)
        reference = mapping_of(point, "indexReference").get("referenceType")
        if reference not in ("TODAY", "NOW"):
            raise refuse(f"{reference} is no referenceType", property=prop.name)


def _json(call: Call, list_id: str) -> Entry:
    call.store.define("lists", _COLUMNS)
    row = call.store.row("lists", list_id)
    if row is None or row["gone"]:
        raise refuse(f"List does not exist with ID {list_id}", category=NOT_FOUND, status=404, listId=list_id)
    kind = call.object_type(str(row["kind"]))
    return {
        "listId": list_id,
        "name": row["name"],
        "objectTypeId": kind.type_id,
        "processingType": row["processing"],
        "processingStatus": "COMPLETE",
        "listVersion": 1,
        "createdAt": row["at"],
        "updatedAt": row["at"],
        "filterBranch": json.loads(str(row["filters"])),
    }
