"""A cell's value as the CRM will hold it."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timezone
from datetime import timedelta as delta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from connectors.crm import FieldSchema, FieldType, Value
from sync.cells import Cell, as_held, begins_like_formula, cell_from_json, cell_to_json, cut

AWARE = st.datetimes(timezones=st.sampled_from([UTC, timezone(delta(hours=-5)), timezone(delta(hours=9))]))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False),
    st.text(max_size=300),
    st.dates(),
    AWARE,
    st.lists(st.text(min_size=1, max_size=8), max_size=4).map(tuple),
)
SCHEMAS = st.builds(
    FieldSchema,
    name=st.just("F__c"),
    label=st.just("F"),
    type=st.sampled_from(FieldType),
    length=st.one_of(st.none(), st.integers(1, 255)),
    scale=st.one_of(st.none(), st.integers(0, 6)),
)


def field(kind: FieldType, **rest: Any) -> FieldSchema:
    """A field of that kind."""
    return FieldSchema(name="F__c", label="F", type=kind, **rest)


@settings(derandomize=True, deadline=None)
@given(VALUES, SCHEMAS)
def test_holding_a_value_twice_is_holding_it_once(value: Value, schema: FieldSchema) -> None:
    """What the CRM holds of what it holds is the same, so a second comparison finds no change."""
    once = as_held(value, schema)
    assert as_held(once, schema) == once


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=80), st.integers(1, 40))
def test_text_is_cut_to_length_between_whole_characters(text: str, length: int) -> None:
    """A family emoji or an accent is kept whole or left out."""
    short = cut(text, length)
    assert len(short.encode("utf-16-le")) // 2 <= length
    if short != text:
        kept = list(iter_graphemes(short.removesuffix("…")))
        assert list(iter_graphemes(text))[: len(kept)] == kept


@settings(derandomize=True, deadline=None)
@given(VALUES.filter(lambda v: not isinstance(v, float) or math.isfinite(v)), VALUES)
def test_a_cell_comes_back_from_the_ledger_as_it_was(before: Value, after: Value) -> None:
    """Dates, times and multi-selects keep their type."""
    cell = Cell(key="tier", name="Tier__c", before=before, after=after)
    assert cell_from_json(cell_to_json(cell)) == cell


@pytest.mark.parametrize(
    ("kind", "scale", "value", "held"),
    [
        (FieldType.NUMBER, 0, 28.5, 29),
        (FieldType.NUMBER, 1, -0.04, 0.0),
        (FieldType.PERCENT, 2, 0.123456, 0.1235),
        (FieldType.CURRENCY, 2, 21000.555, 21000.56),
    ],
)
def test_numbers_are_rounded_half_up_to_the_fields_scale(
    kind: FieldType, scale: int, value: float, held: float
) -> None:
    """A percent is 0–1 with us and has two more digits than its field."""
    assert as_held(value, field(kind, scale=scale)) == held


def test_an_empty_text_is_an_empty_cell() -> None:
    """Neither vendor keeps a text of spaces."""
    assert as_held(" \t\n", field(FieldType.TEXT, length=10)) is None


def test_an_unticked_checkbox_is_false() -> None:
    """A checkbox is never empty."""
    assert as_held(None, field(FieldType.CHECKBOX)) is False


def test_a_time_is_held_to_the_second_in_utc() -> None:
    """Microseconds would be a change that nobody made."""
    moment = datetime(2026, 11, 23, 7, 0, 0, 999, tzinfo=timezone(delta(hours=-5)))
    assert as_held(moment, field(FieldType.DATETIME)) == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5 %", "@here", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_seen(text: str) -> None:
    """Exported reports are opened in spreadsheets."""
    assert begins_like_formula(text)
    assert not begins_like_formula(f"x{text}")
    assert not begins_like_formula(date(2026, 1, 1))
