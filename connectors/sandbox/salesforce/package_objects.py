"""Objects and fields of a package: what a deploy makes of them, and takes away.

Sources: "CustomObject" and "CustomField", Metadata API Developer Guide. Deployed fields and objects are
visible to nobody until a permission set that grants them is assigned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from connectors.sandbox.salesforce.custom_field import (
    NAMESPACE,
    FieldProblemError,
    changed_type,
    custom_field,
    text,
)
from connectors.sandbox.salesforce.outcome import Bench, Members, Outcome
from connectors.sandbox.salesforce.own_objects import OwnObject
from connectors.sandbox.salesforce.package_parts import Parts
from connectors.sandbox.salesforce.schema import Field

MAX_TRACKED = 20  # "Field History Tracking": fields of one object
MAX_CUSTOM_FIELDS = 500  # "Custom Fields Allowed Per Object": Enterprise Edition
MAX_CUSTOM_OBJECTS = 200  # "Custom Objects Allowed": Enterprise Edition

# "CustomObject": custom fields of Task and Event are defined on Activity
HOMES = {"Activity": ("Task", "Event")}
_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_)){0,39}__c\Z")
_FORMAT: Final = re.compile(r"[^{}]*\{0+\}[^{}]*\Z")
_MAX_LABEL, _MAX_FORMAT, _MAX_DESCRIPTION = 40, 30, 1000
_NEEDED: Final = ("label", "pluralLabel", "deploymentStatus", "sharingModel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """The org's objects and custom fields, as a deploy changes them."""

    bench: Bench
    parts: Parts

    def take(self, path: str, home: str, root: Element, members: Members) -> list[Outcome]:
        """What became of the object of a file and of its fields. Raises FieldProblemError for the whole."""
        outcomes: list[Outcome] = []
        schema = self.bench.schema
        if home in members.get("CustomObject", ()) and home.endswith("__c"):
            outcomes.append(self._object(path, home, root))
        owners = HOMES.get(home, (home,))
        if any(schema.find(owner) is None for owner in owners) or home in ("Task", "Event"):
            raise FieldProblemError(f"{home} is no object of this org that takes custom fields")
        for element in root.findall(NAMESPACE + "fields"):
            name = f"{home}.{text(element, 'fullName')}"
            if name not in members.get("CustomField", ()) and home not in members.get("CustomObject", ()):
                problem = f"{name} is in {path} but not in package.xml"
                outcomes.append(Outcome(kind="CustomField", file=path, name=name, problem=problem))
                continue
            try:
                created = self._field(owners, custom_field(element))
                outcome = Outcome(
                    kind="CustomField", file=path, name=name, created=created, changed=not created
                )
            except FieldProblemError as problem:
                outcome = Outcome(kind="CustomField", file=path, name=name, problem=str(problem))
            outcomes.append(outcome)
        return [*outcomes, *self.parts.list_views(path, home, root, members)]

    def destroy_field(self, path: str, member: str) -> Outcome:
        """What became of the deletion of Object.Field__c."""
        home, _, name = member.partition(".")
        try:
            for owner in HOMES.get(home, (home,)):
                self.bench.schema.remove_field(owner, name)
        except KeyError:
            problem = f"No CustomField named: {member} found"
            return Outcome(kind="CustomField", file=path, name=member, problem=problem)
        return Outcome(kind="CustomField", file=path, name=member, deleted=True)

    def destroy_object(self, path: str, member: str) -> Outcome:
        """What became of the deletion of an object, which goes with its rows."""
        used_by = self.parts.uses(member)
        if used_by:
            problem = f"{member} is referenced by the report type {used_by[0]}: delete that first"
            return Outcome(kind="CustomObject", file=path, name=member, problem=problem)
        try:
            self.bench.schema.remove_object(member)
        except KeyError:
            problem = f"No CustomObject named: {member} found"
            return Outcome(kind="CustomObject", file=path, name=member, problem=problem)
        return Outcome(kind="CustomObject", file=path, name=member, deleted=True)

    def _object(self, path: str, name: str, root: Element) -> Outcome:
        schema = self.bench.schema
        new = _own_object(name, root)
        before = schema.find(name)
        if before is None and len(schema.own_objects()) >= MAX_CUSTOM_OBJECTS:
            raise FieldProblemError(f"You have reached the maximum of {MAX_CUSTOM_OBJECTS} custom objects")
        if before is None:
            schema.add_object(new)
        else:
            schema.change_object(new)
        created = before is None
        return Outcome(kind="CustomObject", file=path, name=name, created=created, changed=not created)

    def _field(self, owners: tuple[str, ...], field: Field) -> bool:
        """Whether the field is new."""
        created = False
        schema = self.bench.schema
        for owner in owners:
            sobject = schema.objects()[owner.lower()]
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
            self._check_relationship(owner, field)
            schema.add_fields(owner, [field])
            created = before is None
        return created

    def _check_relationship(self, owner: str, field: Field) -> None:
        """A lookup leads to an object that is there, by a name that its parent has not given yet."""
        for target in field.references:
            if self.bench.schema.find(target) is None:
                raise FieldProblemError(
                    f"referenceTo value of '{target}' does not resolve to a valid sObject"
                )
            for sobject in self.bench.schema.objects().values():
                for other in sobject.fields.values():
                    same = (sobject.name, other.name) == (owner, field.name)
                    if target in other.references and not same and other.children == field.children:
                        raise FieldProblemError(
                            f"Duplicate Relationship Name: {target} has {field.children} already, by "
                            f"{sobject.name}.{other.name}"
                        )


def _own_object(name: str, root: Element) -> OwnObject:
    """The object behind the file. Raises FieldProblemError."""
    if not _NAME.match(name):
        raise FieldProblemError(f"{name} is no name of a custom object")
    told = {tag: text(root, tag) for tag in _NEEDED}
    for tag, value in told.items():
        if value is None:
            raise FieldProblemError(f"Must specify a non-empty {tag} for the CustomObject {name}")
    for tag in ("label", "pluralLabel"):
        if len(str(told[tag])) > _MAX_LABEL:
            raise FieldProblemError(f"Value too long for field: {tag} maximum length is:{_MAX_LABEL}")
    description = text(root, "description")
    if len(description or "") > _MAX_DESCRIPTION:
        raise FieldProblemError(f"Value too long for field: Description maximum length is:{_MAX_DESCRIPTION}")
    named = root.find(NAMESPACE + "nameField")
    kind = None if named is None else text(named, "type")
    if named is None or text(named, "label") is None or kind not in ("Text", "AutoNumber"):
        raise FieldProblemError(
            f"Must specify a nameField of type Text or AutoNumber for the CustomObject {name}"
        )
    number = text(named, "displayFormat")
    if (kind == "AutoNumber") != (number is not None):
        verb = "Must" if kind == "AutoNumber" else "Can not"
        raise FieldProblemError(f"{verb} specify 'displayFormat' for a nameField of type {kind}")
    if number is not None and (len(number) > _MAX_FORMAT or not _FORMAT.match(number)):
        raise FieldProblemError(f"The display format {number} needs {{0}} within {_MAX_FORMAT} characters")
    return OwnObject(
        name=name,
        label=str(told["label"]),
        plural=str(told["pluralLabel"]),
        number=number or "",
        description=description or "",
        sharing=str(told["sharingModel"]),
    )
