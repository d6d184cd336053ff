"""What a brief is asked for with, what its writer makes, and what people get.

A writer, template or model, makes a `Draft`: prose around slots. `{seats}` stands for the fact of that id,
`{seats.day}` for the day on which it held; numbers, dates and names come from the facts alone and are put
in by `sync.briefs.rendering`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.crm import Value
from model.stakeholders import Contact, Reach
from sync.briefs.facts import Evidence, Fact, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is proposed: the product's name and type; nothing where none is recommended."""

    product: str | None
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefRequest:
    """Everything that a brief for one account may be made of.

    `template` names the built-in text that the play uses; `do` and `do_not` are the company's own rules for
    the play, in its own words. The evidence is what matters for this play and offer."""

    account_id: str
    account_name: str
    play: str
    offer: Offer
    evidence: Evidence
    currency: str
    template: str = "expand"
    reach: Reach | None = None
    language: str = "en"
    style: str = "plain"
    do: tuple[str, ...] = ()
    do_not: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Fact]:
        """The evidence, with `account`, `product`, and the `contact…` to talk to."""
        return {**self.evidence, **{fact.id: fact for fact in self._named()}}

    def _named(self) -> Iterator[Fact]:
        yield Fact(id="account", value=self.account_name, unit="name", source="accounts")
        if self.offer.product is not None:
            yield Fact(id="product", value=self.offer.product, unit="name", source="products")
        if self.reach is not None:
            yield from _person(self.reach.contact)


def _person(person: Contact) -> Iterator[Fact]:
    told: tuple[tuple[str, Value, Unit], ...] = (
        ("contact", person.name, "name"),
        ("contact_title", person.title, "name"),
        ("contact_role", person.role, "text"),
        ("contact_department", person.department, "name"),
        ("contact_last", person.last_contact, "date"),
        ("contact_days", person.active_days, "count"),
    )
    for name, value, unit in told:
        if value:
            yield Fact(id=name, value=value, unit=unit, source="contacts", row=person.crm_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What the customer may say, and the answer."""

    says: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A brief before its facts are put in; an empty text is a part that is left out.

    `opener` is said to the customer; the others tell the CSM what to propose and why, what it does for the
    customer's goals, what to answer, the one ask, whom to reach and why, and what not to say."""

    opener: str = ""
    proposal: str = ""
    impact: str = ""
    objections: tuple[Objection, ...] = ()
    ask: str = ""
    whom: str = ""
    avoid: tuple[str, ...] = ()

    def texts(self) -> Iterator[str]:
        """Every text that is not empty."""
        yield from (text for text in (self.opener, self.proposal, self.impact, self.ask, self.whom) if text)
        for objection in self.objections:
            yield objection.says
            yield objection.answer
        yield from self.avoid


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Talking points in three lengths: `field` at most 255 characters, `task` for a task's body, `full`."""

    subject: str
    field: str
    task: str
    full: str
