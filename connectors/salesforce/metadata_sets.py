"""Our permission sets and their groups as elements of the Metadata API, and what each set grants.

Metadata API Developer Guide: "PermissionSet", "PermissionSetGroup".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from connectors.fields import FieldSpec, GroupSpec, PermissionSpec, group_specs, object_specs
from connectors.salesforce.elements import add, root_of
from connectors.salesforce.metadata_fields import object_of
from connectors.salesforce.parts import Part

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


def groups(sets: Collection[str]) -> list[Part]:
    """Our permission set groups, with those of their sets that there are; one without any is left out."""
    return [
        Part(kind="PermissionSetGroup", name=spec.name, root=_group(spec, held))
        for spec in group_specs().values()
        if (held := [each for each in spec.sets if each in sets])
    ]


def _group(spec: GroupSpec, sets: Iterable[str]) -> Element:
    """One PermissionSetGroup in the schema's order."""
    root = root_of("PermissionSetGroup")
    add(root, "description", spec.description)
    add(root, "hasActivationRequired", False)
    add(root, "label", spec.label)
    for name in sets:
        add(root, "permissionSets", name)
    return root
