"""Property values as they travel: checked against the property's type and brought into HubSpot's text form.

Sources: "Properties API" (types and formats), "Property Validations Rules will be enforced for APIs and
Integrations" and "Enhanced Validations for Non-String Properties" in the developer changelog. Where the
vendor documents the rule but not the code's name (a value that is too long) the name is ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.sandbox.hubspot.errors import ValueProblem, refuse
from connectors.sandbox.hubspot.schema import Property

MAX_TEXT = 65_536  # "Properties API": characters of a text value
_NUMBER: Final = re.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(moment: datetime) -> str:
    """A moment as HubSpot writes it: UTC with milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read_moment(text: str) -> datetime | None:
    """The moment behind epoch milliseconds or an ISO text, or None."""
    try:
        if re.fullmatch(r"-?[0-9]{1,15}", text):
            return _EPOCH + timedelta(milliseconds=int(text))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class ValueRefusedError(Exception):
    """The value does not fit the property."""

    def __init__(self, problem: ValueProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _no(prop: Property, code: str, message: str) -> ValueRefusedError:
    return ValueRefusedError(ValueProblem(property=prop.name, code=code, message=message))


def as_text(name: str, value: object) -> str:
    """A JSON value as text; HubSpot takes scalars only and reads numbers and booleans as their text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return repr(value) if not (isinstance(value, float) and value.is_integer()) else str(int(value))
    kind = "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"
    message = f"Invalid input JSON: Cannot deserialize value of type `java.lang.String` from {kind} at {name}"
    raise refuse(message)


def stored(prop: Property, text: str, *, allowed: Collection[str] | None = None) -> str | None:
    """The value in the form in which it is kept, None for an emptied one. Raises ValueRefusedError.

    `allowed` are the values of an enumeration whose options live elsewhere (owners, stages)."""
    if text == "":
        return None
    if prop.type != "string" and text != text.strip():
        message = f'"{text}" includes leading or trailing whitespace.'
        raise _no(prop, "LEADING_TRAILING_WHITESPACE", message)
    if prop.type == "enumeration":
        return _options(prop, text, allowed)
    return _FORMS.get(prop.type, _string)(prop, text)


def _string(prop: Property, text: str) -> str:
    if len(text) > MAX_TEXT:
        message = f"Property value was too long. The maximum length is {MAX_TEXT} characters."
        raise _no(prop, "PROPERTY_VALUE_TOO_LONG", message)
    return text.lower() if prop.identity else text


def _number(prop: Property, text: str) -> str:
    if not _NUMBER.match(text) or not math.isfinite(float(text)):
        raise _no(prop, "INVALID_INTEGER", f"{text} was not a valid number.")
    return text


def _moment(prop: Property, text: str) -> datetime:
    found = read_moment(text)
    if found is None:
        raise _no(prop, "INVALID_LONG", f"{text} was not a valid long.")
    return found


def _date(prop: Property, text: str) -> str:
    """A day; "Properties API": midnight UTC, as epoch milliseconds or as YYYY-MM-DD."""
    found = _moment(prop, text)
    if not _DAY.match(text) and (found.hour, found.minute, found.second, found.microsecond) != (0, 0, 0, 0):
        at = f"{found.hour}:{found.minute}:{found.second}.{found.microsecond // 1000} UTC"
        raise _no(prop, "INVALID_DATE", f"{text} is at {at}, not midnight!")
    return found.date().isoformat()


def _options(prop: Property, text: str, allowed: Collection[str] | None) -> str:
    values = [value for value, _ in prop.options] if allowed is None else list(allowed)
    chosen = [part for part in text.split(";") if part] if prop.multiple else [text]
    for choice in chosen:
        if choice not in values:
            listed = ", ".join(values[:50])
            raise _no(prop, "INVALID_OPTION", f"{choice} was not one of the allowed options: [{listed}]")
    return ";".join(chosen)


def _truth(prop: Property, text: str) -> str:
    return _options(prop, text.lower(), ("true", "false"))


def _datetime(prop: Property, text: str) -> str:
    return iso(_moment(prop, text))


_FORMS: Final[Mapping[str, Callable[[Property, str], str]]] = {
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "bool": _truth,
}
