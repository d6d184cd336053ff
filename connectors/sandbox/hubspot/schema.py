"""The account's object types and properties: HubSpot's from schema.toml, later custom ones from the store."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType

from connectors.sandbox.hubspot import own_types
from connectors.sandbox.hubspot.own_types import OwnType
from connectors.sandbox.hubspot.pipelines import PIPELINES
from connectors.sandbox.store import DATE, INTEGER, KEY, TEXT, Store

ID = "hs_object_id"
NUMBER, ARCHIVED, ARCHIVED_AT = "_number", "_archived", "_archived_at"
SYSTEM_COLUMNS = {"Id": KEY, NUMBER: INTEGER, ARCHIVED: INTEGER, ARCHIVED_AT: TEXT}
LAG_SINCE, LAG_ABSENT = "_since", "_absent"
"""Columns of an object's lag table, which holds what the search index still shows."""

MAX_UNIQUE = 10  # "Create unique identifier properties": up to ten an object
_FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of an object type, in the words of the properties API."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    description: str = ""
    options: tuple[tuple[str, str], ...] = ()  # value, label
    read_only: bool = False
    unique: bool = False
    identity: bool = False  # a contact's e-mail: finds a record, and no two may have it
    owner: bool = False
    external: bool = False  # its options live elsewhere: owners, pipelines
    currency: bool = False
    hubspot: bool = True  # defined by HubSpot rather than by the company
    hidden: bool = False
    form_field: bool = False
    display_order: int = -1
    created_at: str | None = None

    @property
    def multiple(self) -> bool:
        """Whether it holds several options at once, separated by semicolons."""
        return self.type == "enumeration" and self.field_type == "checkbox"

    @property
    def finds(self) -> bool:
        """Whether `idProperty` may name it."""
        return self.unique or self.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """One object type with its properties by name."""

    name: str
    type_id: str
    singular: str
    plural: str
    created: str
    modified: str
    default: tuple[str, ...]
    required: tuple[str, ...]
    scope: str
    properties: Mapping[str, Property]
    pipeline: tuple[str, str] | None = None  # names of the properties that hold pipeline and stage
    indexes: tuple[str, ...] = ()
    mergeable: bool = False

    @property
    def lag_table(self) -> str:
        """The table of what the search index still shows of records that changed a moment ago."""
        return f"{self.name}_lag"

    @property
    def columns(self) -> dict[str, str]:
        """Column kinds by name for the store; values are kept as they travel, as text."""
        return SYSTEM_COLUMNS | {name: column_kind(p) for name, p in self.properties.items() if name != ID}

    def known(self, names: Iterable[str]) -> list[str]:
        """Those of the names that exist, each once; "Properties": unknown ones are ignored on reading."""
        return [name for name in dict.fromkeys(names) if name in self.properties]


def column_kind(prop: Property) -> str:
    """How the store keeps it: as the text that travels; moments compare byte by byte, words in any case."""
    return DATE if prop.type in ("date", "datetime") else TEXT


def _system(name: str, kind: str, label: str) -> Property:
    field_type = _FIELD_TYPES[kind]
    return Property(name=name, label=label, type=kind, field_type=field_type, group="system", read_only=True)


def _property(name: str, entry: dict[str, object], plural: str) -> Property:
    own, kind = bool(entry.get("own")), str(entry["type"])
    options = entry.get("options", ())
    if isinstance(options, dict):
        pairs = tuple((str(value), str(label)) for value, label in options.items())
    else:
        assert isinstance(options, list | tuple)
        pairs = tuple((str(value), str(value) if own else _words(str(value))) for value in options)
    return Property(
        name=name,
        label=str(entry["label"]),
        type=kind,
        field_type=str(entry.get("field", _FIELD_TYPES[kind])),
        group="customer_success" if own else f"{plural.lower().replace(' ', '')}information",
        options=(("true", "Yes"), ("false", "No")) if kind == "bool" else pairs,
        read_only=bool(entry.get("ro")),
        unique=bool(entry.get("unique")),
        identity=bool(entry.get("id")),
        owner=bool(entry.get("owner")),
        external=bool(entry.get("external") or entry.get("owner")),
        currency=bool(entry.get("currency")),
        hubspot=not own,
    )


def _words(code: str) -> str:
    """The label of one of HubSpot's own codes: NOT_STARTED is "Not started"."""
    return code.replace("_", " ").capitalize() if code.isupper() else code


def _object_type(name: str, entry: dict[str, object]) -> ObjectType:
    plural = str(entry["plural"])
    raw = entry["properties"]
    assert isinstance(raw, dict)
    created, modified = str(entry["created"]), str(entry["modified"])
    properties = [_property(key, value, plural) for key, value in raw.items()]
    properties += [
        _system(ID, "number", "Record ID"),
        _system(created, "datetime", "Create Date"),
        _system(modified, "datetime", "Last Modified Date"),
        _system("hs_created_by_user_id", "number", "Created by user ID"),
        _system("hs_updated_by_user_id", "number", "Updated by user ID"),
    ]
    if entry.get("mergeable"):
        properties.append(_system("hs_merged_object_ids", "string", "Merged record IDs"))
    if name == "deals":
        for stage in PIPELINES["deals"][0].stages:
            properties.append(
                _system(f"hs_v2_date_entered_{stage.id}", "datetime", f'Date entered "{stage.label}"')
            )
            properties.append(
                _system(f"hs_v2_date_exited_{stage.id}", "datetime", f'Date exited "{stage.label}"')
            )
    pipeline = entry.get("pipeline")
    return ObjectType(
        name=name,
        type_id=str(entry["type_id"]),
        singular=str(entry["singular"]),
        plural=plural,
        created=created,
        modified=modified,
        default=tuple(entry["default"]),  # type: ignore[arg-type]  # a TOML list
        required=tuple(entry["required"]),  # type: ignore[arg-type]  # a TOML list
        scope=str(entry.get("scope", name)),
        properties=MappingProxyType({p.name: p for p in properties}),
        pipeline=None if pipeline is None else tuple(pipeline),  # type: ignore[arg-type]  # two names in a TOML list
        indexes=tuple(entry["indexes"]),  # type: ignore[arg-type]  # a TOML list
        mergeable=bool(entry.get("mergeable")),
    )


def _custom(own: OwnType) -> ObjectType:
    """A custom object without the properties that the company gave it."""
    named = {"type": "string", "label": "Name", "own": True}
    owner = {"type": "enumeration", "label": "Owner", "owner": True}
    by_hand = {"record_name": named} if own.primary == "record_name" else {}
    entry: dict[str, object] = {
        "type_id": own.type_id,
        "singular": own.singular,
        "plural": own.plural,
        "created": "hs_createdate",
        "modified": "hs_lastmodifieddate",
        "default": [],
        "required": list(own.required),
        "scope": "custom",
        "indexes": ["hs_lastmodifieddate"],
        "properties": {**by_hand, "hubspot_owner_id": owner},
    }
    return _object_type(own.name, entry)


@cache
def standard_types() -> Mapping[str, ObjectType]:
    """The object types of an account that Upswell has not touched, by name."""
    text = resources.files("connectors.sandbox.hubspot").joinpath("schema.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: _object_type(name, entry) for name, entry in tomllib.loads(text).items()})


class Schema:
    """The account's object types now; custom properties live in the store, for other processes too."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: str | None = None
        self._types: dict[str, ObjectType] = {}

    @staticmethod
    def create(store: Store) -> Schema:
        """Make the tables of the standard object types."""
        with store.transaction() as sql:
            own_types.define(store)
            sql.execute(
                "CREATE TABLE custom_properties (object TEXT, name TEXT, definition TEXT, archived_at TEXT,"
                " PRIMARY KEY (object, name))"
            )
            sql.execute(
                "CREATE TABLE property_groups (object TEXT, name TEXT, label TEXT, display_order INTEGER,"
                " archived INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (object, name))"
            )
            for kind in standard_types().values():
                store.define(kind.name, kind.columns, indexes=(NUMBER, *kind.indexes))
                store.define(kind.lag_table, _lag_columns(kind), key="", indexes=("Id", LAG_SINCE))
                groups = {p.group for p in kind.properties.values()} - {"system"}
                sql.executemany(
                    "INSERT INTO property_groups VALUES (?, ?, ?, -1, 0)",
                    [(kind.name, group, group.replace("_", " ").capitalize()) for group in sorted(groups)],
                )
        return Schema(store)

    def types(self) -> Mapping[str, ObjectType]:
        """Every object type by its name."""
        version = self._store.meta.get("schema.version")
        if not self._types or version != self._version:
            rows = self._store.select(
                "SELECT object, definition FROM custom_properties WHERE archived_at IS NULL ORDER BY rowid"
            )
            live = (each for each in self.own_types().values() if each.archived_at is None)
            own = {each.name: _custom(each) for each in live}
            added: dict[str, dict[str, Property]] = {}
            for name, definition in rows:
                found = _from_json(str(definition))
                added.setdefault(str(name), {})[found.name] = found
            self._types = {
                n: _with_properties(kind, added.get(n, {})) for n, kind in {**standard_types(), **own}.items()
            }
            self._version = version
        return self._types

    def add_type(self, name: str, *, singular: str, plural: str) -> ObjectType:
        """Create a custom object by hand; properties come after it."""
        full = f"p{self._store.meta['portal.id']}_{name}"
        return self.make_type(OwnType(name=full, short=name, type_id="", singular=singular, plural=plural))

    def make_type(self, new: OwnType) -> ObjectType:
        """Create a custom object, which is associated with every other object.

        "Custom objects": its full name begins with the account's id, its objectTypeId with 2-."""
        with self._store.transaction():
            number = self._store.next_number("custom_object_type", first=5_001)
            new = replace(new, type_id=f"2-{number}")
            own_types.keep(self._store, new)
            kind = _custom(new)
            self._store.define(kind.name, kind.columns, indexes=(NUMBER, *kind.indexes))
            self._store.define(kind.lag_table, _lag_columns(kind), key="", indexes=("Id", LAG_SINCE))
            self._touch()
        return self.types()[new.name]

    def change_type(self, changed: OwnType) -> None:
        """Keep what is new about a custom object: that it is archived."""
        own_types.keep(self._store, changed)
        self._touch()

    def drop_type(self, name: str) -> None:
        """Take a custom object away for good, with its properties and records."""
        kind = _custom(self.own_types()[name])
        with self._store.transaction() as sql:
            own_types.drop(self._store, name)
            sql.execute("DELETE FROM custom_properties WHERE object = ?", (name,))
            sql.execute("DELETE FROM property_groups WHERE object = ?", (name,))
            self._store.drop_table(name)
            self._store.drop_table(kind.lag_table)
            self._touch()

    def own_types(self) -> Mapping[str, OwnType]:
        """The account's custom objects by their full names, archived ones too."""
        return {each.name: each for each in own_types.held(self._store)}

    def find(self, name: str) -> ObjectType | None:
        """The object type of a name in the singular or plural or of an objectTypeId, or None.

        "Understanding the CRM": paths take the name or the objectTypeId."""
        key = name.lower()
        types = self.types()
        if key in types:
            return types[key]
        singular = {"company": "companies", "line_item": "line_items"}.get(key, f"{key}s")
        return types.get(singular) or next((kind for kind in types.values() if kind.type_id == key), None)

    def add(self, object_name: str, properties: Iterable[Property]) -> None:
        """Create custom properties and their columns, or bring archived ones of the same name back."""
        with self._store.transaction() as sql:
            for new in properties:
                sql.execute(
                    "INSERT INTO custom_properties VALUES (?, ?, ?, NULL) ON CONFLICT (object, name)"
                    " DO UPDATE SET definition = excluded.definition, archived_at = NULL",
                    (object_name, new.name, json.dumps(asdict(new))),
                )
                kind = self.types()[object_name]
                indexes = [new.name] if new.unique else []
                self._store.define(object_name, {new.name: column_kind(new)}, indexes=indexes)
                self._store.define(kind.lag_table, {new.name: column_kind(new)}, key="")
            self._touch()

    def archive(self, object_name: str, name: str, at: str) -> None:
        """Take a custom property away; its values come back when it is created again."""
        with self._store.transaction() as sql:
            sql.execute(
                "UPDATE custom_properties SET archived_at = ? WHERE object = ? AND name = ?",
                (at, object_name, name),
            )
            self._touch()

    def archived(self, object_name: str) -> list[tuple[Property, str]]:
        """Archived custom properties with the moment of it."""
        rows = self._store.select(
            "SELECT definition, archived_at FROM custom_properties"
            " WHERE object = ? AND archived_at IS NOT NULL",
            (object_name,),
        )
        return [(_from_json(str(definition)), str(at)) for definition, at in rows]

    def _touch(self) -> None:
        self._store.meta["schema.version"] = str(self._store.next_number("schema"))
        self._types = {}


def _lag_columns(kind: ObjectType) -> dict[str, str]:
    return kind.columns | {"Id": TEXT, LAG_SINCE: TEXT, LAG_ABSENT: INTEGER}


def _from_json(text: str) -> Property:
    entry = json.loads(text)
    entry["options"] = tuple((value, label) for value, label in entry["options"])
    return Property(**entry)


def _with_properties(kind: ObjectType, added: Mapping[str, Property]) -> ObjectType:
    if not added:
        return kind
    values = {name: getattr(kind, name) for name in ObjectType.__slots__}
    return ObjectType(**{**values, "properties": MappingProxyType({**kind.properties, **added})})
