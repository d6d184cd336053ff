"""Every windowed feature of the usage families, counted the long way: event by event, day by day.

What a row may see is each event known by its day; nothing else here knows about windows, codes or partials.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

NAN = math.nan
SEATS = 8
"""What every account has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: `at` and `known` are day numbers, `known` never before `at`."""

    account: str
    user: str | None
    feature: str | None
    session: str | None
    is_billing: bool
    is_gate: bool
    at: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A product user."""

    department: str | None
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that happened, and who the users are by (account, user)."""

    events: Sequence[Event]
    people: Mapping[tuple[str, str], Person]


def features_of(world: World, account: str, day: int) -> dict[str, float]:
    """Every feature of the account as of the end of `day`; NaN where nothing was known."""
    seen = [event for event in world.events if event.known <= day]
    own = [event for event in seen if event.account == account]
    found: dict[str, float] = {}
    for family in (_departments, _people, _team):
        found |= family(world, own, day)
    return found | _usage(own, day) | _power_users(own, day) | _adoption(seen, account, day)


def _within(events: Iterable[Event], day: int, width: int, lag: int = 0) -> list[Event]:
    return [event for event in events if day - lag - width < event.at <= day - lag]


def _users(events: Sequence[Event], day: int, width: int, lag: int = 0) -> int:
    """Distinct users of the window that ends `lag` days ago, as known then."""
    known = [event for event in events if event.known <= day - lag]
    return len({event.user for event in _within(known, day, width, lag) if event.user is not None})


def _growth(now: float, before: float) -> float:
    return (now - before) / (before + 2) if before > 0 else NAN


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else NAN


def _usage(own: Sequence[Event], day: int) -> dict[str, float]:
    named = [event for event in own if event.user is not None]

    def users(width: int, lag: int = 0) -> int:
        return _users(own, day, width, lag)

    def events(width: int, lag: int = 0) -> int:
        known = [event for event in named if event.known <= day - lag]
        return len(_within(known, day, width, lag))

    if not (users(90) or users(30, 90) or users(30, 180)):
        return dict.fromkeys(USAGE, NAN)
    sessions = {(e.user, e.at, e.session) for e in _within(named, day, 30) if e.session is not None}
    per_user, per_user_before = _over(events(30), users(30)), _over(events(30, 90), users(30, 90))
    return {
        "users_1": users(1),
        "users_7": users(7),
        "users_30": users(30),
        "users_60": users(60),
        "users_90": users(90),
        "users_180": users(180),
        "users_growth_7": _growth(users(7), users(7, 7)),
        "users_growth_30": _growth(users(30), users(30, 30)),
        "users_growth_60": _growth(users(30), users(30, 60)),
        "users_growth_90": _growth(users(30), users(30, 90)),
        "users_growth_180": _growth(users(30), users(30, 180)),
        "users_acceleration": _growth(users(30), users(30, 30)) - _growth(users(30, 30), users(30, 60)),
        "users_acceleration_90": _growth(users(30), users(30, 90)) - _growth(users(30, 90), users(30, 180)),
        "stickiness": _over(users(7), users(30)),
        "sessions_30": len(sessions),
        "sessions_per_user": _over(len(sessions), users(30)),
        "events_per_user": per_user,
        "events_per_user_change": _over(per_user, per_user_before) - 1,
        "events_7": events(7),
        "events_30": events(30),
        "events_90": events(90),
        "usage_trend": _growth(events(90), events(90, 90)),
        "usage_trend_30": _growth(events(30), events(30, 30)),
    }


USAGE = [
    "users_1",
    "users_7",
    "users_30",
    "users_60",
    "users_90",
    "users_180",
    "users_growth_7",
    "users_growth_30",
    "users_growth_60",
    "users_growth_90",
    "users_growth_180",
    "users_acceleration",
    "users_acceleration_90",
    "stickiness",
    "sessions_per_user",
    "events_per_user",
    "events_per_user_change",
    "sessions_30",
    "events_7",
    "events_30",
    "events_90",
    "usage_trend",
    "usage_trend_30",
]


def _first(events: Iterable[Event]) -> tuple[int, int]:
    """When use first came to be known, and the day of that use: (known, at)."""
    return min((event.known, event.at) for event in events)


def _grouped(events: Iterable[Event], key: Callable[[Event], str | None]) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if (name := key(event)) is not None:
            groups[name].append(event)
    return groups


def _adoption(seen: Sequence[Event], account: str, day: int) -> dict[str, float]:
    used = [event for event in seen if event.feature is not None]
    firsts: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)  # feature -> account -> (known, at)
    for feature, events in _grouped(used, lambda e: e.feature).items():
        for name, theirs in _grouped(events, lambda e: e.account).items():
            firsts[feature][name] = _first(theirs)
    own = {feature: by[account][1] for feature, by in firsts.items() if account in by}
    if not own:
        return dict.fromkeys(ADOPTION, NAN)
    accounts = {name for by in firsts.values() for name in by}
    rare = {feature for feature, by in firsts.items() if len(by) / len(accounts) < 0.4}
    released = {feature: min(at for _, at in by.values()) for feature, by in firsts.items()}
    mine = [event for event in used if event.account == account]
    ages = {feature: day - at for feature, at in own.items()}
    recent = _within(mine, day, 90)

    def distinct(width: int, lag: int = 0) -> int:
        known = [event for event in mine if event.known <= day - lag]
        return len({event.feature for event in _within(known, day, width, lag)})

    in_90 = {event.feature for event in recent}
    return {
        **{f"features_{width}": distinct(width) for width in (7, 30, 60, 90, 180)},
        "features_change_90": distinct(30) - distinct(30, 90),
        "features_change_180": distinct(30) - distinct(30, 180),
        "features_ever": len(own),
        "features_new_90": sum(age < 90 for age in ages.values()),
        "adoption_velocity": sum(age < 180 for age in ages.values()) / 6,
        "features_unused_share": 1 - distinct(90) / len(firsts),
        "advanced_features_90": len(in_90 & rare),
        "advanced_events_share_90": _over(sum(e.feature in rare for e in recent), len(recent)),
        "advanced_new_90": sum(ages[feature] < 90 for feature in own.keys() & rare),
        **_gates([event for event in seen if event.account == account and event.is_gate], day),
        "feature_uptake_days": sum(at - released[feature] for feature, at in own.items()) / len(own),
        "days_since_new_feature": min(ages.values()),
    }


def _gates(met: Sequence[Event], day: int) -> dict[str, float]:
    month = len(_within(met, day, 30))
    return {
        "gate_events_30": month,
        "gate_events_90": len(_within(met, day, 90)),
        "gate_events_change": month - len(_within(met, day, 30, 30)),
    }


ADOPTION = [
    *("gate_events_30", "gate_events_90", "gate_events_change"),
    *("features_7", "features_30", "features_60", "features_90", "features_180"),
    "features_change_90",
    "features_change_180",
    "features_ever",
    "features_new_90",
    "adoption_velocity",
    "features_unused_share",
    "advanced_features_90",
    "advanced_events_share_90",
    "advanced_new_90",
    "feature_uptake_days",
    "days_since_new_feature",
]


def _departments(world: World, own: Sequence[Event], day: int) -> dict[str, float]:
    def department(event: Event) -> str | None:
        person = world.people.get((event.account, event.user)) if event.user is not None else None
        return None if person is None else person.department

    placed = _grouped(own, department)
    if not placed:
        return dict.fromkeys(DEPARTMENTS, NAN)
    ages = {name: day - _first(events)[1] for name, events in placed.items()}

    def user_days(width: int, lag: int = 0) -> dict[str, int]:
        found = Counter({(department(e), e.user, e.at): 1 for e in _within(own, day, width, lag)})
        counted = Counter(name for name, _, _ in found if name is not None)
        return {name: counted[name] for name in placed}

    now, before = user_days(90), user_days(90, 90)
    entropy = _entropy(now)
    return {
        **{
            f"departments_{width}": sum(n > 0 for n in user_days(width).values())
            for width in (7, 30, 60, 90, 180)
        },
        "departments_ever": len(placed),
        "departments_new": sum(age < 90 for age in ages.values()),
        "departments_new_180": sum(age < 180 for age in ages.values()),
        "department_entropy": entropy,
        "department_entropy_change": entropy - _entropy(before),
        "department_top_share": _over(max(now.values()), sum(now.values())),
    }


DEPARTMENTS = [
    *("departments_7", "departments_30", "departments_60", "departments_90", "departments_180"),
    "departments_ever",
    "departments_new",
    "departments_new_180",
    "department_entropy",
    "department_entropy_change",
    "department_top_share",
]


def _entropy(counts: Mapping[str, int]) -> float:
    total = sum(counts.values())
    if not total:
        return NAN
    return -sum(n / total * math.log(n / total) for n in counts.values() if n)


def _power_users(own: Sequence[Event], day: int) -> dict[str, float]:
    named = [event for event in own if event.user is not None]

    def days_of(lag: int) -> dict[str, int]:
        groups = _grouped(_within(named, day, 30, lag), lambda e: e.user)
        return {user: len({event.at for event in events}) for user, events in groups.items()}

    now, before = days_of(0), days_of(90)
    if not now:
        return dict.fromkeys(POWER_USERS, NAN)
    events = sorted(Counter(event.user for event in _within(named, day, 30)).values())
    n, power = len(now), sum(days >= 10 for days in now.values())
    power_before = sum(days >= 10 for days in before.values())
    differences = sum(abs(x - y) for x in events for y in events)
    per_user = sum(now.values()) / n
    return {
        "power_users": power,
        "power_user_share": power / n,
        "power_users_growth_90": (power - power_before) / (power_before + 2) if before else NAN,
        "usage_gini": differences / (2 * n * sum(events)),  # half the relative mean difference
        "usage_top10_share": sum(events[n - max(n // 10, 1) :]) / sum(events),
        "days_per_user": per_user,
        "days_per_user_change": per_user / (sum(before.values()) / len(before)) - 1 if before else NAN,
    }


POWER_USERS = [
    "power_users",
    "power_user_share",
    "power_users_growth_90",
    "usage_gini",
    "usage_top10_share",
    "days_per_user",
    "days_per_user_change",
]


def _team(world: World, own: Sequence[Event], day: int) -> dict[str, float]:
    plain = [e for e in own if e.user is not None and world.people[e.account, e.user].role == "user"]
    if not any(event.user is not None for event in own):
        return dict.fromkeys(TEAM, NAN)
    found = {
        "team_growth_30": _growth(_users(plain, day, 30), _users(plain, day, 30, 30)),
        "team_growth_90": _growth(_users(plain, day, 30), _users(plain, day, 30, 90)),
        **{f"team_utilisation_{width}": _users(plain, day, width) / SEATS for width in (7, 30, 60)},
    }
    return found | {"same_people_30": _same_people(plain, day)}


def _same_people(plain: Sequence[Event], day: int) -> float:
    theirs: list[tuple[int, int]] = []  # events and days before the last 30, by person
    now = 0
    for events in _grouped(plain, lambda e: e.user).values():
        if _within(events, day, 60):
            now += len(_within(events, day, 30))
            there = max(0, min(day - 30 + 1 - _first(events)[1], 182))
            theirs.append((len(_within(events, day, 182, 30)), there))
    days = sum(there for _, there in theirs)
    if not days:
        return NAN
    usual = sum(made for made, _ in theirs) / days
    expected = sum(30 * (made + 56 * usual) / (there + 56) for made, there in theirs)
    return (now + 2) / (expected + 2) - 1


TEAM = [
    *("team_utilisation_7", "team_utilisation_30", "team_utilisation_60"),
    *("team_growth_30", "team_growth_90", "same_people_30"),
]


def _people(world: World, own: Sequence[Event], day: int) -> dict[str, float]:
    def of_role(role: str) -> list[Event]:
        return [e for e in own if e.user is not None and world.people[e.account, e.user].role == role]

    champion, sponsor, finance = map(of_role, ("champion", "executive_sponsor", "finance_admin"))
    found = dict.fromkeys(PEOPLE, NAN)
    if champion or sponsor:

        def days(events: Sequence[Event], width: int, lag: int = 0) -> int:
            return len({event.at for event in _within(events, day, width, lag)})

        found |= {
            "champion_days_30": days(champion, 30),
            "champion_days_change": days(champion, 30) - days(champion, 30, 60),
            "champion_last_seen": day - max(e.at for e in champion) if champion else NAN,
            "sponsor_days_30": days(sponsor, 30),
            "sponsor_days_90": days(sponsor, 90),
        }
    pages = [event for event in own if event.is_billing]
    if pages:
        month = len(_within(pages, day, 30))
        found |= {
            "finance_billing_views_30": sum(event.is_billing for event in _within(finance, day, 30)),
            "billing_views_30": month,
            "billing_views_change": month - len(_within(pages, day, 30, 30)),
        }
    return found


PEOPLE = [
    "champion_days_30",
    "champion_days_change",
    "champion_last_seen",
    "sponsor_days_30",
    "sponsor_days_90",
    "finance_billing_views_30",
    "billing_views_30",
    "billing_views_change",
]
