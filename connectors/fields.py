"""Every CRM field and object that Upswell owns or reads, loaded from fields.toml: the one source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field of ours. `owner` is machine (we write it) or person (we only read it)."""

    key: str
    object: str  # canonical table: accounts, tasks for the marker on our tasks, or one of our own objects
    salesforce: str
    hubspot: str
    label: str
    type: str  # a connectors.crm.FieldType value
    owner: str
    help: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)  # value -> label, picklists only
    track_history: bool = False
    references: str | None = None  # canonical table of the record that a reference leads to
    unique: bool = False  # no two records bear the same; on Salesforce an external id

    def key_of(self, picked: str | None) -> str | None:
        """The key of the option that was picked, whether the picklist holds our keys or their labels."""
        labels = {label: key for key, label in self.options.items()}
        return picked if picked in self.options else labels.get(picked or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSpec:
    """One object of our own, which only we write. `number` is Salesforce's pattern of its rows' names."""

    key: str
    salesforce: str
    hubspot: str
    label: str
    plural: str
    number: str
    help: str
    fields: Mapping[str, FieldSpec]  # by key; the one called `key` tells a row from all others


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionSpec:
    """One permission set of Salesforce: keys of the fields that it shows, and of those that it lets edit.

    `objects` are those of our own that it opens, with all their fields: read or write."""

    name: str
    label: str
    description: str
    read: tuple[str, ...]
    edit: tuple[str, ...]
    objects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpec:
    """One permission set group of Salesforce: the sets that a kind of person needs together."""

    name: str
    label: str
    description: str
    sets: tuple[str, ...]


@cache
def group_specs() -> Mapping[str, GroupSpec]:
    """Our permission set groups by name, in the order in which they appear in fields.toml."""
    return MappingProxyType(
        {
            name: GroupSpec(
                name=name,
                label=entry["label"],
                description=entry["description"],
                sets=tuple(entry["sets"]),
            )
            for name, entry in _contents()["permission_set_group"].items()
        }
    )


@cache
def permission_specs() -> Mapping[str, PermissionSpec]:
    """Our permission sets by name, in the order in which they appear in fields.toml."""
    return MappingProxyType(
        {
            name: PermissionSpec(
                name=name,
                label=entry["label"],
                description=entry["description"],
                read=_keys(entry["read"]),
                edit=_keys(entry["edit"]),
                objects=MappingProxyType(dict(entry.get("objects", {}))),
            )
            for name, entry in _contents()["permission_set"].items()
        }
    )


def _keys(named: Iterable[str]) -> tuple[str, ...]:
    """Keys of fields, an owner's name standing for all that are the owner's."""
    specs = field_specs()
    keys: list[str] = []
    for name in named:
        keys += [key for key, spec in specs.items() if name in {key, spec.owner}]
    return tuple(dict.fromkeys(keys))


@cache
def object_specs() -> Mapping[str, ObjectSpec]:
    """Our own objects by key, in the order in which they appear in fields.toml."""
    made = {}
    for key, entry in _contents()["object"].items():
        fields = {
            name: FieldSpec(
                key=name,
                object=key,
                owner="machine",
                options=MappingProxyType(dict(each.pop("options", {}))),
                **each,
            )
            for name, each in entry.pop("field").items()
        }
        made[key] = ObjectSpec(key=key, fields=MappingProxyType(fields), **entry)
    return MappingProxyType(made)


@cache
def field_specs() -> Mapping[str, FieldSpec]:
    """Our fields of the CRM's own objects by key, in the order in which they appear in fields.toml."""
    specs = {}
    for key, entry in _contents()["field"].items():
        options = MappingProxyType(dict(entry.pop("options", {})))
        specs[key] = FieldSpec(key=key, options=options, **entry)
    return MappingProxyType(specs)


def _contents() -> dict[str, Any]:
    """What fields.toml says."""
    return tomllib.loads(resources.files("connectors").joinpath("fields.toml").read_text(encoding="utf-8"))
