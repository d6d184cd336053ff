"""Which accounts get a task now, with whose name, when due and with what brief.

An account is eligible when its play is to expand, or to nurture (health yellow, no price ask), its timing
is now or within 30 days, and nobody and nothing speaks against it. Each owner gets at most so many a week,
best rank first. The key is `account:play:cycle`, where the cycle is the company's fiscal quarter of the
as-of day (`FY2027Q4`): an account gets one task a play and quarter, whatever becomes of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from connectors.crm import TaskDraft, Value
from model.stakeholders import Reach
from sync.briefs.draft import BriefRequest, Offer
from sync.briefs.facts import Evidence
from sync.briefs.relations import people
from sync.briefs.relevance import relevant
from sync.briefs.styles import language_of, style_of
from sync.briefs.writing import Written
from sync.context import Account
from sync.forecast_periods import fiscal_quarter
from sync.planned import PlannedTask, Skip, SkipReason
from sync.plays import READY_TIERS, READY_TIMINGS, Play, play_of
from sync.settings import ProductSettings, Settings

KEY_LENGTH: Final = 120  # of the CRM field that holds the key
DUE_BUSINESS_DAYS: Final = 3
DUE_DAYS: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A scored account that the CRM holds, with what people wrote on it (by our field key)."""

    score: Mapping[str, Any]
    account: Account
    said: Mapping[str, Value]
    reach: Reach | None

    @property
    def play(self) -> Play:
        """The kind of conversation that fits."""
        return play_of(
            health=self.score["health"],
            timing=self.score["timing"],
            tier=self.score["tier"],
            is_pipeline=bool(self.score["is_pipeline"]),
        )


def task_key(account_id: str, play: Play, as_of: date, fiscal_year_start: int) -> str:
    """The key of an account's task in a play and the fiscal quarter of the as-of day."""
    return key_of(account_id, play, str(fiscal_quarter(as_of, fiscal_year_start)))


def key_of(account_id: str, play: str, cycle: str) -> str:
    """`account:play:cycle`; an account id too long for the CRM's field gives way to its digest."""
    if len(account_id) + len(play) + len(cycle) + 2 > KEY_LENGTH:
        account_id = hashlib.sha256(account_id.encode()).hexdigest()
    return f"{account_id}:{play}:{cycle}"


def due_on(timing: str, today: date) -> date:
    """Three business days on for `now`, else two weeks on; never on a weekend."""
    if timing != "now":
        return _weekday(today + timedelta(days=DUE_DAYS))
    day = today
    for _ in range(DUE_BUSINESS_DAYS):
        day = _weekday(day + timedelta(days=1))
    return day


def choose(
    candidates: Sequence[Candidate],
    *,
    settings: Settings,
    as_of: date,
    today: date,
    taken: Callable[[Sequence[str]], Set[str]],
    used_slots: Mapping[str, int],
) -> tuple[list[tuple[Candidate, str]], list[Skip]]:
    """The accounts to make a task for with its key, best rank first, and the others with the reason.

    `taken` says which of some keys have their task already; `used_slots` counts this week's by owner."""
    skips, eligible = [], []
    for candidate in sorted(candidates, key=_rank):
        refused = refusal(candidate, today)
        if refused is None:
            start = settings.company.fiscal_year_start
            key = task_key(candidate.account.account_id, candidate.play, as_of, start)
            eligible.append((candidate, key))
        else:
            skips.append(_skip(candidate, *refused))
    existing = taken([key for _, key in eligible])
    slots, limit, chosen = Counter(used_slots), settings.owners.slots_per_week, []
    for candidate, key in eligible:
        owner = candidate.account.owner_id or ""
        if key in existing:
            skips.append(_skip(candidate, SkipReason.TASK_EXISTS, f"its task {key} was made already"))
        elif slots[owner] >= limit:
            skips.append(_skip(candidate, SkipReason.CAPACITY, f"the owner has {limit} tasks this week"))
        else:
            slots[owner] += 1
            chosen.append((candidate, key))
    return chosen, skips


def make_task(
    candidate: Candidate, key: str, written: Written, *, settings: Settings, as_of: date, today: date
) -> PlannedTask:
    """The task with its brief, for a chosen account."""
    score, account, play = candidate.score, candidate.account, candidate.play
    brief = written.brief
    draft = TaskDraft(
        key=key,
        subject=brief.subject,
        body=brief.task,
        due=due_on(score["timing"], today),
        owner_id=account.owner_id,
        account_crm_id=score["crm_id"],
        contact_crm_id=None if candidate.reach is None else candidate.reach.contact.crm_id,
        priority="high" if score["timing"] == "now" else "normal",
    )
    return PlannedTask(
        draft=draft,
        account_id=account.account_id,
        play=play.value,
        product=_product(score["product"], settings.products).product,
        cycle=str(fiscal_quarter(as_of, settings.company.fiscal_year_start)),
        why=f"rank {score['priority']}, tier {score['tier']}, timing {score['timing']}",
    )


def request_of(candidate: Candidate, evidence: Evidence, play: Play, settings: Settings) -> BriefRequest:
    """What the brief for an account in a play (expand or nurture) is asked for with."""
    score, account, briefs = candidate.score, candidate.account, settings.briefs
    rules = settings.plays.get(play.value)
    offer = _product(score["product"], settings.products)
    known = {**evidence, **{fact.id: fact for fact in people(account.contacts, score["as_of"])}}
    return BriefRequest(
        account_id=account.account_id,
        account_name=account.name,
        play=play.value,
        template=play.value,
        offer=offer,
        evidence=relevant(known, template=play.value, offer=offer),
        reach=candidate.reach,
        currency=settings.company.currency,
        language=language_of(settings),
        style=style_of(account.account_id, briefs.styles, briefs.style_seed),
        do=rules.do if rules is not None else (),
        do_not=rules.do_not if rules is not None else (),
    )


def refusal(candidate: Candidate, today: date) -> tuple[SkipReason, str] | None:
    """Why this account gets no task, the first reason that holds."""
    score, said, account = candidate.score, candidate.said, candidate.account
    not_before, status = said.get("not_before"), said.get("status")
    if isinstance(not_before, date) and not_before > today:
        waits = f"no task before {not_before.isoformat()}, someone says"
    else:
        waits = ""
    rules = (
        (bool(said.get("opt_out")), SkipReason.OPT_OUT, "someone ticked the opt-out"),
        (score["health"] == "red", SkipReason.RED_HEALTH, "health is red: retention first"),
        (bool(score["is_pipeline"]), SkipReason.OPEN_DEAL, "an expansion opportunity is open"),
        (account.has_escalation, SkipReason.ESCALATED_TICKET, "an escalated ticket is open"),
        (status not in (None, "open"), SkipReason.STATUS, f"someone set the status {status}"),
        (bool(waits), SkipReason.NOT_BEFORE, waits),
        (score["tier"] not in READY_TIERS, SkipReason.TIER, f"tier is {score['tier']}"),
        (score["timing"] not in READY_TIMINGS, SkipReason.TIMING, f"timing is {score['timing']}"),
        (account.owner_id is None, SkipReason.NO_OWNER, "the account has no owner"),
        (not account.owner_is_active, SkipReason.NO_OWNER, "the account's owner is not active"),
    )
    return next(((reason, detail) for holds, reason, detail in rules if holds), None)


def _rank(candidate: Candidate) -> tuple[float, str]:
    priority = candidate.score["priority"]
    return (float("inf") if priority is None else priority, candidate.account.account_id)


def _skip(candidate: Candidate, reason: SkipReason, detail: str) -> Skip:
    return Skip(
        account_id=candidate.account.account_id,
        record_id=candidate.score["crm_id"],
        subject="task",
        reason=reason,
        detail=detail,
    )


def _product(product_id: str | None, catalogue: Sequence[ProductSettings]) -> Offer:
    found = next((product for product in catalogue if product.id == product_id), None)
    return Offer(product=product_id) if found is None else Offer(product=found.name, type=found.type)


def _weekday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= 5 else day
