"""Cells between Python and Salesforce."""

# ruff: noqa: E501  # tables of cases read better with one case a line

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.crm import FieldSchema, FieldType
from connectors.salesforce.values import UnfitValueError, decode, encode

YEARS = {"min_value": datetime(1700, 1, 1), "max_value": datetime(4000, 1, 1)}  # noqa: DTZ001  # hypothesis adds the zone


def field(kind: FieldType, **facts: Any) -> FieldSchema:
    """A field of the type."""
    return FieldSchema(name="X__c", label="X", type=kind, createable=True, updateable=True, **facts)


@pytest.mark.parametrize(
    ("kind", "facts", "value", "wire"),
    [
        (FieldType.PERCENT, {"precision": 5, "scale": 2}, 0.07, 7.0),
        (FieldType.PERCENT, {"precision": 5, "scale": 2}, 0.123456, 12.35),
        (FieldType.NUMBER, {"precision": 3, "scale": 0}, 71.6, 72),
        (FieldType.CURRENCY, {"precision": 16, "scale": 2}, 1234.567, 1234.57),
        (FieldType.DATE, {}, date(2026, 11, 2), "2026-11-02"),
        (FieldType.DATETIME, {}, datetime(2026, 11, 2, 10, 0, 1, 999, timezone(timedelta(hours=1))), "2026-11-02T09:00:01Z"),
        (FieldType.MULTI_PICKLIST, {}, ("a", "b"), "a;b"),
        (FieldType.MULTI_PICKLIST, {}, (), None),
        (FieldType.TEXT, {"length": 5}, "  hi \n", "hi"),
        (FieldType.TEXT, {"length": 5}, "   ", None),
        (FieldType.CHECKBOX, {}, True, True),
        (FieldType.CHECKBOX, {}, None, False),
        (FieldType.TEXT, {}, None, None),
        (FieldType.NUMBER, {}, None, None),
        (FieldType.PICKLIST, {"options": ("now",), "restricted": True}, "now", "now"),
        (FieldType.PICKLIST, {"options": ("now",), "restricted": False}, "later", "later"),
        (FieldType.REFERENCE, {"length": 18}, "005000000000001AAA", "005000000000001AAA"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_the_field_takes_it(
    kind: FieldType, facts: dict[str, Any], value: Any, wire: Any
) -> None:
    """0–1 becomes 0–100, choices are joined, times are UTC, None clears."""
    assert encode(value, field(kind, **facts)) == wire


@pytest.mark.parametrize(
    ("kind", "facts", "value", "code"),
    [
        (FieldType.NUMBER, {}, float("nan"), "NUMBER_OUTSIDE_VALID_RANGE"),
        (FieldType.PERCENT, {}, float("inf"), "NUMBER_OUTSIDE_VALID_RANGE"),
        (FieldType.NUMBER, {"precision": 3, "scale": 0}, 999.6, "NUMBER_OUTSIDE_VALID_RANGE"),
        (FieldType.NUMBER, {}, True, "INVALID_TYPE"),
        (FieldType.NUMBER, {}, "5", "INVALID_TYPE"),
        (FieldType.TEXT, {}, 5, "INVALID_TYPE"),
        (FieldType.TEXT, {"length": 3}, "abcd", "STRING_TOO_LONG"),
        (FieldType.TEXT, {"length": 3}, "🙂🙂", "STRING_TOO_LONG"),
        (FieldType.TEXT, {}, "\ud83d", "JSON_PARSER_ERROR"),
        (FieldType.DATE, {}, datetime(2026, 1, 1, tzinfo=UTC), "INVALID_TYPE"),
        (FieldType.DATETIME, {}, datetime(2026, 1, 1), "INVALID_TYPE"),  # noqa: DTZ001  # naive on purpose
        (FieldType.DATETIME, {}, date(2026, 1, 1), "INVALID_TYPE"),
        (FieldType.CHECKBOX, {}, 1, "INVALID_TYPE"),
        (FieldType.PICKLIST, {"options": ("a",), "restricted": True}, "b", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (FieldType.MULTI_PICKLIST, {}, ("a;b",), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (FieldType.MULTI_PICKLIST, {}, "a", "INVALID_TYPE"),
        (FieldType.REFERENCE, {}, "nobody", "MALFORMED_ID"),
        (FieldType.OTHER, {}, "x", "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)  # fmt: skip
def test_a_value_that_the_field_cannot_hold_is_refused_here(
    kind: FieldType, facts: dict[str, Any], value: Any, code: str
) -> None:
    """With the code that Salesforce itself would give."""
    with pytest.raises(UnfitValueError) as caught:
        encode(value, field(kind, **facts))
    assert caught.value.code == code


def roundtrip(value: Any, kind: FieldSchema) -> Any:
    """Written, sent as JSON, and read."""
    return decode(json.loads(json.dumps(encode(value, kind))), kind)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.floats(0, 1), st.integers(0, 4))
def test_a_probability_comes_back_as_the_one_written(value: float, scale: int) -> None:
    """To the field's digits; writing what was read changes nothing."""
    kind = field(FieldType.PERCENT, precision=3 + scale, scale=scale)
    read = roundtrip(value, kind)
    assert read == pytest.approx(value, abs=0.5001 * 10 ** -(scale + 2))
    assert encode(read, kind) == encode(value, kind)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.floats(-1e12, 1e12))
def test_an_amount_comes_back_to_the_cent(value: float) -> None:
    """And stays when it is written again."""
    kind = field(FieldType.CURRENCY, precision=16, scale=2)
    read = roundtrip(value, kind)
    assert read == pytest.approx(value, abs=0.006)
    assert roundtrip(read, kind) == read


@settings(deadline=None, derandomize=True)
@given(st.datetimes(timezones=st.timezones(), **YEARS))
def test_a_time_comes_back_to_the_second(value: datetime) -> None:
    """In UTC."""
    read = roundtrip(value, field(FieldType.DATETIME))
    assert read.tzinfo is UTC
    assert timedelta(0) <= value - read < timedelta(seconds=1)


@settings(deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_comes_back_without_its_edges(value: str) -> None:
    """Salesforce strips blanks at both ends; an empty text is no value."""
    assert roundtrip(value, field(FieldType.TEXT)) == (value.strip() or None)


@pytest.mark.parametrize("kind", FieldType)
@pytest.mark.parametrize("cell", ["abc", "1e400", "nan", "2026-13-45", True, 5, 1.5, [], {"city": "Bern"}])
def test_any_cell_is_read_as_something(kind: FieldType, cell: Any) -> None:
    """A field that was retyped since it was described answers in its new type: never an error."""
    held = decode(cell, field(kind, scale=2))
    assert isinstance(held, (str, int, float, bool, date, tuple))


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_reference_is_refused(blank: str) -> None:
    """It would clear the owner, which nobody asked for; None clears."""
    with pytest.raises(UnfitValueError, match="record id"):
        encode(blank, field(FieldType.REFERENCE))
    assert encode(None, field(FieldType.REFERENCE)) is None
