"""A task in the making: the candidate, what speaks against one, and the task with its brief.

`sync.choosing` says which candidates get one. The key is `account:play:cycle`, where the cycle is the
company's fiscal quarter of the as-of day (`FY2027Q4`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from connectors.crm import TaskDraft, Value
from model.predict import WINNABILITY
from model.stakeholders import Reach
from model.timing import URGENCY
from sync.briefs.draft import BriefRequest, Offer
from sync.briefs.facts import Evidence
from sync.briefs.relations import people
from sync.briefs.relevance import relevant
from sync.briefs.styles import language_of, style_of
from sync.briefs.writing import Written
from sync.context import Account
from sync.forecast_periods import fiscal_quarter
from sync.planned import PlannedTask, SkipReason
from sync.play_rules import Fit
from sync.plays import READY_TIERS, READY_TIMINGS, Play, play_of_score
from sync.settings import ProductSettings, Settings

OCCASION_TIMING: Final = "d30"
"""How urgent a play is that an occasion starts while the score itself says to wait."""

Refusal = tuple[SkipReason, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A scored account that the CRM holds, with what people wrote on it (by our field key)."""

    score: Mapping[str, Any]
    account: Account
    said: Mapping[str, Value]
    reach: Reach | None

    @property
    def play(self) -> Play:
        """The built-in kind of conversation that fits."""
        return play_of_score(self.score)

    @property
    def value(self) -> float:
        """Expected ARR a year in the company's currency, 0 where nothing is known of it."""
        value = float(self.score["expected_arr"] or 0.0)
        return value if math.isfinite(value) else 0.0

    def worth(self, fit: Fit) -> float:
        """Expected ARR × urgency × winnability, as priority ranks, times the play's weight."""
        urgency = URGENCY[self.timing(fit)]
        winnable = WINNABILITY.get(self.score["health"], WINNABILITY["unknown"])
        return max(0.0, self.value) * urgency * winnable * fit.weight

    def timing(self, fit: Fit) -> str:
        """When to talk: as scored, or soon where an occasion starts the play."""
        timing = str(self.score["timing"])
        return OCCASION_TIMING if fit.starts_itself and timing not in READY_TIMINGS else timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A candidate that gets a task: its key, in which play, and whose it is.

    `turn` counts its owner's tasks in this plan from 1; `slots` are those that the owner has in a week."""

    candidate: Candidate
    fit: Fit
    key: str
    owner_id: str
    turn: int
    slots: int


def make_task(chosen: Chosen, written: Written, *, settings: Settings, as_of: date, due: date) -> PlannedTask:
    """The task, with the brief that was written for it."""
    candidate, fit, brief = chosen.candidate, chosen.fit, written.brief
    score, timing = candidate.score, candidate.timing(fit)
    draft = TaskDraft(
        key=chosen.key,
        subject=brief.subject,
        body=brief.task,
        due=due,
        owner_id=chosen.owner_id,
        account_crm_id=score["crm_id"],
        contact_crm_id=None if candidate.reach is None else candidate.reach.contact.crm_id,
        priority="high" if timing == "now" else "normal",
    )
    rank = f"rank {score['priority']}, tier {score['tier']}, timing {score['timing']}"
    return PlannedTask(
        draft=draft,
        account_id=candidate.account.account_id,
        play=fit.play,
        product=offer_of(score["product"], settings.products).product,
        cycle=str(fiscal_quarter(as_of, settings.company.fiscal_year_start)),
        why=f"{rank}; {fit.why}" if fit.why else rank,
        value=None if score["expected_arr"] is None else candidate.value,
        turn=chosen.turn,
        slots=chosen.slots,
        style=written.style,
        writer=written.writer,
        language=written.language,
        evidence_hash=written.evidence_hash,
    )


def request_of(
    candidate: Candidate,
    evidence: Evidence,
    template: Play,
    settings: Settings,
    *,
    play: str | None = None,
) -> BriefRequest:
    """What the brief for an account is asked for with: in the words of a built-in play, with the company's
    rules for the `play` that is named, else for that one."""
    score, account, briefs = candidate.score, candidate.account, settings.briefs
    named = play or template.value
    rules = settings.plays.get(named)
    offer = offer_of(score["product"], settings.products)
    known = {**evidence, **{fact.id: fact for fact in people(account.contacts, score["as_of"])}}
    return BriefRequest(
        account_id=account.account_id,
        account_name=account.name,
        play=named,
        template=template.value,
        offer=offer,
        evidence=relevant(known, template=template.value, offer=offer),
        reach=candidate.reach,
        currency=settings.company.currency,
        language=language_of(settings),
        style=style_of(account.account_id, briefs.styles, briefs.style_seed),
        do=rules.do if rules is not None else (),
        do_not=rules.do_not if rules is not None else (),
    )


def forbidden(candidate: Candidate, today: date) -> Refusal | None:
    """What speaks against any task, however good the occasion."""
    score, said = candidate.score, candidate.said
    not_before, status = said.get("not_before"), said.get("status")
    waits = isinstance(not_before, date) and not_before > today
    until = not_before.isoformat() if isinstance(not_before, date) else ""
    return _first(
        (
            (bool(said.get("opt_out")), SkipReason.OPT_OUT, "someone ticked the opt-out"),
            (score["health"] == "red", SkipReason.RED_HEALTH, "health is red: retention first"),
            (bool(score["is_pipeline"]), SkipReason.OPEN_DEAL, "an expansion opportunity is open"),
            (candidate.account.has_escalation, SkipReason.ESCALATED_TICKET, "an escalated ticket is open"),
            (status not in (None, "open"), SkipReason.STATUS, f"someone set the status {status}"),
            (waits, SkipReason.NOT_BEFORE, f"no task before {until}, someone says"),
        )
    )


def unready(candidate: Candidate) -> Refusal | None:
    """Why it is not the time for a task, where no occasion starts one."""
    score = candidate.score
    return _first(
        (
            (score["tier"] not in READY_TIERS, SkipReason.TIER, f"tier is {score['tier']}"),
            (score["timing"] not in READY_TIMINGS, SkipReason.TIMING, f"timing is {score['timing']}"),
        )
    )


def offer_of(product_id: str | None, catalogue: Sequence[ProductSettings]) -> Offer:
    """What is proposed, by the catalogue's name and type where it has the product."""
    found = next((product for product in catalogue if product.id == product_id), None)
    return Offer(product=product_id) if found is None else Offer(product=found.name, type=found.type)


def _first(rules: Sequence[tuple[bool, SkipReason, str]]) -> Refusal | None:
    return next(((reason, detail) for holds, reason, detail in rules if holds), None)
