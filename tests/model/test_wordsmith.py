"""Facts about sentences."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.families import CATALOGUE
from model.wordsmith import sentence, sentences


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


def test_the_day_is_the_last_of_which_the_source_tells_anything() -> None:
    """Seats are counted from events, whatever the word for the source; unknown, it is the as-of date."""
    table = pa.table({"seat_utilisation": [0.96], "as_of": [date(2026, 11, 27)]})
    text = CATALOGUE["seat_utilisation"].phrases[0].text
    through = {"events": date(2026, 11, 20), "usage": date(2026, 11, 1)}
    assert sentence(table, 0, "seat_utilisation", text, through) == "Seats 96 % used (usage, 20 Nov)"
    assert sentence(table, 0, "seat_utilisation", text) == "Seats 96 % used (usage, 27 Nov)"


def test_what_happened_is_dated_by_the_day_on_which_it_did() -> None:
    """Days since then are counted from the eve of the as-of date; another year is said."""
    days = [date(2026, 11, 2), date(2027, 2, 2)]
    table = pa.table({"days_since_funding": [12.0, 90.0], "as_of": days})
    phrase = CATALOGUE["days_since_funding"].phrases[0]
    through = {"triggers": date(2026, 10, 31)}
    rows = np.arange(2)
    said = sentences(table, rows, "days_since_funding", phrase.text, through, dated=phrase.dated)
    assert said == [
        "New funding 12 days ago (triggers, 20 Oct)",
        "New funding 90 days ago (triggers, 3 Nov 2026)",
    ]


@given(
    st.lists(st.floats(min_value=-3, max_value=3, allow_nan=False), min_size=1, max_size=20),
    st.integers(min_value=0, max_value=5000),
)
def test_many_rows_are_said_as_each_alone(values: list[float], later: int) -> None:
    """For any values and dates: what a row says does not hang on the rows beside it."""
    as_of = [date(2020, 1, 1) + timedelta(days=later + place) for place in range(len(values))]
    table = pa.table({"usage_trend": values, "as_of": as_of})
    text = CATALOGUE["usage_trend"].phrases[0].text
    together = sentences(table, np.arange(len(values)), "usage_trend", text)
    assert together == [sentence(table, row, "usage_trend", text) for row in range(len(values))]
