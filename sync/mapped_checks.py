"""Checks of what [mapping.*] names in the CRM: objects, fields, and whether a field can fill its column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from connectors.canonical import FROM_CRM
from connectors.crm import Crm, FieldSchema, FieldType, ObjectSchema
from connectors.errors import SetupError, UpswellError
from connectors.mappings import Mappings, fits, kind_of
from sync.check import Check, fault, fault_of, fine, note
from sync.settings import Settings

_NUMBERS: Final = frozenset({FieldType.NUMBER, FieldType.CURRENCY, FieldType.PERCENT})


def check_mapped(crm: Crm, settings: Settings) -> Iterator[Check]:
    """Whether each object and field is visible and of a type that its column can take."""
    mappings = Mappings.of(settings.mapping, settings.crm.account_external_id)
    own_id = ("accounts",) if settings.crm.account_external_id else ()
    for table in dict.fromkeys((*mappings.tables, *own_id)):
        kind = kind_of(table)
        try:
            described = crm.describe(crm.object_name(table))
        except UpswellError as error:
            yield fault_of("Mapping", kind, error)
            continue
        if table in mappings.objects:
            yield fine("Mapping", kind, f"{described.name} delivers it")
        try:
            mappings.constants(table)
        except SetupError as error:
            yield fault_of("Mapping", kind, error)
        for column, path in mappings.columns(table).items():
            yield _mapped(f"{kind}.{column}", FROM_CRM[table].field(column), path, described)


def _mapped(name: str, column: pa.Field, path: str, described: ObjectSchema) -> Check:
    where, field = f"{described.name}.{path}", described.fields.get(path)
    if "." in path:  # over a relationship or an association: the pull checks it against what it leads to
        return fine("Mapping", name, f"{where}, checked by the pull")
    if field is None:
        return fault(
            "Mapping",
            name,
            f"{described.name} has no field {path}, or does not show it to our user",
            "Correct the mapping, restore the field, or grant it by a permission set.",
        )
    if not fits(column.type, field):
        return fault(
            "Mapping",
            name,
            f"{where} is {field.type}, which can't hold what the column needs",
            "Map a field of a fitting type.",
        )
    if not _surely_fits(column, field):
        return note(
            "Mapping",
            name,
            f"{where} is {field.type}, which may not hold what the column needs",
            "Map a field of a fitting type, or make sure that every value can be read as one.",
        )
    return fine("Mapping", name, f"{where} ({field.type})")


def _surely_fits(column: pa.Field, field: FieldSchema) -> bool:
    """Whether every value of such a field can be read as the column's type; any can be read as text."""
    kind = column.type
    if pa.types.is_string(kind):
        return True
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):  # a month is often a picklist of numbers
        return field.type in _NUMBERS or (field.type is FieldType.PICKLIST and bool(field.options))
    if pa.types.is_temporal(kind):
        return field.type in {FieldType.DATE, FieldType.DATETIME}
    return field.type is FieldType.CHECKBOX
