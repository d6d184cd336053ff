"""Facts about calibration bins, gains and cohorts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.reliability import calibration, cohorts, gains, precision_recall, wilson


@settings(deadline=None, derandomize=True)
@given(rows=st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=80))
def test_bins_hold_every_row_once_in_order(rows: list[tuple[bool, float]]) -> None:
    """Rows and expansions of the bins sum to all, and no bin reaches below the one before."""
    outcome = np.array([r[0] for r in rows], float)
    found = calibration(outcome, np.array([r[1] for r in rows]))
    assert sum(b.rows for b in found) == len(rows)
    assert sum(b.expanded for b in found) == outcome.sum()
    assert all(a.high <= b.low for a, b in itertools.pairwise(found))
    assert all(b.rate_low <= b.rate <= b.rate_high for b in found)


@settings(deadline=None, derandomize=True)
@given(n=st.integers(1, 500), data=st.data())
def test_the_interval_of_a_rate_stays_inside_0_and_1_and_around_it(n: int, data: st.DataObject) -> None:
    """Even with no hit, or nothing but hits."""
    hits = data.draw(st.integers(0, n))
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


def test_a_perfect_ranking_captures_all_in_as_many_rows_as_there_are_expansions() -> None:
    """20 of 100 expand and have the highest scores: the best fifth holds all of them, five times chance."""
    outcome = np.array([1.0] * 20 + [0.0] * 80)
    found = {round(g.share, 2): g for g in gains(outcome, np.linspace(1, 0, 100))}
    assert found[0.2].captured == pytest.approx(1)
    assert found[0.2].lift == pytest.approx(5)
    assert found[1.0].lift == pytest.approx(1)


def test_small_groups_and_rows_without_a_name_are_one_group() -> None:
    """A rate of three rows says nothing, so they are judged together."""
    names = ["A"] * 60 + ["B"] * 40 + ["C"] * 3 + [None] * 7
    outcome = np.array(([1.0] + [0.0] * 9) * 11)
    found = cohorts(outcome, np.linspace(0, 1, 110), names)
    assert [(c.name, c.rows) for c in found] == [("A", 60), ("B", 40), ("(other)", 10)]
    assert sum(c.expanded for c in found) == outcome.sum()


def test_a_groups_interval_holds_its_rate() -> None:
    """Of 60 rows 6 expanded: the interval lies around a tenth."""
    outcome = np.array(([1.0] + [0.0] * 9) * 6)
    (found,) = cohorts(outcome, np.full(60, 0.1), ["A"] * 60)
    assert found.rate == pytest.approx(0.1)
    assert found.rate_low < found.rate < found.rate_high
    assert (found.rate_low, found.rate_high) == pytest.approx(wilson(6, 60))


@settings(deadline=None, derandomize=True)
@given(outcome=st.lists(st.booleans(), min_size=1, max_size=60).filter(any), score=st.floats(0, 1))
def test_equal_scores_find_expansions_as_chance_would(outcome: list[bool], score: float) -> None:
    """However the rows are sorted, a ranking that says nothing has a lift of one everywhere."""
    hits = np.array(outcome, float)
    flat = np.full(hits.size, score)
    assert all(each.lift == pytest.approx(1) for each in gains(hits, flat))
    assert all(each.precision == pytest.approx(hits.mean()) for each in precision_recall(hits, flat))


@settings(deadline=None, derandomize=True)
@given(
    rows=st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.9])), min_size=1, max_size=60
    ).filter(lambda rows: any(hit for hit, _ in rows))
)
def test_more_expansions_take_more_rows(rows: list[tuple[bool, float]]) -> None:
    """Recall rises to all, with never fewer rows; the order in which rows come is of no account."""
    outcome, score = (np.array([row[part] for row in rows], float) for part in (0, 1))
    found = precision_recall(outcome, score)
    counts = [each.rows for each in found]
    assert counts == sorted(counts)
    assert found[-1].recall == pytest.approx(1)
    assert all(each.precision * each.rows == pytest.approx(each.recall * outcome.sum()) for each in found)
    assert precision_recall(outcome[::-1], score[::-1]) == found


def test_a_perfect_ranking_wastes_no_row() -> None:
    """Each of the best 20 of 100 expands, and nothing is left to find after them."""
    outcome = np.array([1.0] * 20 + [0.0] * 80)
    found = precision_recall(outcome, np.linspace(1, 0, 100))
    assert [each.rows for each in found] == list(range(1, 21))
    assert all(each.precision == 1 for each in found)
