"""Calls about associations: read and write up to thousands of pairs, labels, single pairs.

Source: "Associations v4", HubSpot API reference: 1,000 inputs to a read, 2,000 to a write, `after` per input.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.sandbox.hubspot.associations import AssociationType, plain_type, types_between
from connectors.sandbox.hubspot.call import Call, cursor_of, mapping_of, text_of, whole_of
from connectors.sandbox.hubspot.errors import (
    NOT_FOUND,
    Problem,
    RefusalError,
    invalid_json,
    object_not_found,
    refuse,
)
from connectors.sandbox.hubspot.objects import type_ids
from connectors.sandbox.hubspot.schema import ObjectType
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.wire import Response

MAX_READ = 1_000
MAX_WRITE = 2_000
MAX_PAGE = 500

Entry = dict[str, object]


def labels(call: Call, from_name: str, to_name: str) -> Response:
    """GET the types between two object types."""
    source, target = call.object_type(from_name), call.object_type(to_name)
    kinds = types_between(source.name, target.name)
    if not kinds:
        raise refuse(f"{source.plural} are not associated with {target.plural}")
    results = [{"category": kind.category, "typeId": kind.type_id, "label": kind.label} for kind in kinds]
    return Response.of(200, {"results": results})


def read(call: Call, from_name: str, to_name: str) -> Response:
    """POST batch/read: what each record is associated with, a page per record."""
    source, target = call.object_type(from_name), call.object_type(to_name)
    inputs = call.inputs(MAX_READ)
    starts = {text_of(row, "id"): cursor_of(row.get("after")) for row in inputs}
    if any(whole_of(key) is None for key in starts):
        raise invalid_json("id must be numeric")
    found = call.associations.of(source.name, list(starts), target.name)
    kinds = {kind.type_id: kind for kind in types_between(source.name, target.name)}
    results: list[Entry] = []
    for key, after in starts.items():
        if key not in found:
            continue
        shown, following = _page(found[key], kinds, after, call.settings.associated_page)
        entry: Entry = {"from": {"id": key}, "to": shown}
        if following is not None:
            entry["paging"] = {"next": {"after": following, "link": ""}}
        results.append(entry)
    errors = [_none_found(source, target, key) for key in starts if key not in found]
    at = iso(call.now)
    body: Entry = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Response.of(207 if errors else 200, body)


def create_all(call: Call, from_name: str, to_name: str) -> Response:
    """POST batch/create: associate pairs under the types that each names."""
    return _associate_all(call, from_name, to_name, plain=False)


def create_default_all(call: Call, from_name: str, to_name: str) -> Response:
    """POST batch/associate/default: associate pairs without a label."""
    return _associate_all(call, from_name, to_name, plain=True)


def archive_all(call: Call, from_name: str, to_name: str) -> Response:
    """POST batch/archive: take pairs apart."""
    source, target = call.object_type(from_name), call.object_type(to_name)
    for row in call.inputs(MAX_WRITE):
        key = text_of(mapping_of(row, "from"), "id")
        ends = row.get("to")
        if not isinstance(ends, list):
            raise invalid_json("to must be a list")
        for end in ends:
            call.linker.dissociate(source, key, target, text_of(end, "id"))
    return Response(status=204)


def of_record(call: Call, from_name: str, record_id: str, to_name: str) -> Response:
    """GET what one record is associated with."""
    source, target = call.object_type(from_name), call.object_type(to_name)
    if record_id not in call.records.find(source, [record_id]):
        raise object_not_found(record_id)
    limit = call.count("limit", default=MAX_PAGE, highest=MAX_PAGE)
    after = cursor_of(call.request.query.get("after"))
    kinds = {kind.type_id: kind for kind in types_between(source.name, target.name)}
    pairs = call.associations.of(source.name, [record_id], target.name).get(record_id, [])
    shown, following = _page(pairs, kinds, after, limit)
    body: Entry = {"results": shown}
    if following is not None:
        body["paging"] = {"next": {"after": following, "link": ""}}
    return Response.of(200, body)


def put(call: Call, from_name: str, record_id: str, to_name: str, to_id: str) -> Response:
    """PUT one pair under the types in the body, which is a list."""
    source, target = call.object_type(from_name), call.object_type(to_name)
    # the body is a bare list of types, so it is read as the `types` of an input
    entry = {"types": _list_body(call)}
    made = call.linker.associate(source, record_id, to_id, type_ids(entry))
    return Response.of(201, _pair(source, record_id, target, to_id, [made]))


def put_default(call: Call, from_name: str, record_id: str, to_name: str, to_id: str) -> Response:
    """PUT one pair without a label."""
    source, target = call.object_type(from_name), call.object_type(to_name)
    made = call.linker.associate(source, record_id, to_id, [_plain(source, target).type_id])
    at = iso(call.now)
    return Response.of(
        200,
        {
            "status": "COMPLETE",
            "results": [_default(made, record_id, to_id)],
            "startedAt": at,
            "completedAt": at,
        },
    )


def delete(call: Call, from_name: str, record_id: str, to_name: str, to_id: str) -> Response:
    """DELETE one pair with all its labels."""
    source, target = call.object_type(from_name), call.object_type(to_name)
    call.linker.dissociate(source, record_id, target, to_id)
    return Response(status=204)


def _associate_all(call: Call, from_name: str, to_name: str, *, plain: bool) -> Response:
    source, target = call.object_type(from_name), call.object_type(to_name)
    results: list[Entry] = []
    errors: list[Entry] = []
    for row in call.inputs(MAX_WRITE):
        key, to_id = text_of(mapping_of(row, "from"), "id"), text_of(mapping_of(row, "to"), "id")
        types = [_plain(source, target).type_id] if plain else type_ids(row)
        try:
            with call.store.transaction():
                made = call.linker.associate(source, key, to_id, types)
        except RefusalError as refused:
            call.records.discard()
            errors.append(refused.problem.entry({"fromObjectId": [key], "toObjectId": [to_id]}))
            continue
        call.records.flush()
        if plain:
            results.append(_default(made, key, to_id))
        else:
            kinds = {kind.type_id: kind for kind in types_between(source.name, target.name)}
            results.append(_pair(source, key, target, to_id, [kinds[type_id] for type_id in types]))
    at = iso(call.now)
    body: Entry = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Response.of(207 if errors else (200 if plain else 201), body)


def _list_body(call: Call) -> object:
    import json

    try:
        return json.loads(call.request.body)
    except ValueError as error:
        raise invalid_json(str(error)) from None


def _plain(source: ObjectType, target: ObjectType) -> AssociationType:
    if not types_between(source.name, target.name):
        raise refuse(f"{source.plural} are not associated with {target.plural}")
    return plain_type(source.name, target.name)


def _page(
    pairs: Sequence[tuple[str, int]], kinds: dict[int, AssociationType], after: int, limit: int
) -> tuple[list[Entry], str | None]:
    shown: dict[str, list[Entry]] = {}
    for to_id, type_id in pairs:
        if int(to_id) <= after:
            continue
        if to_id not in shown and len(shown) == limit:
            return _listed(shown), list(shown)[-1]
        kind = kinds[type_id]
        entry: Entry = {"category": kind.category, "typeId": type_id, "label": kind.label}
        shown.setdefault(to_id, []).append(entry)
    return _listed(shown), None


def _listed(shown: dict[str, list[Entry]]) -> list[Entry]:
    return [{"toObjectId": int(to_id), "associationTypes": types} for to_id, types in shown.items()]


def _pair(
    source: ObjectType, key: str, target: ObjectType, to_id: str, made: Sequence[AssociationType]
) -> Entry:
    return {
        "fromObjectTypeId": source.type_id,
        "fromObjectId": int(key),
        "toObjectTypeId": target.type_id,
        "toObjectId": int(to_id),
        "labels": [kind.label for kind in made if kind.label is not None],
    }


def _default(made: AssociationType, key: str, to_id: str) -> Entry:
    spec = {"associationCategory": made.category, "associationTypeId": made.type_id}
    return {"from": {"id": key}, "to": {"id": to_id}, "associationSpec": spec}


def _none_found(source: ObjectType, target: ObjectType, key: str) -> Entry:
    message = f"No {target.singular.lower()} is associated with {source.singular.lower()} {key}."
    context = {"fromObjectId": [key], "fromObjectType": [source.type_id], "toObjectType": [target.type_id]}
    sub = "crm.associations.NO_ASSOCIATIONS_FOUND"
    return Problem(category=NOT_FOUND, message=message, context=context, sub_category=sub).entry()
