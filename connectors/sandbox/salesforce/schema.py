"""The org's sObjects and fields: standard ones from schema.toml, later custom ones from the store."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from connectors.sandbox.salesforce import own_objects
from connectors.sandbox.salesforce.own_objects import OwnObject
from connectors.sandbox.store import ANY, BOOLEAN, DATE, DATETIME, INTEGER, KEY, NUMBER, TEXT, Store

_COLUMN_KINDS = {
    "id": KEY,
    "anyType": ANY,
    "reference": KEY,
    "boolean": BOOLEAN,
    "int": INTEGER,
    "double": NUMBER,
    "currency": NUMBER,
    "percent": NUMBER,
    "date": DATE,
    "datetime": DATETIME,
}
_LONG_TEXT = 255  # a text area beyond this is long: it can be neither filtered nor sorted nor grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an sObject, in the words of a describe."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    references: tuple[str, ...] = ()
    relationship: str | None = None
    polymorphic: bool = False
    values: tuple[str, ...] = ()
    value_labels: tuple[str, ...] = ()
    restricted: bool = False
    default: str | bool | None = None
    required: bool = False  # no record without a value
    defaulted: bool = False  # the server fills it in on create
    createable: bool = True
    updateable: bool = True
    name_field: bool = False
    auto_number: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    track_history: bool = False
    help_text: str | None = None
    calculated: bool = False  # a formula or roll-up: its value moves no stamp
    children: str | None = None  # what the parent calls the records of a custom lookup
    on_delete: str | None = None  # what becomes of a custom lookup whose record is deleted

    @property
    def custom(self) -> bool:
        """Whether the org, not the vendor, defined it."""
        return self.name.endswith("__c")

    @property
    def column_kind(self) -> str:
        """How the store keeps it."""
        return _COLUMN_KINDS.get(self.type, TEXT)

    @property
    def long_text(self) -> bool:
        """Whether it is a long text area."""
        return self.type == "textarea" and self.length > _LONG_TEXT

    @property
    def filterable(self) -> bool:
        """Whether SOQL may compare, sort and group by it."""
        return not self.long_text and self.type != "anyType"


@dataclass(frozen=True, slots=True, kw_only=True)
class SObject:
    """One sObject with its fields by lower-case name (API names are not case-sensitive)."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: Mapping[str, Field]
    history: str | None = None
    merge: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    indexes: tuple[str, ...] = ()
    own: OwnObject | None = None  # what the org says of it, if it is a custom object

    def field(self, name: str) -> Field | None:
        """The field of this name in any case, or None."""
        return self.fields.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """The reference field behind a relationship name such as Owner, or None."""
        wanted = name.lower()
        return next(
            (f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None
        )

    @property
    def columns(self) -> dict[str, str]:
        """Column kinds by name for the store."""
        return {f.name: f.column_kind for f in self.fields.values()}


def _system(name: str, kind: str, **more: object) -> Field:
    return Field(name=name, label=name, type=kind, createable=False, updateable=False, **more)  # type: ignore[arg-type]  # forwarded keywords


_ID = Field(
    name="Id",
    label="ID",
    type="id",
    length=18,
    createable=False,
    updateable=False,
    required=True,
    defaulted=True,
)
_DELETED = _system("IsDeleted", "boolean", required=True, defaulted=True)
_CREATED = (
    _system("CreatedDate", "datetime", required=True, defaulted=True),
    _system(
        "CreatedById",
        "reference",
        references=("User",),
        relationship="CreatedBy",
        required=True,
        defaulted=True,
    ),
)
_MODIFIED = (
    _system("LastModifiedDate", "datetime", required=True, defaulted=True),
    _system(
        "LastModifiedById",
        "reference",
        references=("User",),
        relationship="LastModifiedBy",
        required=True,
        defaulted=True,
    ),
)
_STAMP = _system("SystemModstamp", "datetime", required=True, defaulted=True)

# which system fields an object has: "System Fields", Object Reference, and each object's own page
_SYSTEM_FIELDS: Mapping[str, tuple[Field, ...]] = {
    "full": (_DELETED, *_CREATED, *_MODIFIED, _STAMP),
    "history": (_DELETED, *_CREATED),
    "stage_history": (_DELETED, *_CREATED, _STAMP),
    "undeletable": (*_CREATED, *_MODIFIED, _STAMP),
    "stamp": (_STAMP,),
    "none": (),
}


def _words(name: str) -> str:
    return "".join(" " + letter if letter.isupper() else letter for letter in name).strip()


def _field(name: str, entry: dict[str, object], *, readonly: bool) -> Field:
    read_only = bool(entry.pop("ro", False)) or readonly
    create_only = bool(entry.pop("create_only", False))
    return Field(
        name=name,
        label=str(entry.pop("label", _words(name))),
        references=tuple(entry.pop("to", ())),  # type: ignore[arg-type]  # a TOML list
        values=tuple(entry.pop("values", ())),  # type: ignore[arg-type]  # a TOML list
        track_history=bool(entry.pop("track", False)),
        createable=not read_only,
        updateable=not read_only and not create_only,
        **entry,  # type: ignore[arg-type]  # schema.toml is ours; an unknown key raises
    )


def _sobject(name: str, entry: dict[str, object]) -> SObject:
    readonly = bool(entry.pop("readonly", False))
    system = _SYSTEM_FIELDS[str(entry.pop("system", "full"))]
    own = entry.pop("fields")
    assert isinstance(own, dict)
    fields = (_ID, *(_field(key, dict(value), readonly=readonly) for key, value in own.items()), *system)
    indexes = list(entry.pop("indexes", []))  # type: ignore[call-overload]  # a TOML list
    if _STAMP in system and "SystemModstamp" not in indexes:
        indexes.append("SystemModstamp")
    return SObject(
        name=name,
        fields=MappingProxyType({f.name.lower(): f for f in fields}),
        indexes=tuple(indexes),
        createable=not readonly,
        updateable=bool(entry.pop("updateable", True)) and not readonly,
        deletable=bool(entry.pop("deletable", True)) and not readonly,
        **entry,  # type: ignore[arg-type]  # schema.toml is ours; an unknown key raises
    )


def _custom(own: OwnObject) -> SObject:
    """A custom object without the fields that the company gave it."""
    owner: dict[str, object] = {
        "type": "reference",
        "to": ["User"],
        "relationship": "Owner",
        "defaulted": True,
    }
    named: dict[str, object] = {"type": "string", "length": 80, "name_field": True}
    if own.number:
        named |= {"auto_number": True, "ro": True}
    entry = {
        "label": own.label,
        "plural": own.plural,
        "prefix": own.prefix,
        "own": own,
        "fields": {"Name": named, "OwnerId": owner},
    }
    return _sobject(own.name, entry)


@cache
def standard_objects() -> Mapping[str, SObject]:
    """The sObjects of an org that Upswell has not touched, by name."""
    text = (
        resources.files("connectors.sandbox.salesforce").joinpath("schema.toml").read_text(encoding="utf-8")
    )
    return MappingProxyType(
        {name: _sobject(name, dict(entry)) for name, entry in tomllib.loads(text).items()}
    )


class Schema:
    """The org's sObjects now; custom fields live in the store, so other processes see them as well."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: str | None = None
        self._objects: dict[str, SObject] = {}

    @staticmethod
    def create(store: Store) -> Schema:
        """Make the tables of the standard objects."""
        with store.transaction() as sql:
            own_objects.define(store)
            sql.execute(
                "CREATE TABLE IF NOT EXISTS custom_fields (object TEXT, name TEXT, definition TEXT,"
                " PRIMARY KEY (object, name))"
            )
            for sobject in standard_objects().values():
                store.define(sobject.name, sobject.columns, indexes=sobject.indexes)
        return Schema(store)

    def objects(self) -> Mapping[str, SObject]:
        """Every sObject by its lower-case name."""
        version = self._store.meta.get("schema.version")
        if not self._objects or version != self._version:
            own = {name: _custom(each) for name, each in self.own_objects().items()}
            added: dict[str, dict[str, Field]] = {}
            for name, definition in self._store.select(
                "SELECT object, definition FROM custom_fields ORDER BY rowid"
            ):
                field = _from_json(str(definition))
                added.setdefault(str(name), {})[field.name.lower()] = field
            self._objects = {
                name.lower(): _with_fields(sobject, added.get(name, {}))
                for name, sobject in {**standard_objects(), **own}.items()
            }
            self._version = version
        return self._objects

    def add_object(self, new: OwnObject) -> None:
        """Create a custom object with a name and an owner; its further fields are custom fields."""
        with self._store.transaction():
            number = self._store.next_number("custom_object", first=0)
            new = replace(new, prefix=f"a{number:02d}")
            own_objects.add(self._store, new)
            made = _custom(new)
            self._store.define(new.name, made.columns, indexes=made.indexes)
            self._touch()

    def change_object(self, changed: OwnObject) -> None:
        """Rename a custom object, as a deploy does."""
        own_objects.change(self._store, changed)
        self._touch()

    def remove_object(self, name: str) -> None:
        """Delete a custom object with its fields and rows, as an administrator does in Setup."""
        if name not in self.own_objects():
            raise KeyError(f"the org has no custom object {name!r}")
        with self._store.transaction() as sql:
            own_objects.drop(self._store, name)
            sql.execute("DELETE FROM custom_fields WHERE object = ?", (name,))
            sql.execute("DELETE FROM FieldPermissions WHERE SobjectType = ?", (name,))
            sql.execute("DELETE FROM ObjectPermissions WHERE SobjectType = ?", (name,))
            self._store.drop_table(name)
            self._touch()

    def own_objects(self) -> Mapping[str, OwnObject]:
        """The org's custom objects by name."""
        return {each.name: each for each in own_objects.held(self._store)}

    def forget(self) -> None:
        """Read it anew next time, because what was changed was rolled back."""
        self._objects = {}

    def find(self, name: str) -> SObject | None:
        """The sObject of this name in any case, or None."""
        return self.objects().get(name.lower())

    def by_prefix(self, record_id: str) -> SObject | None:
        """The sObject that an id belongs to; field history ids are ambiguous and belong to none."""
        found = [o for o in self.objects().values() if o.prefix == record_id[:3]]
        return found[0] if len(found) == 1 else None

    def add_fields(self, object_name: str, fields: Iterable[Field]) -> None:
        """Create or redefine custom fields and their columns."""
        sobject = self.objects()[object_name.lower()]
        with self._store.transaction() as sql:
            for field in fields:
                sql.execute(
                    "INSERT INTO custom_fields VALUES (?, ?, ?)"
                    " ON CONFLICT (object, name) DO UPDATE SET definition = excluded.definition",
                    (sobject.name, field.name, json.dumps(asdict(field))),
                )
                indexes = [field.name] if field.external_id or field.unique else []
                self._store.define(sobject.name, {field.name: field.column_kind}, indexes=indexes)
            self._touch()

    def remove_field(self, object_name: str, field_name: str) -> None:
        """Delete a custom field with its values, as an administrator does in Setup."""
        sobject = self.objects()[object_name.lower()]
        with self._store.transaction() as sql:
            statement = "DELETE FROM custom_fields WHERE object = ? AND name = ?"
            if sql.execute(statement, (sobject.name, field_name)).rowcount != 1:
                raise KeyError(f"{sobject.name} has no removable custom field {field_name!r}")
            sql.execute(
                "DELETE FROM FieldPermissions WHERE SobjectType = ? AND Field = ?",
                (sobject.name, f"{sobject.name}.{field_name}"),
            )
            self._store.drop_column(sobject.name, field_name)
            self._touch()

    def _touch(self) -> None:
        self._store.meta["schema.version"] = str(self._store.next_number("schema"))
        self._objects = {}


def _from_json(text: str) -> Field:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()
    }
    return Field(**values)


def _with_fields(sobject: SObject, added: Mapping[str, Field]) -> SObject:
    if not added:
        return sobject
    values = {name: getattr(sobject, name) for name in SObject.__slots__}
    return SObject(**{**values, "fields": MappingProxyType({**sobject.fields, **added})})
