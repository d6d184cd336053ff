"""The built-in brief: talking points from an account's own facts, in plain English.

A part whose facts are missing is left out; no sentence stands in for knowledge that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from model.stakeholders import Reach
from sync.briefs.english import ASKS, DO_NOT, OBJECTIONS, OPENERS, PROPOSALS
from sync.briefs.evidence import Evidence
from sync.briefs.slots import Slots
from sync.cells import cut
from sync.plays import Play

NEWLINE: Final = "\n"
FIELD_LENGTH: Final = 255
SUBJECT_LENGTH: Final = 255
TASK_LENGTH: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Talking points in three lengths: `field` at most 255 characters, `task` for a task's body, `full`."""

    subject: str
    field: str
    task: str
    full: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is proposed: the product's name and type; nothing where none is recommended."""

    product: str | None
    type: str = ""


def write_brief(
    account_name: str,
    evidence: Evidence,
    *,
    play: Play,
    offer: Offer,
    reach: Reach | None,
    currency: str,
    do_not: Sequence[str] = (),
) -> Brief:
    """The brief for one account. `do_not` adds the company's own rules for this play."""
    slots = Slots(evidence=evidence, currency=currency)
    reasons = [slots.fill(f"{{reason_{n}}}") for n in (1, 2, 3)]
    against = [slots.fill(f"{{against_{n}}}") for n in (1, 2)]
    sections = {
        "Open with": slots.first(*OPENERS),
        "Propose": _proposal(slots, play, offer),
        "Why it matters to them": _impact(slots, play),
        "Why now": _list(reasons),
        "Speaks against": _list(against),
        "If they say": _objections(play, offer),
        "Ask": slots.fill(ASKS[play], product=offer.product or "the next step"),
        "Whom to reach": None if reach is None else str(reach),
        "Don't": _list([*DO_NOT[play], *do_not]),
    }
    known = {title: text for title, text in sections.items() if text}
    parts = {title: f"{title}:{text if text[0] == NEWLINE else f' {text}'}" for title, text in known.items()}
    task = "\n\n".join(part for title, part in parts.items() if title != "Speaks against")
    full = "\n\n".join(parts.values())
    return Brief(
        subject=_subject(account_name, slots, play, offer),
        field=_field(known, reasons),
        task=cut(task, TASK_LENGTH),
        full=full,
    )


def headline(sentence: str) -> str:
    """The first statement of a reason: `Seats 96 % used, above …` gives `seats 96 % used`."""
    head = sentence.split(" (", 1)[0].split(", ", 1)[0].strip().rstrip(".")
    return head[:1].lower() + head[1:] if head[1:2].islower() else head


def _subject(account_name: str, slots: Slots, play: Play, offer: Offer) -> str:
    kind = "Expansion" if play is Play.EXPAND else "Check-in"
    what = offer.product if play is Play.EXPAND else None
    reason = slots.fill("{reason_1}")
    parts = [part for part in (what, headline(reason) if reason else None) if part]
    return cut(" ".join(f"{kind}: {account_name} – {', '.join(parts)}".split()).rstrip(" –"), SUBJECT_LENGTH)


def _proposal(slots: Slots, play: Play, offer: Offer) -> str | None:
    if play is Play.NURTURE:
        return "Help first: remove what keeps the team from the value they pay for."
    if offer.product is None:
        return None
    proposal = slots.fill(PROPOSALS.get(offer.type, PROPOSALS[""]), product=offer.product)
    size = slots.fill("Accounts like this add between {arr_low} and {arr_high} a year.")
    return " ".join(part for part in (proposal, size) if part)


def _impact(slots: Slots, play: Play) -> str | None:
    goal = slots.fill('They said on {goal.day}: "{goal}". Tie the proposal to that goal.')
    money = None
    if play is Play.EXPAND:
        money = slots.fill("They paid {overage} above their plan in the two months to {overage.day}.")
    renewal = slots.fill("Their contract renews on {renewal}.")
    return " ".join(part for part in (goal, money, renewal) if part) or None


def _objections(play: Play, offer: Offer) -> str:
    pairs = OBJECTIONS[""] if play is Play.NURTURE else OBJECTIONS.get(offer.type, OBJECTIONS[""])
    if play is Play.NURTURE:  # no word about money
        pairs = (
            pairs[0],
            ("We are busy.", "A short session is enough; I bring the agenda and the open points."),
        )
    return _list([f'"{objection}" – {answer}' for objection, answer in pairs]) or ""


def _field(known: Mapping[str, str], reasons: Sequence[str | None]) -> str:
    first = next((reason for reason in reasons if reason), None)
    parts = [first, known.get("Propose"), known.get("Ask")]
    return cut(
        " ".join(part if part.endswith((".", "!")) else f"{part}." for part in parts if part), FIELD_LENGTH
    )


def _list(lines: Sequence[str | None]) -> str | None:
    kept = [line for line in lines if line]
    return "".join(f"\n- {line}" for line in kept) or None
