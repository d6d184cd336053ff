"""The org as one user sees it: field-level security decides which custom fields exist for them.

A custom field that a Metadata deploy creates is visible to nobody until a permission set that grants it is
assigned ("Field Permissions", Metadata API Developer Guide: profiles and permission sets that are not in
the deployed package stay as they are). Standard fields and required custom fields are always visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connectors.sandbox.salesforce.schema import Field, Schema, SObject
from connectors.sandbox.store import Store

# the sets that a user has, by themselves or in a group
_SETS = (
    "SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = ?"
    " UNION SELECT c.PermissionSetId FROM PermissionSetGroupComponent AS c"
    " JOIN PermissionSetAssignment AS a ON a.PermissionSetGroupId = c.PermissionSetGroupId"
    " WHERE a.AssigneeId = ?"
)


class View:
    """What one user sees and may edit. Good for one request: permissions are read when it is made."""

    HIDDEN = "hidden_objects"  # of the meta table: names that nothing grants, in small letters

    def __init__(self, *, store: Store, schema: Schema, user_id: str, sees_all: bool) -> None:
        self.user_id = user_id
        self._schema = schema
        self._sees_all = sees_all
        self._seen: dict[str, SObject] = {}
        self._readable: set[str] = set()
        self._editable: set[str] = set()
        self._hidden: set[str] = set()
        self._opened: Mapping[str, Mapping[str, bool]] = {}
        if not sees_all:
            self._hidden.update((store.meta.get(self.HIDDEN) or "").split())
            granted = store.select(
                "SELECT p.Field, max(p.PermissionsRead), max(p.PermissionsEdit) FROM FieldPermissions AS p"  # noqa: S608  # a text of this file
                f" WHERE p.ParentId IN ({_SETS}) GROUP BY p.Field",
                (user_id, user_id),
            )
            self._opened = _opened(store, user_id)
            self._readable = {str(name).lower() for name, read, _ in granted if read}
            self._editable = {str(name).lower() for name, _, edit in granted if edit}

    def find(self, name: str) -> SObject | None:
        """The sObject with the fields that the user sees, or None."""
        key = name.lower()
        if key not in self._seen:
            sobject = self._schema.find(key)
            if sobject is None or not self._shows(sobject):
                return None
            self._seen[key] = self._narrow(sobject)
        return self._seen[key]

    def objects(self) -> list[SObject]:
        """Every sObject, by name."""
        known = sorted(self._schema.objects().items())
        return [self._narrow(sobject) for _, sobject in known if self._shows(sobject)]

    def by_prefix(self, record_id: str) -> SObject | None:
        """The sObject that an id belongs to, or None."""
        sobject = self._schema.by_prefix(record_id)
        return None if sobject is None else self.find(sobject.name)

    def editable(self, sobject: SObject, field: Field) -> bool:
        """Whether field-level security lets the user write the field."""
        if self._sees_all or not field.custom or field.required:
            return True
        return f"{sobject.name}.{field.name}".lower() in self._editable

    def _shows(self, sobject: SObject) -> bool:
        """Whether the object exists for the user: a custom one, if a permission set opens it."""
        name = sobject.name.lower()
        return name not in self._hidden and (
            self._sees_all or sobject.own is None or self._opened.get(name, {}).get("Read", False)
        )

    def _narrow(self, sobject: SObject) -> SObject:
        if self._sees_all:
            return sobject
        fields: Mapping[str, Field] = {
            key: field
            for key, field in sobject.fields.items()
            if f"{sobject.name}.{field.name}".lower() not in self._hidden
            and (
                not field.custom or field.required or f"{sobject.name}.{field.name}".lower() in self._readable
            )
        }
        if len(fields) == len(sobject.fields) and sobject.own is None:
            return sobject
        if sobject.own is not None:
            opened = self._opened[sobject.name.lower()]
            rights = {
                "createable": opened["Create"],
                "updateable": opened["Edit"],
                "deletable": opened["Delete"],
            }
        else:
            rights = {}
        values = {name: getattr(sobject, name) for name in SObject.__slots__}
        return SObject(**{**values, **rights, "fields": MappingProxyType(fields)})


def _opened(store: Store, user_id: str) -> Mapping[str, Mapping[str, bool]]:
    """What the user may do with the records of each custom object, by its name in small letters."""
    if not store.columns("ObjectPermissions"):
        return {}
    rights = ("Read", "Create", "Edit", "Delete")
    columns = ", ".join(f"max(p.Permissions{right})" for right in rights)
    found = store.select(
        f"SELECT p.SobjectType, {columns} FROM ObjectPermissions AS p"  # noqa: S608  # names of this function
        f" WHERE p.ParentId IN ({_SETS}) GROUP BY p.SobjectType",
        (user_id, user_id),
    )
    return {
        str(name).lower(): {right: bool(cell) for right, cell in zip(rights, cells, strict=True)}
        for name, *cells in found
    }
