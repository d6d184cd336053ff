"""Cells between Python and Salesforce's JSON, by the field's described type.

A value that the field can't hold is refused here, before anything is sent; what passes comes back
from Salesforce as the same value, so that a read-back can be compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from connectors.crm import FieldSchema, FieldType, Value

Json = str | float | int | bool | None

_ID: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


class UnfitValueError(ValueError):
    """The field can't hold the value; `code` is what Salesforce itself would answer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def encode(value: Value, field: FieldSchema) -> Json:
    """The value as Salesforce takes it; None clears the cell. Raises UnfitValueError."""
    if value is None:
        return False if field.type is FieldType.CHECKBOX else None
    return _ENCODERS.get(field.type, _text)(value, field)


def decode(value: Any, field: FieldSchema) -> Value:
    """A cell of a reply as Python sees it; an empty text is None.

    A cell that is none of its field's kind, as the field was retyped after it was described, is its text."""
    if value is None or value == "":
        return None
    try:
        return _DECODERS.get(field.type, _as_text)(value, field)
    except (ValueError, TypeError, OverflowError):
        return str(value)


def is_id(text: str) -> bool:
    """Whether it can be a record's id: 15 characters, or 18 with the checksum."""
    return _ID.fullmatch(text) is not None


def parse_time(value: Any) -> datetime:
    """Salesforce's 2026-11-02T09:00:00.000+0000 in UTC."""
    return datetime.fromisoformat(str(value)).astimezone(UTC)


def _checkbox(value: Value, field: FieldSchema) -> Json:
    if not isinstance(value, bool):
        raise UnfitValueError("INVALID_TYPE", f"{field.name} takes yes or no, not {value!r}")
    return value


def _datetime(value: Value, field: FieldSchema) -> Json:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise UnfitValueError("INVALID_TYPE", f"{field.name} takes a time with its zone, not {value!r}")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # Salesforce keeps whole seconds


def _date(value: Value, field: FieldSchema) -> Json:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise UnfitValueError("INVALID_TYPE", f"{field.name} takes a date, not {value!r}")
    return value.isoformat()


def _multi_picklist(value: Value, field: FieldSchema) -> Json:
    if not isinstance(value, tuple):
        raise UnfitValueError("INVALID_TYPE", f"{field.name} takes several choices, not {value!r}")
    return ";".join(_choice(one, field) for one in value) or None


def _number(value: Value, field: FieldSchema) -> Json:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnfitValueError("INVALID_TYPE", f"{field.name} takes a number, not {value!r}")
    if not math.isfinite(value):
        raise UnfitValueError(
            "NUMBER_OUTSIDE_VALID_RANGE", f"{value} is no number that {field.name} can hold"
        )
    scale = field.scale or 0
    amount = value * 100 if field.type is FieldType.PERCENT else value
    rounded = round(amount, scale) if isinstance(amount, float) else amount
    if field.precision is not None and abs(rounded) >= 10 ** (field.precision - scale):
        digits = field.precision - scale
        raise UnfitValueError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{rounded} has more than the {digits} digits before the point of {field.name}",
        )
    return int(rounded) if scale == 0 else rounded


def _decode_number(value: Any, field: FieldSchema) -> Value:
    number = float(value)
    scale = field.scale or 0
    if field.type is FieldType.PERCENT:
        return round(number / 100, scale + 2)
    return int(number) if scale == 0 and number.is_integer() else number


def _text(value: Value, field: FieldSchema) -> Json:
    if field.type is FieldType.OTHER:
        raise UnfitValueError("INVALID_FIELD_FOR_INSERT_UPDATE", f"{field.name} is of a kind we never write")
    if not isinstance(value, str):
        raise UnfitValueError("INVALID_TYPE", f"{field.name} takes text, not {value!r}")
    cell = value.strip()  # Salesforce strips it too
    if field.type is FieldType.REFERENCE and not is_id(cell):
        raise UnfitValueError("MALFORMED_ID", f"{field.name}: {cell[:40]!r} is no record id")
    if not cell:
        return None
    try:
        length = len(cell.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise UnfitValueError("JSON_PARSER_ERROR", f"{field.name}: the text holds half a character") from None
    if field.type is FieldType.PICKLIST:
        return _choice(cell, field)
    if field.length is not None and length > field.length:
        raise UnfitValueError(
            "STRING_TOO_LONG", f"{field.name} holds {field.length} characters, the text has {length}"
        )
    return cell


def _choice(value: str, field: FieldSchema) -> str:
    if field.restricted and value not in field.options:
        raise UnfitValueError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{value!r} is no value of {field.name}"
        )
    if field.type is FieldType.MULTI_PICKLIST and ";" in value:
        raise UnfitValueError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{value!r} holds a semicolon")
    return value


def _as_text(value: Any, field: FieldSchema) -> Value:  # noqa: ARG001  # one signature for all decoders
    return str(value)


_ENCODERS: Final[Mapping[FieldType, Callable[[Value, FieldSchema], Json]]] = {
    FieldType.NUMBER: _number,
    FieldType.PERCENT: _number,
    FieldType.CURRENCY: _number,
    FieldType.CHECKBOX: _checkbox,
    FieldType.DATETIME: _datetime,
    FieldType.DATE: _date,
    FieldType.MULTI_PICKLIST: _multi_picklist,
}
_DECODERS: Final[Mapping[FieldType, Callable[[Any, FieldSchema], Value]]] = {
    FieldType.NUMBER: _decode_number,
    FieldType.PERCENT: _decode_number,
    FieldType.CURRENCY: _decode_number,
    FieldType.CHECKBOX: lambda value, _: bool(value),
    FieldType.DATETIME: lambda value, _: parse_time(value),
    FieldType.DATE: lambda value, _: date.fromisoformat(str(value)),
    FieldType.MULTI_PICKLIST: lambda value, _: tuple(str(value).split(";")),
}
