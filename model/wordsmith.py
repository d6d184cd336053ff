"""Numbers in plain words: values in their unit, and sentences with values in their places."""

from __future__ import annotations

import math
import re
from datetime import date

import pyarrow as pa

from model.features.families import CATALOGUE
from model.frame import has_column

_SLOT = re.compile(r"\{(\w+)(:size)?\}")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def write_value(value: float, unit: str) -> str:
    """The value as people read it: 0.96 share → "96 %", 12 days → "12 days", 1234.5 money → "1,235"."""
    match unit:
        case "share":
            return f"{100 * value:.0f} %"
        case "change":
            return f"{100 * value:+.0f} %".replace("-", "−")
        case "days" | "weeks" | "months":
            whole = round(value)
            return f"{whole} {unit[:-1] if whole == 1 else unit}"
        case "flag":
            return "yes" if value else "no"
        case "money" | "count":
            return f"{value:,.0f}"
        case _:
            return f"{value:.1f}".rstrip("0").rstrip(".")


def sentence(table: pa.Table, row: int, feature: str, text: str) -> str | None:
    """The text with every `{name}` filled from that row, then source table and as-of date.

    `{name:size}` is the value without its sign; "(s)" makes a plural unless the feature's own value is 1.
    None when a figure that it needs is unknown: a sentence is never said with a gap.
    """
    values = {}
    for name, size in dict.fromkeys(_SLOT.findall(text)):
        value = table[name][row].as_py() if has_column(table, name) else None
        if value is None or math.isnan(value):
            return None
        unit = CATALOGUE[name].unit
        # after "up" or "down" a sign would say it twice
        values[name + size] = (
            write_value(abs(value), unit).removeprefix("+") if size else write_value(value, unit)
        )
    own = table[feature][row].as_py() if has_column(table, feature) else None
    text = text.replace("(s)", "" if own is not None and round(own) == 1 else "s")
    as_of: date = table["as_of"][row].as_py()
    filled = _SLOT.sub(lambda slot: values[slot.group(1) + (slot.group(2) or "")], text)
    return f"{filled} ({CATALOGUE[feature].source}, {as_of.day} {_MONTHS[as_of.month - 1]})"
