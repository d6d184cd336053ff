"""What the model says of an account, as facts: its value range, its reasons, and the figures they name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from sync.briefs.facts import Fact, Unit

UNIT_OF: Final[Mapping[str, Unit]] = MappingProxyType(
    {
        "share": "percent",
        "change": "percent",
        "ratio": "points",
        "count": "count",
        "days": "days",
        "weeks": "weeks",
        "months": "months",
        "money": "money",
        "points": "points",
        "flag": "count",
    }
)
"""The unit of a fact, by the unit of the feature that it tells."""


def scored(row: Mapping[str, Any], as_of: date) -> Iterator[Fact]:
    """The facts of a score; a figure bears the name of its feature, a reason its side and place."""
    for name in ("arr_low", "arr_high"):
        if row[name] is not None and math.isfinite(row[name]):
            yield Fact(id=name, value=row[name], unit="money", source="model", day=as_of)
    for group, direction in (("reasons", "up"), ("against", "down")):
        for position, reason in enumerate(row[group] or (), start=1):
            fact = _reason(reason, position, direction, as_of)
            yield from (figure for figure in fact.figures if _speaks_alone(figure, fact))
            yield fact


def _speaks_alone(figure: Fact, reason: Fact) -> bool:
    """Whether a figure of a reason means the same outside it.

    "In 0 days" is none to speak of; 40 % of a limit, which speaks against, would be taken for pressure."""
    is_nothing = not round(float(str(figure.value)), 3)
    return not is_nothing and (reason.direction == "up" or bool(figure.direction))


def _reason(reason: Mapping[str, Any], position: int, direction: str, as_of: date) -> Fact:
    told = reason.get("day")
    day = as_of if told is None else date.fromisoformat(told)
    source = reason.get("source") or "model"
    return Fact(
        id=f"{'reason' if direction == 'up' else 'against'}_{position}",
        value=reason["sentence"],
        unit="sentence",
        source=source,
        day=day,
        direction=direction,
        code=reason.get("code") or "",
        feature=reason.get("feature") or "",
        figures=tuple(_figures(reason.get("values") or (), source, day)),
    )


def _figures(values: Iterable[Mapping[str, Any]], source: str, day: date) -> Iterator[Fact]:
    for each in values:
        value, unit = each["value"], UNIT_OF.get(each["unit"])
        if value is None or unit is None:
            continue
        change = "" if each["unit"] != "change" or value == 0 else "up" if value > 0 else "down"
        fact = Fact(id=each["name"], value=value, unit=unit, source=source, day=day, direction=change)
        if fact.is_finite:
            yield fact
