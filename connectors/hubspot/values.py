"""Cells between Python and HubSpot's strings, by the property's described type.

A value that the property can't hold is refused here, before anything is sent; what passes comes back
from HubSpot as the same value, so that a read-back can be compared. A percent property holds a
fraction, as we do: 0.5 is shown as 50 %.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.crm import FieldSchema, FieldType, Value
from connectors.hubspot.blanks import trimmed
from connectors.hubspot.schema import Choices

_FREE: Final = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.OTHER, FieldType.REFERENCE})
_ID: Final = re.compile(r"[0-9]{1,18}")
_WHOLE: Final = re.compile(r"-?[0-9]+")
_NUMERIC: Final = frozenset({FieldType.NUMBER, FieldType.PERCENT, FieldType.CURRENCY})
_DATE_CHARACTERS: Final = 10
_EXACT: Final = 2**53  # a larger whole number was a float once


class UnfitValueError(ValueError):
    """The property can't hold the value; `code` is what HubSpot itself would answer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def encode(value: Value, field: FieldSchema, choices: Choices | None = None) -> str:  # noqa: PLR0911  # a case each
    """The value as HubSpot takes it; an empty string clears the cell. Raises UnfitValueError."""
    if value is None:
        return "false" if field.type is FieldType.CHECKBOX else ""
    if field.type in _NUMERIC:
        return _number(value, field)
    if field.type is FieldType.CHECKBOX:
        if not isinstance(value, bool):
            raise UnfitValueError("INVALID_BOOLEAN", f"{field.name} takes yes or no, not {value!r}")
        return "true" if value else "false"
    if field.type is FieldType.DATETIME:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise UnfitValueError("INVALID_DATE", f"{field.name} takes a time with its zone, not {value!r}")
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if field.type is FieldType.DATE:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise UnfitValueError("INVALID_DATE", f"{field.name} takes a date, not {value!r}")
        return value.isoformat()  # HubSpot keeps it as midnight UTC
    if field.type is FieldType.MULTI_PICKLIST:
        if not isinstance(value, tuple):
            raise UnfitValueError("INVALID_OPTION", f"{field.name} takes several choices, not {value!r}")
        return ";".join(_choice(one, field, choices) for one in value)
    if not isinstance(value, str):
        raise UnfitValueError("INVALID_STRING", f"{field.name} takes text, not {value!r}")
    if field.type is FieldType.PICKLIST:
        return _choice(value, field, choices)
    return _text(value, field)


def decode(value: Any, field: FieldSchema, choices: Choices | None = None) -> Value:
    """A cell of a reply as Python sees it; an empty text is None, a choice is its label.

    A cell that is none of its property's kind, as one from before the property was retyped, is its text."""
    if value is None or value == "":
        return None
    try:
        return _decoded(str(value), field, choices)
    except (ValueError, OverflowError, OSError):
        return str(value)


def _decoded(cell: str, field: FieldSchema, choices: Choices | None) -> Value:  # noqa: PLR0911  # likewise
    """The cell by its property's kind. Raises ValueError, OverflowError or OSError for another kind's."""
    if field.type in _FREE:
        return cell
    text = trimmed(cell)
    if field.type in _NUMERIC:
        whole = _WHOLE.fullmatch(text) is not None and abs(int(text)) <= _EXACT
        number = int(text) if whole else float(text)
        if not math.isfinite(number):
            raise ValueError(f"{text} is no number")
        return number
    if field.type is FieldType.CHECKBOX:
        return text.lower() == "true"
    if field.type is FieldType.DATETIME:
        return parse_time(text)
    if field.type is FieldType.DATE:
        return parse_time(text).date()
    if field.type is FieldType.MULTI_PICKLIST:
        return tuple(_label(one, choices) for one in text.split(";") if one)
    return _label(cell, choices)


def _label(value: str, choices: Choices | None) -> str:
    return trimmed(value) if choices is None else choices.label(value)


def is_id(text: str) -> bool:
    """Whether it can be a record's id: a number."""
    return _ID.fullmatch(text) is not None


def parse_time(text: str) -> datetime:
    """HubSpot's 2026-11-02T09:00:00.000Z, 2026-11-02, or milliseconds since 1970, in UTC."""
    if _WHOLE.fullmatch(text) is not None:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if len(text) == _DATE_CHARACTERS:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    return datetime.fromisoformat(text).astimezone(UTC)


def millis(moment: datetime) -> str:
    """A moment as HubSpot's search filters take it."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in a window")
    return str(round(moment.timestamp() * 1000))


def _number(value: Value, field: FieldSchema) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnfitValueError("INVALID_NUMBER", f"{field.name} takes a number, not {value!r}")
    if not math.isfinite(value):
        raise UnfitValueError("INVALID_NUMBER", f"{value} is no number that {field.name} can hold")
    plain = format(Decimal(repr(value)), "f")  # never 1e-05
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _text(value: str, field: FieldSchema) -> str:
    try:
        length = len(value.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise UnfitValueError("INVALID_STRING", f"{field.name}: the text holds half a character") from None
    if field.length is not None and length > field.length:
        raise UnfitValueError(
            "PROPERTY_TOO_LONG", f"{field.name} holds {field.length} characters, the text has {length}"
        )
    return value


def _choice(said: str, field: FieldSchema, choices: Choices | None) -> str:
    value = choices.value(said) if choices is not None else None
    if value is None:
        raise UnfitValueError("INVALID_OPTION", f"{said!r} is no option of {field.name}")
    if field.type is FieldType.MULTI_PICKLIST and ";" in value:
        raise UnfitValueError("INVALID_OPTION", f"{said!r} holds a semicolon")
    return value
