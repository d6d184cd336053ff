"""Records turned into the vendor's JSON by SQLite itself: one text a row, no Python in between.

Names come from the schema only; values never become part of the SQL text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.store import identifier


@dataclass(slots=True, kw_only=True)
class Selection:
    """The fields wanted of one record and of its parents, in order. Filled while a query is read."""

    sobject: SObject
    alias: str
    fields: dict[str, Field | Selection | str] = field(
        default_factory=dict
    )  # str: SQL of a polymorphic value
    parent_type: str | None = None  # SQL of the type's name where the parent is polymorphic


def _text(literal: str) -> str:
    """A constant as a SQL string."""
    return "'" + literal.replace("'", "''") + "'"


def value_json(alias: str, wanted: Field) -> str:
    """SQL that gives one cell as JSON."""
    column = f"{alias}.{identifier(wanted.name)}"
    if wanted.type == "boolean":
        return f"iif({column}, 'true', 'false')"
    return f"json_quote({column})"


def record_json(selection: Selection, base: str) -> str:
    """SQL that gives the record as a JSON object with `attributes`, or null without a parent.

    `base` is the API's address, such as /services/data/v68.0.
    """
    sobject, alias = selection.sobject, selection.alias
    if selection.parent_type is not None:
        return _polymorphic_json(selection)
    url = f"{base}/sobjects/{sobject.name}/"
    parts = [_text(f'{{"attributes":{{"type":"{sobject.name}","url":"{url}'), f"{alias}.Id", _text('"}')]
    for name, wanted in selection.fields.items():
        parts.append(_text(f',"{name}":'))
        if isinstance(wanted, Selection):
            there = wanted.parent_type or f"{wanted.alias}.Id"
            parts.append(f"iif({there} IS NULL, 'null', {record_json(wanted, base)})")
        elif isinstance(wanted, Field):
            parts.append(value_json(alias, wanted))
    parts.append("'}'")
    return " || ".join(parts)


def _polymorphic_json(selection: Selection) -> str:
    """A parent that may be of several types shows as a Name: Id, Name and Type only."""
    parts = ["""'{"attributes":{"type":"'""", str(selection.parent_type), """'"}'"""]
    for name, wanted in selection.fields.items():
        parts += [_text(f',"{name}":'), f"json_quote({wanted})"]
    return "(" + " || ".join([*parts, "'}'"]) + ")"


def columns_json(columns: Mapping[str, str]) -> str:
    """SQL that gives named SQL expressions as one JSON object of an AggregateResult."""
    parts = [_text('{"attributes":{"type":"AggregateResult"}')]
    for name, sql in columns.items():
        parts += [_text(f',"{name}":'), f"json_quote({sql})"]
    return " || ".join([*parts, "'}'"])
