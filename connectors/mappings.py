"""What the settings say about the CRM's fields: canonical columns in a company's own, ours under others.

A table may come from another object than its usual one, or from one at all where it is usually an export:
[mapping.usage] object = "Usage__c". Its columns are then those that the settings name, and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import CRM_TABLES, FROM_CRM, MAPPED_KINDS
from connectors.crm import FieldSchema, FieldType
from connectors.errors import SetupError
from connectors.page import MISFITS, word_for

OBJECT: Final = "object"
"""The key of [mapping.<table>] that names the CRM's object; no canonical column is called so."""

CONSTANT: Final = "="
"""What a mapped value begins with when it is no field: `metric = "=api_calls"` is that in every row."""

_NUMBERS: Final = frozenset({FieldType.NUMBER, FieldType.PERCENT, FieldType.CURRENCY})
_TIMES: Final = frozenset({FieldType.DATE, FieldType.DATETIME})
_AS_TEXT: Final = frozenset({FieldType.TEXT, FieldType.OTHER})  # read cell by cell: "120" is a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Mappings:
    """Canonical column -> the CRM's field by table, its object where it is not the usual one, and our own
    fields under other names."""

    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)  # table -> object
    account_external_id: str = ""
    own_fields: Mapping[str, str] = field(default_factory=dict)  # key of fields.toml -> RevOps' own field

    @classmethod
    def of(cls, mapping: Mapping[str, Mapping[str, str]], account_external_id: str) -> Mappings:
        """From the [mapping.*] settings; `fields` is the table of our own fields."""
        tables = {
            MAPPED_KINDS.get(name, name): dict(columns)
            for name, columns in mapping.items()
            if name != "fields" and columns
        }
        objects = {name: columns.pop(OBJECT) for name, columns in tables.items() if OBJECT in columns}
        return cls(
            tables=tables,
            objects=objects,
            account_external_id=account_external_id,
            own_fields=dict(mapping.get("fields", {})),
        )

    @property
    def delivered(self) -> Mapping[str, str]:
        """The tables that the CRM delivers, in the order in which they are read, with their objects' names
        where the settings name one."""
        usual = {table: self.objects.get(table, "") for table in CRM_TABLES}
        return usual | {
            table: self.objects[table] for table in MAPPED_KINDS.values() if table in self.objects
        }

    def columns(self, table: str) -> Mapping[str, str]:
        """The company's own fields of a table."""
        own = {name: path for name, path in self._told(table).items() if not path.startswith(CONSTANT)}
        if table == "accounts" and self.account_external_id:
            own.setdefault("external_id", self.account_external_id)
        return own

    def told(self, table: str) -> Mapping[str, str]:
        """What the settings say of each column: its field, or CONSTANT and what it is in every row."""
        return {**self._told(table), **self.columns(table)}

    def constants(self, table: str) -> Mapping[str, pa.Scalar]:
        """Columns that hold the same in every row. Raises SetupError for a text that is not of its kind."""
        found = {}
        for name, path in self._told(table).items():
            if path.startswith(CONSTANT):
                kind, said = FROM_CRM[table].field(name).type, path.removeprefix(CONSTANT)
                try:
                    found[name] = pa.scalar(said).cast(kind)
                except MISFITS:
                    raise SetupError(
                        f"{said!r} is no {word_for(kind)}.",
                        record=where(table, name),
                        fix="Correct what stands behind the equals sign, or name a field instead.",
                    ) from None
        return found

    def filled(self, table: str, arrays: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
        """The constant columns of a page, and when each row became known where a field tells it: the moment
        of its creation where the field is empty."""
        made = {name: pa.repeat(value, rows) for name, value in self.constants(table).items()}
        if "known_from" in self.columns(table):
            made["known_from"] = pc.coalesce(arrays["known_from"], arrays["created_at"])
        return made

    def checked(self, table: str, stamps: Collection[str]) -> Iterator[tuple[str, str, pa.DataType]]:
        """Each mapped column as the settings name it, its field, which the caller checks, and its type.

        Raises SetupError for a column that the table has not, or that is one of its own `stamps`."""
        schema = FROM_CRM[table]
        fixed = set(stamps) - ({"known_from"} if table in self.objects else set())
        for name in self._told(table):
            if name not in schema.names or name in fixed:
                free = ", ".join(known for known in schema.names if known not in fixed)
                raise SetupError(
                    "There is no such column to map.", record=where(table, name), fix=f"Use one of: {free}."
                )
        for name, path in self.columns(table).items():
            yield where(table, name), path, schema.field(name).type

    def _told(self, table: str) -> Mapping[str, str]:
        return self.tables.get(table, {})


def where(table: str, column: str) -> str:
    """The setting that maps a column."""
    return f"[mapping.{kind_of(table)}] {column}"


def kind_of(table: str) -> str:
    """The name by which the settings know a table: crm_usage is usage."""
    return next((kind for kind, held in MAPPED_KINDS.items() if held == table), table)


def fits(kind: pa.DataType, held: FieldSchema) -> bool:
    """Whether cells of such a field can be read as the column's type. Of text it shows when it is read."""
    if pa.types.is_string(kind):
        return True
    if held.type in _AS_TEXT:
        return True
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return held.type in _NUMBERS or (
            held.type is FieldType.PICKLIST and all(map(_is_number, held.options))
        )
    if pa.types.is_temporal(kind):
        return held.type in _TIMES
    return held.type is FieldType.CHECKBOX


def misfit_of(place: str, object_name: str, path: str, held: FieldSchema, kind: pa.DataType) -> SetupError:
    """The error for a field whose type no cell of the column can have."""
    return SetupError(
        f"{object_name}.{path} is {held.type.value.replace('_', ' ')}, which is no {word_for(kind)}.",
        record=place,
        fix="Map a field of a fitting type.",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
