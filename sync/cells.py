"""A cell's value as the CRM will hold it, so that comparing never finds a change that is none.

Both sides of a comparison go through `as_held`: numbers rounded to the field's scale, text trimmed and
cut at a whole character, timestamps to the second. Doing it twice is the same as doing it once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final
from unicodedata import category

from wcwidth import iter_graphemes

from connectors.crm import FieldSchema, FieldType, Value
from sync.store.storable import is_storable

ELLIPSIS: Final = "…"
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that begins like this once someone exports a report."""

WIDE: Final = Context(prec=400, rounding=ROUND_HALF_UP)
"""Digits enough for any float; quantize raises when the result needs more than the context has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a record, before and after; `key` is our name of the field, `name` the vendor's."""

    key: str
    name: str
    before: Value
    after: Value


def as_held(value: Value, schema: FieldSchema) -> Value:
    """The value as a field of this definition holds it; a non-finite number comes back as it is."""
    if schema.type is FieldType.CHECKBOX:
        return bool(value)  # a checkbox is never empty
    match value:
        case str():
            return _text(value, schema)
        case datetime():
            return value.astimezone(UTC).replace(microsecond=0)
        case tuple():
            return tuple(sorted({text for text in value if text})) or None
        case int() | float() if not isinstance(value, bool):
            return _number(value, schema)
        case _:
            return value


def same(left: Value, right: Value, schema: FieldSchema) -> bool:
    """Whether the field would hold the same for both."""
    return left == right or as_held(left, schema) == as_held(right, schema)


def cut(text: str, length: int) -> str:
    """The text in at most `length` UTF-16 units, ended by an ellipsis where cut, never inside a character.

    Both vendors count as Java and JavaScript do, where an emoji is two or more.
    """
    if units(text) <= length:
        return text
    kept, room = [], length - 1
    for grapheme in iter_graphemes(text):
        room -= units(grapheme)
        if room < 0:
            break
        kept.append(grapheme)
    return "".join(kept).rstrip() + ELLIPSIS


def begins_like_formula(value: Value) -> bool:
    """Whether a spreadsheet would take this text for a formula."""
    return isinstance(value, str) and value.startswith(FORMULA_STARTS)


def to_json(value: Value) -> dict[str, Any]:
    """The value as JSON that keeps its type: `{"date": "2026-11-20"}`.

    A text that no database holds is kept by its code points, since a rollback gives it back exactly; a number
    that JSON lacks by its name, so that the gateway can refuse it."""
    match value:
        case datetime():
            return {"time": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case tuple():
            return {"many": list(value)}
        case str() if not is_storable(value):
            return {"points": [ord(char) for char in value]}
        case float() if not math.isfinite(value):
            return {"number": repr(value)}
        case _:
            return {"value": value}


def from_json(held: dict[str, Any]) -> Value:
    """The value that `to_json` kept."""
    (kind, content), *_ = held.items()
    if kind == "value":  # first, and no pattern matching: a plan holds some ten thousand of these
        value: str | float | None = content
        return value
    match kind, content:
        case "time", str(text):
            return datetime.fromisoformat(text)
        case "date", str(text):
            return date.fromisoformat(text)
        case "many", list(items):
            return tuple(str(item) for item in items)
        case "points", list(points):
            return "".join(map(chr, points))
        case "number", str(text):
            return float(text)
    raise ValueError(f"not a kept cell value: {held!r}")


def cell_to_json(cell: Cell) -> dict[str, Any]:
    """The cell as JSON."""
    return {
        "key": cell.key,
        "name": cell.name,
        "before": to_json(cell.before),
        "after": to_json(cell.after),
    }


def cell_from_json(held: dict[str, Any]) -> Cell:
    """The cell that `cell_to_json` kept."""
    return Cell(
        key=held["key"],
        name=held["name"],
        before=from_json(held["before"]),
        after=from_json(held["after"]),
    )


def units(text: str) -> int:
    """The text's length as both vendors count it, in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _text(value: str, schema: FieldSchema) -> str | None:
    lines = value.splitlines() if schema.type is FieldType.LONG_TEXT else [value]
    text = "\n".join(_printable(line) for line in lines).strip()
    if not text:
        return None
    return text if schema.length is None else cut(text, schema.length)


def _printable(line: str) -> str:
    """The line without control characters, each run of white space being one space."""
    if not line.isprintable():
        line = "".join(char if category(char) != "Cc" else " " for char in line)
    return " ".join(line.split())


def _number(value: float, schema: FieldSchema) -> float | int:
    if not math.isfinite(value) or schema.scale is None:
        return value
    # a percent is 0–1 with us and 0–100 in the CRM, so it has two more digits here
    digits = schema.scale + (2 if schema.type is FieldType.PERCENT else 0)
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), context=WIDE)
    return int(rounded) if digits == 0 else float(rounded) + 0.0  # + 0.0 turns -0.0 into 0.0
