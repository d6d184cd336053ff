"""Facts as words: each slot of a sentence is rendered here, with its number, unit and date.

Prose around the slots holds no digits of its own, so that every number in a brief comes from a fact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Final

from sync.briefs.facts import Evidence, Fact

PLURALS: Final[Mapping[str, tuple[str, str]]] = {
    "seats": ("seat", "seats"),
    "users": ("active user", "active users"),
}
NUMBER: Final = re.compile(r"\d[\d,.]*\d|\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Renders the facts of one account in the company's currency."""

    evidence: Evidence
    currency: str

    def fill(self, sentence: str) -> str | None:
        """The sentence with `{fact}` and `{fact.day}` filled in; None when a fact is missing.

        Raises ValueError when the prose around the slots holds a digit."""
        filled = []
        for prose, slot, _, _ in Formatter().parse(sentence):
            if NUMBER.search(prose):
                raise ValueError(f"a digit outside a slot: {prose!r}")
            filled.append(prose)
            if slot is None:
                continue
            text = self._slot(slot)
            if text is None:
                return None
            filled.append(text)
        return "".join(filled)

    def sayable(self, *sentences: str) -> str:
        """The first sentence whose facts are all known, still with its slots; empty where there is none."""
        return next((sentence for sentence in sentences if self.fill(sentence) is not None), "")

    def said(self, sentence: str) -> str:
        """The sentence with its slots filled in. Raises ValueError when a fact is missing."""
        text = self.fill(sentence)
        if text is None:
            raise ValueError(f"a fact is missing: {sentence!r}")
        return text

    def _slot(self, slot: str) -> str | None:
        name, _, part = slot.partition(".")
        fact = self.evidence.get(name)
        if fact is None:
            return None
        if part == "day":
            return None if fact.day is None else render_day(fact.day)
        return render(fact, self.currency)


def render(fact: Fact, currency: str) -> str:
    """The fact's value in words: `96 seats`, `USD 120,000`, `20 Nov 2026`."""
    value = fact.value
    if isinstance(value, date):
        return render_day(value)
    if isinstance(value, int | float):
        number = f"{value:,.0f}"
        if fact.unit == "money":
            return f"{currency} {number}"
        singular, plural = PLURALS.get(fact.unit, ("", ""))
        return f"{number} {singular if number == '1' else plural}".strip()
    return str(value)


def render_day(day: date) -> str:
    """A day as `20 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def numbers(text: str) -> set[str]:
    """Every number in a text, as written."""
    return set(NUMBER.findall(text))
