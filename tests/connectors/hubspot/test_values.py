"""Cells between Python and HubSpot's strings."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.canonical import DAY, FLAG, REAL, TEXT, TIME, WHOLE
from connectors.crm import FieldSchema, FieldType, Value
from connectors.hubspot.cells import column, day
from connectors.hubspot.schema import Choices, described
from connectors.hubspot.values import UnfitValueError, decode, encode, millis, parse_time

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=150)
CHOICES = Choices(label_of={"a": "Ay", "b": "Bee"}, value_of={"Ay": "a", "Bee": "b"})


def field(kind: FieldType, **facts: int) -> FieldSchema:
    """A writable property of this kind."""
    return FieldSchema(name="p", label="P", type=kind, createable=True, updateable=True, **facts)  # type: ignore[arg-type]  # length only


@EXAMPLES
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15), 10**15))
def test_numbers_come_back_the_same(number: float) -> None:
    """Every finite number survives, without an exponent on the wire."""
    wire = encode(number, field(FieldType.NUMBER))
    assert decode(wire, field(FieldType.NUMBER)) == number
    assert "e" not in wire.lower()
    assert Decimal(wire) == Decimal(repr(number))


@EXAMPLES
@given(
    st.datetimes(
        min_value=datetime(1971, 1, 1),  # noqa: DTZ001  # hypothesis wants naive bounds
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.just(timezone(timedelta(hours=-7))),
    )
)
def test_times_come_back_the_same(moment: datetime) -> None:
    """Times survive to the millisecond, in UTC."""
    held = decode(encode(moment, field(FieldType.DATETIME)), field(FieldType.DATETIME))
    assert isinstance(held, datetime)
    assert abs(held - moment) < timedelta(milliseconds=1)
    assert abs(parse_time(millis(moment)) - moment) <= timedelta(milliseconds=1)


@EXAMPLES
@given(st.dates())
def test_dates_come_back_the_same(when: date) -> None:
    """Dates survive, and their midnight UTC in milliseconds is the same day."""
    assert decode(encode(when, field(FieldType.DATE)), field(FieldType.DATE)) == when
    midnight = datetime(when.year, when.month, when.day, tzinfo=UTC)
    assert day(millis(midnight), ZoneInfo("America/New_York")) == when


@EXAMPLES
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_text_comes_back_the_same(text: str) -> None:
    """Any text survives; an empty one is None."""
    assert decode(encode(text, field(FieldType.TEXT)), field(FieldType.TEXT)) == (text or None)


def test_choices_are_labels_outside_and_values_inside() -> None:
    """A label is written as its internal value and read back as the label."""
    assert encode("Bee", field(FieldType.PICKLIST), CHOICES) == "b"
    assert decode("b", field(FieldType.PICKLIST), CHOICES) == "Bee"
    assert encode(("Ay", "b"), field(FieldType.MULTI_PICKLIST), CHOICES) == "a;b"
    assert decode("a;b", field(FieldType.MULTI_PICKLIST), CHOICES) == ("Ay", "Bee")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (math.nan, FieldType.NUMBER),
        (-math.inf, FieldType.CURRENCY),
        (True, FieldType.NUMBER),
        ("yes", FieldType.CHECKBOX),
        (datetime(2026, 1, 1), FieldType.DATETIME),  # noqa: DTZ001  # the point of it
        (datetime(2026, 1, 1, tzinfo=UTC), FieldType.DATE),
        ("Cee", FieldType.PICKLIST),
        ("Ay", FieldType.MULTI_PICKLIST),
        (7, FieldType.TEXT),
        ("half \ud800", FieldType.TEXT),
    ],
)
def test_what_does_not_fit_is_refused(value: Value, kind: FieldType) -> None:
    """A value of another kind never reaches the wire."""
    with pytest.raises(UnfitValueError):
        encode(value, field(kind), CHOICES)


def test_text_that_is_too_long_is_refused() -> None:
    """Length counts as HubSpot does, where an emoji is two."""
    encode("🚀" * 5, field(FieldType.TEXT, length=10))
    with pytest.raises(UnfitValueError, match="has 12"):
        encode("🚀" * 6, field(FieldType.TEXT, length=10))


def test_none_clears() -> None:
    """None is an empty string, and an unticked box."""
    assert encode(None, field(FieldType.NUMBER)) == ""
    assert encode(None, field(FieldType.CHECKBOX)) == "false"


def test_the_day_of_a_time_is_the_accounts() -> None:
    """23:00 in New York is that day there; midnight UTC is a stored date whatever the zone."""
    zone = ZoneInfo("America/New_York")
    assert day("2026-03-02T04:00:00.000Z", zone) == date(2026, 3, 1)
    assert day("2026-03-02T00:00:00.000Z", zone) == date(2026, 3, 2)
    assert day("2026-03-02", zone) == date(2026, 3, 2)


def test_columns_take_every_canonical_type() -> None:
    """Strings become text, numbers, days, times and flags; empty ones null."""
    assert column(["x", "", None], TEXT).to_pylist() == ["x", None, None]
    assert column(["1.5", ""], REAL).to_pylist() == [1.5, None]
    assert column(["12"], WHOLE).to_pylist() == [12]
    assert column(["2026-01-31"], DAY).to_pylist() == [date(2026, 1, 31)]
    assert column(["1767225600000"], TIME).to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC)]
    assert column(["true", "FALSE", ""], FLAG).to_pylist() == [True, False, None]
    with pytest.raises(TypeError):
        column([], pa.binary())


STAMPS = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001  # hypothesis wants naive bounds
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))


@EXAMPLES
@given(st.lists(st.none() | STAMPS), st.lists(st.sampled_from(["iso", "millis", "offset"]), min_size=1))
def test_a_column_of_times_is_read_whatever_way_each_is_written(
    moments: list[datetime | None], ways: list[str]
) -> None:
    """ISO, milliseconds and other offsets mix in one column, whether it is read at once or cell by cell."""
    west = timezone(timedelta(hours=-7))
    write: dict[str, Callable[[datetime], str]] = {
        "iso": lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "millis": millis,
        "offset": lambda at: at.astimezone(west).isoformat(),
    }
    cells = [at and write[ways[n % len(ways)]](at) for n, at in enumerate(moments)]
    assert column(cells, TIME).to_pylist() == moments


@EXAMPLES
@given(st.lists(st.none() | st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)))
def test_a_column_of_numbers_is_exact(numbers: list[float | None]) -> None:
    """Every figure comes as the float that Python reads in it."""
    cells = [None if number is None else repr(number) for number in numbers]
    assert column(cells, REAL).to_pylist() == [None if cell is None else float(cell) for cell in cells]


def test_equal_labels_fall_back_to_internal_values() -> None:
    """Two options with one label can't be told apart by it, so the internal values speak."""
    options = [{"value": "x", "label": "Same"}, {"value": "y", "label": "Same"}]
    here = described(
        "companies", [{"name": "p", "type": "enumeration", "fieldType": "select", "options": options}]
    )
    assert here.schema.fields["p"].options == ("x", "y")


def test_an_archived_property_is_not_there() -> None:
    """Properties in the recycle bin are left out."""
    here = described("companies", [{"name": "p", "type": "string", "archived": True}])
    assert not here.has("p")


@EXAMPLES
@given(st.text(), st.sampled_from(list(FieldType)))
def test_any_cell_is_read_as_something(cell: str, kind: FieldType) -> None:
    """A property that was retyped keeps its old values: one that does not fit comes as its text."""
    held = decode(cell, field(kind), CHOICES)
    assert held is None or isinstance(held, (str, int, float, bool, date, tuple))
    if kind is FieldType.NUMBER and isinstance(held, float):
        assert math.isfinite(held)


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u200b", "\ufeff", " \u200b "])
def test_blanks_around_what_is_no_text_mean_nothing(blank: str) -> None:
    """HubSpot keeps them, so they are left aside: in numbers, dates, choices, checkboxes, columns."""
    assert decode(f"{blank}5{blank}", field(FieldType.NUMBER)) == 5
    assert decode(f"{blank}2026-11-02", field(FieldType.DATE)) == date(2026, 11, 2)
    assert decode(f"a{blank}", field(FieldType.PICKLIST), CHOICES) == "Ay"
    assert decode(f"a{blank};b", field(FieldType.MULTI_PICKLIST), CHOICES) == ("Ay", "Bee")
    assert decode(f"{blank}true", field(FieldType.CHECKBOX)) is True
    assert decode(f"{blank}a", field(FieldType.TEXT)) == f"{blank}a"
    assert column(["7", f"{blank}5{blank}", blank], REAL).to_pylist() == [7.0, 5.0, None]
    assert column([f"{blank}2026-11-02"], DAY).to_pylist() == [date(2026, 11, 2)]
    assert column([f"true{blank}", blank], FLAG).to_pylist() == [True, None]
    assert column([f"{blank}a"], TEXT).to_pylist() == [f"{blank}a"]


@pytest.mark.parametrize(
    "cell", ["--5", "²", "5²", "1_000", "nan", "inf", "99999999999999999999", "2026-13-45"]
)
def test_what_looks_like_a_number_or_a_time_and_is_none_breaks_nothing(cell: str) -> None:
    """It comes as its text, or as the number that it is."""
    assert decode(cell, field(FieldType.NUMBER)) in {cell, 1000.0, 99999999999999999999.0}
    assert decode(cell, field(FieldType.DATETIME)) == cell
