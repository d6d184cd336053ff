"""The views of accounts that people work from, loaded from views.toml: the one source for both CRMs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from connectors.fields import FieldSpec, field_specs


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """One thing that is true of every account in a view.

    `test` is `is` (any of the `options`), `has` (one of several), `above` (`number`), `within` and `before`
    (so many days up to now, and longer ago), or `empty`."""

    field: FieldSpec
    test: str
    options: tuple[str, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """One view: its names in the CRMs, what people see of each account, and which accounts."""

    key: str
    salesforce: str
    hubspot: str
    label: str
    is_own: bool  # only the accounts of who looks
    columns: tuple[FieldSpec, ...]
    where: tuple[Where, ...]


@cache
def view_specs() -> Mapping[str, ViewSpec]:
    """Our views by key, in the order in which they appear in views.toml."""
    text = resources.files("connectors").joinpath("views.toml").read_text(encoding="utf-8")
    specs = field_specs()
    return MappingProxyType(
        {
            key: ViewSpec(
                key=key,
                salesforce=entry["salesforce"],
                hubspot=entry["hubspot"],
                label=entry["label"],
                is_own=entry["of"] == "own",
                columns=tuple(specs[name] for name in entry["columns"]),
                where=tuple(_where(line) for line in entry["where"]),
            )
            for key, entry in tomllib.loads(text)["view"].items()
        }
    )


def _where(line: Mapping[str, Any]) -> Where:
    spec = field_specs()[line["field"]]
    ((test, told),) = ((name, value) for name, value in line.items() if name != "field")
    if test in {"is", "has"}:
        options = (told,) if isinstance(told, str) else tuple(told)
        return Where(field=spec, test=test, options=options)
    return Where(field=spec, test=test, number=int(told))
