"""Calls about properties and their groups.

Source: "Properties API", HubSpot API reference: internal names are permanent and in lower case, an archived
property's name can be used again, up to ten properties of an object hold unique values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from connectors.sandbox.hubspot.call import Call, text_of
from connectors.sandbox.hubspot.errors import NOT_FOUND, RefusalError, invalid_json, refuse
from connectors.sandbox.hubspot.schema import MAX_UNIQUE, ObjectType, Property
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.wire import Response

MAX_INPUTS = 100
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}\Z")
_STORED_NAME = 79  # the sandbox's own limit on a column's name
_FIELD_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"text", "textarea", "html", "file", "phonenumber"}),
    "number": frozenset({"number"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
    "enumeration": frozenset({"select", "radio", "checkbox", "booleancheckbox"}),
    "bool": frozenset({"booleancheckbox"}),
}

Entry = dict[str, object]


def list_all(call: Call, object_name: str) -> Response:
    """GET every property of an object type."""
    kind = call.object_type(object_name)
    if call.flag("archived"):
        results = [property_json(prop, archived_at=at) for prop, at in call.schema.archived(kind.name)]
    else:
        results = [property_json(prop) for prop in kind.properties.values()]
    return Response.of(200, {"results": results})


def get_one(call: Call, object_name: str, name: str) -> Response:
    """GET one property."""
    return Response.of(200, property_json(_existing(call.object_type(object_name), name)))


def create_one(call: Call, object_name: str) -> Response:
    """POST one property."""
    return Response.of(201, property_json(_create(call, call.object_type(object_name), call.body())))


def update_one(call: Call, object_name: str, name: str) -> Response:
    """PATCH a property's label, help text, group or options; its name stays for ever."""
    kind, body = call.object_type(object_name), call.body()
    old = _existing(kind, name)
    if old.hubspot:
        raise refuse(f"Property {name} is defined by HubSpot and cannot be changed", propertyName=name)
    merged = {**_definition(old), **body, "name": name}
    if "hasUniqueValue" in body and bool(body["hasUniqueValue"]) != old.unique:
        raise refuse("hasUniqueValue cannot be changed after the property was made", propertyName=name)
    new = property_of(call, kind, merged, created_at=old.created_at)
    call.schema.add(kind.name, [new])
    return Response.of(200, property_json(new))


def archive_one(call: Call, object_name: str, name: str) -> Response:
    """DELETE one property: its values are gone from records until it is made again."""
    _archive(call, call.object_type(object_name), name)
    return Response(status=204)


def read_all(call: Call, object_name: str) -> Response:
    """POST batch/read of properties by name."""
    kind = call.object_type(object_name)
    names = [text_of(row, "name") for row in call.inputs(MAX_INPUTS)]
    found = [property_json(kind.properties[name]) for name in names if name in kind.properties]
    missing = [name for name in names if name not in kind.properties]
    errors = [_unknown(name).problem.entry({"name": [name]}) for name in missing]
    return _batch(call, 200, found, errors)


def create_all(call: Call, object_name: str) -> Response:
    """POST batch/create of properties; those that cannot be made are named in a 207."""
    kind, results, errors = call.object_type(object_name), [], []
    for row in call.inputs(MAX_INPUTS):
        try:
            results.append(property_json(_create(call, kind, row)))
        except RefusalError as refused:
            errors.append(refused.problem.entry({"name": [str(row.get("name"))]}))
    return _batch(call, 201, results, errors)


def archive_all(call: Call, object_name: str) -> Response:
    """POST batch/archive of properties."""
    kind = call.object_type(object_name)
    for row in call.inputs(MAX_INPUTS):
        _archive(call, kind, text_of(row, "name"))
    return Response(status=204)


def list_groups(call: Call, object_name: str) -> Response:
    """GET the groups of an object type's properties."""
    kind = call.object_type(object_name)
    rows = call.store.select(
        "SELECT name, label, display_order FROM property_groups WHERE object = ? AND NOT archived"
        " ORDER BY name",
        (kind.name,),
    )
    return Response.of(200, {"results": [_group(*row) for row in rows]})


def get_group(call: Call, object_name: str, name: str) -> Response:
    """GET one group."""
    kind = call.object_type(object_name)
    rows = call.store.select(
        "SELECT name, label, display_order FROM property_groups"
        " WHERE object = ? AND name = ? AND NOT archived",
        (kind.name, name),
    )
    if not rows:
        raise refuse(f"property group {name} does not exist", category=NOT_FOUND, status=404, name=name)
    return Response.of(200, _group(*rows[0]))


def create_group(call: Call, object_name: str) -> Response:
    """POST one group."""
    kind, body = call.object_type(object_name), call.body()
    name, label = text_of(body, "name"), text_of(body, "label")
    if not _NAME.match(name):
        raise refuse(f"Property group name {name!r} must be in lower case, without spaces", name=name)
    if _has_group(call, kind, name):
        message = f"A property group named '{name}' already exists."
        raise refuse(message, category="CONFLICT", status=409, name=name)
    order = body.get("displayOrder", -1)
    with call.store.transaction() as sql:
        sql.execute(
            "INSERT OR REPLACE INTO property_groups VALUES (?, ?, ?, ?, 0)", (kind.name, name, label, order)
        )
    return Response.of(201, _group(name, label, order))


def archive_group(call: Call, object_name: str, name: str) -> Response:
    """DELETE one group; it must hold no property any more."""
    kind = call.object_type(object_name)
    if any(prop.group == name for prop in kind.properties.values()):
        raise refuse(f"Property group {name} still holds properties", name=name)
    with call.store.transaction() as sql:
        sql.execute(
            "UPDATE property_groups SET archived = 1 WHERE object = ? AND name = ?", (kind.name, name)
        )
    return Response(status=204)


def _create(call: Call, kind: ObjectType, body: Mapping[str, object]) -> Property:
    name = text_of(body, "name")
    if name in kind.properties:
        message = f'A property named "{name}" already exists.'
        raise refuse(message, category="CONFLICT", status=409, name=name)
    prop = property_of(call, kind, body, created_at=iso(call.now))
    call.schema.add(kind.name, [prop])
    return prop


def property_of(
    call: Call, kind: ObjectType, body: Mapping[str, object], *, created_at: str | None
) -> Property:
    """The property that a body defines. Raises RefusalError."""
    name, label = text_of(body, "name"), text_of(body, "label")
    group, type_, field_type = text_of(body, "groupName"), text_of(body, "type"), text_of(body, "fieldType")
    if not _NAME.match(name) or len(name) > _STORED_NAME:
        raise refuse(
            f"Property name {name!r} must start with a letter: lower case, digits and underscores", name=name
        )
    if name.startswith("hs_"):
        raise refuse(f"Property name {name!r} uses HubSpot's own prefix hs_", name=name)
    if field_type not in _FIELD_TYPES.get(type_, frozenset()):
        raise refuse(f"fieldType {field_type} does not go with type {type_}", name=name)
    if not _has_group(call, kind, group):
        raise refuse(f"property group {group} does not exist", name=name, groupName=group)
    unique = bool(body.get("hasUniqueValue"))
    if unique:
        _check_unique(call, kind, name, type_)
    return Property(
        name=name,
        label=label,
        type=type_,
        field_type=field_type,
        group=group,
        description=str(body.get("description") or ""),
        options=_options(type_, body.get("options")),
        unique=unique,
        currency=bool(body.get("showCurrencySymbol")),
        hubspot=False,
        hidden=bool(body.get("hidden")),
        form_field=bool(body.get("formField")),
        display_order=_order(body.get("displayOrder")),
        created_at=created_at,
    )


def _check_unique(call: Call, kind: ObjectType, name: str, type_: str) -> None:
    if type_ not in ("string", "number"):
        raise refuse(f"A {type_} property cannot hold unique values", name=name)
    if kind.name == "tasks" and not call.settings.unique_on_tasks:
        raise refuse("Tasks do not support properties with unique values", name=name)
    others = [prop.name for prop in kind.properties.values() if prop.unique and prop.name != name]
    if len(others) >= MAX_UNIQUE:
        raise refuse(f"{kind.plural} have {MAX_UNIQUE} properties with unique values already", name=name)


def _options(type_: str, value: object) -> tuple[tuple[str, str], ...]:
    if type_ == "bool":
        return (("true", "Yes"), ("false", "No"))
    if type_ != "enumeration":
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(option, dict) for option in value):
        raise invalid_json("Some required fields were not set: [options]")
    pairs = [(text_of(option, "value"), text_of(option, "label")) for option in value]
    for side in zip(*pairs, strict=True):
        if len(set(side)) != len(side):
            raise refuse("The options of a property must have different values and labels")
    return tuple(pairs)


def _order(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _has_group(call: Call, kind: ObjectType, name: str) -> bool:
    rows = call.store.select(
        "SELECT 1 FROM property_groups WHERE object = ? AND name = ? AND NOT archived", (kind.name, name)
    )
    return bool(rows)


def _archive(call: Call, kind: ObjectType, name: str) -> None:
    prop = kind.properties.get(name)
    if prop is None:
        return
    if prop.hubspot:
        raise refuse(f"Property {name} is defined by HubSpot and cannot be archived", propertyName=name)
    call.schema.archive(kind.name, name, iso(call.now))


def _existing(kind: ObjectType, name: str) -> Property:
    prop = kind.properties.get(name)
    if prop is None:
        raise _unknown(name)
    return prop


def _unknown(name: str) -> RefusalError:
    return refuse(f'Property "{name}" does not exist', category=NOT_FOUND, status=404, name=name)


def _definition(prop: Property) -> Entry:
    return {
        "label": prop.label,
        "type": prop.type,
        "fieldType": prop.field_type,
        "groupName": prop.group,
        "description": prop.description,
        "options": [
            {"label": label, "value": value, "displayOrder": i, "hidden": False}
            for i, (value, label) in enumerate(prop.options)
        ],
        "hasUniqueValue": prop.unique,
        "hidden": prop.hidden,
        "formField": prop.form_field,
        "displayOrder": prop.display_order,
    }


def property_json(prop: Property, *, archived_at: str | None = None) -> Entry:
    """The property as replies show it."""
    body: Entry = {
        "name": prop.name,
        **_definition(prop),
        "calculated": prop.read_only and not prop.name.startswith(("hs_object", "hs_created", "hs_updated")),
        "externalOptions": prop.external,
        "hubspotDefined": prop.hubspot,
        "archived": archived_at is not None,
        "modificationMetadata": {
            "archivable": not prop.hubspot,
            "readOnlyDefinition": prop.hubspot,
            "readOnlyOptions": prop.hubspot,
            "readOnlyValue": prop.read_only,
        },
    }
    if prop.owner:
        body["referencedObjectType"] = "OWNER"
    if prop.currency:
        body["showCurrencySymbol"] = True
    if prop.created_at is not None:
        body["createdAt"] = body["updatedAt"] = prop.created_at
    if archived_at is not None:
        body["archivedAt"] = archived_at
    return body


def _group(name: object, label: object, order: object) -> Entry:
    return {"name": name, "label": label, "displayOrder": order, "archived": False}


def _batch(call: Call, status: int, results: list[Entry], errors: list[dict[str, object]]) -> Response:
    at = iso(call.now)
    body: Entry = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Response.of(207 if errors else status, body)
