"""Facts about predictions and their reasons."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from model.errors import ModelError
from model.features.families import CATALOGUE
from model.panel import Rows
from model.predict import predict, predict_range, rank
from model.product import Product, rank_products
from model.reasons import family_shares
from model.trained import TrainedModel, probabilities


def test_an_account_gets_the_same_score_in_any_batch(
    trained: TrainedModel, rows: Rows, predictions: pa.Table, catalogue: tuple[Product, ...]
) -> None:
    """Alone, in reverse order or with all others: everything but the rank stays the same."""
    backwards = pa.array(np.arange(rows.table.num_rows)[::-1][:40])
    part = dataclasses.replace(rows, table=rows.table.take(backwards))
    found = predict(trained, part, tiers={}, products=catalogue).drop_columns(["priority"])
    assert found.to_pylist() == predictions.take(backwards).drop_columns(["priority"]).to_pylist()


def test_a_row_alone_scores_to_the_last_bit_as_among_all_others(
    trained: TrainedModel, rows: Rows, predictions: pa.Table, catalogue: tuple[Product, ...]
) -> None:
    """Everything but the rank, which is among those that are scored."""
    for place in range(0, rows.table.num_rows, 16):
        alone = dataclasses.replace(rows, table=rows.table.slice(place, 1))
        found = predict_range(trained, alone, tiers={}, products=catalogue)
        told = set(found.column_names) & set(predictions.column_names) - {"priority"}
        assert found.select(sorted(told)).equals(predictions.slice(place, 1).select(sorted(told)))


@pytest.mark.parametrize("size", [33, 100])
def test_scores_put_together_from_ranges_are_those_of_one_batch_to_the_last_bit(
    trained: TrainedModel, rows: Rows, predictions: pa.Table, catalogue: tuple[Product, ...], size: int
) -> None:
    """Every column, the ranks and the shares of the families before rounding included."""
    starts = range(0, rows.table.num_rows, size)
    ranges = [dataclasses.replace(rows, table=rows.table.slice(start, size)) for start in starts]
    parts = [predict_range(trained, part, tiers={}, products=catalogue) for part in ranges]
    assert rank(pa.concat_tables(parts)).equals(predictions)
    shares = [family_shares(trained.contributions(part.table), trained.features) for part in ranges]
    whole = family_shares(trained.contributions(rows.table), trained.features)
    assert np.vstack(shares).tobytes() == whole.tobytes()


def test_contributions_and_base_sum_to_the_score(trained: TrainedModel, rows: Rows) -> None:
    """SHAP values differ from the log-odds by one constant, the expected value."""
    gap = trained.margins(rows.table) - trained.contributions(rows.table).sum(axis=1)
    assert np.ptp(gap) < 1e-6


def test_shares_of_all_families_sum_to_one(trained: TrainedModel, rows: Rows) -> None:
    """The absolute shares of an account's families add up to 100 %."""
    shares = family_shares(trained.contributions(rows.table), trained.features)
    assert np.abs(shares).sum(axis=1) == pytest.approx(1.0)


def test_reasons_point_the_right_way(predictions: pa.Table, rows: Rows) -> None:
    """A reason is said only with a phrase of that direction whose bound the account's figure meets."""
    spoken = {
        phrase.code: (name, phrase) for name, feature in CATALOGUE.items() for phrase in feature.phrases
    }
    seen = 0
    for row in predictions.to_pylist():
        assert len(row["reasons"]) <= 3
        assert len(row["against"]) <= 2
        assert row["reason_codes"] == [r["code"] for r in row["reasons"] + row["against"]]
        for supports, reasons in ((True, row["reasons"]), (False, row["against"])):
            for reason in reasons:
                seen += 1
                assert spoken[reason["code"]][1].supports is supports
                assert 0.02 <= reason["share"] <= 1
                assert "{" not in reason["sentence"]
                assert re.search(r" \([a-z ]+, \d+ [A-Z][a-z]{2}( 2025)?\)$", reason["sentence"])
    assert seen > predictions.num_rows


def test_figures_are_consistent(predictions: pa.Table) -> None:
    """Expected ARR is probability × ARR, the range holds the mean, the rank is a permutation."""
    table = predictions.to_pydict()
    product = np.array(table["probability"]) * np.array(table["arr_if_expands"])
    assert np.array(table["expected_arr"]) == pytest.approx(product, rel=1e-3, abs=0.02)
    assert (np.array(table["arr_low"]) <= np.array(table["arr_if_expands"])).all()
    assert (np.array(table["arr_if_expands"]) <= np.array(table["arr_high"])).all()
    assert sorted(table["priority"]) == list(range(1, predictions.num_rows + 1))
    assert set(table["timing"]) <= {"now", "d30", "d90", "hold"}
    assert set(table["health"]) <= {"green", "yellow", "red", "unknown"}


def test_products_add_up_to_the_account(predictions: pa.Table) -> None:
    """Their chances sum to the account's, their expected ARR to its own; the best of them comes first."""
    for row in predictions.to_pylist():
        worth = [each["probability"] * each["arr"] for each in row["products"]]
        assert worth == sorted(worth, reverse=True)
        assert sum(each["probability"] for each in row["products"]) == pytest.approx(
            row["probability"], abs=1e-5
        )
        assert sum(worth) == pytest.approx(row["expected_arr"], rel=0.01, abs=0.5)
        assert {row["product"], row["product_2"]} - {None} <= {each["id"] for each in row["products"]}
        assert all(each["low"] <= each["arr"] <= each["high"] for each in row["products"])


def test_chances_rise_over_the_horizon(predictions: pa.Table) -> None:
    """Within a third, within two, within all of it."""
    soon, later, all_of_it = (
        predictions[name].to_numpy() for name in ("chance_soon", "chance_later", "probability")
    )
    assert (soon <= later).all()
    assert (later <= all_of_it + 1e-6).all()
    assert (soon > 0).all()


def test_red_health_means_hold(predictions: pa.Table) -> None:
    """An account in trouble is never due for an offer, and its trouble is named."""
    for row in predictions.to_pylist():
        if row["health"] == "red":
            assert row["timing"] == "hold"
            assert row["health_reasons"]


def test_tiers_follow_the_cut_offs(trained: TrainedModel, rows: Rows, catalogue: tuple[Product, ...]) -> None:
    """With cut-offs at zero everyone with enough data is very high; cut-offs that rise are refused."""
    all_high = predict(trained, rows, tiers={"very_high": 0, "high": 0, "medium": 0}, products=catalogue)
    assert set(all_high["tier"].to_pylist()) == {"very_high"}
    with pytest.raises(ModelError, match="very_high"):
        predict(trained, rows, tiers={"medium": 0.9}, products=catalogue)


def test_an_account_without_data_has_no_tier(
    trained: TrainedModel, rows: Rows, catalogue: tuple[Product, ...]
) -> None:
    """Below the stated completeness the tier is not_enough_data."""
    index = rows.table.column_names.index("data_completeness")
    thin: Any = rows.table.set_column(index, "data_completeness", [np.full(rows.table.num_rows, 0.1)])
    found = predict(trained, dataclasses.replace(rows, table=thin), tiers={}, products=catalogue)
    assert set(found["tier"].to_pylist()) == {"not_enough_data"}


def test_a_module_that_is_owned_is_not_recommended(rows: Rows, catalogue: tuple[Product, ...]) -> None:
    """Owning the module takes it out of both places; a seat can be bought again."""
    index = rows.table.column_names.index("owned")
    n = rows.table.num_rows
    owning: Any = rows.table.set_column(index, "owned", pa.array([["AN", "SEATS"]] * n))
    first, second = rank_products(owning, catalogue, {"AN": 0.9, "SEATS": 0.05, "UP": 0.05}, rows.signals, {})
    assert "AN" not in {*first, *second}
    assert "SEATS" in {*first, *second}


def test_rows_without_a_feature_are_refused(trained: TrainedModel, rows: Rows) -> None:
    """A missing column is named, never filled in silently."""
    with pytest.raises(ModelError, match="seat_utilisation"):
        trained.margins(rows.table.drop_columns(["seat_utilisation"]))


def test_probabilities_lie_between_nought_and_one() -> None:
    """Even for extreme log-odds."""
    assert probabilities(np.array([-50.0, 0.0, 50.0])) == pytest.approx([0.0, 0.5, 1.0])
