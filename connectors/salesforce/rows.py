"""A record on its way out: its JSON, or the refusal of the first value that must not leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.crm import RowOutcome, RowResult, Value
from connectors.salesforce.errors import row_fix
from connectors.salesforce.schema import Described
from connectors.salesforce.values import Json, UnfitValueError, encode, is_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record on its way out: `body` is None when a value was refused here."""

    key: str
    id: str | None
    body: Mapping[str, Json] | None
    refusal: RowResult | None = None


def row(
    key: str, record_id: str | None, values: Mapping[str, Value], here: Described, *, creating: bool
) -> Row:
    """The record's JSON, or the refusal of its first value that must not leave."""
    body: dict[str, Json] = {}
    try:
        if record_id is not None and not is_id(record_id):
            raise UnfitValueError("MALFORMED_ID", f"{record_id[:40]!r} is no record id")
        for name, value in values.items():
            field = here.schema.fields.get(name)
            if field is None:
                raise UnfitValueError("INVALID_FIELD", f"{here.schema.name} shows our user no field {name}")
            if field.calculated or not (field.createable if creating else field.updateable):
                raise UnfitValueError(
                    "INVALID_FIELD_FOR_INSERT_UPDATE", f"{name} can't be written by our user"
                )
            body[name] = encode(value, field)
    except UnfitValueError as error:
        refusal = RowResult(
            key=key,
            outcome=RowOutcome.REFUSED,
            id=record_id,
            vendor_code=error.code,
            message=str(error),
            fix=row_fix(error.code),
        )
        return Row(key=key, id=record_id, body=None, refusal=refusal)
    return Row(key=key, id=record_id, body=body)
