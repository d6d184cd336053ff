"""A record of ours as each vendor's own components are given it: by the vendor's names, as on the wire."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from connectors.crm import FieldSchema, FieldType, Value
from connectors.fields import FieldSpec, field_specs, permission_specs

KINDS: Final = ("salesforce", "hubspot")


def shown(kind: str, values: Mapping[str, Value], keys: Iterable[str]) -> dict[str, Any]:
    """Our fields of these keys by the vendor's names, with values as its API gives them; None where empty."""
    specs = field_specs()
    return {getattr(specs[key], kind): _wire(kind, values.get(key), specs[key]) for key in keys}


def _wire(kind: str, value: Value, spec: FieldSpec) -> Any:
    """The value as the vendor gives it; of a picklist it is our word, as `upswell install` defines it."""
    if value is None:
        return None
    if kind == "salesforce":
        from connectors.salesforce.values import encode

        return encode(value, definition(spec, kind))
    from connectors.hubspot.schema import Choices
    from connectors.hubspot.values import encode as as_property

    words = {option: option for option in spec.options}
    return as_property(value, definition(spec, kind), Choices(label_of=words, value_of=words))


def definition(spec: FieldSpec, kind: str) -> FieldSchema:
    """The field as `upswell install` defines it."""
    return FieldSchema(
        name=getattr(spec, kind),
        label=spec.label,
        type=FieldType(spec.type),
        length=spec.length,
        precision=spec.precision,
        scale=spec.scale,
        options=tuple(spec.options),
        restricted=bool(spec.options),
        createable=True,
        updateable=True,
        help=spec.help,
    )


def readable(sets: Collection[str]) -> tuple[str, ...]:
    """Our keys of the account fields that a person with these permission sets sees."""
    given = [each for name, each in permission_specs().items() if name in sets]
    seen = {key for each in given for key in (*each.read, *each.edit)}
    return tuple(key for key, spec in field_specs().items() if key in seen and spec.object == "accounts")


def editable(sets: Collection[str]) -> tuple[str, ...]:
    """Our keys of the account fields that a person with these permission sets may fill in."""
    given = {key for name, each in permission_specs().items() if name in sets for key in each.edit}
    return tuple(key for key, spec in field_specs().items() if key in given and spec.object == "accounts")
