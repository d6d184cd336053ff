"""What a model is told of one account, and what it may name: names as aliases, free text without secrets.

The account, the product and the people stand in slots of their own; wherever free text names them, the alias
stands instead. The days on which figures were read are not told: they move on while nothing was learnt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sync.briefs.draft import BriefRequest
from sync.briefs.facts import Fact
from sync.briefs.languages import speak
from sync.briefs.private import scrub
from sync.briefs.quoting import gives_orders, is_free_text, is_quotable
from sync.briefs.slots import say_fact
from sync.briefs.terms import ACCOUNT, PERSON, PRODUCT, TITLE, Term, Terms, group_of

NAMES: Final = {"account": ACCOUNT, "product": PRODUCT, "contact": PERSON, "contact_title": TITLE}
NO_PRICE: Final = frozenset({"nurture", "retain"})
SHORTEST_NAME: Final = 3  # letters: a shorter part of a name would blot out words
LONGEST_TEXT: Final = 600  # characters of a note or ticket that are told


def terms_of(request: BriefRequest) -> Terms:
    """What the brief may name, and what it must not write out or repeat."""
    facts = request.facts
    slots: dict[str, Term] = {}
    for name, fact in facts.items():
        group = NAMES.get(name) or group_of(name)
        if group is None or (is_free_text(fact) and not is_quotable(str(fact.value))):
            continue
        slots[name] = Term(name=name, group=group, direction=fact.direction, has_day=fact.day is not None)
    return Terms(
        language=request.language,
        slots=slots,
        names=tuple(str(facts[name].value) for name in ("account", "product") if name in facts),
        people=_people(facts),
        untrusted=tuple(str(fact.value) for fact in facts.values() if is_free_text(fact)),
        no_price=request.template in NO_PRICE,
    )


def told_of(request: BriefRequest, terms: Terms) -> dict[str, Any]:
    """What the model is told of the account, as JSON: facts as they will read, free text apart.

    Text that reads like an order is not told at all."""
    facts = request.facts
    hidden = _Hidden(request)
    known = {
        name: _said(facts[name], request)
        for name in sorted(terms.slots)
        if facts[name].unit != "name" and not is_free_text(facts[name])
    }
    free = [
        {"source": fact.source, "text": hidden(str(fact.value))[:LONGEST_TEXT]}
        for _, fact in sorted(facts.items())
        if is_free_text(fact) and not gives_orders(str(fact.value))
    ]
    return {
        "language": request.language,
        "style": request.style,
        "play": request.play,
        "asks_for_a_price": not terms.no_price,
        "product_type": request.offer.type,
        "rules_of_the_company": {
            "do": [hidden(rule) for rule in request.do],
            "do_not": [hidden(rule) for rule in request.do_not],
        },
        "facts": known,
        "untrusted_customer_text": free,
    }


def _said(fact: Fact, request: BriefRequest) -> dict[str, Any]:
    """A fact as it will read, with its direction; a day that moves on by itself is left out."""
    said: dict[str, Any] = {"reads": say_fact(fact, speak(request.language), request.currency)}
    if fact.direction and fact.unit != "sentence":
        said["direction"] = fact.direction
    return said


def _people(facts: Mapping[str, Fact]) -> tuple[str, ...]:
    return tuple(str(facts[name].value) for name in ("contact",) if name in facts)


class _Hidden:
    """Free text with the known names as aliases, and without what must not leave."""

    def __init__(self, request: BriefRequest) -> None:
        facts = request.facts
        self._aliases: list[tuple[re.Pattern[str], str]] = []
        for number, name in enumerate(_people(facts), start=1):
            self._add(name, f"person_{number}")
            for part in name.split():
                self._add(part, f"person_{number}")
        self._add(request.account_name, "the account")
        if request.offer.product is not None:
            self._add(request.offer.product, "the product")

    def _add(self, name: str, alias: str) -> None:
        if len(name.strip()) >= SHORTEST_NAME:
            self._aliases.append((re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)", re.I), alias))

    def __call__(self, text: str) -> str:
        for pattern, alias in self._aliases:
            text = pattern.sub(alias, text)
        return scrub(text)
