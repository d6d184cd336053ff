"""Our fields as HubSpot property definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.crm import FieldType
from connectors.fields import FieldSpec

GROUP: Final = "expansion"
GROUP_LABEL: Final = "Expansion"

_OBJECTS: Final[Mapping[str, str]] = {"accounts": "companies", "tasks": "tasks"}
_TYPES: Final[Mapping[FieldType, tuple[str, str]]] = {
    FieldType.TEXT: ("string", "text"),
    FieldType.LONG_TEXT: ("string", "textarea"),
    FieldType.NUMBER: ("number", "number"),
    FieldType.PERCENT: ("number", "number"),
    FieldType.CURRENCY: ("number", "number"),
    FieldType.CHECKBOX: ("bool", "booleancheckbox"),
    FieldType.DATE: ("date", "date"),
    FieldType.DATETIME: ("datetime", "date"),
    FieldType.PICKLIST: ("enumeration", "select"),
    FieldType.MULTI_PICKLIST: ("enumeration", "checkbox"),
    FieldType.REFERENCE: ("string", "text"),  # the record's id; HubSpot itself knows associations
}
_YES_NO: Final = {"true": "Yes", "false": "No"}


def object_of(spec: FieldSpec) -> str:
    """The object whose property the field is: companies, tasks."""
    return _OBJECTS[spec.object]


def choices(options: Mapping[str, str], *, first: int = 0) -> list[dict[str, Any]]:
    """The options (value -> label) of a property, shown from this place on."""
    return [
        {"value": value, "label": label, "displayOrder": first + position, "hidden": False}
        for position, (value, label) in enumerate(options.items())
    ]


def definition(spec: FieldSpec, *, unique: bool = False, group: str | None = GROUP) -> dict[str, Any]:
    """The property as the batch create endpoint takes it. Its internal name is permanent.

    A new object has no groups yet; HubSpot then makes one."""
    kind = FieldType(spec.type)
    type_name, style = _TYPES[kind]
    options = _YES_NO if kind is FieldType.CHECKBOX else spec.options
    made: dict[str, Any] = {
        "name": spec.hubspot,
        "label": spec.label,
        "type": type_name,
        "fieldType": style,
        "description": spec.help,
        "formField": False,
        "hasUniqueValue": unique,
    }
    if group is not None:
        made["groupName"] = group
    if options:
        made["options"] = choices(options)
    if kind is FieldType.PERCENT:
        made["numberDisplayHint"] = "percentage"
    if kind is FieldType.CURRENCY:
        made["showCurrencySymbol"] = True
    return made
