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
        if not sees_all:
            self._hidden.update((store.meta.get(self.HIDDEN) or "").split())
            granted = store.select(
                "SELECT p.Field, max(p.PermissionsRead), max(p.PermissionsEdit) FROM FieldPermissions AS p"
                " JOIN PermissionSetAssignment AS a ON a.PermissionSetId = p.ParentId"
                " WHERE a.AssigneeId = ? GROUP BY p.Field",
                (user_id,),
            )
            self._readable = {str(name).lower() for name, read, _ in granted if read}
            self._editable = {str(name).lower() for name, _, edit in granted if edit}

    def find(self, name: str) -> SObject | None:
        """The sObject with the fields that the user sees, or None."""
        key = name.lower()
        if key not in self._seen:
            sobject = self._schema.find(key)
            if sobject is None or key in self._hidden:
                return None
            self._seen[key] = self._narrow(sobject)
        return self._seen[key]

    def objects(self) -> list[SObject]:
        """Every sObject, by name."""
        known = sorted(self._schema.objects().items())
        return [self._narrow(sobject) for name, sobject in known if name.lower() not in self._hidden]

    def by_prefix(self, record_id: str) -> SObject | None:
        """The sObject that an id belongs to, or None."""
        sobject = self._schema.by_prefix(record_id)
        return None if sobject is None else self.find(sobject.name)

    def editable(self, sobject: SObject, field: Field) -> bool:
        """Whether field-level security lets the user write the field."""
        if self._sees_all or not field.custom or field.required:
            return True
        return f"{sobject.name}.{field.name}".lower() in self._editable

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
        if len(fields) == len(sobject.fields):
            return sobject
        values = {name: getattr(sobject, name) for name in SObject.__slots__}
        return SObject(**{**values, "fields": MappingProxyType(fields)})
