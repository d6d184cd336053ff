"""Salesforce ids and their checksum."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.salesforce.ids import checksum, normal_id, salesforce_id


@pytest.mark.parametrize(
    ("fifteen", "suffix"),
    [("001A0000006Vm9r", "IAC"), ("0019000000HVHKM", "AA5"), ("000000000000000", "AAA")],
)
def test_the_checksum_marks_the_capitals_of_each_five_letters(fifteen: str, suffix: str) -> None:
    """Worked by hand: the letters of each five, first one lowest, give a number; A is 0 and 5 is 31."""
    assert checksum(fifteen) == suffix


@given(st.integers(min_value=0, max_value=62**8 - 1), st.integers(min_value=0, max_value=62**8 - 1))
@settings(derandomize=True, deadline=None)
def test_numbers_give_distinct_ids_that_read_back(first: int, second: int) -> None:
    """An id is known in its 15- and in its 18-character form."""
    made = salesforce_id("001", first)
    assert (made == salesforce_id("001", second)) == (first == second)
    assert normal_id(made) == made == normal_id(made[:15])


@pytest.mark.parametrize("text", ["", "001", "001Hs0000000001IAB", "001Hs0000000001!AA", "001Hs0000000001IA"])
def test_what_is_no_id_is_none(text: str) -> None:
    """A wrong checksum is a typing error, not another record."""
    assert normal_id(text) is None
