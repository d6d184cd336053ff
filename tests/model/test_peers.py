"""What accounts alike did lately, without the account itself and without what came later."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from model.panel import build_rows
from model.product import Product
from model.target import Target

AS_OF = date(2026, 6, 1)
EVE = AS_OF - timedelta(days=1)
PRIOR = 10
ITEMS = ("AN", "BX", "CY")
World = dict[str, dict[str, Any]]


def random_world(rng: random.Random) -> World:
    """Accounts with segment, industry, won expansions and products, each with when it was known."""

    def day(most: int) -> date:
        edge = rng.choice((90, 180)) - rng.choice((0, 1))  # often at the edge of a window
        return EVE - timedelta(days=edge if rng.random() < 0.5 else rng.randint(-20, most))

    world: World = {}
    for number in range(60):
        won = [
            (closed := day(220), closed + timedelta(days=rng.choice((0, 0, 40))))
            for _ in range(rng.randint(0, 2))
        ]
        owned = {}
        for item in ITEMS:
            if rng.random() < 0.4:
                began = day(260)
                ended = began + timedelta(days=rng.randint(5, 300)) if rng.random() < 0.3 else None
                owned[item] = (began, began + timedelta(days=rng.choice((0, 30))), ended)
        world[f"P{number:03d}"] = {
            "segment": rng.choice(("SMB", "Mid")),
            "industry": rng.choice(("Retail", "Energy", None)),
            "won": won,
            "owned": owned,
        }
    return world


def company(tiny: Any, at: Callable[..., datetime], world: World) -> Any:
    """The world as tables."""
    accounts, bills, deals, owned = [], [], [], []
    for name, each in world.items():
        accounts.append({"account_id": name, "segment": each["segment"], "industry": each["industry"]})
        bills.append({"account_id": name, "period_start": date(2026, 5, 20), "seats": 5.0, "arr": 100.0})
        for number, (closed, known) in enumerate(each["won"]):
            deals.append(
                {"account_id": name, "crm_id": f"{name}-{number}", "created_at": at(closed),
                 "known_from": at(known),
                 "opportunity_type": "Expansion", "is_closed": True, "is_won": True, "closed_at": at(closed),
                 "amount": 5.0}
            )  # fmt: skip
        for item, (began, known, ended) in each["owned"].items():
            owned.append(
                {"account_id": name, "item": item, "kind": "product", "quantity": 1.0, "valid_from": began,
                 "valid_to": ended, "known_from": at(known)}
            )  # fmt: skip
    made = tiny.without("accounts", "billing", "opportunities", "entitlements")
    made = made.plus("accounts", *accounts).plus("billing", *bills)
    return made.plus("opportunities", *deals).plus("entitlements", *owned)


def expanded(each: dict[str, Any], first: int, last: int) -> bool:
    """Whether it won an expansion `first` to `last` days before the eve, known by then."""
    return any(first <= (EVE - closed).days < last and known <= EVE for closed, known in each["won"])


def taken(each: dict[str, Any], item: str, days: int) -> bool:
    """Whether it took the product up in these days."""
    began, known, _ = each["owned"].get(item, (date.max, date.max, None))
    return began <= EVE and known <= EVE and (EVE - began).days < days


def owns(each: dict[str, Any], item: str) -> bool:
    """Whether it is known to own the product on the eve."""
    _, _, ended = each["owned"].get(item, (None, None, None))
    return taken(each, item, 10**6) and (ended is None or ended >= EVE)


def reference(world: World, name: str) -> dict[str, float]:
    """What the peer features of one account say, figured by counting."""
    own = world[name]
    others = [each for other, each in world.items() if other != name]

    def share(peers: list[dict[str, Any]], test: Callable[[dict[str, Any]], bool]) -> float:
        overall = sum(map(test, others)) / len(others)
        return (sum(map(test, peers)) + PRIOR * overall) / (len(peers) + PRIOR)

    segment = [each for each in others if each["segment"] == own["segment"]]
    alike = [each for each in segment if each["industry"] == own["industry"]]
    lacked = [
        item for item in ITEMS if not owns(own, item) and any(taken(e, item, 10**6) for e in world.values())
    ]
    return {
        "peer_rate_segment": share(segment, lambda each: expanded(each, 0, 90)),
        "peer_rate_alike_180": share(alike, lambda each: expanded(each, 0, 180)),
        "peer_rate_alike_change": share(alike, lambda each: expanded(each, 0, 90))
        - share(alike, lambda each: expanded(each, 90, 180)),
        **{
            f"peer_adoption_{days}": max(
                (share(alike, lambda e, i=item, d=days: taken(e, i, d)) for item in lacked), default=0.0
            )
            for days in (90, 180)
        },
        "peer_products_180": sum(any(taken(each, item, 180) for each in alike) for item in lacked),
        "peer_owned_share": max((share(alike, lambda e, i=item: owns(e, i)) for item in lacked), default=0.0),
    }  # fmt: skip


def test_peer_features_are_what_counting_says(tiny: Any, at: Callable[..., datetime]) -> None:
    """The account itself, what was not known yet and what had ended count nowhere; few peers weigh little."""
    world = random_world(random.Random(5))
    seats = (Product(id="SEATS", name="Seats", type="seat"),)
    rows = build_rows(company(tiny, at, world).tables(), as_of=AS_OF, target=Target(), products=seats).table
    found = {row["account_id"]: row for row in rows.to_pylist()}
    assert set(found) == set(world)
    for name in world:
        expected = reference(world, name)
        assert {each: found[name][each] for each in expected} == pytest.approx(expected, rel=1e-4, abs=1e-6)
