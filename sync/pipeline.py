"""The expansion pipeline for planning: who to talk to in a period, within each owner's slots.

An account's share of a period is what `model.forecast` expects in it. Accounts come in the order of their
priority; each takes one slot of its owner's, as its task would, until the period's slots are used up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from connectors.errors import UsageError
from model.forecast import Span, chance_by_span
from sync.briefs.evidence import Tables
from sync.briefs.evidence import select as rows_of_table
from sync.find_account import NamedAccount, read_names
from sync.forecast_periods import quarters_from
from sync.plays import Play, play_of
from sync.store.scores import latest_scoring, load_scores, target_of_scoring
from sync.team import Team

if TYPE_CHECKING:
    from sync.loop import Loop

PERIODS: Final = ("month", "quarter")
NOBODY: Final = "(no owner)"
CONVERSATIONS: Final = (Play.EXPAND, Play.PREPARE, Play.NURTURE)
IDLE_BELOW: Final = 0.5  # of the slots: an owner who fills fewer could take accounts of another


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One account worth a conversation. `expected` is the ARR of the period, `chance` that it comes in it;
    `has_slot` says whether its owner gets round to it."""

    rank: int
    account_id: str
    name: str
    owner: str
    play: str
    product: str | None
    timing: str | None
    probability: float
    chance: float
    expected: float
    has_slot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One owner's part: prospects against slots, and the ARR expected with and without a slot."""

    owner: str
    prospects: int
    slots: int
    expected: float
    within: float

    @property
    def left_over(self) -> float:
        """ARR expected of accounts that the owner does not get round to."""
        return self.expected - self.within

    @property
    def standing(self) -> str:
        """overloaded, idle (fewer than half the slots filled) or balanced."""
        if self.prospects > self.slots:
            return "overloaded"
        return "idle" if self.prospects < IDLE_BELOW * self.slots else "balanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Every prospect, best first, each owner's load, the most overloaded first, and what it rests on.

    `top_fifth` is the share of the expected ARR that the fifth of owners with most of it hold."""

    scored_on: date
    model_version: str
    currency: str
    period: Span
    weeks: float
    prospects: tuple[Prospect, ...]
    loads: tuple[Load, ...]
    top_fifth: float | None
    assumptions: tuple[str, ...]


def plan_pipeline(loop: Loop, *, period: str) -> Pipeline:
    """The pipeline of the month or quarter that holds the day of the newest scoring, from that day on.

    Raises UsageError while nothing is scored."""
    scoring = latest_scoring(loop.store)
    if scoring is None:
        raise UsageError("nothing is scored yet.", fix="score first: upswell score")
    span = _period(scoring.as_of, period, loop.settings.company.fiscal_year_start)
    slots = loop.settings.owners.slots_per_week
    weeks = ((span.last - scoring.as_of).days + 1) / 7
    tables = loop.tables().tables
    scores = load_scores(loop.store, scoring.run_id).to_pylist()
    names = {product.id: product.name for product in loop.products}
    horizon_days = target_of_scoring(scoring, loop.target).horizon_days
    found = _prospects(scores, tables, span, names, scored_on=scoring.as_of, horizon_days=horizon_days)
    # as many whole tasks as the weekly rhythm leaves room for, and never none where there is any
    team = Team.read(tables, loop.settings.owners, loop.settings.company.timezone)
    own = {team.called([person]): math.ceil(count * weeks) for person, count in team.slots_of.items()}
    room = math.ceil(slots * weeks) if slots else 0
    prospects, loads = share_out(found, room=room, owners=_owners(tables), room_of=own)
    return Pipeline(
        scored_on=scoring.as_of,
        model_version=scoring.model_version,
        currency=loop.settings.company.currency,
        period=span,
        weeks=weeks,
        prospects=prospects,
        loads=loads,
        top_fifth=concentration([load.expected for load in loads]),
        assumptions=_assumptions(span, slots=slots, weeks=weeks, room=room),
    )


def share_out(
    prospects: Sequence[Prospect],
    *,
    room: int,
    owners: Sequence[str] = (),
    room_of: Mapping[str, int] = MappingProxyType({}),
) -> tuple[tuple[Prospect, ...], tuple[Load, ...]]:
    """The prospects with their slots given out in order, `room` an owner (or what `room_of` says), and the
    loads of all `owners`.

    An account without an owner gets no slot: nobody would do it."""
    used: Counter[str] = Counter()
    made: list[Prospect] = []
    for each in prospects:
        has_slot = each.owner != NOBODY and used[each.owner] < room_of.get(each.owner, room)
        used[each.owner] += has_slot
        made.append(replace(each, has_slot=has_slot))
    loads = []
    for owner in sorted({*owners, *(each.owner for each in made)}):
        own = [each for each in made if each.owner == owner]
        loads.append(
            Load(
                owner=owner,
                prospects=len(own),
                slots=0 if owner == NOBODY else room_of.get(owner, room),
                expected=sum(each.expected for each in own),
                within=sum(each.expected for each in own if each.has_slot),
            )
        )
    return tuple(made), tuple(sorted(loads, key=lambda load: (-load.left_over, -load.expected, load.owner)))


def concentration(expected: Sequence[float]) -> float | None:
    """The share of the sum that its largest fifth holds (at least one); None of nothing."""
    total = sum(expected)
    if total <= 0:
        return None
    most = sorted(expected, reverse=True)[: max(1, round(len(expected) / 5))]
    return sum(most) / total


def _assumptions(span: Span, *, slots: int, weeks: float, room: int) -> tuple[str, ...]:
    people = (
        "Prospects: accounts with a play (expand, prepare or nurture); red health, an open expansion "
        "opportunity, a low tier or timing hold keep an account out."
    )
    capacity = (
        f"Slots: {slots} a week and owner ([owners] slots_per_week) over the {weeks:.1f} weeks left of "
        f"{span.label}, so {room} for each who has no figure of their own; the best by priority get them."
    )
    money = "Expected ARR is the part of the period: probability × ARR if it expands, spread by timing."
    return people, capacity, money


def _prospects(
    scores: Sequence[Mapping[str, Any]],
    tables: Tables,
    span: Span,
    products: Mapping[str, str],
    *,
    scored_on: date,
    horizon_days: int,
) -> list[Prospect]:
    """Who is worth a conversation, by priority."""
    rows = []
    for row in scores:
        play = play_of(
            health=row["health"], timing=row["timing"], tier=row["tier"], is_pipeline=bool(row["is_pipeline"])
        )
        if play in CONVERSATIONS and row["probability"] is not None and row["arr_if_expands"] is not None:
            rows.append((row, play))
    chance, _ = chance_by_span(
        (span,),
        probability=np.array([row["probability"] for row, _ in rows], float),
        timing=[row["timing"] for row, _ in rows],
        scored_on=scored_on,
        today=scored_on,
        horizon_days=horizon_days,
    )
    accounts: dict[str, NamedAccount] = {each.account_id: each for each in read_names(tables)}
    owners = {row["crm_id"]: row["name"] for row in rows_of_table(tables, "owners", ("crm_id", "name"))}
    made = []
    for at, (row, play) in enumerate(rows):
        account = accounts.get(row["account_id"])
        owner_id = None if account is None else account.owner_id
        made.append(
            Prospect(
                rank=row["priority"],
                account_id=row["account_id"],
                name=row["account_id"] if account is None else account.name,
                owner=NOBODY if owner_id is None else owners.get(owner_id) or owner_id,
                play=play.value,
                product=products.get(row["product"] or "", row["product"]),
                timing=row["timing"],
                probability=row["probability"],
                chance=float(chance[at, 0]),
                expected=float(chance[at, 0] * row["arr_if_expands"]),
                has_slot=False,
            )
        )
    return sorted(made, key=lambda each: (each.rank, each.account_id))


def _owners(tables: Tables) -> list[str]:
    """Active owners of accounts, who have slots whether they have a prospect or not."""
    people = rows_of_table(tables, "owners", ("crm_id", "name", "is_active"))
    owning = {account.owner_id for account in read_names(tables)}
    return [
        row["name"] or row["crm_id"]
        for row in people
        if row["crm_id"] in owning and row["is_active"] is not False
    ]


def _period(day: date, period: str, fiscal_year_start: int) -> Span:
    if period == "quarter":
        (quarter,) = quarters_from(day, fiscal_year_start, 1)
        return Span(label=str(quarter), first=quarter.first_day, last=quarter.last_day)
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Span(label=f"{first:%B %Y}", first=first, last=following - timedelta(days=1))
