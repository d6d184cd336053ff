"""Facts about training, cold start and what is left out."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from model.panel import Panel, Rows
from model.predict import predict
from model.product import Product
from model.registry import Registry
from model.scorecard import basis_of
from model.target import Target
from model.train import train
from model.trained import TrainedModel


def test_the_same_panel_and_seed_give_the_same_model_bit_for_bit(
    panel: Panel, trained: TrainedModel, rows: Rows, catalogue: tuple[Product, ...]
) -> None:
    """Training twice gives identical log-odds, values, products and hazards."""
    again = train(panel, target=Target(), products=catalogue, seed=1)
    assert np.array_equal(again.margins(rows.table), trained.margins(rows.table))
    for part in ("additive", "value", "hazard", "product_shares", "product_pull", "metrics"):
        assert getattr(again, part) == getattr(trained, part)


def test_a_model_knows_neither_the_ids_nor_the_order_of_its_rows(
    panel: Panel, trained: TrainedModel, rows: Rows, catalogue: tuple[Product, ...]
) -> None:
    """The same company under other ids, and so in another order, gives identical log-odds."""
    shuffled = panel.table.take(np.random.default_rng(5).permutation(panel.table.num_rows))
    ids = [f"z{name[::-1]}" for name in shuffled["account_id"].to_pylist()]
    renamed = shuffled.set_column(shuffled.column_names.index("account_id"), "account_id", [ids])
    again = train(dataclasses.replace(panel, table=renamed), target=Target(), products=catalogue, seed=1)
    assert np.array_equal(again.margins(rows.table), trained.margins(rows.table))


def test_a_model_is_judged_on_later_rows_against_every_baseline(trained: TrainedModel) -> None:
    """The model beats the base rate's log loss out of time; rules and seat rule are judged on its rows."""
    metrics = trained.metrics
    assert metrics["model"]["log_loss"] < metrics["base_rate"]["log_loss"]
    assert {metrics[name]["rows"] for name in ("served", "model", "scorecard", "base_rate", "seat_rule")} == {
        metrics["model"]["rows"]
    }


@pytest.mark.parametrize(
    ("expansions", "history", "expected"),
    [
        (19, 800, ("scorecard", 0.0)),
        (500, 300, ("scorecard", 0.0)),
        (50, 800, ("blend", 0.625)),
        (76, 800, ("model", 1.0)),
    ],
)
def test_the_model_earns_its_place_with_history(
    expansions: int, history: int, expected: tuple[str, float]
) -> None:
    """Rules below 20 expansions or a year, then a blend at n / (n + 30), the model beyond 75."""
    assert basis_of(expansions, history) == expected


def test_a_scorecard_scores_without_any_booster(
    panel: Panel, rows: Rows, catalogue: tuple[Product, ...]
) -> None:
    """With 5 expansions the rules score, and fuller seats never lower the score."""
    young = dataclasses.replace(panel, expansions=5)
    model = train(young, target=Target(), products=catalogue)
    used = rows.table["seat_utilisation"].to_numpy()
    margins = model.margins(rows.table)
    assert model.basis == "scorecard"
    assert model.booster is None
    assert margins[used >= 0.9].mean() > margins[used < 0.5].mean()


def test_expansions_that_are_recorded_only_since_lately_leave_the_scoring_to_the_rules(
    panel: Panel, catalogue: tuple[Product, ...]
) -> None:
    """However many there are: the slice to learn from has none."""
    label, day = panel.table["label"].to_numpy(), panel.table["as_of"].to_numpy()
    latest = np.unique(day[~np.isnan(label)])[-3:]
    late = np.where(np.isnan(label) | np.isin(day, latest), label, 0.0)
    table = panel.table.set_column(panel.table.column_names.index("label"), "label", pa.array(late))
    lately = train(dataclasses.replace(panel, table=table), target=Target(), products=catalogue)
    assert (lately.basis, lately.booster) == ("scorecard", None)


def test_a_handful_of_accounts_is_not_learnt_by_heart(panel: Panel, catalogue: tuple[Product, ...]) -> None:
    """However many expansions the company has had besides."""
    few = pa.array(panel.table["account_id"].unique().to_pylist()[:4])
    table = panel.table.filter(pc.is_in(panel.table["account_id"], value_set=few))
    handful = train(dataclasses.replace(panel, table=table), target=Target(), products=catalogue)
    assert (handful.basis, handful.booster) == ("scorecard", None)


def test_a_feature_written_after_the_fact_is_left_out_and_named(
    panel: Panel, catalogue: tuple[Product, ...]
) -> None:
    """A column that all but equals the label is a suspect, not a feature."""
    table = panel.table
    label = np.nan_to_num(table["label"].to_numpy())
    noise = np.random.default_rng(0).normal(0, 0.1, label.size)
    index = table.column_names.index("days_since_lost")
    leaky: Any = table.set_column(index, "days_since_lost", [label + noise])
    model = train(dataclasses.replace(panel, table=leaky), target=Target(), products=catalogue)
    assert model.facts["suspects"] == ["days_since_lost"]
    assert "days_since_lost" not in model.features


def test_a_feature_that_only_tells_the_date_is_not_learnt(
    panel: Panel, trained: TrainedModel, catalogue: tuple[Product, ...]
) -> None:
    """The season and the rate of all accounts are one number a date; a model would learn dates by heart."""
    assert "season_sine" in panel.features
    assert not {"season_sine", "season_cosine", "peer_rate_all"} & set(trained.features)
    assert {"months_to_fiscal_year_end", "peer_rate_segment"} <= set(trained.features)


def test_training_leaves_no_files_behind(
    panel: Panel, catalogue: tuple[Product, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folder of CatBoost's own appears where the process was started."""
    monkeypatch.chdir(tmp_path)
    train(panel, target=Target(), products=catalogue)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def hopeless(panel: Panel, catalogue: tuple[Product, ...]) -> TrainedModel:
    """A model of the same company with its outcomes shuffled."""
    table = panel.table
    label = table["label"].to_numpy().copy()
    known = np.flatnonzero(~np.isnan(label))
    label[known] = np.random.default_rng(4).permutation(label[known])
    mixed: Any = table.set_column(table.column_names.index("label"), "label", [label])
    return train(dataclasses.replace(panel, table=mixed), target=Target(), products=catalogue)


def test_labels_without_a_pattern_are_said_to_have_no_signal(hopeless: TrainedModel) -> None:
    """Shuffled outcomes give no ranking: the facts and the basis say that there is no signal."""
    assert hopeless.facts["has_signal"] is False
    assert hopeless.basis == "no_signal"
    assert hopeless.booster is None


def test_without_a_signal_nobody_is_ranked(
    hopeless: TrainedModel, rows: Rows, catalogue: tuple[Product, ...], tmp_path: Path
) -> None:
    """Every account has the rate of all; none a tier, a reason, a rank or a time; loaded again too."""
    registry = Registry(tmp_path)
    registry.save(hopeless, date(2026, 6, 1))
    said = predict(registry.load(), rows, tiers={}, products=catalogue)
    rate = hopeless.metrics["base_rate"]["base_rate"]
    (flat,) = set(said["probability"].to_pylist())
    assert flat == pytest.approx(rate, abs=0.05)
    assert set(said["tier"].to_pylist()) == {"not_enough_data"}
    assert set(said["timing"].to_pylist()) == {"hold"}
    assert set(said["priority"].to_pylist()) == {None}
    assert not any(said["reasons"].to_pylist() + said["against"].to_pylist())
    assert "Not ranked" in registry.card("2026.06.01-1")


def test_a_signal_is_not_denied_for_want_of_outcomes(panel: Panel, catalogue: tuple[Product, ...]) -> None:
    """With too few later expansions to tell, nothing is said about a signal and the model scores."""
    table = panel.table
    later = np.array([day >= date(2026, 1, 1) for day in table["as_of"].to_pylist()])
    few = later & (np.arange(table.num_rows) % 4 > 0)
    thin = dataclasses.replace(panel, table=table.filter(~few))
    model = train(thin, target=Target(), products=catalogue)
    assert (model.facts["has_signal"], model.basis) == (None, "model")
