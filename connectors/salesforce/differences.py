"""Whether a field that is there already can hold what we write."""

from __future__ import annotations

from connectors.crm import FieldSchema, FieldType
from connectors.fields import FieldSpec


def difference(spec: FieldSpec, held: FieldSchema) -> str:
    """How an existing field differs from our definition in a way that matters; empty if it does not."""
    values = lacking(spec, held)
    return misfit(spec, held) or (f"lacks the values {', '.join(values)}" if values else "")


def misfit(spec: FieldSpec, held: FieldSchema) -> str:
    """Why a field of this kind can't hold what we write, whatever values it lists; empty if it can."""
    wanted = FieldType(spec.type)
    if held.type is not wanted:
        return f"is {held.type}, ours is {wanted}"
    if spec.length is not None and (held.length or 0) < spec.length:
        return f"holds {held.length} characters, ours {spec.length}"
    if spec.precision is not None:
        ours = (spec.precision - (spec.scale or 0), spec.scale or 0)
        theirs = ((held.precision or 0) - (held.scale or 0), held.scale or 0)
        if theirs[0] < ours[0] or theirs[1] < ours[1]:
            return f"holds {theirs[0]} digits and {theirs[1]} decimals, ours {ours[0]} and {ours[1]}"
    return ""


def lacking(spec: FieldSpec, held: FieldSchema) -> list[str]:
    """The values that a picklist lacks and that it would refuse to take."""
    return [value for value in spec.options if value not in held.options] if held.restricted else []
