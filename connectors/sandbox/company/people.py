"""The people at the accounts: named contacts with roles, and everyone else who may use the product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from connectors.sandbox.company.catalogue import DEPARTMENTS
from connectors.sandbox.company.names import account_names, ascii_slug, person_names
from connectors.sandbox.company.population import NEVER, WARM_UP
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.world import World

_ACTIVE: Final = {"executive_sponsor": 0.75, "decision_maker": 0.4, "finance_admin": 0.85}
"""Chance that a named person of this role uses the product within a month; 1 for the others."""

_FIRST_SLOT: Final = 101  # numbers below are named contacts, above the other users
_FIRST_CHAMPION: Final = 10
_FIRST_SENIOR: Final = 50
_BASE_ROLES: Final = ("executive_sponsor", "decision_maker", "finance_admin", "user", "user")
_TITLES: Final = {
    "champion": ("Head of Operations", "Programme Manager", "Operations Lead", "Product Owner"),
    "executive_sponsor": ("Chief Operating Officer", "VP Operations", "Managing Director", "VP Engineering"),
    "decision_maker": ("Director of IT", "Head of Procurement", "Director of Operations", "Head of Digital"),
    "finance_admin": ("Finance Manager", "Financial Controller", "Accounts Payable Lead"),
    "user": ("Project Coordinator", "Analyst", "Team Lead", "Consultant", "Specialist"),
}
_SENIOR_TITLES: Final = (
    "Chief Information Officer",
    "Chief Digital Officer",
    "VP Transformation",
    "SVP Operations",
)
_HOME: Final = {"finance_admin": "Finance", "executive_sponsor": "Operations", "decision_maker": "Operations"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Named people, sorted by account and number; weeks count from week 0, `end` is NEVER while they stay."""

    account: np.ndarray
    number: np.ndarray
    role: list[str]
    start: np.ndarray
    end: np.ndarray
    usual: np.ndarray  # chance to use the product within a month


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Places for users in each account, in the order in which they fill; fixed for the life of a world."""

    account: np.ndarray
    number: np.ndarray
    department_rank: np.ndarray  # active once that many departments are
    weight: np.ndarray  # log of how busy the user is, standard normal
    first: np.ndarray  # per account: index of its first slot

    @cached_property
    def _before(self) -> np.ndarray:
        before: np.ndarray = self.first[self.account]
        return before

    def active(self, users: np.ndarray, departments: np.ndarray) -> np.ndarray:
        """Which slots are in use when each account has so many users in so many departments."""
        open_to = self.department_rank < departments[self.account]
        filled = np.zeros(len(open_to) + 1, dtype=np.int32)
        np.cumsum(open_to, out=filled[1:])
        rank = filled[1:] - filled[self._before]
        active: np.ndarray = open_to & (rank <= users[self.account])
        return active


def contacts_of(world: World, until: int) -> Contacts:
    """The named people known by the start of week `until`; later weeks only add people or end dates."""
    population, traces = world.population, world.traces
    entry = np.maximum(population.start_week, -260)
    account, number, role, start, end = [], [], [], [], []

    def add(who: int, no: int, what: str, begins: int, ends: int = NEVER) -> None:
        account.append(who)
        number.append(no)
        role.append(what)
        start.append(begins)
        end.append(ends)

    leaves, returns = traces["champion_leaves"][:until], traces["champion_returns"][:until]
    joins = traces["senior_joins"][:until]
    here_first = traces["champion_here"][0] | leaves[0]
    for a in range(len(entry)):
        known_from = int(entry[a]) - 8 if entry[a] < NEVER else WARM_UP
        for index, what in enumerate(_BASE_ROLES):
            add(a, index + 1, what, known_from)
        arrivals = ([known_from] if here_first[a] else []) + np.nonzero(returns[:, a])[0].tolist()
        departures = np.nonzero(leaves[:, a])[0].tolist()
        for index, begins in enumerate(arrivals):
            leaving = departures[index] if index < len(departures) else NEVER
            add(a, _FIRST_CHAMPION + index, "champion", max(begins, known_from), leaving)
        for index, begins in enumerate(np.nonzero(joins[:, a])[0].tolist()):
            if begins >= known_from:
                add(a, _FIRST_SENIOR + index, "decision_maker", begins)
    columns = [np.array(values) for values in (account, number, start, end)]
    valid = (columns[3] > columns[2]) & (columns[2] < until)  # talks with some have not begun yet
    roles = [what for what, good in zip(role, valid, strict=True) if good]
    return Contacts(
        account=columns[0][valid],
        number=columns[1][valid],
        role=roles,
        usual=np.array([_ACTIVE.get(what, 1.0) for what in roles]),
        start=columns[2][valid],
        end=columns[3][valid],
    )


def slots_of(world: World) -> Slots:
    """The places for users: five times the first seats and 24 more in each account."""
    count = 5 * world.population.seats + 24
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    account = np.repeat(np.arange(len(count)), count)
    rng = stream(world.plan.seed, "slots")
    return Slots(
        account=account,
        number=_FIRST_SLOT + np.arange(len(account)) - first[account],
        department_rank=np.floor(len(DEPARTMENTS) * rng.random(len(account)) ** 1.4).astype(np.int8),
        weight=rng.standard_normal(len(account)),
        first=first,
    )


def slots_in_use(world: World, people: Contacts, slots: Slots, week: int) -> np.ndarray:
    """Which slots are used in a week: so many that, with the named people, the account's users come out."""
    here = (people.start <= week) & (people.end > week)
    weight = people.usual[here]
    named = np.bincount(people.account[here], weight, minlength=world.plan.accounts)
    traces = {name: world.traces[name][week] for name in ("customer", "users", "departments")}
    others = np.where(traces["customer"], np.maximum(np.round(traces["users"] - named), 0), 0)
    return slots.active(others, traces["departments"])


def user_ids(account: np.ndarray, number: np.ndarray) -> list[str]:
    """Text ids of users: U-00042-0107."""
    return [f"U-{a + 1:05d}-{n:04d}" for a, n in zip(account.tolist(), number.tolist(), strict=True)]


def contact_keys(account: np.ndarray, number: np.ndarray) -> list[str]:
    """Text keys of named people: K-00042-01."""
    return [f"K-{a + 1:05d}-{n:02d}" for a, n in zip(account.tolist(), number.tolist(), strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who each person is; lists in the order of the people asked for."""

    name: list[str]
    email: list[str]
    title: list[str]
    department: list[str]


@lru_cache(maxsize=4)
def _known_people(seed: int) -> tuple[list[str], list[str]]:
    """People to choose from; account and number choose."""
    return person_names(stream(seed, "identities"), 16_384)


def identities(world: World, account: np.ndarray, number: np.ndarray, role: list[str]) -> Identity:
    """Names, addresses, titles and departments, the same for a person whoever else is asked for."""
    names, locals_ = _known_people(world.plan.seed)
    salt = (account * 1009 + number * 7907) % len(names)
    pick = (account * 31 + number * 17) % 60
    domains = [f"{ascii_slug(name)}.example" for name in account_names(world.plan, world.population)]
    order = world.population.department_order
    title, department, email = [], [], []
    rows = zip(account.tolist(), number.tolist(), role, salt.tolist(), pick.tolist(), strict=True)
    for a, no, what, chosen, turn in rows:
        titles = _SENIOR_TITLES if _FIRST_SENIOR <= no < _FIRST_SLOT else _TITLES[what]
        title.append(titles[turn % len(titles)])
        department.append(_HOME.get(what) or DEPARTMENTS[order[a, 0]])
        email.append(f"{locals_[chosen]}.{no}@{domains[a]}")
    return Identity(name=[names[i] for i in salt.tolist()], email=email, title=title, department=department)
