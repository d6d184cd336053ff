"""Every windowed feature equals what counting event by event gives, in 500 small random worlds.

A world is an account with a handful of users; a hundred of them stand in one build, so that the features
which compare accounts with each other are counted over all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from infra.doubles.brute_force import (
    ADOPTION,
    DEPARTMENTS,
    PEOPLE,
    POWER_USERS,
    SEATS,
    TEAM,
    USAGE,
    Event,
    Person,
    World,
    features_of,
)
from model.days import day_number
from model.engine import Engine
from model.panel import build_panel
from model.target import Target

AS_OF = date(2026, 6, 1)
WORLDS, STEPS = 100, 3
FEATURES = (*USAGE, *ADOPTION, *DEPARTMENTS, *POWER_USERS, *TEAM, *PEOPLE)
Tables = dict[str, Any]


def random_world(rng: random.Random) -> World:
    """Accounts from silent to busy: events late by weeks, without user, feature or session, and twice."""
    last = day_number(AS_OF)
    events: list[Event] = []
    people: dict[tuple[str, str], Person] = {}
    for number in range(WORLDS):
        account = f"W{number:03d}"
        users = [f"u{n}" for n in range(rng.randint(1, 13))]
        roles = ("champion", "executive_sponsor", "finance_admin", "user", "user", "user")
        for user in users:
            people[account, user] = Person(
                department=rng.choice(("Sales", "Finance", "Legal", None)), role=rng.choice(roles)
            )
        span = rng.choice((3, 20, 120, 300))  # days over which it was used
        for _ in range(rng.choice((0, 1, 5, 25, 60))):
            at = last + 2 - rng.randint(0, span)
            event = Event(
                account=account,
                user=rng.choice((*users, None)),
                feature=rng.choice((None, *(f"f{n}" for n in range(rng.randint(1, 9))))),
                session=rng.choice((None, "s1", "s2", "s3")),
                is_billing=(page := rng.random()) < 0.2,
                is_gate=page > 0.9,
                at=at,
                known=at + rng.choice((0, 0, 0, 0, 1, 6, 45)),
            )
            events += [event] * rng.choice((1, 1, 1, 2))
    return World(events=events, people=people)


def tables_of(world: World, at: Callable[..., datetime], rng: random.Random) -> Tables:
    """The world as canonical tables, its rows in any order."""

    def day(number: int) -> date:
        return date(1970, 1, 1) + timedelta(days=number)

    accounts = [f"W{number:03d}" for number in range(WORLDS)]
    events = [
        {
            "account_id": e.account,
            "user_id": e.user,
            "event": "invoice_page" if e.is_billing else "Preview opened" if e.is_gate else "use",
            "feature": e.feature,
            "session_id": e.session,
            "at": at(day(e.at), rng.randint(0, 23)),
            "known_from": at(day(e.known), 23),
        }
        for e in rng.sample(list(world.events), len(world.events))
    ]
    users = [
        {"account_id": account, "user_id": user, "department": each.department, "role": each.role}
        for (account, user), each in world.people.items()
    ]
    contacts = [
        {"account_id": account, "crm_id": f"c-{account}", "created_at": at(date(2024, 1, 1))}
        for account in accounts
    ]
    bills = [
        {
            "account_id": account,
            "period_start": date(2025, 1, 1),
            "period_end": date(2026, 12, 31),
            "arr": 1.0,
            "seats": SEATS,
        }
        for account in accounts
    ]
    given = {"events": events, "users": users, "contacts": contacts, "billing": bills}
    backend = Engine().connect()
    for name, rows in given.items():
        backend.con.register(name, pa.Table.from_pylist(rows))
    return {name: backend.table(name) for name in given}


@pytest.mark.parametrize("seed", range(5))
def test_every_windowed_feature_is_what_counting_event_by_event_gives(
    seed: int, at: Callable[..., datetime]
) -> None:
    """On each of three as-of days, with late events, missing users, features and sessions, and equal rows."""
    rng = random.Random(seed)
    world = random_world(rng)
    panel = build_panel(
        tables_of(world, at, rng),
        as_of=AS_OF,
        target=Target(),
        products=(),
        start=AS_OF - timedelta(days=28 * (STEPS - 1)),
    )
    rows = panel.table.select(["account_id", "as_of", *FEATURES]).to_pylist()
    assert len(rows) == WORLDS * STEPS
    wrong = []
    for row in rows:
        expected = features_of(world, row["account_id"], day_number(row["as_of"]) - 1)
        wrong += [
            (row["account_id"], row["as_of"], name, row[name], expected[name])
            for name in FEATURES
            if row[name] != pytest.approx(expected[name], rel=1e-5, abs=1e-9, nan_ok=True)
        ]
    assert wrong == []
