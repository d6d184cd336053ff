"""Facts about the ARR that an expansion adds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from model.value import ANY, PRIOR, ValueModel, train_value

PRODUCTS = ("SEATS", "SERVICE")


def grown(n: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Expansions over two years: seats add a fifth of the ARR, a service always 5,000."""
    rng = np.random.default_rng(seed)
    arr = np.exp(rng.uniform(8, 13, n))
    product = rng.choice(PRODUCTS, n, p=[0.7, 0.3])
    noise = np.exp(rng.normal(0, np.where(product == "SEATS", 0.5, 0.1)))
    days = np.sort(rng.integers(0, 26, n)) * 28
    table = pa.table(
        {
            "label": np.ones(n),
            "added_arr": np.where(product == "SEATS", 0.2 * arr, 5000.0) * noise,
            "bought": product.tolist(),
            "arr": arr,
            "seats": arr / 500,
            "plan_tier": ["Growth"] * n,
        }
    )
    return table, days


def learnt(n: int = 1500, seed: int = 1) -> tuple[ValueModel, dict[str, float]]:
    """A model of such expansions, for which either product is as likely as it was bought."""
    table, days = grown(n, seed)
    chances = np.tile([0.7, 0.3], (n, 1))
    return train_value(
        table, ("arr", "seats", "plan_tier"), days, products=PRODUCTS, chances=chances, horizon=90
    )


def test_each_product_has_its_own_price() -> None:
    """Seats grow with the account, the service does not, and both means are right within a fifth."""
    model, _ = learnt()
    small_and_large = pa.table({"arr": [10_000.0, 200_000.0], "seats": [20.0, 400.0]})
    mean = model.of_products(small_and_large, PRODUCTS)[..., 0]
    assert mean[:, 0] == pytest.approx(np.array([2_000, 40_000]) * np.exp(0.125), rel=0.2)
    assert mean[:, 1] == pytest.approx(5_000, rel=0.2)


def test_the_ranges_hold_four_of_five_later_expansions() -> None:
    """By product and for the account as a whole, on rows that nothing was learnt from."""
    model, metrics = learnt()
    later, _ = grown(4000, seed=2)
    added, bought = later["added_arr"].to_numpy(), np.array(later["bought"].to_pylist())
    whole = model.of_accounts(later, PRODUCTS, np.tile([0.7, 0.3], (4000, 1)))
    assert 0.75 <= np.mean((added >= whole[:, 1]) & (added <= whole[:, 2])) <= 0.87
    assert 0.75 <= metrics["value_coverage"] <= 0.9
    for place, product in enumerate(PRODUCTS):
        _, low, high = model.of_products(later, PRODUCTS)[bought == product, place].T
        own = added[bought == product]
        assert 0.74 <= np.mean((own >= low) & (own <= high)) <= 0.88
    assert whole[:, 0].sum() == pytest.approx(added.sum(), rel=0.1)


def test_an_account_s_mean_is_that_of_its_products() -> None:
    """So that expected ARR is the same whether summed by account or by product."""
    model, _ = learnt()
    table, _ = grown(50, seed=3)
    chances = np.random.default_rng(0).dirichlet([1, 1], 50)
    by_product = (chances * model.of_products(table, PRODUCTS)[..., 0]).sum(axis=1)
    assert model.of_accounts(table, PRODUCTS, chances)[:, 0] == pytest.approx(by_product)


def test_the_range_holds_the_mean_whatever_the_account() -> None:
    """Also without an ARR, without any eligible product, and for one that was never bought."""
    model, _ = learnt()
    odd = pa.table({"arr": [None, 0.0, 1e12, 1.0], "seats": pa.nulls(4, pa.float64())})
    products = (*PRODUCTS, "NEW")
    chances = np.array([[0.2, 0.2, 0.6], [0, 0, 0], [1, 0, 0], [0, 0, 1]], float)
    for figures in (model.of_accounts(odd, products, chances), model.of_products(odd, products)):
        assert np.isfinite(figures).all()
        assert (figures[..., 1] <= figures[..., 0]).all()
        assert (figures[..., 0] <= figures[..., 2]).all()


def test_too_few_expansions_leave_the_default() -> None:
    """An expansion then adds 15 % of the ARR, between 5 and 40 %."""
    table, days = grown(100, seed=1)
    chances = np.tile([0.7, 0.3], (100, 1))
    model, metrics = train_value(table, ("arr",), days, products=PRODUCTS, chances=chances, horizon=90)
    assert (model, metrics) == (PRIOR, {})
    known = pa.table({"arr": [1000.0]})
    assert model.of_accounts(known, PRODUCTS, chances[:1])[0] == pytest.approx([150, 50, 400], rel=1e-3)
    assert model.of_products(known, [ANY])[0, 0] == pytest.approx([150, 50, 400])


def test_a_row_s_figures_are_the_same_to_the_last_bit_in_any_batch() -> None:
    """Alone or among a thousand others."""
    model, _ = learnt()
    table, _ = grown(1000, seed=4)
    chances = np.random.default_rng(0).dirichlet([1, 1], 1000)
    whole = model.of_accounts(table, PRODUCTS, chances)
    for place in range(0, 1000, 97):
        alone = model.of_accounts(table.slice(place, 1), PRODUCTS, chances[place : place + 1])
        assert alone.tobytes() == whole[place].tobytes()


def test_a_model_survives_json() -> None:
    """What was written and read again says the same, to the last bit."""
    model, _ = learnt()
    again = ValueModel.from_json(json.loads(json.dumps(model.as_json(), sort_keys=True)))
    assert again == model


def test_a_column_that_is_left_out_is_not_looked_at() -> None:
    """A suspect's column moves no line."""
    table, days = grown(1500, seed=1)
    chances = np.tile([0.7, 0.3], (1500, 1))
    given: dict[str, Any] = {"products": PRODUCTS, "chances": chances, "horizon": 90}
    model, _ = train_value(table, ("arr",), days, **given)
    assert [column[0] for column in model.columns] == ["arr"]
    assert model.tiers == ()
