"""From a JSON value to the cell that the org keeps, or the vendor's reason why not.

Sources: "Primitive Data Types" and "Field Types", Object Reference for the Salesforce Platform; codes from
"StatusCode", SOAP API Developer Guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from urllib.parse import urlsplit

from connectors.sandbox.salesforce.errors import RowError
from connectors.sandbox.salesforce.ids import normal_id
from connectors.sandbox.salesforce.schema import Field
from connectors.sandbox.store import Cell, stamp

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_FIRST_YEAR, _LAST_YEAR = 1700, 4000  # "Date and Time Fields": valid dates


class CellError(Exception):
    """A value that the field refuses."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error.message)
        self.error = error


def _json_name(value: object) -> str:
    match value:
        case bool():
            return "VALUE_TRUE" if value else "VALUE_FALSE"
        case int():
            return "VALUE_NUMBER_INT"
        case float():
            return "VALUE_NUMBER_FLOAT"
        case list():
            return "START_ARRAY"
        case dict():
            return "START_OBJECT"
    return "VALUE_STRING"


def _wrong_type(wanted: str, value: object) -> CellError:
    # Jackson's wording, which the vendor passes on
    shown = "" if isinstance(value, list | dict) else f" value {value}"
    message = (
        f"Cannot deserialize instance of {wanted} from {_json_name(value)}{shown}"
        " or request may be missing a required field at [line:1, column:1]"
    )
    return CellError(RowError(code="JSON_PARSER_ERROR", message=message))


def _refused(code: str, message: str, field: Field) -> CellError:
    return CellError(RowError(code=code, message=message, fields=(field.name,)))


def _text(field: Field, value: object) -> Cell:
    if not isinstance(value, str):
        raise _wrong_type("string", value)
    text = value if field.type == "textarea" else value.strip()
    if not text.strip():
        return None  # the org keeps no empty text
    if field.length and len(text) > field.length:
        shown = text if len(text) <= 255 else text[:255]
        raise _refused(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {shown} (max length={field.length})",
            field,
        )
    if field.type == "email" and not _EMAIL.match(text):
        raise _refused("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", field)
    if field.type == "url" and not urlsplit(text).path and not urlsplit(text).netloc:
        raise _refused("INVALID_FIELD", f"{field.label}: invalid URL: {text}", field)
    return text


def _picklist(field: Field, value: object) -> Cell:
    text = _text(field, value)
    if text is None:
        return None
    chosen = str(text).split(";") if field.type == "multipicklist" else [str(text)]
    if field.restricted:
        known = {option.lower(): option for option in field.values}
        bad = [option for option in chosen if option.lower() not in known]
        if bad:
            raise _refused(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                f"{field.label}: bad value for restricted picklist field: {';'.join(bad)}",
                field,
            )
        chosen = [known[option.lower()] for option in chosen]
    elif any(len(option) > 255 for option in chosen):
        raise _refused(
            "STRING_TOO_LONG", f"{field.label}: data value too large: {text} (max length=255)", field
        )
    return ";".join(chosen)


def _number(field: Field, value: object) -> Cell:
    wanted = "int" if field.type == "int" else "double"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong_type(wanted, value)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _wrong_type(wanted, value) from None
    if not number.is_finite() or (field.type == "int" and number != number.to_integral_value()):
        raise _wrong_type(wanted, value)
    whole_digits = field.digits if field.type == "int" else field.precision - field.scale
    if abs(number) >= Decimal(10) ** whole_digits:
        raise _refused(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            field,
        )
    if field.type == "int":
        return int(number)
    return float(number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP))


def _boolean(_field: Field, value: object) -> Cell:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return int(value.lower() == "true")
    raise _wrong_type("boolean", value)


def _date(_field: Field, value: object) -> Cell:
    if not isinstance(value, str):
        raise _wrong_type("date", value)
    if not value:
        return None
    try:
        day = date.fromisoformat(value[:10]) if _DATE.match(value) else None
    except ValueError:
        day = None
    if (
        day is None
        or (len(value) > 10 and not _DATETIME.match(value))
        or not _FIRST_YEAR <= day.year <= _LAST_YEAR
    ):
        raise _wrong_type("date", value)
    return day.isoformat()


def _datetime(_field: Field, value: object) -> Cell:
    if not isinstance(value, str):
        raise _wrong_type("datetime", value)
    if not value:
        return None
    try:
        when = datetime.fromisoformat(value) if _DATETIME.match(value) else None
    except ValueError:
        when = None
    if when is None or not _FIRST_YEAR <= when.year <= _LAST_YEAR:
        raise _wrong_type("datetime", value)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return stamp(when.replace(microsecond=0))


def _reference(field: Field, value: object) -> Cell:
    if not isinstance(value, str):
        raise _wrong_type("reference", value)
    if not value:
        return None
    full = normal_id(value)
    if full is None:
        raise _refused("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field)
    return full


_BY_TYPE: Mapping[str, Callable[[Field, object], Cell]] = {
    "picklist": _picklist,
    "multipicklist": _picklist,
    "int": _number,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
}


def cell(field: Field, value: object) -> Cell:
    """The cell that the org keeps for a JSON value. Raises CellError with the vendor's reason."""
    if value is None:
        if field.type == "boolean":
            raise _refused(
                "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: null", field
            )
        return None
    return _BY_TYPE.get(field.type, _text)(field, value)
