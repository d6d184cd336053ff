"""Permission sets of a package: what a deploy makes of them, and takes away.

Source: "PermissionSet", Metadata API Developer Guide. A deployed permission set replaces its predecessor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from connectors.sandbox.salesforce.custom_field import (
    NAMESPACE,
    FieldProblemError,
    check_elements,
    flag,
    text,
)
from connectors.sandbox.salesforce.outcome import Bench, Members, Outcome

_ELEMENTS: Final = frozenset(
    {
        "description",
        "fieldPermissions",
        "hasActivationRequired",
        "label",
        "license",
        "objectPermissions",
        "tabSettings",
        "userPermissions",
    }
)
# the column of "ObjectPermissions" behind each element, and what it needs: "Object Permissions", Help
_RIGHTS: Final = {
    "allowRead": ("PermissionsRead", ()),
    "allowCreate": ("PermissionsCreate", ("allowRead",)),
    "allowEdit": ("PermissionsEdit", ("allowRead",)),
    "allowDelete": ("PermissionsDelete", ("allowRead", "allowEdit")),
    "viewAllRecords": ("PermissionsViewAllRecords", ("allowRead",)),
    "modifyAllRecords": (
        "PermissionsModifyAllRecords",
        ("allowRead", "allowEdit", "allowDelete", "viewAllRecords"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """The org's permission sets, as a deploy changes them."""

    bench: Bench

    def take(self, path: str, name: str, root: Element, members: Members) -> list[Outcome]:
        """What became of the set of a file. Raises FieldProblemError."""
        check_elements(root, _ELEMENTS)
        label = text(root, "label")
        if label is None:
            raise FieldProblemError(f"Required field is missing: label of permission set {name}")
        if name not in members.get("PermissionSet", ()):
            raise FieldProblemError(f"{name} is in {path} but not in package.xml")
        grants = [self._grant(element) for element in root.findall(NAMESPACE + "fieldPermissions")]
        accesses = [self._access(element) for element in root.findall(NAMESPACE + "objectPermissions")]
        store, bench = self.bench.store, self.bench
        found = store.row("PermissionSet", name, column="Name")
        told: dict[str, object] = {"Label": label, "Description": text(root, "description")}
        if found is None:
            set_id = bench.new_id("0PS")
            row = {"Id": set_id, "Name": name, **told, **bench.stamps(created=True)}
            store.bulk_insert("PermissionSet", [row])
        else:
            set_id = str(found["Id"])
            store.bulk_update("PermissionSet", [{"Id": set_id, **told, **bench.stamps(created=False)}])
        self._clear(set_id)
        stamp = {"ParentId": set_id, "SystemModstamp": bench.now}
        store.bulk_insert("FieldPermissions", [{"Id": bench.new_id("01k"), **stamp, **row} for row in grants])
        store.bulk_insert(
            "ObjectPermissions", [{"Id": bench.new_id("110"), **stamp, **row} for row in accesses]
        )
        created = found is None
        return [Outcome(kind="PermissionSet", file=path, name=name, created=created, changed=not created)]

    def destroy(self, path: str, name: str) -> Outcome:
        """A permission set goes only when nobody has it: "Delete a Permission Set", Salesforce Help."""
        found = self.bench.store.row("PermissionSet", name, column="Name")
        problem = None
        if found is None:
            problem = f"No PermissionSet named: {name} found"
        elif self.bench.store.row("PermissionSetAssignment", str(found["Id"]), column="PermissionSetId"):
            problem = f"The permission set {name} is assigned to users: remove its assignments first"
        else:
            self._clear(str(found["Id"]))
            with self.bench.store.transaction() as sql:
                sql.execute("DELETE FROM PermissionSet WHERE Id = ?", (found["Id"],))
        deleted = problem is None
        return Outcome(kind="PermissionSet", file=path, name=name, deleted=deleted, problem=problem)

    def _clear(self, set_id: str) -> None:
        with self.bench.store.transaction() as sql:
            sql.execute("DELETE FROM FieldPermissions WHERE ParentId = ?", (set_id,))
            sql.execute("DELETE FROM ObjectPermissions WHERE ParentId = ?", (set_id,))

    def _grant(self, element: Element) -> dict[str, object]:
        full = text(element, "field") or ""
        owner, _, name = full.partition(".")
        sobject = self.bench.schema.find(owner)
        field = None if sobject is None else sobject.field(name)
        if sobject is None or field is None:
            raise FieldProblemError(f"In field: field - no CustomField named {full} found")
        if field.required:
            raise FieldProblemError(f"You cannot deploy to a required field: {full}")
        readable, editable = flag(element, "readable"), flag(element, "editable")
        if editable and not readable:
            raise FieldProblemError(
                f"Field {full} is editable and not readable: an editable field must be readable"
            )
        return {
            "SobjectType": sobject.name,
            "Field": f"{sobject.name}.{field.name}",
            "PermissionsRead": readable,
            "PermissionsEdit": editable,
        }

    def _access(self, element: Element) -> dict[str, object]:
        name = text(element, "object") or ""
        sobject = self.bench.schema.find(name)
        if sobject is None:
            raise FieldProblemError(f"In field: field - no CustomObject named {name} found")
        allowed = {right: flag(element, right) for right in _RIGHTS}
        for right, (_, needed) in _RIGHTS.items():
            lacking = [each for each in needed if not allowed[each]]
            if allowed[right] and lacking:
                raise FieldProblemError(f"Permission {right} of {name} depends on: {', '.join(lacking)}")
        columns = {column: allowed[right] for right, (column, _) in _RIGHTS.items()}
        return {"SobjectType": sobject.name, **columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The org's permission set groups, as a deploy changes them: "PermissionSetGroup"."""

    bench: Bench

    def take(self, path: str, name: str, root: Element, members: Members) -> list[Outcome]:
        """What became of the group of a file. Raises FieldProblemError."""
        if name not in members.get("PermissionSetGroup", ()):
            raise FieldProblemError(f"{name} is in {path} but not in package.xml")
        bench, store = self.bench, self.bench.store
        sets = []
        for each in root.findall(NAMESPACE + "permissionSets"):
            found = store.row("PermissionSet", str(each.text), column="Name")
            if found is None:
                raise FieldProblemError(
                    f"In field: permissionSets - no PermissionSet named {each.text} found"
                )
            sets.append(str(found["Id"]))
        found = store.row("PermissionSetGroup", name, column="DeveloperName")
        told = {"MasterLabel": text(root, "label"), "Description": text(root, "description")}
        if found is None:
            group_id = bench.new_id("0PG")
            row = {"Id": group_id, "DeveloperName": name, **told, **bench.stamps(created=True)}
            store.bulk_insert("PermissionSetGroup", [row])
        else:
            group_id = str(found["Id"])
            row = {"Id": group_id, **told, **bench.stamps(created=False)}
            store.bulk_update("PermissionSetGroup", [row])
        with store.transaction() as sql:
            sql.execute("DELETE FROM PermissionSetGroupComponent WHERE PermissionSetGroupId = ?", (group_id,))
        stamp = {"PermissionSetGroupId": group_id, "SystemModstamp": bench.now}
        rows = [{"Id": bench.new_id("0PL"), **stamp, "PermissionSetId": each} for each in sets]
        store.bulk_insert("PermissionSetGroupComponent", rows)
        created = found is None
        return [
            Outcome(kind="PermissionSetGroup", file=path, name=name, created=created, changed=not created)
        ]

    def destroy(self, path: str, name: str) -> Outcome:
        """A group goes only when nobody has it."""
        store = self.bench.store
        found = store.row("PermissionSetGroup", name, column="DeveloperName")
        problem = None
        if found is None:
            problem = f"No PermissionSetGroup named: {name} found"
        elif store.row("PermissionSetAssignment", str(found["Id"]), column="PermissionSetGroupId"):
            problem = f"The permission set group {name} is assigned to users: remove its assignments first"
        else:
            with store.transaction() as sql:
                for table, column in (
                    ("PermissionSetGroupComponent", "PermissionSetGroupId"),
                    ("PermissionSetGroup", "Id"),
                ):
                    sql.execute(f"DELETE FROM {table} WHERE {column} = ?", (found["Id"],))  # noqa: S608  # names of this function
        deleted = problem is None
        return Outcome(kind="PermissionSetGroup", file=path, name=name, deleted=deleted, problem=problem)
