"""Facts about judging a model on later outcomes."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow.compute as pc
import pytest

from model.backtest import judge
from model.errors import ModelError
from model.panel import Panel
from model.product import Product
from model.trained import TrainedModel, probabilities


def test_a_fresh_model_is_judged_by_its_recipe_on_the_latest_matured_dates(
    trained: TrainedModel, panel: Panel, as_of: date, catalogue: tuple[Product, ...]
) -> None:
    """Nothing has matured since, so the recipe is trained on what was known a horizon before."""
    found = judge(trained, panel, trained_on=as_of, products=catalogue)
    assert not found.saved
    assert found.last_day <= as_of - timedelta(days=trained.target.horizon_days)
    assert len(set(found.rows["as_of"].to_pylist())) == 3
    told_by = {"upswell", "scorecard", "seat_rule", "blog_recipe", "last_quarter", "base_rate"}
    assert told_by == set(found.figures) == set(found.said)
    assert found.figures["base_rate"]["auc"] == pytest.approx(0.5)
    assert not np.allclose(found.probability, probabilities(trained.margins(found.rows)))


def test_the_saved_model_is_judged_where_outcomes_matured_after_it_was_trained(
    trained: TrainedModel, panel: Panel, catalogue: tuple[Product, ...]
) -> None:
    """Its own probabilities, on rows from the day it was trained on."""
    matured = panel.table.filter(pc.invert(pc.is_nan(panel.table["label"])))
    trained_on = sorted(set(matured["as_of"].to_pylist()))[-2]
    found = judge(trained, panel, trained_on=trained_on, products=catalogue)
    assert found.saved
    assert found.first_day == trained_on
    assert found.probability == pytest.approx(probabilities(trained.margins(found.rows)))
    assert not any(found.rows["is_pipeline"].to_pylist())


def test_a_history_too_short_to_judge_is_said_to_be_so(
    trained: TrainedModel, panel: Panel, as_of: date, catalogue: tuple[Product, ...]
) -> None:
    """One matured date has nothing before it to learn from."""
    from dataclasses import replace

    first = panel.table["as_of"][0].as_py()
    short = replace(panel, table=panel.table.filter(pc.equal(panel.table["as_of"], first)))
    with pytest.raises(ModelError, match="too few"):
        judge(trained, short, trained_on=as_of, products=catalogue)
