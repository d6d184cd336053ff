"""Numbers in plain words: values in their unit, and sentences with values in their places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from model.days import calendar_date
from model.features.families import CATALOGUE, TABLE_OF
from model.frame import numbers
from model.shapes import FIGURE, REAL, TEXT

_SLOT = re.compile(r"\{(\w+)(:size)?\}")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# An as-of row knows whole days up to the eve of its date, and ages are counted from there.
_EVE: Final = 1


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


def write_day(day: date, seen_from: date) -> str:
    """The day as people say it: "20 Nov", with its year where it is not the year of `seen_from`."""
    words = f"{day.day} {_MONTHS[day.month - 1]}"
    return words if day.year == seen_from.year else f"{words} {day.year}"


def figures_of(text: str) -> tuple[str, ...]:
    """The features whose values a text needs."""
    return tuple(dict.fromkeys(name for name, _ in _SLOT.findall(text)))


def sentence(
    table: pa.Table, row: int, feature: str, text: str, through: Mapping[str, date] | None = None
) -> str | None:
    """What `sentences` says of one row; None when a figure that it needs is unknown.

    A sentence is never said with a gap."""
    if any(np.isnan(numbers(table.slice(row, 1), name)[0]) for name in figures_of(text)):
        return None
    return sentences(table, np.array([row]), feature, text, through)[0]


def sentences(
    table: pa.Table,
    rows: np.ndarray,
    feature: str,
    text: str,
    through: Mapping[str, date] | None = None,
    *,
    dated: str = "",
) -> list[str]:
    """The text for each of the rows with every `{name}` filled, then source table and the day of its data.

    `{name:size}` is the value without its sign; "(s)" makes a plural unless the feature's own value is 1.
    Every figure has to be known. The day is the one that `dated`, a feature of days since then, tells; else
    the newest day of which the feature's source table knows anything (`through`, by table); else the as-of
    date.
    """
    taken = table.select(_columns(table, feature, text, dated)).take(pa.array(rows))
    words = [_words(taken, name, size=bool(size)) for name, size in _slots(text)]
    places = {name + size: f"{{{place}}}" for place, (name, size) in enumerate(_slots(text))}
    filled = _SLOT.sub(lambda slot: places[slot.group(1) + (slot.group(2) or "")], text)
    one, many = filled.replace("(s)", ""), filled.replace("(s)", "s")
    days = _days(taken, feature, dated, through or {})
    source = CATALOGUE[feature].source.replace("_", " ")
    if one == many:
        return [f"{many.format(*each)} ({source}, {day})" for *each, day in zip(*words, days, strict=True)]
    singular = np.round(numbers(taken, feature)) == 1
    return [
        f"{(one if single else many).format(*each)} ({source}, {day})"
        for *each, single, day in zip(*words, singular.tolist(), days, strict=True)
    ]


def figures(
    table: pa.Table,
    rows: np.ndarray,
    feature: str,
    text: str,
    through: Mapping[str, date] | None = None,
    *,
    dated: str = "",
) -> pa.Table:
    """What the sentence of each row is made of, for whoever says it in another language.

    Columns: the speaking `feature`, `source` table, `day` (ISO), and the `values` named, list<FIGURE>."""
    count, named = len(rows), figures_of(text)
    taken = table.select(_columns(table, feature, text, dated)).take(pa.array(rows))
    days = _day_numbers(taken, feature, dated, through or {}).tolist()
    iso = {day: calendar_date(day).isoformat() for day in set(days)}
    values = np.column_stack([numbers(taken, name) for name in named]).ravel() if named else np.empty(0)
    parts = [
        pa.array(list(named) * count, TEXT),
        pa.array(values, REAL),
        pa.array([CATALOGUE[name].unit for name in named] * count, TEXT),
    ]
    offsets = np.arange(count + 1, dtype=np.int32) * len(named)
    told = pa.StructArray.from_arrays(parts, fields=list(FIGURE))
    return pa.table(
        {
            "feature": pa.array([feature] * count, TEXT),
            "source": pa.array([CATALOGUE[feature].source] * count, TEXT),
            "day": pa.array([iso[day] for day in days], TEXT),
            "values": pa.ListArray.from_arrays(pa.array(offsets), told),
        }
    )


def _slots(text: str) -> list[tuple[str, str]]:
    return list(dict.fromkeys(_SLOT.findall(text)))


def _columns(table: pa.Table, feature: str, text: str, dated: str) -> list[str]:
    wanted = dict.fromkeys((*figures_of(text), feature, dated, "as_of"))
    return [name for name in wanted if name in table.column_names]


def _words(table: pa.Table, name: str, *, size: bool) -> list[str]:
    values, unit = numbers(table, name), CATALOGUE[name].unit
    if size:
        # after "up" or "down" a sign would say it twice
        return [write_value(value, unit).removeprefix("+") for value in np.abs(values).tolist()]
    return [write_value(value, unit) for value in values.tolist()]


def _days(table: pa.Table, feature: str, dated: str, through: Mapping[str, date]) -> Sequence[str]:
    """The day of each row's sentence, in words."""
    as_of = table["as_of"].cast(pa.int32()).to_numpy()
    days = _day_numbers(table, feature, dated, through)
    known: dict[tuple[int, int], str] = {}
    for pair in set(zip(days.tolist(), as_of.tolist(), strict=True)):
        known[pair] = write_day(calendar_date(pair[0]), calendar_date(pair[1]))
    return [known[pair] for pair in zip(days.tolist(), as_of.tolist(), strict=True)]


def _day_numbers(table: pa.Table, feature: str, dated: str, through: Mapping[str, date]) -> np.ndarray:
    as_of: np.ndarray = table["as_of"].cast(pa.int32()).to_numpy()
    told = through.get(TABLE_OF[feature])
    if dated:
        return as_of - _EVE - numbers(table, dated).astype(np.int64)
    if told is not None:
        return np.full(as_of.size, (told - date(1970, 1, 1)).days)
    return as_of
