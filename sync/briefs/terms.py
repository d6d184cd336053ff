"""What Claude may name in a brief, slot by slot: of what kind it is, and in which part it may stand.

A fact that may stand in prose is one whose meaning the words beside it can be held against (`cues` of the
lexicon). All others stand only as a reason, a sentence that our own code says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

USAGE, MET, MONEY, SIZE, RENEWAL = "usage", "met", "money", "size", "renewal"
GOAL, REASON, AGAINST = "goal", "reason", "against"
ACCOUNT, PRODUCT, PERSON, TITLE = "account", "product", "person", "title"

GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "seats": USAGE,
        "active_users": USAGE,
        "last_nps": USAGE,
        "users_growth_90": USAGE,
        "last_meeting": MET,
        "last_qbr": MET,
        "arr": MONEY,
        "overage": MONEY,
        "arr_low": SIZE,
        "arr_high": SIZE,
        "renewal": RENEWAL,
        "goal": GOAL,
    }
)
MEASURED: Final = frozenset({USAGE, MET, MONEY, SIZE, RENEWAL})
"""Groups whose facts are a number or a date."""
SAID: Final = frozenset({REASON, AGAINST})
"""Groups whose facts are sentences of our own code."""

ALLOWED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "opener": frozenset({USAGE, MET, REASON, ACCOUNT}),
        "proposal": frozenset({PRODUCT, SIZE, REASON}),
        "impact": frozenset({GOAL, MONEY, RENEWAL, PRODUCT, REASON}),
        "says": frozenset({PRODUCT}),
        "answer": frozenset({PRODUCT, USAGE, MONEY}),
        "ask": frozenset({PRODUCT}),
        "whom": frozenset({PERSON, TITLE}),
        "avoid": frozenset({AGAINST}),
    }
)
"""Which groups each part of a brief may name: no part may name two kinds of name, so none can be swapped."""
NOT_IN_CHECK_IN: Final = frozenset({MONEY, SIZE, RENEWAL, PRODUCT})
"""What a brief without a price ask passes over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One slot: its group, and the direction of its fact (up, down or none)."""

    name: str
    group: str
    direction: str = ""
    has_day: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one account's brief may name, and what it must not write out or repeat.

    `names` are those of the account, its people and the products; `untrusted` is free text that people wrote,
    none of whose words may come back; `no_price` holds where health is not green."""

    language: str
    slots: Mapping[str, Term]
    names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    untrusted: tuple[str, ...] = ()
    no_price: bool = False

    def in_part(self, part: str) -> tuple[Term, ...]:
        """The slots that this part may hold."""
        allowed = ALLOWED[part] - (NOT_IN_CHECK_IN if self.no_price else frozenset())
        return tuple(term for term in self.slots.values() if term.group in allowed)


def group_of(fact_id: str) -> str | None:
    """The group of a fact, or None for one that may not stand in prose."""
    stem, _, number = fact_id.rpartition("_")
    if number.isdecimal() and stem in SAID:
        return stem
    return GROUPS.get(fact_id)
