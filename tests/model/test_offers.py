"""Facts about what an account could be offered."""

from __future__ import annotations

import numpy as np
import pytest

from model.offers import OFFER, offers

IDS = ("SEATS", "UP", "AN")


def test_offers_are_ordered_by_expected_arr_and_sum_to_the_probability() -> None:
    """A rarer but dearer product comes first; the chances add up to that of an expansion."""
    chances = np.array([[0.7, 0.3, 0.0]])
    value = np.array([[[100.0, 50, 200], [1000, 500, 2000], [10, 5, 20]]])
    (row,) = offers(np.array([0.5]), chances, value, IDS).to_pylist()
    assert [each["id"] for each in row] == ["UP", "SEATS"]
    assert sum(each["probability"] for each in row) == pytest.approx(0.5)
    assert row[0] == {"id": "UP", "probability": 0.15, "arr": 1000.0, "low": 500.0, "high": 2000.0}


def test_an_account_without_an_eligible_product_has_no_offers() -> None:
    """Its list is empty, and the next account's is its own."""
    chances = np.array([[0.0, 0, 0], [0, 0, 1]])
    found = offers(np.array([0.5, 0.4]), chances, np.ones((2, 3, 3)), IDS)
    assert [[each["id"] for each in row] for row in found.to_pylist()] == [[], ["AN"]]


def test_offers_have_the_same_type_whatever_the_catalogue() -> None:
    """Without products or rows too, so that ranges can be put together."""
    for n, products in ((0, IDS), (2, ())):
        found = offers(np.full(n, 0.5), np.ones((n, len(products))), np.ones((n, len(products), 3)), products)
        assert found.type.value_type == OFFER
        assert len(found) == n
