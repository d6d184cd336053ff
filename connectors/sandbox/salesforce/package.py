"""A Metadata API package applied to the org: all of it, or none of it and the reasons.

Sources: "deploy()", "CustomObject", "PermissionSet" and "package.xml Manifest File", Metadata API Developer
Guide. Deployed fields are visible to nobody until a permission set that grants them is assigned.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, fromstring

from connectors.sandbox.salesforce.custom_field import (
    NAMESPACE,
    FieldProblemError,
    changed_type,
    check_elements,
    custom_field,
    flag,
    text,
)
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.rows import FIRST_NUMBER
from connectors.sandbox.salesforce.schema import Field, Schema
from connectors.sandbox.store import Store

MAX_TRACKED = 20  # "Field History Tracking": fields of one object
MAX_CUSTOM_FIELDS = 500  # "Custom Fields Allowed Per Object": Enterprise Edition

# "CustomObject": custom fields of Task and Event are defined on Activity
HOMES = {"Activity": ("Task", "Event")}
_PERMISSION_SET = frozenset(
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one component of a package."""

    kind: str
    file: str
    name: str
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str | None = None


class PackageRefusedError(Exception):
    """Some component failed, so nothing stays; `outcomes` tell of each."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__("; ".join(str(o.problem) for o in outcomes if o.problem))
        self.outcomes = outcomes


class Deployment:
    """Applies one package; `now` and `user_id` stamp what it makes."""

    def __init__(self, *, store: Store, schema: Schema, now: str, user_id: str) -> None:
        self._store = store
        self._schema = schema
        self._now = now
        self._user_id = user_id
        self._outcomes: list[Outcome] = []

    def apply(self, archive: bytes, *, check_only: bool) -> list[Outcome]:
        """What became of each component. Raises PackageRefusedError when one failed."""
        try:
            files = _unzipped(archive)
            members = _manifest(files)
        except FieldProblemError as problem:
            raise PackageRefusedError(
                [Outcome(kind="", file="package.xml", name="package.xml", problem=str(problem))]
            ) from None
        try:
            with self._store.transaction():
                for path in sorted(files):  # objects/ comes before permissionsets/
                    self._file(path, files[path], members)
                self._check_named(members)
                if check_only or any(outcome.problem for outcome in self._outcomes):
                    raise PackageRefusedError(self._outcomes)
        except PackageRefusedError as refused:
            if any(outcome.problem for outcome in refused.outcomes):
                raise
        return self._outcomes

    def _file(self, path: str, content: bytes, members: dict[str, set[str]]) -> None:
        folder, _, name = path.rpartition("/")
        if path == "package.xml":
            return
        try:
            root = _parsed(content)
            if folder == "objects" and name.endswith(".object"):
                self._object(path, name.removesuffix(".object"), root, members)
            elif folder == "permissionsets" and name.endswith(".permissionset"):
                self._permission_set(path, name.removesuffix(".permissionset"), root, members)
            elif name == "destructiveChanges.xml":
                self._destroy(path, root)
            else:
                raise FieldProblemError(
                    f"The sandbox takes custom fields and permission sets only, not {path}"
                )
        except FieldProblemError as problem:
            self._outcomes.append(Outcome(kind="", file=path, name=name, problem=str(problem)))

    def _object(self, path: str, home: str, root: Element, members: dict[str, set[str]]) -> None:
        check_elements(root, frozenset({"fields"}))
        owners = HOMES.get(home, (home,))
        if any(self._schema.find(owner) is None for owner in owners) or home in ("Task", "Event"):
            raise FieldProblemError(f"{home} is no object of this org that takes custom fields")
        for element in root.findall(NAMESPACE + "fields"):
            name = f"{home}.{text(element, 'fullName')}"
            if name not in members.get("CustomField", ()) and home not in members.get("CustomObject", ()):
                problem = f"{name} is in {path} but not in package.xml"
                self._outcomes.append(Outcome(kind="CustomField", file=path, name=name, problem=problem))
                continue
            try:
                created = self._field(owners, custom_field(element))
                outcome = Outcome(
                    kind="CustomField", file=path, name=name, created=created, changed=not created
                )
            except FieldProblemError as problem:
                outcome = Outcome(kind="CustomField", file=path, name=name, problem=str(problem))
            self._outcomes.append(outcome)

    def _field(self, owners: tuple[str, ...], field: Field) -> bool:
        """Whether the field is new."""
        created = False
        for owner in owners:
            sobject = self._schema.objects()[owner.lower()]
            before = sobject.field(field.name)
            if before is not None:
                reason = changed_type(before, field)
                if reason is not None:
                    raise FieldProblemError(reason)
            elif sum(f.custom for f in sobject.fields.values()) >= MAX_CUSTOM_FIELDS:
                raise FieldProblemError(
                    f"{owner} has reached the maximum of {MAX_CUSTOM_FIELDS} custom fields"
                )
            if field.track_history:
                if sobject.history is None:
                    raise FieldProblemError(f"The entity: {owner} does not have history tracking enabled")
                tracked = {f.name for f in sobject.fields.values() if f.track_history} | {field.name}
                if len(tracked) > MAX_TRACKED:
                    raise FieldProblemError(
                        f"You can track the history of at most {MAX_TRACKED} fields on {owner}"
                    )
            self._schema.add_fields(owner, [field])
            created = before is None
        return created

    def _permission_set(self, path: str, name: str, root: Element, members: dict[str, set[str]]) -> None:
        check_elements(root, _PERMISSION_SET)
        label = text(root, "label")
        if label is None:
            raise FieldProblemError(f"Required field is missing: label of permission set {name}")
        if name not in members.get("PermissionSet", ()):
            raise FieldProblemError(f"{name} is in {path} but not in package.xml")
        grants = [self._grant(element) for element in root.findall(NAMESPACE + "fieldPermissions")]
        found = self._store.row("PermissionSet", name, column="Name")
        stamps = {
            "LastModifiedDate": self._now,
            "LastModifiedById": self._user_id,
            "SystemModstamp": self._now,
        }
        if found is None:
            set_id = self._new_id("0PS")
            made: dict[str, object] = {"CreatedDate": self._now, "CreatedById": self._user_id}
            row = {
                "Id": set_id,
                "Name": name,
                "Label": label,
                "Description": text(root, "description"),
                **stamps,
            }
            self._store.bulk_insert("PermissionSet", [row | made])
        else:
            set_id = str(found["Id"])
            self._store.bulk_update("PermissionSet", [{"Id": set_id, "Label": label, **stamps}])
        with self._store.transaction() as sql:
            # a deployed permission set replaces its predecessor
            sql.execute("DELETE FROM FieldPermissions WHERE ParentId = ?", (set_id,))
        self._store.bulk_insert(
            "FieldPermissions",
            [
                {
                    "Id": self._new_id("01k"),
                    "ParentId": set_id,
                    "SobjectType": field.split(".")[0],
                    "Field": field,
                    "PermissionsRead": readable,
                    "PermissionsEdit": editable,
                    "SystemModstamp": self._now,
                }
                for field, readable, editable in grants
            ],
        )
        created = found is None
        self._outcomes.append(
            Outcome(kind="PermissionSet", file=path, name=name, created=created, changed=not created)
        )

    def _grant(self, element: Element) -> tuple[str, bool, bool]:
        check_elements(element, frozenset({"editable", "field", "readable"}))
        full = text(element, "field") or ""
        owner, _, name = full.partition(".")
        sobject = self._schema.find(owner)
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
        return f"{sobject.name}.{field.name}", readable, editable

    def _destroy(self, path: str, root: Element) -> None:
        for kind, member in _members(root):
            if kind == "PermissionSet":
                self._outcomes.append(self._destroy_set(path, member))
                continue
            home, _, name = member.partition(".")
            if kind != "CustomField":
                raise FieldProblemError(
                    f"The sandbox deletes custom fields and permission sets only, not {kind}"
                )
            try:
                for owner in HOMES.get(home, (home,)):
                    self._schema.remove_field(owner, name)
                outcome = Outcome(kind=kind, file=path, name=member, deleted=True)
            except KeyError:
                problem = f"No CustomField named: {member} found"
                outcome = Outcome(kind=kind, file=path, name=member, problem=problem)
            self._outcomes.append(outcome)

    def _destroy_set(self, path: str, name: str) -> Outcome:
        """A permission set goes only when nobody has it: "Delete a Permission Set", Salesforce Help."""
        found = self._store.row("PermissionSet", name, column="Name")
        problem = None
        if found is None:
            problem = f"No PermissionSet named: {name} found"
        elif self._store.row("PermissionSetAssignment", str(found["Id"]), column="PermissionSetId"):
            problem = f"The permission set {name} is assigned to users: remove its assignments first"
        else:
            with self._store.transaction() as sql:
                sql.execute("DELETE FROM FieldPermissions WHERE ParentId = ?", (found["Id"],))
                sql.execute("DELETE FROM PermissionSet WHERE Id = ?", (found["Id"],))
        deleted = problem is None
        return Outcome(kind="PermissionSet", file=path, name=name, deleted=deleted, problem=problem)

    def _check_named(self, members: dict[str, set[str]]) -> None:
        """Everything that package.xml names was in the archive."""
        seen = {(outcome.kind, outcome.name) for outcome in self._outcomes}
        if any(outcome.problem and not outcome.kind for outcome in self._outcomes):
            return
        for kind in ("CustomField", "PermissionSet"):
            for name in sorted(members.get(kind, ())):
                if (kind, name) not in seen:
                    problem = (
                        f"An object '{name}' of type {kind} was named in package.xml, but was not found in"
                        " zipped directory"
                    )
                    self._outcomes.append(Outcome(kind=kind, file="package.xml", name=name, problem=problem))

    def _new_id(self, prefix: str) -> str:
        return salesforce_id(prefix, self._store.next_number(f"id:{prefix}", first=FIRST_NUMBER))


def _unzipped(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile:
        raise FieldProblemError("The zip file is not valid") from None


def _parsed(content: bytes) -> Element:
    try:
        return fromstring(content)  # noqa: S314  # a loopback stand-in; expat refuses entity bombs
    except ParseError as error:
        raise FieldProblemError(f"Error parsing file: {error}") from None


def _manifest(files: dict[str, bytes]) -> dict[str, set[str]]:
    if "package.xml" not in files:
        raise FieldProblemError("No package.xml found")
    root = _parsed(files["package.xml"])
    if root.tag != NAMESPACE + "Package" or text(root, "version") is None:
        raise FieldProblemError("package.xml must be a Package of the Metadata API with a version")
    members: dict[str, set[str]] = {}
    for kind, member in _members(root):
        members.setdefault(kind, set()).add(member)
    return members


def _members(root: Element) -> Iterator[tuple[str, str]]:
    for types in root.findall(NAMESPACE + "types"):
        kind = text(types, "name")
        for member in types.findall(NAMESPACE + "members"):
            yield str(kind), (member.text or "").strip()
