"""A custom object as an administrator makes one in Setup, and shows it to the integration user."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.own_objects import OwnObject
from connectors.sandbox.salesforce.schema import Field, Schema
from connectors.sandbox.store import Store


def define_object(store: Store, name: str, *, label: str, fields: Iterable[Field]) -> None:
    """Make the object with its fields; the integration user may read and edit all of them."""
    schema, made = Schema(store), list(fields)
    schema.add_object(OwnObject(name=name, label=label, plural=f"{label}s"))
    schema.add_fields(name, made)
    (parent,) = store.select("SELECT DISTINCT ParentId FROM FieldPermissions")[0]
    rights = ("Read", "Create", "Edit", "Delete")
    opened = {f"Permissions{right}": True for right in rights}
    number = store.next_number("id:110", first=1_000)
    store.bulk_insert(
        "ObjectPermissions",
        [{"Id": salesforce_id("110", number), "ParentId": parent, "SobjectType": name, **opened}],
    )
    (held,) = store.select("SELECT count(*) FROM FieldPermissions")[0]
    store.bulk_insert(
        "FieldPermissions",
        [
            {
                "Id": salesforce_id("01k", 1_000 + int(held or 0) + number),
                "ParentId": parent,
                "SobjectType": name,
                "Field": f"{name}.{field.name}",
                "PermissionsRead": True,
                "PermissionsEdit": True,
            }
            for number, field in enumerate(made)
        ],
    )


def lookup(name: str, label: str, target: str) -> Field:
    """A lookup field, with the relationship that queries go over."""
    return Field(
        name=name,
        label=label,
        type="reference",
        length=18,
        references=(target,),
        relationship=name.removesuffix("__c") + "__r",
    )
