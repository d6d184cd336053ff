"""Our fields as elements of the Metadata API, and the objects that they belong to.

Metadata API Developer Guide: "CustomField".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from connectors.crm import FieldType
from connectors.fields import FieldSpec, object_specs
from connectors.salesforce.elements import add

_OBJECTS: Final[Mapping[str, str]] = {"accounts": "Account", "tasks": "Task"}
_HOMES: Final[Mapping[str, str]] = {"Task": "Activity"}  # fields of Task and Event are defined on Activity
_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.TEXT: "Text",
    FieldType.LONG_TEXT: "LongTextArea",
    FieldType.NUMBER: "Number",
    FieldType.PERCENT: "Percent",
    FieldType.CURRENCY: "Currency",
    FieldType.CHECKBOX: "Checkbox",
    FieldType.DATE: "Date",
    FieldType.DATETIME: "DateTime",
    FieldType.PICKLIST: "Picklist",
    FieldType.MULTI_PICKLIST: "MultiselectPicklist",
    FieldType.REFERENCE: "Lookup",
}
_LINES: Final = {FieldType.LONG_TEXT: "6", FieldType.MULTI_PICKLIST: "4"}


def object_of(spec: FieldSpec) -> str:
    """The object on whose records the field is: Account, Task, Expansion_Forecast__c."""
    ours = object_specs().get(spec.object)
    return _OBJECTS[spec.object] if ours is None else ours.salesforce


def home_of(spec: FieldSpec) -> str:
    """The object on which the field is defined: Account, Activity, Expansion_Forecast__c."""
    return _HOMES.get(object_of(spec), object_of(spec))


def fill_field(root: Element, spec: FieldSpec, *, is_tracked: bool) -> Element:
    """The element, filled with one CustomField in the schema's order."""
    kind = FieldType(spec.type)
    add(root, "fullName", spec.salesforce)
    if spec.unique:
        add(root, "caseSensitive", True)
    if kind is FieldType.CHECKBOX:
        add(root, "defaultValue", False)
    if kind is FieldType.REFERENCE:
        add(root, "deleteConstraint", "SetNull")  # a row outlives its account
    add(root, "description", spec.help)
    if spec.unique:
        add(root, "externalId", True)
    add(root, "inlineHelpText", spec.help)
    add(root, "label", spec.label)
    if spec.length is not None:
        add(root, "length", str(spec.length))
    if spec.precision is not None:
        add(root, "precision", str(spec.precision))
    if spec.references is not None:
        plural = object_specs()[spec.object].plural
        add(root, "referenceTo", _OBJECTS[spec.references])
        add(root, "relationshipLabel", plural)
        add(root, "relationshipName", plural.replace(" ", "_"))
    if spec.precision is not None:
        add(root, "scale", str(spec.scale or 0))
    if is_tracked:
        add(root, "trackHistory", True)
    add(root, "type", _TYPES[kind])
    if spec.unique:
        add(root, "unique", True)
    if spec.options:
        _value_set(root, spec.options)
    if kind in _LINES:
        add(root, "visibleLines", _LINES[kind])
    return root


def _value_set(root: Element, options: Mapping[str, str]) -> None:
    """A restricted set: the API name is our word, the label is what people see."""
    values = SubElement(root, "valueSet")
    add(values, "restricted", True)
    definition = SubElement(values, "valueSetDefinition")
    add(definition, "sorted", False)
    for value, label in options.items():
        entry = SubElement(definition, "value")
        add(entry, "fullName", value)
        add(entry, "default", False)
        add(entry, "label", label)
