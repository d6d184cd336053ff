"""Pendo's aggregated events and its visitors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import InputError
from infra.doubles.analytics import CLOCK, pendo_row


def test_a_row_stands_for_its_number_of_events(load: Any, lines: Any) -> None:
    """They lie at the beginning of the hour and are known when it is over; none stay none."""
    table = load(
        lines([pendo_row(), pendo_row(visitorId="ben", numEvents=0), pendo_row(visitorId="cem", numEvents=1)])
    )
    assert table.column("user_id").to_pylist() == ["anna"] * 3 + ["cem"]
    first = table.to_pylist()[0]
    assert (first["account_key"], first["feature"], first["event"]) == ("0042", "kdpiwkuNRD", "kdpiwkuNRD")
    assert first["at"] == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert first["known_from"] == datetime(2026, 11, 2, 10, tzinfo=UTC)


def test_a_day_is_known_when_it_is_over(load: Any) -> None:
    """CSV of days; a date without a zone is taken in the setting's."""
    header = "visitorId,accountId,pageId,day,numEvents,numMinutes\n"
    table = load(header + "anna,0042,p1,2026-10-25,2,9\n", timezone="Europe/Berlin")
    assert table.column("at").to_pylist() == [datetime(2026, 10, 24, 22, tzinfo=UTC)] * 2
    # the day had 25 hours
    assert table.column("known_from").to_pylist() == [datetime(2026, 10, 25, 23, tzinfo=UTC)] * 2


def test_an_anonymous_visitor_is_no_user(load: Any, lines: Any) -> None:
    """Pendo names them itself."""
    table = load(lines([pendo_row(visitorId="_PENDO_VISITOR_x7", numEvents=1)]))
    assert table.column("user_id").to_pylist() == [None]


@pytest.mark.parametrize("number", [-1, 1.5, "many", None, 10_000_001])
def test_a_number_of_events_that_can_not_be_is_refused(load: Any, lines: Any, number: Any) -> None:
    """The row is named."""
    with pytest.raises(InputError, match="numEvents") as caught:
        load(lines([pendo_row(), pendo_row(numEvents=number)]))
    assert "line 2" in str(caught.value.record)


def test_one_account_with_a_million_events_in_a_day_is_read(load: Any, lines: Any) -> None:
    """In batches, so memory does not grow with the number."""
    assert load(lines([pendo_row(numEvents=1_000_000)])).num_rows == 1_000_000


def test_visitors_are_users(load: Any, lines: Any) -> None:
    """Their metadata tells department and role."""
    visitor = {
        "visitorId": "anna",
        "metadata": {
            "auto": {"accountid": "0042", "firstvisit": CLOCK * 1000, "lastvisit": CLOCK * 1000},
            "agent": {"email": "anna@acme.test", "department": "Finance", "role": "finance_admin"},
        },
    }
    (user,) = load(lines([visitor]), kind="users").to_pylist()
    assert (user["account_key"], user["user_id"], user["department"]) == ("0042", "anna", "Finance")
    assert (user["role"], user["created_at"]) == ("finance_admin", datetime(2026, 11, 2, 9, tzinfo=UTC))
