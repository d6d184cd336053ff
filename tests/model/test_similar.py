"""Facts about accounts like this."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from model.similar import BANDS, MIN_ACCOUNTS, Matured, judged, like_this, matured
from model.trained import TrainedModel


def test_the_band_of_a_score_says_how_many_expanded() -> None:
    """In words with the band, the horizon and the source."""
    accounts = [0] * BANDS
    accounts[7], accounts[0] = 42, 900
    past = Matured(accounts=tuple(accounts), expanded=(9, *[0] * 6, 31, 0, 0), source="scores of 4 Aug")
    (said,) = like_this(np.array([0.74]), past, 90).to_pylist()
    assert (said["expanded"], said["accounts"], said["low"], said["high"]) == (31, 42, 0.7, 0.8)
    assert said["sentence"] == "31 of 42 accounts scored 70–80 % expanded within 90 days (scores of 4 Aug)"
    (low,) = like_this(np.array([0.05]), past, 90).to_pylist()
    assert low["sentence"].startswith("9 of 900 accounts scored 0–10 % ")


def test_too_few_accounts_take_in_their_neighbours_and_else_say_nothing() -> None:
    """Nineteen are too few; at the edge there is one neighbour only."""
    few = MIN_ACCOUNTS - 1
    past = Matured(accounts=(few, 1, 0, 0, few, 0, 0, 0, 0, few), expanded=(2,) + (0,) * 9, source="s")
    said = like_this(np.array([0.05, 0.45, 0.99, np.nan]), past, 90).to_pylist()
    assert (said[0]["accounts"], said[0]["high"]) == (MIN_ACCOUNTS, 0.2)
    assert said[1:] == [None, None, None]
    assert like_this(np.array([0.05]), None, 90).to_pylist() == [None]


@given(st.lists(st.tuples(st.integers(0, 1_000_000), st.booleans()), min_size=1, max_size=60))
def test_every_account_counts_in_the_band_of_its_score(scores: list[tuple[int, bool]]) -> None:
    """For any scores as the ledger keeps them, to six digits; those on an edge belong above it."""
    probability = np.array([millionths / 1_000_000 for millionths, _ in scores])
    past = matured(probability, np.array([float(hit) for _, hit in scores]), "s")
    for band in range(BANDS):
        inside = [hit for m, hit in scores if min(m // 100_000, BANDS - 1) == band]
        assert (past.accounts[band], past.expanded[band]) == (len(inside), sum(inside))


def test_an_account_counts_once_with_its_last_row() -> None:
    """Months of the same account are one account."""
    past = matured(np.array([0.15, 0.15, 0.25]), np.array([1.0, 1.0, 0.0]), "s", ["A", "B", "A"])
    assert past.accounts[:3] == (0, 1, 1)
    assert past.expanded[:3] == (0, 1, 0)


def test_a_model_keeps_the_bands_of_its_own_test(trained: TrainedModel) -> None:
    """Until scores of the ledger have matured; they say that they are a test's."""
    past = Matured.from_json(trained.facts["bands"])
    assert 0 < sum(past.accounts) <= 160
    assert sum(past.expanded) <= sum(past.accounts)
    assert past.source.startswith("the model's test on later data, to ")


def test_a_test_is_read_from_its_own_slice_alone() -> None:
    """Rows before it don't count."""
    rows = pa.table(
        {
            "account_id": ["A", "B", "A"],
            "as_of": pa.array(np.array(["2026-01-01", "2026-03-01", "2026-03-01"], "datetime64[D]")),
            "label": [1.0, 0.0, 1.0],
        }
    )
    past = judged(rows, np.array([1, 2]), np.array([-3.0, 3.0]))
    assert (past.accounts[0], past.accounts[9], past.expanded[9]) == (1, 1, 1)
    assert past.source == "the model's test on later data, to 1 Mar 2026"
