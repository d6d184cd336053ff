"""The built-in brief: a draft from an account's own facts, in any language that there are texts for.

A part whose facts are missing is left out; no sentence stands in for knowledge that is not there. Of several
sentences that would do, each account gets one by chance, always the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from sync.briefs.draft import BriefRequest, Draft, Objection
from sync.briefs.languages import Texts, Tiers, speak
from sync.briefs.slots import Slots, slots_of

EXPAND, PREPARE, NURTURE, RETAIN = "expand", "prepare", "nurture", "retain"
TEMPLATES: Final = (EXPAND, PREPARE, NURTURE, RETAIN)
OTHER, PLAIN = "other", "plain"
NAMES: Final = frozenset({"account", "product", "contact"})
LIMITS: Final = frozenset({"limit_utilisation", "limit_api", "limit_storage"})
MOST_OBJECTIONS: Final = 3
MOST_AVOIDED: Final = 5
TIGHT: Final = "tight"
TIGHT_SEATS: Final = 0.85  # of them in use, as the model's signal; below, nobody has to share access
TIGHT_LIMIT: Final = 0.8  # of it used

T = TypeVar("T")


def write_draft(request: BriefRequest) -> Draft:
    """The draft for one account; its slots are facts that the request holds.

    Raises SettingError when there are no texts for the language."""
    language = speak(request.language)
    slots = Slots(evidence=request.facts, language=language, currency=request.currency)
    return _Writer(request, slots, language.texts).draft()


def topics(request: BriefRequest) -> tuple[str, ...]:
    """The keys by which texts are looked for, the most particular first.

    Where help comes first, nothing is said of a product; where nothing is recommended, of no type of one."""
    if helps(request):
        return (request.template, NURTURE)
    kind = request.offer.type if request.offer.product is not None else ""
    pressed = f"{kind}-{TIGHT}" if kind and is_tight(request) else ""
    return tuple(key for key in (f"{request.template}-{kind}", pressed, kind, request.template, OTHER) if key)


def is_tight(request: BriefRequest) -> bool:
    """Whether what is offered more of runs short: seats, or a limit of the plan.

    Without a figure that says so, no text may warn of it: the customer would know better."""
    facts, kind = request.evidence, request.offer.type
    if kind == "seat":
        seats, users = (facts[name].value if name in facts else None for name in ("seats", "active_users"))
        if isinstance(seats, int | float) and isinstance(users, int | float):
            return users >= TIGHT_SEATS * seats
        return "seat_utilisation" in facts or "seat_days_to_limit" in facts
    if kind == "tier":
        return "overage" in facts or any(
            name in LIMITS and isinstance(fact.value, int | float) and fact.value >= TIGHT_LIMIT
            for name, fact in facts.items()
        )
    return False


def helps(request: BriefRequest) -> bool:
    """Whether help comes first, so that nothing is sold."""
    return request.template in (NURTURE, RETAIN)


class _Writer:
    def __init__(self, request: BriefRequest, slots: Slots, texts: Texts) -> None:
        self._request = request
        self._slots = slots
        self._texts = texts
        self._topics = topics(request)

    def draft(self) -> Draft:
        texts = self._texts
        opener = self._choose("opener", self._in_style(texts.opener))
        proposal = self._proposal(slots_of(opener))
        told = slots_of(opener) | slots_of(proposal)
        told |= {"renewal_soon"} if "renewal" in told else set()
        return Draft(
            opener=opener,
            proposal=proposal,
            impact=_join(
                self._choose("impact", texts.impact), self._choose("worth", texts.worth, new_to=told)
            ),
            objections=self._objections(),
            ask=self._choose("ask", self._in_style(texts.ask)),
            whom=_join(
                *(self._slots.choose(row, self._chance(f"whom{n}")) for n, row in enumerate(texts.whom))
            ),
            avoid=self._avoid(),
        )

    def _proposal(self, told: frozenset[str]) -> str:
        if self._sells and self._request.offer.product is None:
            return ""
        texts = self._texts.proposal
        first = self._choose("proposal", texts, new_to=told) or self._choose("proposal", texts)
        size = self._slots.choose(self._texts.size, self._chance("size")) if self._sells else ""
        return _join(first, size)

    def _objections(self) -> tuple[Objection, ...]:
        """The first ones that have an answer."""
        found = []
        for topic in self._topics:
            for each in self._texts.objections.get(topic, ()):
                answer = self._slots.choose(each.answers, self._chance(each.says))
                if answer and self._slots.fill(each.says) is not None:
                    found.append(Objection(says=each.says, answer=answer))
            if found:
                break
        return tuple(found[:MOST_OBJECTIONS])

    def _avoid(self) -> tuple[str, ...]:
        rules = _first(self._texts.avoid, self._topics) or ()
        signals = self._slots.sayable(self._texts.signals)
        return (*signals, *self._slots.sayable(rules))[:MOST_AVOIDED]

    def _choose(self, part: str, texts: Mapping[str, Tiers], new_to: frozenset[str] = frozenset()) -> str:
        """A sentence on the first topic that has one whose facts are known, and not told already."""
        for topic in self._topics:
            rows = tuple(
                tuple(text for text in row if not slots_of(text) & new_to - NAMES)
                for row in texts.get(topic, ())
            )
            if said := self._slots.choose(rows, self._chance(part)):
                return said
        return ""

    def _in_style(self, texts: Mapping[str, Mapping[str, Tiers]]) -> Mapping[str, Tiers]:
        """The texts in the request's style; those of `plain` stand in for what a style lacks."""
        plain = texts.get(PLAIN, {})
        styled = texts.get(self._request.style, {})
        return {topic: (*styled.get(topic, ()), *plain.get(topic, ())) for topic in {**plain, **styled}}

    def _chance(self, part: str) -> str:
        return f"{self._request.account_id}:{part}"

    @property
    def _sells(self) -> bool:
        return not helps(self._request)


def _first(texts: Mapping[str, T], topics: tuple[str, ...]) -> T | None:
    return next((texts[topic] for topic in topics if topic in texts), None)


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
