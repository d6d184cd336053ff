"""Facts about the simpler ways to tell who expands."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from model.baselines import FLAT, Said, baselines, last_quarter, seat_rule

FIRST = date(2026, 1, 1)
HORIZON = 90


def table(days: list[date], segments: list[str], labels: list[float], seats: list[float]) -> pa.Table:
    """Rows with all that the baselines look at."""
    rng = np.random.default_rng(0)
    flat = {name: pa.array(rng.random(len(days))) for name in FLAT}
    return pa.table(
        {
            "as_of": pa.array(days, pa.date32()),
            "segment": segments,
            "label": pa.array(labels),
            "seat_utilisation": pa.array(seats),
            **flat,
        }
    )


def history(rate_of: dict[str, float], day: date, rows: int = 200) -> pa.Table:
    """Rows of one day in which so many of each segment expanded."""
    labels = [float(place < rows * rate) for rate in rate_of.values() for place in range(rows)]
    segments = [name for name in rate_of for _ in range(rows)]
    return table([day] * len(labels), segments, labels, [0.5] * len(labels))


def test_ties_in_a_ranking_are_chance() -> None:
    """Said the same of everybody: half of all pairs in order, no lift, the precision of the base rate."""
    outcome = np.array([1.0] * 10 + [0.0] * 40)
    flat = np.full(50, 0.2)
    found = Said(probability=flat, ranking=flat).figures(outcome)
    assert (found["auc"], found["lift_20"], found["pr_auc"]) == pytest.approx((0.5, 1.0, 0.2))


def test_the_seat_rule_says_the_two_past_rates_and_ranks_by_utilisation() -> None:
    """Half of those above 80 % expanded in the past, a tenth of the others."""
    past = table(
        [FIRST] * 40, ["A"] * 40, [1.0] * 10 + [0.0] * 10 + [1.0] * 2 + [0.0] * 18, [0.9] * 20 + [0.3] * 20
    )
    rows = table([FIRST], ["A"], [0.0], [0.95])
    said = seat_rule(past, pa.concat_tables([rows, table([FIRST], ["A"], [0.0], [float("nan")])]))
    assert said.probability == pytest.approx([0.5, 0.1])
    assert said.ranking == pytest.approx([0.95, 0.0])


def test_the_last_rate_is_of_the_segment_and_of_a_horizon_that_had_ended() -> None:
    """A later snapshot, whose outcomes were not known on the row's day, is not looked at."""
    old, ended = history({"A": 0.5, "B": 0.1}, FIRST), FIRST + timedelta(days=28)
    newer, unknown = (
        history({"A": 0.2, "B": 0.1}, ended),
        history({"A": 0.9, "B": 0.9}, ended + timedelta(days=1)),
    )
    rows = table([ended + timedelta(days=HORIZON)] * 2, ["A", "B"], [0.0, 0.0], [0.5, 0.5])
    said = last_quarter(pa.concat_tables([old, newer, unknown]), rows, horizon_days=HORIZON)
    assert said.probability == pytest.approx([0.2, 0.1], abs=0.01)


def test_a_small_segment_is_drawn_towards_the_rate_of_all() -> None:
    """One account of it that expanded is no rate of 100 %."""
    past = pa.concat_tables([history({"A": 0.1}, FIRST), table([FIRST], ["B"], [1.0], [0.5])])
    rows = table([FIRST + timedelta(days=HORIZON)], ["B"], [0.0], [0.5])
    said = last_quarter(past, rows, horizon_days=HORIZON)
    assert 0.1 < said.probability[0] < 0.25


def test_no_baseline_learns_from_outcomes_that_were_not_known() -> None:
    """History turned upside down within one horizon before the rows changes nothing that is said of them."""
    day = FIRST + timedelta(days=200)
    known = history({"A": 0.3, "B": 0.1}, FIRST)
    rows = table([day] * 30, ["A"] * 15 + ["B"] * 15, [0.0] * 30, list(np.linspace(0, 1, 30)))
    told = [
        baselines(pa.concat_tables([known, late]), rows, horizon_days=HORIZON, seed=1)
        for rate in (0.0, 1.0)
        for late in (history({"A": rate, "B": 1 - rate}, day - timedelta(days=HORIZON - 1)),)
    ]
    assert set(told[0]) == {"seat_rule", "blog_recipe", "last_quarter", "base_rate"}
    for name in told[0]:
        assert told[0][name].probability == pytest.approx(told[1][name].probability), name
    assert told[0]["base_rate"].probability == pytest.approx(0.2)
