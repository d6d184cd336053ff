"""The built-in brief: a draft from an account's own facts, in plain English.

A part whose facts are missing is left out; no sentence stands in for knowledge that is not there.
"""

from __future__ import annotations

from typing import Final

from sync.briefs.draft import BriefRequest, Draft, Objection
from sync.briefs.english import ASKS, CHECK_IN_OBJECTIONS, DO_NOT, OBJECTIONS, OPENERS, PROPOSALS
from sync.briefs.slots import Slots

NURTURE: Final = "nurture"


def write_draft(request: BriefRequest) -> Draft:
    """The draft for one account; its slots are facts that the request holds."""
    slots = Slots(evidence=request.facts, currency=request.currency)
    helps = request.template == NURTURE
    return Draft(
        opener=slots.sayable(*OPENERS),
        proposal=_proposal(request, slots),
        impact=_impact(request, slots),
        objections=_objections(request),
        ask=slots.sayable(ASKS[NURTURE if helps else "expand"])
        or "Ask for one meeting to agree the next step.",
        whom=slots.sayable(
            "Talk to {contact}, {contact_title}: {contact_why}.", "Talk to {contact}: {contact_why}."
        ),
        avoid=DO_NOT[NURTURE if helps else "expand"],
    )


def _proposal(request: BriefRequest, slots: Slots) -> str:
    if request.template == NURTURE:
        return "Help first: remove what keeps the team from the value they pay for."
    if request.offer.product is None:
        return ""
    size = slots.sayable("Accounts like this add between {arr_low} and {arr_high} a year.")
    return f"{PROPOSALS.get(request.offer.type, PROPOSALS[''])} {size}".strip()


def _impact(request: BriefRequest, slots: Slots) -> str:
    goal = slots.sayable('They said on {goal.day}: "{goal}". Tie the proposal to that goal.')
    money = ""
    if request.template != NURTURE:
        money = slots.sayable("They paid {overage} above their plan in the two months to {overage.day}.")
    renewal = slots.sayable("Their contract renews on {renewal}.")
    return " ".join(part for part in (goal, money, renewal) if part)


def _objections(request: BriefRequest) -> tuple[Objection, ...]:
    pairs = OBJECTIONS.get(request.offer.type, OBJECTIONS[""])
    if request.template == NURTURE:  # no word about money
        pairs = CHECK_IN_OBJECTIONS
    return tuple(Objection(says=says, answer=answer) for says, answer in pairs)
