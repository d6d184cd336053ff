"""Our fields and permission set as a Metadata API package: a zip of XML, made in memory.

Metadata API Developer Guide: "CustomField", "PermissionSet", "package.xml Manifest File".
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from connectors.crm import FieldType
from connectors.fields import FieldSpec

NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"
PERMISSION_SET: Final = "Upswell_Integration"
PERMISSION_SET_LABEL: Final = "Upswell Integration"

_OBJECTS: Final[Mapping[str, str]] = {"accounts": "Account", "tasks": "Task"}
_HOMES: Final[Mapping[str, str]] = {"Task": "Activity"}  # fields of Task and Event are defined on Activity
_SHARED: Final[Mapping[str, tuple[str, ...]]] = {"Task": ("Event", "Task")}
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
}
_LINES: Final = {FieldType.LONG_TEXT: "6", FieldType.MULTI_PICKLIST: "4"}
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # a zip of the same fields is the same zip


def object_of(spec: FieldSpec) -> str:
    """The object on whose records the field is: Account, Task."""
    return _OBJECTS[spec.object]


def home_of(spec: FieldSpec) -> str:
    """The object on which the field is defined: Account, Activity."""
    return _HOMES.get(object_of(spec), object_of(spec))


def package(
    create: Sequence[FieldSpec], granted: Sequence[FieldSpec], *, version: str, history: bool
) -> bytes:
    """A deployable zip: the fields to create, and the permission set over all granted ones.

    A deployed permission set replaces its predecessor, so `granted` names every field of ours.
    `history` False leaves field history tracking out.
    """
    files: dict[str, Element] = {}
    for home in sorted({home_of(spec) for spec in create}):
        root = Element("CustomObject", xmlns=NAMESPACE)
        for spec in create:
            if home_of(spec) == home:
                root.append(_field(spec, history=history))
        files[f"objects/{home}.object"] = root
    files[f"permissionsets/{PERMISSION_SET}.permissionset"] = _permission_set(granted)
    files["package.xml"] = _manifest(create, version)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, root in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, tostring(root, encoding="UTF-8", xml_declaration=True))
    return buffer.getvalue()


def _field(spec: FieldSpec, *, history: bool) -> Element:
    """One CustomField, elements in the schema's order."""
    kind = FieldType(spec.type)
    root = Element("fields")
    _add(root, "fullName", spec.salesforce)
    if kind is FieldType.CHECKBOX:
        _add(root, "defaultValue", "false")
    _add(root, "description", spec.help)
    _add(root, "inlineHelpText", spec.help)
    _add(root, "label", spec.label)
    if spec.length is not None:
        _add(root, "length", str(spec.length))
    if spec.precision is not None:
        _add(root, "precision", str(spec.precision))
        _add(root, "scale", str(spec.scale or 0))
    if history and spec.track_history:
        _add(root, "trackHistory", "true")
    _add(root, "type", _TYPES[kind])
    if spec.options:
        _value_set(root, spec.options)
    if kind in _LINES:
        _add(root, "visibleLines", _LINES[kind])
    return root


def _value_set(root: Element, options: Mapping[str, str]) -> None:
    """A restricted set: the API name is our word, the label is what people see."""
    values = SubElement(root, "valueSet")
    _add(values, "restricted", "true")
    definition = SubElement(values, "valueSetDefinition")
    _add(definition, "sorted", "false")
    for value, label in options.items():
        entry = SubElement(definition, "value")
        _add(entry, "fullName", value)
        _add(entry, "default", "false")
        _add(entry, "label", label)


def _permission_set(granted: Iterable[FieldSpec]) -> Element:
    """Edit on what the machine writes, read on what people write.

    Task and Event share the security of a field, and a missing entry means "disabled" (Object Reference,
    "Task"): both are named, or granting one takes away the other.
    """
    root = Element("PermissionSet", xmlns=NAMESPACE)
    _add(root, "description", "What the integration user of Upswell reads and writes.")
    fields = {
        f"{each}.{spec.salesforce}": spec
        for spec in granted
        for each in _SHARED.get(object_of(spec), (object_of(spec),))
    }
    for name, spec in sorted(fields.items()):
        entry = SubElement(root, "fieldPermissions")
        _add(entry, "editable", "true" if spec.owner == "machine" else "false")
        _add(entry, "field", name)
        _add(entry, "readable", "true")
    _add(root, "hasActivationRequired", "false")
    _add(root, "label", PERMISSION_SET_LABEL)
    return root


def _manifest(create: Sequence[FieldSpec], version: str) -> Element:
    root = Element("Package", xmlns=NAMESPACE)
    if create:
        fields = SubElement(root, "types")
        for spec in create:
            _add(fields, "members", f"{home_of(spec)}.{spec.salesforce}")
        _add(fields, "name", "CustomField")
    sets = SubElement(root, "types")
    _add(sets, "members", PERMISSION_SET)
    _add(sets, "name", "PermissionSet")
    _add(root, "version", version)
    return root


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
