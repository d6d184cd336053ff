"""Our fields and permission sets as a Metadata API package: a zip of XML, made in memory.

Metadata API Developer Guide: "CustomField", "PermissionSet", "package.xml Manifest File".
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from connectors.crm import FieldType
from connectors.fields import FieldSpec, PermissionSpec, permission_specs

NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"
INTEGRATION: Final = "Upswell_Integration"  # the permission set of our own user

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


def grants_of(spec: PermissionSpec, fields: Iterable[FieldSpec]) -> Iterator[tuple[str, bool]]:
    """The fields that a set grants (Account.Expansion_Score__c), and whether they may be edited.

    Task and Event share the security of a field, and a missing entry means "disabled" (Object Reference,
    "Task"): both are named, or granting one takes away the other."""
    for field in fields:
        if field.key in spec.read or field.key in spec.edit:
            for each in _SHARED.get(object_of(field), (object_of(field),)):
                yield f"{each}.{field.salesforce}", field.key in spec.edit


def package(
    create: Sequence[FieldSpec],
    granted: Sequence[FieldSpec],
    *,
    version: str,
    tracked: Collection[str] = (),
    sets: Collection[str] | None = None,
) -> bytes:
    """A deployable zip: the fields to create, and permission sets over the granted ones.

    `tracked` are keys of the fields whose history is kept; `sets` are the names of the permission sets, all
    of ours unless they are given. A deployed set replaces its predecessor."""
    files: dict[str, Element] = {}
    for home in sorted({home_of(spec) for spec in create}):
        root = Element("CustomObject", xmlns=NAMESPACE)
        for spec in create:
            if home_of(spec) == home:
                root.append(_field(spec, is_tracked=spec.key in tracked))
        files[f"objects/{home}.object"] = root
    names = []
    for name, each in permission_specs().items():
        grants = dict(grants_of(each, granted))
        if grants and (sets is None or name in sets):
            files[f"permissionsets/{name}.permissionset"] = _permission_set(each, grants)
            names.append(name)
    fields = [f"{home_of(spec)}.{spec.salesforce}" for spec in create]
    files["package.xml"] = _manifest({"CustomField": fields, "PermissionSet": names}, version)
    return _zipped(files)


def removal(fields: Sequence[FieldSpec], sets: Sequence[str], *, version: str) -> bytes:
    """A deployable zip that deletes these fields and permission sets ("Deleting Components")."""
    names = [f"{home_of(spec)}.{spec.salesforce}" for spec in fields]
    doomed = {"CustomField": names, "PermissionSet": list(sets)}
    files = {"package.xml": _manifest({}, version), "destructiveChanges.xml": _manifest(doomed, None)}
    return _zipped(files)


def _zipped(files: Mapping[str, Element]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, root in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, tostring(root, encoding="UTF-8", xml_declaration=True))
    return buffer.getvalue()


def _field(spec: FieldSpec, *, is_tracked: bool) -> Element:
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
    if is_tracked:
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


def _permission_set(spec: PermissionSpec, grants: Mapping[str, bool]) -> Element:
    """One PermissionSet, elements in the schema's order."""
    root = Element("PermissionSet", xmlns=NAMESPACE)
    _add(root, "description", spec.description)
    for name, editable in sorted(grants.items()):
        entry = SubElement(root, "fieldPermissions")
        _add(entry, "editable", str(editable).lower())
        _add(entry, "field", name)
        _add(entry, "readable", "true")
    _add(root, "hasActivationRequired", "false")
    _add(root, "label", spec.label)
    return root


def _manifest(members: Mapping[str, Sequence[str]], version: str | None) -> Element:
    """A manifest: what is deployed, or without a version what is deleted."""
    root = Element("Package", xmlns=NAMESPACE)
    for kind, names in members.items():
        if names:
            types = SubElement(root, "types")
            for name in names:
                _add(types, "members", name)
            _add(types, "name", kind)
    if version is not None:
        _add(root, "version", version)
    return root


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
