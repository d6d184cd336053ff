"""A parent and its subsidiaries are a group."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from model.panel import build_rows
from model.product import Product
from model.target import Target

AS_OF = date(2026, 6, 1)
GROUP = ("A000", "A001", "A008")  # A000 is the parent


def values(company: Any, catalogue: tuple[Product, ...]) -> dict[str, dict[str, Any]]:
    """Every account's features by its id."""
    rows = build_rows(company.tables(), as_of=AS_OF, target=Target(), products=catalogue)
    return {row["account_id"]: row for row in rows.table.to_pylist()}


def test_a_group_is_the_parent_and_its_subsidiaries(tiny: Any, catalogue: tuple[Product, ...]) -> None:
    """Each has the others as siblings and all of their ARR, users and seats; one alone has its own."""
    found = values(tiny, catalogue)
    for name in GROUP:
        assert found[name]["siblings"] == 2
        assert found[name]["group_arr"] == sum(found[member]["arr"] for member in GROUP)
        users = sum(found[member]["users_30"] for member in GROUP)
        assert found[name]["group_users_30"] == users
        seats = sum(found[member]["seats"] for member in GROUP)
        assert found[name]["group_seat_utilisation"] == pytest.approx(users / seats, rel=1e-5)
    assert (found["A002"]["siblings"], found["A002"]["group_arr"]) == (0, found["A002"]["arr"])


def test_what_siblings_bought_and_own_is_known(
    tiny: Any, catalogue: tuple[Product, ...], at: Callable[..., datetime]
) -> None:
    """Their expansions of half a year without one's own, and the products that one lacks oneself."""
    before = values(tiny, catalogue)
    won = {
        "account_id": "A008", "crm_id": "won", "created_at": at(date(2026, 4, 1)),
        "known_from": at(date(2026, 4, 1)), "opportunity_type": "Upsell", "stage": "Closed Won",
        "amount": 900.0, "is_closed": True, "is_won": True, "closed_at": at(date(2026, 5, 4)),
        "product_id": "AN",
    }  # fmt: skip
    owned = {
        "account_id": "A008", "item": "AN", "kind": "product", "quantity": 1.0,
        "valid_from": date(2026, 5, 4), "valid_to": None, "known_from": at(date(2026, 5, 4)),
    }  # fmt: skip
    after = values(tiny.plus("opportunities", won).plus("entitlements", owned), catalogue)

    def grown(name: str, feature: str) -> float:
        gained: float = after[name][feature] - before[name][feature]
        return gained

    assert [grown(name, "sibling_expansions_180") for name in (*GROUP, "A002")] == [1, 1, 0, 0]
    assert [grown(name, "sibling_products_missing") for name in (*GROUP, "A002")] == [1, 1, 0, 0]
