"""Which plays fit an account today: the built-in one, those of RevOps, and what an occasion starts by itself.

A play with a trigger competes with the built-in one for accounts that are ready (tier, timing). What
[[triggers]] names starts its play also where the tier is not ready. Nobody overrules health: red makes no
task at all, and yellow only one whose template is nurture, which asks for no price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from model.eligibility import Eligibility
from sync.occasions import EVENTS, LIMITS, NONE, SEATS, Occasion
from sync.plays import READY_TIMINGS, Play
from sync.settings_tasks import PlaySettings, Trigger
from sync.trigger_words import parse_trigger, schema_of_triggers

if TYPE_CHECKING:
    from sync.settings import Settings
    from sync.tasks import Candidate

LIMIT_OF: Final[Mapping[str, str]] = {"seats": SEATS, "plan": LIMITS}
EVENT_WORDS: Final = {
    "funding": "new funding",
    "executive_hire": "an executive hire",
    "product_launch": "a product launch",
    "m_and_a": "a merger or acquisition",
    "hiring": "a hiring wave",
    "technology_change": "a technology change",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A play that fits an account, and why. `weight` multiplies its worth.

    `starts_itself` where an occasion does, whatever tier and timing; `since` is the day of its event: one
    event starts a play once."""

    play: str
    why: str
    weight: float = 1.0
    starts_itself: bool = False
    since: date | None = None


@dataclass(frozen=True, kw_only=True)
class PlayRules:
    """The plays and triggers of an installation."""

    plays: Mapping[str, PlaySettings] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    product_types: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> PlayRules:
        """Those of the settings."""
        types = {product.id: product.type for product in settings.products}
        return cls(plays=settings.plays, triggers=settings.triggers, product_types=types)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Which occasions the rules look at."""
        found: set[str] = {name for own in self._parsed.values() for name in own.names} & {SEATS, LIMITS}
        for trigger in self.triggers:
            if trigger.kind == "limit":
                found.add(LIMIT_OF[trigger.limit])
            elif trigger.kind != "milestone":
                found.add(EVENTS)
        return frozenset(found)

    def template(self, play: str) -> Play:
        """The built-in play whose words a brief in this play takes: nurture where no price may be named."""
        if play in (Play.NURTURE, Play.RETAIN):
            return Play.NURTURE
        own = self.plays.get(play, PlaySettings())
        named = own.template or (play if play in (Play.EXPAND, Play.PREPARE) else Play.EXPAND)
        asks = own.price_ask if own.price_ask is not None else named not in ("nurture", "retain")
        return Play(named) if asks else Play.NURTURE

    def fits(
        self, candidates: Sequence[Candidate], occasions: Mapping[str, Occasion], as_of: date
    ) -> list[tuple[Fit, ...]]:
        """The plays that fit each of the candidates, best first where they are worth the same."""
        own = self._own(candidates, occasions)
        return [
            tuple(self._of(candidate, own[place], occasions.get(candidate.account.account_id, NONE), as_of))
            for place, candidate in enumerate(candidates)
        ]

    def _of(self, candidate: Candidate, own: Sequence[str], occasion: Occasion, as_of: date) -> Iterator[Fit]:
        """Each play once: those of RevOps, then the built-in one, then what starts by itself."""
        health = candidate.score["health"]
        if health == "red" or candidate.score["is_pipeline"]:
            return
        seen: set[str] = set()
        ready: list[Fit] = []
        if candidate.play in (Play.EXPAND, Play.NURTURE) and candidate.score["timing"] in READY_TIMINGS:
            ready += [Fit(play=name, why=f"its trigger holds: {self._parsed[name]}") for name in own]
            ready.append(Fit(play=candidate.play.value, why=""))
        for fit in (*ready, *self._started(candidate, occasion, as_of)):
            play = fit.play
            if health == "yellow" and self.template(play) is not Play.NURTURE:
                if not fit.starts_itself:
                    continue
                play = Play.NURTURE.value  # there is an occasion, and only this may be made of it
            if play not in seen:
                seen.add(play)
                weight = self.plays[play].weight if play in self.plays else 1.0
                yield Fit(
                    play=play, why=fit.why, weight=weight, starts_itself=fit.starts_itself, since=fit.since
                )

    def _started(self, candidate: Candidate, occasion: Occasion, as_of: date) -> Iterator[Fit]:
        for trigger in self.triggers:
            found = self._occasion(trigger, candidate.score, occasion, as_of)
            if found is not None:
                why, since = found
                yield Fit(play=trigger.play, why=why, starts_itself=True, since=since)

    @staticmethod
    def _occasion(
        trigger: Trigger, score: Mapping[str, Any], occasion: Occasion, as_of: date
    ) -> tuple[str, date | None] | None:
        """Why the trigger holds, with the day of its event; None where it does not."""
        if trigger.kind == "limit":
            used = getattr(occasion, LIMIT_OF[trigger.limit])
            what = "seats" if trigger.limit == "seats" else "the tightest plan limit"
            return (
                (f"{used:.0%} of {what} used", None)
                if used is not None and used >= trigger.at_least
                else None
            )
        if trigger.kind == "milestone":
            reached, of = _milestones(score)
            enough = of > 0 and reached >= trigger.at_least * of
            return (f"{reached} of {of} milestones reached", None) if enough else None
        day = occasion.events.get(trigger.kind)
        if day is None or as_of - day > timedelta(days=trigger.within_days):
            return None
        return f"{EVENT_WORDS[trigger.kind]} on {day.isoformat()}", day

    def _own(self, candidates: Sequence[Candidate], occasions: Mapping[str, Occasion]) -> list[list[str]]:
        """For each candidate the plays of RevOps whose trigger holds."""
        holding: list[list[str]] = [[] for _ in candidates]
        if self._parsed and candidates:
            table = self._table(candidates, occasions)
            for name, trigger in self._parsed.items():
                for place in trigger.holds(table).nonzero()[0].tolist():
                    holding[place].append(name)
        return holding

    def _table(self, candidates: Sequence[Candidate], occasions: Mapping[str, Occasion]) -> pa.Table:
        """What the triggers look at, one row a candidate."""
        names = {name for trigger in self._parsed.values() for name in trigger.names}
        rows = []
        for candidate in candidates:
            row = _row(candidate, occasions.get(candidate.account.account_id, NONE))
            row["product_type"] = self.product_types.get(candidate.score["product"] or "")
            rows.append({name: row.get(name) for name in names})
        schema = pa.schema([column for column in schema_of_triggers() if column.name in names])
        return pa.Table.from_pylist(rows, schema=schema)

    @cached_property
    def _parsed(self) -> dict[str, Eligibility]:
        return {
            name: parse_trigger(play.trigger, what=f"[plays.{name}] trigger")
            for name, play in self.plays.items()
            if play.trigger
        }


def _row(candidate: Candidate, occasion: Occasion) -> dict[str, Any]:
    """A candidate by the names of `sync.trigger_words`; a reason code holds its share of the score, in %."""
    score, account = candidate.score, candidate.account
    reached, of = _milestones(score)
    said = {
        reason["code"]: reason["share"] for group in ("reasons", "against") for reason in score[group] or ()
    }
    renewal = None if account.renewal_date is None else (account.renewal_date - score["as_of"]).days
    return {
        **dict.fromkeys(score.get("reason_codes") or (), 0.0),
        **said,
        **{name: value for name, value in score.items() if not isinstance(value, list | dict)},
        "segment": account.segment,
        "days_to_renewal": renewal,
        "milestones_reached": reached / of if of else None,
        SEATS: occasion.seat_utilisation,
        LIMITS: occasion.limit_utilisation,
    }


def _milestones(score: Mapping[str, Any]) -> tuple[int, int]:
    """Of the milestones of the product that is recommended: how many are reached, and how many there are."""
    for told in score.get("milestones") or ():
        if told["product"] == score["product"]:
            return len(told["reached"] or ()), told["of"]
    return 0, 0
