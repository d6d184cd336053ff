"""Facts about which signals move a model's scores."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from model.features.families import CATALOGUE
from model.influence import CURVES, TOP, Influence, influence
from model.panel import Rows
from model.trained import TrainedModel, probabilities


@pytest.fixture(scope="module")
def found(trained: TrainedModel, rows: Rows) -> Influence:
    """What moves the small company's scores."""
    moved = influence(trained, rows.table)
    assert moved is not None
    return moved


def test_families_share_all_movement_and_signals_come_by_size(found: Influence) -> None:
    """Shares of families sum to one; the strongest signal comes first, and no more than a dozen are told."""
    assert sum(each.share for each in found.families) == pytest.approx(1)
    shares = [each.share for each in found.signals]
    assert shares == sorted(shares, reverse=True)
    assert 0 < len(shares) <= TOP
    assert sum(shares) <= 1 + 1e-9


def test_a_signals_curve_is_the_mean_probability_with_that_value_in_every_row(
    found: Influence, trained: TrainedModel, rows: Rows
) -> None:
    """Scored again by hand for the first signal's last value."""
    signal = found.signals[0]
    last = signal.curve[-1]
    place = rows.table.column_names.index(signal.feature)
    held = pa.array([last.at] * rows.table.num_rows, rows.table.schema.field(place).type)
    again = probabilities(trained.margins(rows.table.set_column(place, signal.feature, held))).mean()
    assert last.probability == pytest.approx(again)
    assert all(each.curve for each in found.signals[:CURVES] if not CATALOGUE[each.feature].categorical)
    assert not any(each.curve for each in found.signals[CURVES:])


def test_the_swarm_holds_the_signals_contributions_and_values(
    found: Influence, trained: TrainedModel, rows: Rows
) -> None:
    """In the signals' order: the model's own contributions, and the rows' values."""
    place = trained.features.index(found.swarm.features[0])
    assert found.swarm.features == tuple(each.feature for each in found.signals)
    assert found.swarm.contributions[:, 0] == pytest.approx(trained.contributions(rows.table)[:, place])
    assert (
        found.swarm.values.shape
        == found.swarm.contributions.shape
        == (rows.table.num_rows, len(found.signals))
    )


def test_more_of_it_raises_the_score_where_the_rules_say_so(trained: TrainedModel, rows: Rows) -> None:
    """A scorecard gives points for seats used: its direction is up, and its curve never falls."""
    rules = dataclasses.replace(trained, booster=None, additive=None, basis="scorecard", weight=0.0)
    moved = influence(rules, rows.table)
    assert moved is not None
    seats = next(each for each in moved.signals if each.feature == "seat_utilisation")
    assert seats.direction == "up"
    said = [each.probability for each in seats.curve]
    assert all(np.diff(said) >= -1e-12)


def test_nothing_moves_a_score_that_is_the_same_for_all(trained: TrainedModel, rows: Rows) -> None:
    """Without any feature there is nothing to tell."""
    plain = dataclasses.replace(
        trained, booster=None, additive=None, basis="scorecard", weight=0.0, features=(), categorical=()
    )
    assert influence(plain, rows.table) is None
