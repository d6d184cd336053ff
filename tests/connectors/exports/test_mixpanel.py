"""Mixpanel's raw event export and its export of profiles."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import InputError
from infra.doubles.analytics import CLOCK, mixpanel_event

KEY = "properties.company_id"


def test_seconds_of_a_project_in_utc_are_moments(load: Any, lines: Any) -> None:
    """The processing time tells when it was known; ids keep their zeros."""
    (row,) = load(gzip.compress(lines([mixpanel_event(0)])), account_key=KEY).to_pylist()
    assert row["at"] == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert row["known_from"] == datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
    assert (row["account_key"], row["user_id"], row["event"]) == ("0042", "u0", "Signed Up")


def test_seconds_of_an_older_project_count_by_its_wall_clock(load: Any, lines: Any) -> None:
    """Projects from before 2023 export time in their own zone, but the processing time in UTC."""
    (row,) = load(lines([mixpanel_event(0)]), account_key=KEY, timezone="US/Pacific").to_pylist()
    assert row["at"] == datetime(2026, 11, 2, 17, tzinfo=UTC)
    assert row["known_from"] == datetime(2026, 11, 2, 10, 30, tzinfo=UTC)


def test_an_hour_that_was_twice_is_settled_by_the_time_of_processing(load: Any, lines: Any) -> None:
    """An event was not processed before it happened; without that time it is refused, as anywhere."""
    half_past_one = int(datetime(2026, 11, 1, 1, 30, tzinfo=UTC).timestamp())
    first, second = datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    seen = [int((moment + timedelta(seconds=5)).timestamp() * 1000) for moment in (first, second)]
    events = [mixpanel_event(n, time=half_past_one, mp_processing_time_ms=seen[n]) for n in (0, 1)]
    table = load(lines(events), account_key=KEY, timezone="US/Pacific")
    assert table.column("at").to_pylist() == [first, second]
    events.append(mixpanel_event(2, time=half_past_one, mp_processing_time_ms=None))
    with pytest.raises(InputError, match="was twice") as caught:
        load(lines(events), account_key=KEY, timezone="US/Pacific")
    assert "line 3" in str(caught.value.record)
    assert "UTC" in str(caught.value.fix)
    skipped = int(datetime(2026, 3, 8, 2, 30, tzinfo=UTC).timestamp())
    with pytest.raises(InputError, match="did not exist"):
        load(lines([mixpanel_event(0, time=skipped)]), account_key=KEY, timezone="US/Pacific")


def test_milliseconds_are_told_by_their_size(load: Any, lines: Any) -> None:
    """With time_in_ms the same property counts milliseconds."""
    (row,) = load(lines([mixpanel_event(0, time=CLOCK * 1000 + 250)]), account_key=KEY).to_pylist()
    assert row["at"] == datetime(2026, 11, 2, 9, 0, 0, 250_000, tzinfo=UTC)


def test_the_raw_export_is_rid_of_what_mixpanel_itself_counts_once(load: Any, lines: Any) -> None:
    """Same name, user, time and insert id: one event. Any of the four differs: another one."""
    other = mixpanel_event(0) | {"event": "Signed In"}
    table = load(
        lines([mixpanel_event(0), mixpanel_event(0), mixpanel_event(0, distinct_id="u9"), other]),
        account_key=KEY,
    )
    assert table.column("user_id").to_pylist() == ["u0", "u9", "u0"]


def test_a_device_is_nobody_who_was_logged_in(load: Any, lines: Any) -> None:
    """$user_id is the user where both are there."""
    objects = [mixpanel_event(0, distinct_id="$device:7f3a"), mixpanel_event(1, **{"$user_id": "anna"})]
    assert load(lines(objects), account_key=KEY).column("user_id").to_pylist() == [None, "anna"]


def test_accounts_in_lists_are_read_and_their_property_must_be_named(load: Any, lines: Any) -> None:
    """A group key holds one account or a list of them."""
    table = load(lines([mixpanel_event(0, company_id=["A", "B"])]), account_key=KEY)
    assert table.column("account_key").to_pylist() == ["A", "B"]
    with pytest.raises(InputError, match="which account") as caught:
        load(lines([mixpanel_event(0)]))
    assert "properties.company_id" in str(caught.value.fix)


def test_profiles_are_users(load: Any, lines: Any) -> None:
    """Their properties may be mapped by path."""
    profile = {
        "$distinct_id": "anna",
        "$properties": {
            "$email": "anna@acme.test",
            "$name": "Anna Müller",
            "$created": "2026-01-05T08:00:00",
            "company_id": "0042",
            "dept": "Finance",
        },
    }
    (row,) = load(
        lines([profile]),
        kind="users",
        account_key="$properties.company_id",
        columns={"department": "$properties.dept"},
        timezone="Europe/Berlin",
    ).to_pylist()
    assert (row["account_key"], row["user_id"], row["name"]) == ("0042", "anna", "Anna Müller")
    assert (row["department"], row["created_at"]) == ("Finance", datetime(2026, 1, 5, 7, tzinfo=UTC))
