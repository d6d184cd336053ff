"""Calls about one record, pages of records and merges.

Source: "Objects: basic", HubSpot API reference; a page holds at most 100 records.
"""

from __future__ import annotations

from connectors.sandbox.hubspot.associations import category_of
from connectors.sandbox.hubspot.automation import Row
from connectors.sandbox.hubspot.call import Call, cursor_of, mapping_of, text_of
from connectors.sandbox.hubspot.errors import invalid_json, object_not_found, refuse
from connectors.sandbox.hubspot.record_json import Wanted
from connectors.sandbox.hubspot.schema import ObjectType
from connectors.sandbox.wire import Response

MAX_PAGE = 100
MAX_PAGE_WITH_HISTORY = 50  # "Retrieve records": with propertiesWithHistory a page holds 50


def list_records(call: Call, object_name: str) -> Response:
    """GET a page of records in order of their ids."""
    kind, wanted = call.object_type(object_name), call.wanted()
    highest = MAX_PAGE_WITH_HISTORY if wanted.history else MAX_PAGE
    limit = call.count("limit", default=10, highest=highest)
    after = cursor_of(call.request.query.get("after"))
    results, following = call.reader.page(
        kind, wanted, after=after, limit=limit, archived=call.flag("archived")
    )
    body: dict[str, object] = {"results": results}
    if following is not None:
        link = f"{call.url}{call.request.path}?limit={limit}&after={following}"
        body["paging"] = {"next": {"after": following, "link": link}}
    return Response.of(200, body)


def get_record(call: Call, object_name: str, record_id: str) -> Response:
    """GET one record."""
    kind = call.object_type(object_name)
    row = _one(call, kind, record_id, archived=call.flag("archived"))
    return Response.of(200, call.reader.records(kind, [row], call.wanted())[0])


def create_record(call: Call, object_name: str) -> Response:
    """POST one record, perhaps with its associations."""
    kind, body = call.object_type(object_name), call.body()
    row = create(call, kind, body)
    return Response.of(201, _written(call, kind, row, mapping_of(body, "properties")))


def update_record(call: Call, object_name: str, record_id: str) -> Response:
    """PATCH one record."""
    kind, properties = call.object_type(object_name), mapping_of(call.body(), "properties")
    row = update(call, kind, _one(call, kind, record_id), properties)
    return Response.of(200, _written(call, kind, row, properties))


def archive_record(call: Call, object_name: str, record_id: str) -> Response:
    """DELETE one record; one that is gone already is no error."""
    kind = call.object_type(object_name)
    row = call.records.find(kind, [record_id]).get(record_id)
    if row is not None:
        call.records.check_lock(0, record_id)
        call.records.archive(kind, row)
    return Response(status=204)


def merge_records(call: Call, object_name: str) -> Response:
    """POST a merge of two records into a new one."""
    kind, body = call.object_type(object_name), call.body()
    if not kind.mergeable:
        raise refuse(f"{kind.plural} cannot be merged")
    primary = _one(call, kind, text_of(body, "primaryObjectId"))
    other = _one(call, kind, text_of(body, "objectIdToMerge"))
    if primary["Id"] == other["Id"]:
        raise refuse("Cannot merge a record with itself")
    row = call.records.merge(kind, primary, other)
    for old in (primary, other):
        call.associations.move(kind.name, str(old["Id"]), str(row["Id"]))
    return Response.of(200, call.reader.records(kind, [row], Wanted())[0])


def create(call: Call, kind: ObjectType, body: dict[str, object]) -> Row:
    """The new record behind one input, associated as it asks. Raises RefusalError."""
    properties = mapping_of(body, "properties")
    row = call.records.create(kind, properties)
    wanted = body.get("associations") or []
    if not isinstance(wanted, list):
        raise invalid_json("associations must be a list")
    for entry in wanted:
        target = text_of(mapping_of(entry, "to"), "id")
        call.linker.associate(kind, str(row["Id"]), target, type_ids(entry))
    call.linker.follow_property(kind, row, list(properties))
    return call.records.find(kind, [str(row["Id"])])[str(row["Id"])]


def update(call: Call, kind: ObjectType, row: Row, properties: dict[str, object], *, index: int = 0) -> Row:
    """The changed record. Raises RefusalError."""
    call.records.check_lock(index, str(row["Id"]))
    after = call.records.update(kind, row, properties)
    call.linker.follow_property(kind, after, list(properties))
    return after


def type_ids(entry: dict[str, object]) -> list[int]:
    """The association type ids of an input. Raises RefusalError."""
    kinds = entry.get("types")
    if not isinstance(kinds, list) or not kinds:
        raise invalid_json("Some required fields were not set: [types]")
    found = []
    for kind in kinds:
        number = kind.get("associationTypeId") if isinstance(kind, dict) else None
        if not isinstance(number, int) or kind.get("associationCategory") != category_of(number):
            raise invalid_json(
                "associationCategory and associationTypeId must name a type of the labels endpoint"
            )
        found.append(number)
    return found


def _written(call: Call, kind: ObjectType, row: Row, properties: dict[str, object]) -> dict[str, object]:
    return call.reader.records(kind, [row], Wanted(properties=(*kind.default, *properties)))[0]


def _one(call: Call, kind: ObjectType, key: str, *, archived: bool = False) -> Row:
    id_property = call.request.query.get("idProperty")
    row = call.records.find(kind, [key], id_property=id_property, archived=archived).get(key)
    if row is None:
        raise object_not_found(key)
    return row
