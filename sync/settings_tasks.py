"""Settings of tasks: who gets them and how many, which plays there are, and what starts one by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from sync.plays import BUILT_IN, Play
from sync.settings_checks import STRICT, ZoneName, did_you_mean
from sync.workdays import check_holidays

WEEKLY: Final = 500  # tasks that nobody does in a week

Slots = Annotated[int, Field(ge=0, le=WEEKLY)]
Who = Literal["csm", "ae", "either", "pool"]
Occurrence = Literal[
    "funding", "executive_hire", "product_launch", "m_and_a", "hiring", "technology_change",
    "limit", "milestone",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Owners:
    """Who gets the tasks, how many a week, and when nobody works.

    People are named by their id in the CRM or by e-mail address."""

    expansion: Literal["csm", "ae", "by_segment"] = "csm"
    by_segment: Mapping[str, Who] = Field(default_factory=dict)  # with by_segment; other segments: csm
    pool: tuple[str, ...] = ()  # who shares the accounts of segments that belong to nobody alone
    fallback: str = ""  # who gets the accounts of owners that are not active; empty: nobody
    slots_per_week: Slots = 5
    slots: Mapping[str, Slots] = Field(default_factory=dict)  # of people who have more or fewer
    cool_off_days: Annotated[int, Field(ge=0, le=365)] = 30  # between an account's tasks
    holidays: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda value: (value,) if isinstance(value, str) and value else value or ()),
        AfterValidator(check_holidays),
    ] = ()  # days (2026-12-25) or countries (US, DE-BY) on which nothing is due
    timezone: ZoneName | Literal[""] = ""  # of owners whose CRM tells none; empty: the company's

    @model_validator(mode="after")
    def _segments_are_asked_for(self) -> Self:
        if self.expansion == "by_segment" and not self.by_segment:
            raise ValueError('expansion = "by_segment" needs [owners.by_segment], such as Enterprise = "ae"')
        if self.by_segment and self.expansion != "by_segment":
            raise ValueError(
                f'by_segment is not looked at while expansion = "{self.expansion}": set "by_segment"'
            )
        if "pool" in self.by_segment.values() and not self.pool:
            raise ValueError("a segment goes to the pool, and pool names nobody")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class PlaySettings:
    """One kind of conversation: what starts it, what to do and what not to do in it.

    A built-in play has its own rule (docs/tasks.md) and takes no trigger; every other one needs one, unless a
    [[triggers]] starts it. Health yellow lets only plays with the template nurture pass."""

    trigger: str = ""  # such as "product_type = 'seat' and seat_utilisation >= 95 %"
    do: tuple[str, ...] = ()
    do_not: tuple[str, ...] = ()
    template: Literal["", "expand", "prepare", "nurture", "retain"] = ""  # of the brief; empty: its own
    price_ask: bool | None = None  # whether the brief names what it costs; by the template unless given
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0  # of its worth, where an account fits several plays

    @model_validator(mode="after")
    def _reads(self) -> Self:
        if self.trigger:
            from sync.trigger_words import parse_trigger

            parse_trigger(self.trigger, what="trigger")
        if self.price_ask and self.template in ("nurture", "retain"):
            raise ValueError(f"template {self.template} asks for no price: leave price_ask out")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Trigger:
    """What starts a play by itself, also where the tier is not ready: an outside event, a limit that is
    reached, or the milestones of the product that is recommended."""

    kind: Occurrence
    play: Annotated[str, Field(min_length=1)]
    within_days: Annotated[int, Field(ge=1, le=365)] = 90  # an event is news for so long
    limit: Literal["seats", "plan"] = "seats"  # kind limit: of the seats, or the tightest metered one
    at_least: Annotated[float, Field(gt=0, le=2)] = 1.0  # share of the limit, or of the milestones

    @model_validator(mode="after")
    def _says_what_counts(self) -> Self:
        if self.kind == "milestone" and self.at_least > 1:
            raise ValueError(f"at_least ({self.at_least}) is more than all milestones")
        return self


def check_plays(plays: Mapping[str, PlaySettings], triggers: tuple[Trigger, ...]) -> None:
    """Raise ValueError for a play that nothing starts, or a trigger whose play there is none of."""
    known = [*BUILT_IN, *(name for name in plays if name not in BUILT_IN)]
    for position, trigger in enumerate(triggers, start=1):
        if trigger.play not in known:
            near = did_you_mean(trigger.play, known)
            raise ValueError(f"triggers[{position}].play: there is no play {trigger.play}.{near}")
        if trigger.play in (Play.RETAIN, Play.NONE):
            raise ValueError(f"triggers[{position}].play: {trigger.play} makes no tasks")
    started = {trigger.play for trigger in triggers}
    for name, play in plays.items():
        if name in BUILT_IN and play.trigger:
            raise ValueError(f"plays.{name}.trigger: {name} is built in and has its own rule")
        if name in BUILT_IN and play.template not in ("", name):
            raise ValueError(f"plays.{name}.template: {name} is built in and has its own template")
        if name == Play.NURTURE and play.price_ask:
            raise ValueError("plays.nurture.price_ask: nurture asks for no price")
        if name not in BUILT_IN and not play.trigger and name not in started:
            raise ValueError(
                f"plays.{name}: nothing starts it; give it a trigger, or name it in [[triggers]]"
            )
        if name == Play.NONE or not name.replace("_", "").isalnum() or len(name) > 40 or name != name.lower():
            raise ValueError(f"plays.{name}: a play's name is one word of small letters, digits and _")
