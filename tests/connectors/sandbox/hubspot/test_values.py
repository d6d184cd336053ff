"""Values as HubSpot keeps them: days, moments, numbers and options."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.hubspot.schema import Property, standard_types
from connectors.sandbox.hubspot.values import ValueRefusedError, iso, read_moment, stored

RENEWAL = standard_types()["companies"].properties["renewal_date"]
SEATS = standard_types()["companies"].properties["seats"]
MOMENTS = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)
quick = settings(max_examples=100, deadline=None, derandomize=True)


def epoch(moment: datetime) -> str:
    """Milliseconds since 1970."""
    return str((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))


@quick
@given(day=st.dates(date(1971, 1, 1), date(2100, 1, 1)))
def test_a_day_and_its_midnight_utc_are_the_same_value(day: date) -> None:
    """As epoch milliseconds, as ISO moment and as the day itself."""
    midnight = datetime.combine(day, time(), UTC)
    forms = (epoch(midnight), iso(midnight), day.isoformat())
    assert {stored(RENEWAL, text) for text in forms} == {day.isoformat()}


@quick
@given(moment=MOMENTS)
def test_a_moment_survives_to_the_millisecond(moment: datetime) -> None:
    """Written and read again, in either form, and in the order of time."""
    whole = moment.astimezone(UTC)
    whole = whole.replace(microsecond=whole.microsecond // 1000 * 1000)
    assert read_moment(iso(whole)) == read_moment(epoch(whole)) == whole
    assert iso(whole) < iso(whole + timedelta(milliseconds=1))


@quick
@given(moment=MOMENTS)
def test_only_midnight_utc_is_a_day(moment: datetime) -> None:
    """Any other moment is refused as HubSpot refuses it."""
    if moment.astimezone(UTC).time().replace(microsecond=0) == time():
        return
    with pytest.raises(ValueRefusedError, match="not midnight"):
        stored(RENEWAL, epoch(moment))


@quick
@given(text=st.text(max_size=12))
def test_a_number_is_digits_or_nothing(text: str) -> None:
    """What is accepted reads as a finite number; the rest is refused, never stored."""
    try:
        kept = stored(SEATS, text)
    except ValueRefusedError:
        return
    assert kept is None or float(kept) < float("inf")
    assert text.isascii()


def test_several_options_are_separated_by_semicolons() -> None:
    """Each must be an option; empty parts vanish."""
    several = Property(
        name="goals",
        label="Goals",
        type="enumeration",
        field_type="checkbox",
        group="customer_success",
        options=(("a", "A"), ("b", "B")),
    )
    assert stored(several, ";a;b;") == "a;b"
    with pytest.raises(ValueRefusedError, match="c was not one of the allowed options"):
        stored(several, "a;c")
