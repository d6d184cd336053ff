"""Associating records, and the properties that follow from it: parent company, primary company.

Source: "Associations": the first company of a contact, deal or ticket becomes its primary one.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.sandbox.hubspot.associations import Associations, AssociationType, Link, types_between
from connectors.sandbox.hubspot.automation import Row
from connectors.sandbox.hubspot.errors import NOT_FOUND, refuse
from connectors.sandbox.hubspot.records import Records
from connectors.sandbox.hubspot.schema import ObjectType, Schema

_FOLLOWS = {
    ("contacts", 1): "associatedcompanyid",
    ("deals", 5): "hs_primary_associated_company",
    ("tickets", 26): "hs_primary_company_id",
    ("companies", 14): "hs_parent_company_id",
}
"""The property that shows to whom a record is associated with a type."""


class Linker:
    """Associates records for one actor."""

    def __init__(self, *, schema: Schema, associations: Associations, records: Records) -> None:
        self._schema = schema
        self._associations = associations
        self._records = records

    def associate(
        self, kind: ObjectType, record_id: str, to_id: str, type_ids: Sequence[int]
    ) -> AssociationType:
        """Associate a record with another under the types; the first of them. Raises RefusalError."""
        found = [self._type(kind, type_id) for type_id in type_ids]
        if not found or len({t.to_object for t in found}) != 1:
            raise refuse("At least one association type is needed, and all of one object type")
        other = self._schema.types()[found[0].to_object]
        for which, key in ((kind, record_id), (other, to_id)):
            if key not in self._records.find(which, [key]):
                message = f"{which.singular.upper()} {key} does not exist"
                raise refuse(message, category=NOT_FOUND, status=404, id=key)
        for association in found:
            self._link(kind, record_id, association, to_id)
        self._choose_primary(kind, record_id, other, to_id)
        return found[0]

    def dissociate(self, kind: ObjectType, record_id: str, other: ObjectType, to_id: str) -> None:
        """Take two records apart, whatever their types."""
        for which, key in ((kind, record_id), (other, to_id)):
            if key not in self._records.find(which, [key]):
                return  # nothing is associated with a record that does not exist
        self._associations.remove(kind.name, record_id, other.name, to_id)
        self._follow(kind, record_id)
        self._follow(other, to_id)

    def hand_over(self, kind: ObjectType, old_id: str, new_id: str) -> None:
        """Everything that a merged record is associated with comes to the record that it became."""
        self._associations.move(kind.name, old_id, new_id)

    def follow_property(self, kind: ObjectType, row: Row, given: Sequence[str]) -> None:
        """Associate a contact with the company that was written into `associatedcompanyid`."""
        if kind.name == "contacts" and "associatedcompanyid" in given:
            self._replace(kind, str(row["Id"]), self._type(kind, 1), row["associatedcompanyid"])

    def _type(self, kind: ObjectType, type_id: int) -> AssociationType:
        for name in self._schema.types():
            for association in types_between(kind.name, name):
                if association.type_id == type_id:
                    return association
        raise refuse(f"Association type id {type_id} doesn't exist between the given object types")

    def _link(self, kind: ObjectType, record_id: str, association: AssociationType, to_id: str) -> None:
        if association.primary and kind.name != "companies":
            self._replace(kind, record_id, association, to_id)
            return
        if (association.from_object, association.type_id) == ("companies", 14):  # a company has one parent
            self._replace(kind, record_id, association, to_id)
            return
        self._add(kind, record_id, association, to_id)
        self._follow(kind, record_id)
        self._follow(self._schema.types()[association.to_object], to_id)

    def _add(self, kind: ObjectType, record_id: str, association: AssociationType, to_id: str) -> None:
        other, type_id = association.to_object, association.type_id
        link = Link(from_object=kind.name, from_id=record_id, to_object=other, to_id=to_id, type_id=type_id)
        self._associations.add([link])

    def _replace(self, kind: ObjectType, record_id: str, association: AssociationType, to_id: object) -> None:
        """Give a record the only one of its kind that it may have, or none."""
        other = self._schema.types()[association.to_object]
        if to_id is not None and str(to_id) not in self._records.find(other, [str(to_id)]):
            raise refuse(f"{other.singular.upper()} {to_id} does not exist", id=str(to_id))
        for old in self._associations.targets(kind.name, record_id, association.type_id):
            self._associations.remove(kind.name, record_id, other.name, old, association.type_id)
        if to_id is not None:
            self._add(kind, record_id, association, str(to_id))
        self._follow(kind, record_id)

    def _choose_primary(self, kind: ObjectType, record_id: str, other: ObjectType, to_id: str) -> None:
        ends = ((kind, record_id, other, to_id), (other, to_id, kind, record_id))
        for owner, owner_id, company, company_id in ends:
            primary = next((t for t in types_between(owner.name, company.name) if t.primary), None)
            if company.name != "companies" or primary is None:
                continue
            if not self._associations.targets(owner.name, owner_id, primary.type_id):
                self._replace(owner, owner_id, primary, company_id)

    def _follow(self, kind: ObjectType, record_id: str) -> None:
        for (name, type_id), prop in _FOLLOWS.items():
            if name != kind.name:
                continue
            targets = self._associations.targets(kind.name, record_id, type_id)
            row = self._records.find(kind, [record_id]).get(record_id)
            if row is not None:
                self._records.apply(kind, row, {**row, prop: targets[0] if targets else None})
