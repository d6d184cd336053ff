"""Every CRM field that Upswell owns or reads, loaded from fields.toml: the one source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field of ours. `owner` is machine (we write it) or person (we only read it)."""

    key: str
    object: str  # canonical table: accounts, or tasks for the marker on our tasks
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


@cache
def field_specs() -> Mapping[str, FieldSpec]:
    """Our fields by key, in the order in which they appear in fields.toml."""
    text = resources.files("connectors").joinpath("fields.toml").read_text(encoding="utf-8")
    specs = {}
    for key, entry in tomllib.loads(text)["field"].items():
        options = MappingProxyType(dict(entry.pop("options", {})))
        specs[key] = FieldSpec(key=key, options=options, **entry)
    return MappingProxyType(specs)
