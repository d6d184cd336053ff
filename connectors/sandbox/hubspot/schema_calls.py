"""Calls about custom objects: what an account on Enterprise may define, and take away again.

Source: "Schemas API guide", HubSpot API reference: names are permanent, an object is deleted once its records
are, and its name is free again once its schema was deleted for good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connectors.sandbox.hubspot.call import Call, mapping_of, text_of
from connectors.sandbox.hubspot.errors import CONFLICT, NOT_FOUND, RefusalError, invalid_json, refuse
from connectors.sandbox.hubspot.own_types import OwnType
from connectors.sandbox.hubspot.property_calls import property_json, property_of
from connectors.sandbox.hubspot.schema import ARCHIVED, ObjectType
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.wire import Response

MAX_OBJECTS = 10  # "HubSpot Products & Services catalog": Enterprise
MAX_SEARCHABLE = 20
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}\Z")
_STANDARD: Final = {
    "COMPANY": "companies",
    "CONTACT": "contacts",
    "DEAL": "deals",
    "TICKET": "tickets",
}
_LISTS: Final = ("requiredProperties", "searchableProperties", "secondaryDisplayProperties")

Entry = dict[str, object]


def list_all(call: Call) -> Response:
    """GET every custom object of the account."""
    archived = call.flag("archived")
    found = [own for own in call.schema.own_types().values() if (own.archived_at is not None) == archived]
    return Response.of(200, {"results": [_json(call, own) for own in found]})


def get_one(call: Call, custom: str) -> Response:
    """GET one custom object by its full name or its objectTypeId."""
    return Response.of(200, _json(call, _found(call, custom)))


def create(call: Call) -> Response:
    """POST a custom object with its properties and associations."""
    body = call.body()
    if not call.settings.enterprise:
        message = "This account does not have access to custom objects."
        raise refuse(message, category="MISSING_SCOPES", status=403)
    name = text_of(body, "name")
    if not _NAME.match(name):
        raise refuse(
            f"Object name {name!r} must begin with a letter: letters, digits, underscores", name=name
        )
    full = f"p{call.store.meta['portal.id']}_{name}"
    if full.lower() in {each.lower() for each in call.schema.own_types()}:
        raise refuse(
            f"An object of the name {name} already exists.", category=CONFLICT, status=409, name=name
        )
    if len(call.schema.own_types()) >= MAX_OBJECTS:
        raise refuse(f"The account has {MAX_OBJECTS} custom objects already", name=name)
    labels = mapping_of(body, "labels")
    given = _properties(body)
    names = {text_of(entry, "name") for entry in given}
    lists = {key: _names(body, key, names) for key in _LISTS}
    if len(lists["searchableProperties"]) > MAX_SEARCHABLE:
        raise refuse(f"At most {MAX_SEARCHABLE} properties can be searchable", name=name)
    primary = body.get("primaryDisplayProperty")
    if primary is not None and primary not in names:
        raise refuse(f"primaryDisplayProperty {primary} is not among the properties", name=name)
    made = OwnType(
        name=full,
        short=name,
        type_id="",
        singular=text_of(labels, "singular"),
        plural=text_of(labels, "plural"),
        description=str(body.get("description") or ""),
        primary=str(primary or min(names)),
        secondary=lists["secondaryDisplayProperties"],
        required=lists["requiredProperties"],
        searchable=lists["searchableProperties"],
        associated=_associated(call, body),
        created_at=iso(call.now),
    )
    kind = call.schema.make_type(made)
    group = f"{name}_information"
    with call.store.transaction() as sql:
        label = f"{made.singular} information"
        sql.execute("INSERT INTO property_groups VALUES (?, ?, ?, -1, 0)", (kind.name, group, label))
    for entry in given:
        told = {"groupName": group, **entry}
        call.schema.add(
            kind.name, [property_of(call, call.object_type(full), told, created_at=iso(call.now))]
        )
    return Response.of(201, _json(call, call.schema.own_types()[full]))


def archive(call: Call, custom: str) -> Response:
    """DELETE a custom object whose records are all gone; with archived=true, its schema for good."""
    if call.flag("archived"):
        own = _found(call, custom, archived=True)
        call.schema.drop_type(own.name)
        return Response(status=204)
    own = _found(call, custom)
    kind = call.object_type(own.name)
    held = call.store.select(f'SELECT count(*) FROM "{kind.name}" WHERE "{ARCHIVED}" = 0')  # noqa: S608  # schema's name
    if held[0][0]:
        raise refuse(
            f"Object type {own.name} still has {held[0][0]} records; delete them first", objectType=own.name
        )
    call.schema.change_type(replace(own, archived_at=iso(call.now)))
    return Response(status=204)


def _found(call: Call, name: str, *, archived: bool = False) -> OwnType:
    for own in call.schema.own_types().values():
        if name.lower() in (own.name.lower(), own.type_id) and (own.archived_at is not None) == archived:
            return own
    message = f"Unable to infer object type from: {name}"
    raise refuse(message, category=NOT_FOUND, status=404, objectType=name)


def _properties(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    given = body.get("properties")
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise invalid_json("Some required fields were not set: [properties]")
    names = [text_of(entry, "name") for entry in given]
    if len(set(names)) < len(names):
        raise refuse("Two properties of an object can't have the same name")
    return given


def _names(body: Mapping[str, object], key: str, known: set[str]) -> tuple[str, ...]:
    """A list of property names. Raises RefusalError for one that the object does not define."""
    given = body.get(key)
    if given is None and key != "requiredProperties":
        return ()
    if not isinstance(given, list):
        raise invalid_json(f"Some required fields were not set: [{key}]")
    for name in given:
        if name not in known:
            raise refuse(f"{key} names {name}, which is not among the properties", propertyName=str(name))
    return tuple(str(name) for name in given)


def _associated(call: Call, body: Mapping[str, object]) -> tuple[str, ...]:
    given = body.get("associatedObjects")
    if not isinstance(given, list):
        raise invalid_json("Some required fields were not set: [associatedObjects]")
    kinds: list[ObjectType] = []
    for name in given:
        kind = call.schema.find(_STANDARD.get(str(name), str(name)))
        if kind is None:
            raise refuse(f"Unable to infer object type from: {name}", associatedObjects=str(name))
        kinds.append(kind)
    return tuple(kind.type_id for kind in kinds)


def _json(call: Call, own: OwnType) -> Entry:
    try:
        kind = call.object_type(own.name) if own.archived_at is None else None
    except RefusalError:
        kind = None
    properties = [] if kind is None else [property_json(prop) for prop in kind.properties.values()]
    return {
        "id": own.type_id.partition("-")[2],
        "objectTypeId": own.type_id,
        "fullyQualifiedName": own.name,
        "name": own.short,
        "description": own.description,
        "labels": {"singular": own.singular, "plural": own.plural},
        "primaryDisplayProperty": own.primary,
        "secondaryDisplayProperties": list(own.secondary),
        "requiredProperties": list(own.required),
        "searchableProperties": list(own.searchable),
        "properties": properties,
        "associations": [
            {"id": f"{own.type_id}-{to}", "fromObjectTypeId": own.type_id, "toObjectTypeId": to}
            for to in own.associated
        ],
        "archived": own.archived_at is not None,
        "createdAt": own.created_at,
        "updatedAt": own.created_at,
    }
