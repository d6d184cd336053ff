"""Facts as words: each slot of a sentence is rendered here, with its number, unit and date.

Prose around the slots holds no digits of its own, so that every number in a brief comes from a fact.

`{seats}` is the fact, `{seats.day}` the day on which it held. After a colon stands how it is said: `up` and
`down` only where the fact has that direction, and then without sign; `if` says nothing, and only asks for the
fact; `short` is a reason inside a sentence; anything else names a form of the noun, such as a case.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from string import Formatter
from typing import Final

from sync.briefs.facts import Evidence, Fact
from sync.briefs.languages import Language, Tiers
from sync.briefs.said import say_reason
from sync.briefs.values import say_day, say_value

NUMBER: Final = re.compile(r"\d[\d,.\s’]*\d|\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Renders the facts of one account in a language, with money in a currency."""

    evidence: Evidence
    language: Language
    currency: str

    def fill(self, sentence: str) -> str | None:
        """The sentence with its slots filled in; None when a fact is missing.

        Raises ValueError when the prose around the slots holds a digit."""
        filled: list[str] = []
        for prose, slot, form, _ in Formatter().parse(sentence):
            if NUMBER.search(prose):
                raise ValueError(f"a digit outside a slot: {prose!r}")
            # the full stop of an abbreviation is the sentence's too
            stopped = bool(filled) and filled[-1].endswith(".")
            filled.append(prose[1:] if stopped and prose.startswith(".") else prose)
            if slot is None:
                continue
            text = self._slot(slot, form or "")
            if text is None:
                return None
            filled.append(text)
        return "".join(filled).strip()

    def said(self, sentence: str) -> str:
        """The sentence with its slots filled in. Raises ValueError when a fact is missing."""
        text = self.fill(sentence)
        if text is None:
            raise ValueError(f"a fact is missing: {sentence!r}")
        return text

    def sayable(self, sentences: Iterable[str]) -> list[str]:
        """Those sentences whose facts are all known, still with their slots."""
        return [sentence for sentence in sentences if self.fill(sentence) is not None]

    def choose(self, tiers: Tiers, chance: str) -> str:
        """One sentence of the first tier with any whose facts are all known; empty where there is none.

        The same `chance`, such as an account's id, always takes the same of the same sentences."""
        for tier in tiers:
            if found := self.sayable(tier):
                return found[pick(chance, len(found))]
        return ""

    def _slot(self, slot: str, form: str) -> str | None:
        name, _, part = slot.partition(".")
        fact = self.evidence.get(name)
        if fact is None or (form in ("up", "down") and fact.direction != form):
            return None
        if part == "day":
            return None if fact.day is None else say_day(fact.day, self.language)
        if form == "if":
            return ""
        if fact.unit == "sentence":
            return say_reason(fact, self.language, self.currency, short=form == "short") or None
        if form in ("up", "down", "size"):
            return say_value(fact, self.language, self.currency, size=True)
        return say_value(fact, self.language, self.currency, form=form)


def slots_of(sentence: str) -> frozenset[str]:
    """The ids of the facts that a sentence names."""
    return frozenset(slot.partition(".")[0] for _, slot, _, _ in Formatter().parse(sentence) if slot)


def pick(chance: str, count: int) -> int:
    """A number below `count`, always the same for the same text and otherwise by chance."""
    return int.from_bytes(hashlib.sha256(chance.encode()).digest()[:8], "big") % count


def say_fact(fact: Fact, language: Language, currency: str) -> str:
    """The fact alone in words, as a table of evidence shows it."""
    if fact.unit == "sentence":
        return say_reason(fact, language, currency)
    return say_value(fact, language, currency)


def numbers(text: str) -> set[str]:
    """Every number in a text, as written."""
    return set(NUMBER.findall(text))
