"""Our permission sets as elements of the Metadata API, and what each of them grants.

Metadata API Developer Guide: "PermissionSet".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from connectors.fields import FieldSpec, PermissionSpec, object_specs
from connectors.salesforce.elements import add, root_of
from connectors.salesforce.metadata_fields import object_of

INTEGRATION: Final = "Upswell_Integration"  # the permission set of our own user

_SHARED: Final[Mapping[str, tuple[str, ...]]] = {"Task": ("Event", "Task")}
# what a set may do with an object's records, as the Metadata API calls it; the rest it may not
ACCESS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "read": frozenset({"allowRead", "viewAllRecords"}),
        "write": frozenset({"allowCreate", "allowEdit", "allowRead", "viewAllRecords"}),
    }
)
_RIGHTS: Final = (
    "allowCreate",
    "allowDelete",
    "allowEdit",
    "allowRead",
    "modifyAllRecords",
    "object",
    "viewAllRecords",
)


def grants_of(spec: PermissionSpec, fields: Iterable[FieldSpec]) -> Iterator[tuple[str, bool]]:
    """The fields that a set grants (Account.Expansion_Score__c), and whether they may be edited.

    Task and Event share the security of a field, and a missing entry means "disabled" (Object Reference,
    "Task"): both are named, or granting one takes away the other."""
    for field in fields:
        if field.object in object_specs():
            is_read, is_edited = field.object in spec.objects, spec.objects.get(field.object) == "write"
        else:
            is_edited = field.key in spec.edit
            is_read = is_edited or field.key in spec.read
        if is_read:
            for each in _SHARED.get(object_of(field), (object_of(field),)):
                yield f"{each}.{field.salesforce}", is_edited


def accesses_of(spec: PermissionSpec, fields: Iterable[FieldSpec]) -> Mapping[str, str]:
    """Of the objects of our own to which these fields belong, those that a set opens, and how far."""
    keys = dict.fromkeys(field.object for field in fields)
    return {object_specs()[key].salesforce: spec.objects[key] for key in keys if key in spec.objects}


def permission_set(spec: PermissionSpec, fields: Iterable[FieldSpec]) -> Element | None:
    """One PermissionSet over these fields in the schema's order; None if it would grant nothing."""
    fields = list(fields)
    grants, accesses = dict(grants_of(spec, fields)), accesses_of(spec, fields)
    if not grants:
        return None
    root = root_of("PermissionSet")
    add(root, "description", spec.description)
    for name, editable in sorted(grants.items()):
        entry = SubElement(root, "fieldPermissions")
        add(entry, "editable", editable)
        add(entry, "field", name)
        add(entry, "readable", True)
    add(root, "hasActivationRequired", False)
    add(root, "label", spec.label)
    for name, access in sorted(accesses.items()):
        entry = SubElement(root, "objectPermissions")
        for right in _RIGHTS:
            add(entry, right, name if right == "object" else right in ACCESS[access])
    return root
