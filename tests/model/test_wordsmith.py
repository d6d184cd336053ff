"""Facts about sentences."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from model.features.families import CATALOGUE
from model.reasons import explain
from model.wordsmith import sentence


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1.0, "1 champion or sponsor left in 180 days (contacts, 2 Nov)"),
        (2.0, "2 champions or sponsors left in 180 days (contacts, 2 Nov)"),
    ],
)
def test_one_is_singular(count: float, expected: str) -> None:
    """A count of one takes no plural."""
    table = pa.table({"champion_left_180": [count], "as_of": [date(2026, 11, 2)]})
    text = CATALOGUE["champion_left_180"].phrases[0].text
    assert sentence(table, 0, "champion_left_180", text) == expected


def test_a_sentence_is_never_said_with_a_gap() -> None:
    """An unknown figure silences it."""
    table = pa.table({"limit_api": [float("nan")], "as_of": [date(2026, 11, 2)]})
    assert sentence(table, 0, "limit_api", "{limit_api} used") is None


def test_a_limit_is_named_where_it_can_be() -> None:
    """API calls speak for their family even if the tightest limit as such moved the score more."""
    days = [date(2026, 11, 2)] * 2
    table = pa.table({"limit_utilisation": [0.9, 0.9], "limit_api": [0.9, None], "as_of": days})
    moved = np.array([[0.5, 0.1], [0.5, 0.1]])
    both, _ = explain(table, moved, ["limit_utilisation", "limit_api"])
    assert both[0][0].sentence == "90 % of the plan's API calls used (usage, 2 Nov)"
    assert both[1][0].sentence == "90 % of the tightest metered limit used (usage, 2 Nov)"
