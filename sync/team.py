"""The people who may get an account's task, with how many a week they take and in which zone they work.

[owners] says whose an account's expansion is; the CRM's table of owners says who they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.errors import SettingError
from sync.briefs.evidence import Tables, select
from sync.context import Account
from sync.settings_tasks import Owners

COLUMNS: Final = ("crm_id", "name", "email", "is_active", "timezone")
SHOWN: Final = 3  # names of a pool in a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """A user of the CRM who owns records; `timezone` is an IANA name where the CRM tells one."""

    id: str
    name: str
    email: str | None = None
    is_active: bool = True
    timezone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Team:
    """Everybody by id, and the rules that say who takes what; `zone` is the company's."""

    people: Mapping[str, Colleague] = field(default_factory=dict)
    rules: Owners = field(default_factory=Owners)
    zone: str = "UTC"

    @classmethod
    def read(cls, tables: Tables, rules: Owners, zone: str) -> Team:
        """The team of the canonical tables. Raises SettingError for a person in [owners] whom it lacks."""
        people = {
            row["crm_id"]: Colleague(
                id=row["crm_id"],
                name=row["name"] or row["email"] or row["crm_id"],
                email=row["email"],
                is_active=row["is_active"] is not False,
                timezone=row["timezone"],
            )
            for row in select(tables, "owners", COLUMNS)
        }
        team = cls(people=people, rules=rules, zone=zone)
        _ = team.pool, team.fallback, team.slots_of  # a wrong name is found before anything is chosen
        return team

    def takers(self, account: Account) -> tuple[tuple[str, ...], str]:
        """Who may take the account's task, the first choice first; and why nobody, where it is empty."""
        who: str = self.rules.expansion
        if who == "by_segment":
            segments = {name.strip().casefold(): each for name, each in self.rules.by_segment.items()}
            who = segments.get((account.segment or "").strip().casefold(), "csm")
        csm = account.csm_id or account.owner_id
        # a seller who left has no say in whose the account is
        seller = account.seller_id if self.is_active(account.seller_id) else None
        ae = seller or account.owner_id
        wanted = {"csm": (csm,), "ae": (ae,), "either": (csm, ae), "pool": self.pool}[who]
        named = tuple(dict.fromkeys(each for each in wanted if each is not None))
        active = tuple(each for each in named if self.is_active(each))
        if active:
            return active, ""
        if self.fallback is not None and self.is_active(self.fallback):
            return (self.fallback,), ""
        if not named:
            return (), "the account has no owner" if who != "pool" else "nobody is in the pool"
        return (), f"{self.called(named)} {'is' if len(named) == 1 else 'are'} not active"

    def is_active(self, person: str | None) -> bool:
        """Whether the person may get tasks; one whom the table of owners lacks is taken to be active."""
        return person is not None and (person not in self.people or self.people[person].is_active)

    def slots(self, person: str) -> int:
        """Tasks that the person takes in a week."""
        return self.slots_of.get(person, self.rules.slots_per_week)

    def zone_of(self, person: str | None) -> ZoneInfo:
        """Where the person works; the company's zone where the CRM tells none, or none that exists."""
        held = self.people[person].timezone if person is not None and person in self.people else None
        for name in (held, self.rules.timezone):
            try:
                if name:
                    return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
        return ZoneInfo(self.zone)

    def called(self, people: Sequence[str]) -> str:
        """Their names in a sentence."""
        names = [self.people[each].name if each in self.people else each for each in people]
        if len(names) > SHOWN:
            return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} others"
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

    @cached_property
    def pool(self) -> tuple[str, ...]:
        """Who shares the accounts of the pool."""
        return tuple(dict.fromkeys(self._find(each, "pool") for each in self.rules.pool))

    @cached_property
    def fallback(self) -> str | None:
        """Who gets the accounts of people who are not active."""
        return self._find(self.rules.fallback, "fallback") if self.rules.fallback else None

    @cached_property
    def slots_of(self) -> Mapping[str, int]:
        """Slots of the people who have their own figure."""
        return {self._find(named, "slots"): count for named, count in self.rules.slots.items()}

    def _find(self, named: str, setting: str) -> str:
        """The id of the person whom a setting names by id or e-mail address."""
        text = named.strip().casefold()
        for person in self.people.values():
            if text in (person.id.casefold(), (person.email or "").casefold()):
                return person.id
        if self.people:
            raise SettingError(
                f"{named} is nobody in the CRM's list of owners.",
                setting=f"owners.{setting}",
                searched=("the lake's table owners",),
                fix="give the owner's id or e-mail address as the CRM has it; someone new: upswell pull",
            )
        return named
