"""A custom field of the Tooling API, read whole and written back: GET and PATCH of its record.

Source: "CustomField", Tooling API Reference: `Metadata` is the Metadata API's type as JSON, in which the
values of a picklist bear a `valueName`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from connectors.sandbox.salesforce.call import Call
from connectors.sandbox.salesforce.custom_field import (
    METADATA_TYPES,
    NAMESPACE,
    FieldProblemError,
    changed_type,
    custom_field,
)
from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.package_objects import HOMES
from connectors.sandbox.salesforce.schema import Field
from connectors.sandbox.salesforce.tooling import Tooling
from connectors.sandbox.wire import Response


def read(call: Call) -> Response:
    """GET /tooling/sobjects/CustomField/id."""
    home, field = _found(call)
    body = {"Id": call.parts["id"], "DeveloperName": field.name.removesuffix("__c"), "TableEnumOrId": home}
    return Response.of(200, {**body, "FullName": f"{home}.{field.name}", "Metadata": _metadata(field)})


def update(call: Call) -> Response:
    """PATCH /tooling/sobjects/CustomField/id: 204, or why the org refuses the definition."""
    home, field = _found(call)
    body = call.json()
    metadata = body.get("Metadata")
    if not isinstance(metadata, dict) or body.get("FullName") != f"{home}.{field.name}":
        raise RefusalError(400, "REQUIRED_FIELD_MISSING", "FullName and Metadata must be given")
    element = Element(NAMESPACE + "fields")
    _fill(element, {**metadata, "fullName": field.name})
    try:
        new = custom_field(element)
        reason = changed_type(field, new)
        if reason is not None:
            raise FieldProblemError(reason)
    except FieldProblemError as problem:
        raise RefusalError(400, "FIELD_INTEGRITY_EXCEPTION", str(problem)) from None
    for owner in HOMES.get(home, (home,)):
        call.org.schema.add_fields(owner, [new])
    return Response(status=204)


def _found(call: Call) -> tuple[str, Field]:
    """The object that a field is defined on, and the field. Raises RefusalError 404."""
    Tooling(call.org.store, call.org.schema).find("CustomField")
    row = call.org.store.row("CustomField", call.parts["id"])
    if row is None:
        raise RefusalError(404, "NOT_FOUND", "The requested resource does not exist")
    home = str(row["TableEnumOrId"])
    named = call.org.store.row("CustomObject", home)
    home = home if named is None else f"{named['DeveloperName']}__c"
    sobject = call.org.schema.objects()[HOMES.get(home, (home,))[0].lower()]
    namespace = f"{row['NamespacePrefix']}__" if row["NamespacePrefix"] else ""
    return home, sobject.fields[f"{namespace}{row['DeveloperName']}__c".lower()]


def _metadata(field: Field) -> dict[str, Any]:
    kind = METADATA_TYPES[field.type, field.long_text]
    told: dict[str, Any] = {
        "label": field.label,
        "inlineHelpText": field.help_text,
        "type": kind,
        "trackHistory": field.track_history or None,
        "required": field.required or None,
        "unique": field.unique or None,
        "externalId": field.external_id or None,
        "caseSensitive": field.case_sensitive or None,
        "length": field.length if kind in ("Text", "LongTextArea") else None,
        "visibleLines": 4 if kind in ("LongTextArea", "MultiselectPicklist") else None,
        "valueSet": None,
    }
    if field.values:
        labels = field.value_labels or field.values
        values = [
            {"valueName": value, "label": label, "default": value == field.default, "isActive": None}
            for value, label in zip(field.values, labels, strict=True)
        ]
        definition = {"sorted": False, "value": values}
        told["valueSet"] = {"restricted": field.restricted, "valueSetDefinition": definition}
    return told


def _fill(parent: Element, told: Mapping[str, Any]) -> None:
    """The JSON as the Metadata API's XML."""
    for name, value in told.items():
        tag = "fullName" if name == "valueName" else name
        for each in value if isinstance(value, list) else [value]:
            if each is None:
                continue
            child = SubElement(parent, NAMESPACE + tag)
            if isinstance(each, dict):
                _fill(child, each)
            else:
                child.text = str(each).lower() if isinstance(each, bool) else str(each)
