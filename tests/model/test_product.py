"""Facts about which product is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from model.panel import Rows
from model.product import (
    DEFAULT_PULL,
    MIN_BOUGHT,
    Product,
    fit_pull,
    product_scores,
    rank_products,
    recommended,
)
from model.trained import TrainedModel

SHARES = {"SEATS": 0.5, "UP": 0.3, "AN": 0.2}


@pytest.fixture
def offers() -> tuple[Product, ...]:
    """Three products of three types."""
    return (
        Product(id="SEATS", name="Seats", type="seat"),
        Product(id="UP", name="Upgrade", type="tier"),
        Product(id="AN", name="Analytics", type="module"),
    )


@pytest.fixture
def fuller(rows: Rows) -> pa.Table:
    """400 rows whose seats are used to anything between a third and all."""
    table = rows.table.take(pa.array(np.arange(400) % rows.table.num_rows))
    column: Any = np.linspace(0.3, 1.0, 400)
    owned: Any = pa.array([[]] * 400, pa.list_(pa.string()))
    table = table.set_column(table.column_names.index("seat_utilisation"), "seat_utilisation", [column])
    return table.set_column(table.column_names.index("owned"), "owned", owned)


def test_rules_that_came_true_are_trusted_more(
    fuller: pa.Table, rows: Rows, offers: tuple[Product, ...]
) -> None:
    """Where full accounts always bought seats the seat rule gains; where chance decided it loses."""
    used = fuller["seat_utilisation"].to_numpy()
    as_ruled = fit_pull(fuller, ["SEATS" if u > 0.7 else "UP" for u in used], offers, SHARES, rows.signals)
    chance = np.random.default_rng(5).choice(list(SHARES), size=used.size, p=list(SHARES.values()))
    at_random = fit_pull(fuller, chance.tolist(), offers, SHARES, rows.signals)
    assert as_ruled["seat"] > 2 * DEFAULT_PULL
    assert at_random["seat"] < DEFAULT_PULL
    assert all(0 <= pull <= 1.5 for pull in [*as_ruled.values(), *at_random.values()])


def test_few_purchases_leave_the_default(fuller: pa.Table, rows: Rows, offers: tuple[Product, ...]) -> None:
    """Below 75 known purchases nothing is learnt about the rules."""
    bought: list[str | None] = ["SEATS"] * (MIN_BOUGHT - 1)
    bought += [None] * (fuller.num_rows - len(bought))
    assert set(fit_pull(fuller, bought, offers, SHARES, rows.signals).values()) == {DEFAULT_PULL}


def test_without_trust_the_commonest_products_are_named(
    fuller: pa.Table, rows: Rows, offers: tuple[Product, ...]
) -> None:
    """A pull of nought leaves the shares alone."""
    silent = dict.fromkeys(["seat", "tier", "module"], 0.0)
    first, second = rank_products(fuller, offers, SHARES, rows.signals, silent)
    assert (set(first), set(second)) == ({"SEATS"}, {"UP"})


def test_the_product_is_judged_on_later_expansions(trained: TrainedModel) -> None:
    """Two names are right at least as often as one, and the commonest product is shown beside them."""
    product = trained.metrics["product"]
    assert 0 < product["first_right"] <= product["two_right"] <= 1
    assert 0 < product["commonest"] <= 1


def test_product_scores_count_only_known_purchases() -> None:
    """Rows that bought nothing known are left out."""
    found = product_scores(["A", "A", "B", None], ["B", "B", "A", None], ["A", "B", None, "C"])
    assert found == pytest.approx({"rows": 3, "first_right": 1 / 3, "two_right": 2 / 3, "commonest": 1 / 3})
    assert product_scores(["A"], ["B"], [None]) == {}


def test_of_the_two_most_likely_the_one_worth_more_is_recommended(offers: tuple[Product, ...]) -> None:
    """The dearest product of all stays out where it is the least likely, and nothing ineligible is named."""
    chances = np.array([[0.5, 0.4, 0.1], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    arr = np.tile([100.0, 200.0, 9000.0], (3, 1))
    first, second = recommended(chances, arr, offers)
    assert first == ["UP", "SEATS", None]
    assert second == ["SEATS", None, None]
