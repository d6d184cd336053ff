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
from sync.cells import (
    Cell,
    as_held,
    begins_like_formula,
    cell_from_json,
    cell_to_json,
    cut,
    from_json,
    same,
    to_json,
)

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


def test_equal_values_and_values_held_alike_are_the_same() -> None:
    """A tenth of a cent is no change, a cent is one."""
    money = field(FieldType.CURRENCY, scale=2)
    assert same(10.001, 10.0, money)
    assert not same(10.01, 10.0, money)
    assert same(None, None, money)
    assert same(math.inf, math.inf, money)
    assert same(" Acme ", "Acme", field(FieldType.TEXT))
    assert not same("Acme", None, field(FieldType.TEXT))
    assert same(None, False, field(FieldType.CHECKBOX))


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        (FieldType.NUMBER, math.inf, math.inf),  # the gateway refuses it, by its name
        (FieldType.NUMBER, 1.23456789, 1.23456789),  # the field has no scale
        (FieldType.NUMBER, True, True),  # a truth is no number
        (FieldType.DATE, date(2026, 11, 20), date(2026, 11, 20)),
        (FieldType.TEXT, None, None),
        (FieldType.MULTI_PICKLIST, ("b", "", "a", "b"), ("a", "b")),
        (FieldType.MULTI_PICKLIST, ("", ""), None),
        (FieldType.CHECKBOX, "x", True),
        (FieldType.CHECKBOX, 0, False),
    ],
)
def test_what_a_field_leaves_of_a_value(kind: FieldType, value: Value, held: Value) -> None:
    """Choices are a set; numbers without a scale, truths and dates stay as they are."""
    found = as_held(value, field(kind))
    assert found == held
    assert type(found) is type(held)


def test_a_whole_number_is_held_as_one() -> None:
    """A CRM sends 29 for 29.0, and JSON tells the two apart; a field with decimals holds decimals."""
    assert type(as_held(28.5, field(FieldType.NUMBER, scale=0))) is int
    assert type(as_held(28, field(FieldType.NUMBER, scale=1))) is float
    assert str(as_held(-0.04, field(FieldType.NUMBER, scale=1))) == "0.0"
    assert as_held(1e300, field(FieldType.NUMBER, scale=2)) == 1e300


@pytest.mark.parametrize(
    ("kind", "held"),
    [(FieldType.TEXT, "one two three"), (FieldType.LONG_TEXT, "one two\nthree")],
)
def test_only_a_long_text_keeps_its_lines(kind: FieldType, held: str) -> None:
    """Blanks in a row and control characters are one space in both, and there are none at the ends."""
    assert as_held(" one\x07 \ttwo \n three ", field(kind)) == held


def test_characters_that_only_do_not_print_are_kept() -> None:
    """A joiner makes one emoji of several; only control characters go."""
    family = "👩‍👧 ok\x00"
    assert as_held(family, field(FieldType.TEXT)) == "👩‍👧 ok"


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("abc def", 5, "abc…"),  # no blank before the ellipsis
        ("👍👍👍", 6, "👍👍👍"),  # two units each
        ("👍👍👍", 5, "👍👍…"),
        ("👍👍👍", 4, "👍…"),
        ("a👍b", 3, "a…"),
        ("ab", 1, "…"),
    ],
)
def test_text_is_cut_as_late_as_it_may_be(text: str, length: int, short: str) -> None:
    """Both vendors count UTF-16 units, the ellipsis included."""
    assert cut(text, length) == short


def test_a_text_is_cut_to_its_fields_length() -> None:
    """And only there."""
    assert as_held("abcdef", field(FieldType.TEXT, length=4)) == "abc…"
    assert as_held("abcdef" * 100, field(FieldType.TEXT)) == "abcdef" * 100


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (datetime(2026, 11, 23, 12, tzinfo=UTC), {"time": "2026-11-23T12:00:00+00:00"}),
        (date(2026, 11, 23), {"date": "2026-11-23"}),
        (("a", "b"), {"many": ["a", "b"]}),
        ("a\x00", {"points": [97, 0]}),
        (-math.inf, {"number": "-inf"}),
        ("plain", {"value": "plain"}),
        (0.5, {"value": 0.5}),
        (None, {"value": None}),
        (True, {"value": True}),
    ],
)
def test_a_value_is_kept_under_the_name_of_its_kind(value: Value, kept: dict[str, Any]) -> None:
    """The ledger's own form, which later versions must still read."""
    assert to_json(value) == kept
    assert from_json(kept) == value


@pytest.mark.parametrize("kept", [{"colour": "red"}, {"time": 5}, {"many": "ab"}, {"points": None}])
def test_what_is_no_kept_value_is_refused(kept: dict[str, Any]) -> None:
    """Rows that someone edited by hand are not guessed at."""
    with pytest.raises(ValueError, match=r"^not a kept cell value: \{'\w+': .*\}$"):
        from_json(kept)


def test_a_cell_is_kept_with_both_names_and_both_values() -> None:
    """The ledger's own form."""
    cell = Cell(key="tier", name="Tier__c", before=None, after="high")
    assert cell_to_json(cell) == {
        "key": "tier",
        "name": "Tier__c",
        "before": {"value": None},
        "after": {"value": "high"},
    }
