"""What starts a play by itself is read as it was known on the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sync.occasions import EVENTS, LIMITS, SEATS, read_occasions

AS_OF = date(2026, 11, 22)
Make = Callable[..., dict[str, Any]]
LATER = datetime(2026, 11, 24, tzinfo=UTC)


def of(tables: dict[str, Any], wanted: str) -> Any:
    """The occasion of the one account, None where it has none."""
    return read_occasions(tables, AS_OF, {wanted}).get("a0")


def test_the_newest_event_of_each_kind_counts(make_tables: Make) -> None:
    """Not one that lies ahead, or that nobody knew of yet."""
    rows = [
        {"kind": "funding", "occurred_on": date(2026, 9, 1)},
        {"kind": "funding", "occurred_on": date(2026, 10, 1)},
        {"kind": "funding", "occurred_on": date(2026, 12, 1)},
        {"kind": "hiring", "occurred_on": date(2026, 11, 1), "known_from": LATER},
    ]
    found = of(make_tables(triggers=[{"account_id": "a0", **row} for row in rows]), EVENTS)
    assert found.events == {"funding": date(2026, 10, 1)}


def test_seats_are_users_of_thirty_days_over_the_newest_invoice(make_tables: Make) -> None:
    """One that is known; without seats or events nothing is said."""
    billing = [
        {"account_id": "a0", "period_start": date(2026, 9, 1), "seats": 4.0},
        {"account_id": "a0", "period_start": date(2026, 10, 1), "seats": 8.0},
        {"account_id": "a0", "period_start": date(2026, 11, 1), "seats": 99.0, "known_from": LATER},
    ]
    seen = [("u1", 11, 1), ("u1", 11, 2), ("u2", 10, 25), ("u3", 10, 1), ("u4", 11, 23)]
    events = [
        {"account_id": "a0", "user_id": user, "at": datetime(2026, month, day, tzinfo=UTC)}
        for user, month, day in seen
    ]
    assert of(make_tables(billing=billing, events=events), SEATS).seat_utilisation == 2 / 8
    assert of(make_tables(billing=billing), SEATS) is None
    assert of(make_tables(events=events), SEATS) is None


def test_of_an_invoice_that_was_corrected_the_last_one_known_counts(make_tables: Make) -> None:
    """Whether its seats are more or fewer; what it does not state stays as stated."""
    first = {"account_id": "a0", "period_start": date(2026, 11, 1)}
    told = [(20, 3.0), (1, 8.0), (10, 4.0), (21, None)]
    billing = [
        first | {"seats": seats, "known_from": datetime(2026, 11, day, tzinfo=UTC)} for day, seats in told
    ]
    events = [{"account_id": "a0", "user_id": "u1", "at": datetime(2026, 11, 2, tzinfo=UTC)}]
    found = of(make_tables(billing=billing, events=events), SEATS)
    assert found.seat_utilisation == pytest.approx(1 / 3)


def test_the_fullest_limit_of_the_latest_month_counts(make_tables: Make) -> None:
    """What is counted is scaled to a month, what is stored is a level; seats and old limits are none."""
    limit = {"account_id": "a0", "kind": "limit", "valid_from": date(2026, 1, 1)}
    entitlements = [
        limit | {"item": "API_calls", "quantity": 1000.0},
        limit | {"item": "storage_gb", "quantity": 100.0},
        limit | {"item": "seats", "quantity": 1.0},
        limit | {"item": "exports", "quantity": 1.0, "valid_to": date(2026, 6, 1)},
    ]
    use = {"account_id": "a0", "period_days": 7, "period_start": date(2026, 11, 9)}
    usage = [
        use | {"metric": "api_calls", "value": 200.0},
        use | {"metric": "storage_gb", "value": 70.0},
        use | {"metric": "seats", "value": 50.0},
        use | {"metric": "exports", "value": 50.0},
        use | {"metric": "api_calls", "value": 900.0, "period_start": date(2026, 8, 1)},
        use | {"metric": "api_calls", "value": 900.0, "period_start": date(2026, 11, 20)},
    ]
    found = of(make_tables(entitlements=entitlements, usage=usage), LIMITS)
    assert found.limit_utilisation == pytest.approx(200 * 30.4 / 7 / 1000)


def test_what_nobody_asks_for_is_not_read(make_tables: Make) -> None:
    """A table costs a query."""
    events = make_tables(triggers=[{"account_id": "a0", "kind": "funding", "occurred_on": date(2026, 10, 1)}])
    assert read_occasions(events, AS_OF, {SEATS, LIMITS}) == {}
