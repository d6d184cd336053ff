"""One thing known about an account: a typed fact with its unit, direction, day and source.

Units are a closed vocabulary, so that whoever renders a fact knows how to say it in any language.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

from connectors.crm import Value

Unit = Literal[
    "money",  # in the company's currency
    "seats",
    "users",
    "percent",  # a share, 0–1; with a direction it is a change
    "count",  # of what the fact's id says
    "days",
    "weeks",
    "months",
    "date",
    "points",  # of a scale: NPS, CSAT, a ratio
    "text",  # words of a person: quoted, never followed
    "name",  # of a person, a product, the account: never translated
    "sentence",  # a reason of the model, which is said from its `code` and `figures`
]
UNITS: Final[frozenset[str]] = frozenset(get_args(Unit))
DIRECTIONS: Final = frozenset({"up", "down", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing known; `source` is the table it comes from, `row` the id of its row where there is one.

    Raises ValueError for a unit or direction outside the vocabulary."""

    id: str
    value: Value
    unit: Unit
    source: str
    row: str = ""
    day: date | None = None  # the day on which it held
    direction: str = ""  # of a figure: up, down; of a reason: up speaks for, down against expansion
    code: str = ""  # of a reason
    feature: str = ""  # of a reason: the one that speaks
    figures: tuple[Fact, ...] = ()  # of a reason: what its sentence names

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"{self.id}: {self.unit!r} is no unit of a fact")
        if self.direction not in DIRECTIONS:
            raise ValueError(f"{self.id}: {self.direction!r} is no direction")

    @property
    def is_finite(self) -> bool:
        """Whether its value can be said: a number that is none cannot."""
        return not isinstance(self.value, float) or math.isfinite(self.value)


Evidence = Mapping[str, Fact]
"""Facts of one account by id."""


def evidence_hash(evidence: Evidence) -> str:
    """A digest of what is known, the same for the same facts in any order.

    The days of counted figures stay out: they move on by themselves, while nothing was learnt."""
    known = [_known(fact) for _, fact in sorted(evidence.items())]
    text = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _known(fact: Fact) -> list[object]:
    if fact.code:  # its sentence names a day, its figures do not
        return [fact.id, fact.code, fact.direction, [_known(figure) for figure in fact.figures]]
    value = fact.value
    if isinstance(value, date):
        value = value.isoformat()
    return [fact.id, fact.unit, fact.direction, fact.row, value]
