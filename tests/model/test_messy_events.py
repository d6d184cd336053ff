"""Expansions as messy records tell them: typed in late, without an opportunity, in a new currency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from model.customers import active_customers
from model.days import day_number
from model.engine import Engine
from model.expansions import arr_increases, expansion_events, how_many, seat_increases, won_expansions
from model.labels import outcomes
from model.sources import read_sources
from model.target import Target
from model.workspace import Workspace

WON, TYPED = date(2026, 3, 10), date(2026, 4, 2)
TARGET = Target(opportunity_types=("Upsell",))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def deal(**more: Any) -> dict[str, Any]:
    plain = {
        "account_id": "a",
        "crm_id": "o",
        "created_at": noon(TYPED),
        "known_from": noon(TYPED),
        "closed_at": noon(TYPED),
        "close_date": WON,
        "opportunity_type": "Upsell",
        "is_closed": True,
        "is_won": True,
        "amount": 500.0,
    }
    return plain | more


def invoice(month: int, arr: float, currency: str = "USD", **more: Any) -> dict[str, Any]:
    first = date(2026, month, 1)
    plain = {"account_id": "a", "period_start": first, "period_end": first + timedelta(days=27)}
    return plain | {"arr": arr, "original_currency": currency, "known_from": noon(first)} | more


@contextmanager
def sources(**records: list[dict[str, Any]]) -> Iterator[Mapping[str, ir.Table]]:
    """The clean sources of these records."""
    backend = Engine().connect()
    for name, rows in records.items():
        backend.con.register(name, pa.Table.from_pylist(rows))
    with Workspace(backend) as space:
        yield read_sources({name: backend.table(name) for name in records}, space)


def customers(given: Mapping[str, ir.Table], day: date) -> list[str]:
    """The active customers on the day."""
    with Workspace(given["accounts"].get_backend()) as space:
        rows = active_customers(given, [day_number(day)], space).to_pyarrow()
    return sorted(rows["account_id"].to_pylist())


def days(table: ir.Table, *columns: str) -> list[tuple[int, ...]]:
    return sorted(tuple(row.values()) for row in table.select(*columns).to_pyarrow().to_pylist())


def test_a_win_that_was_typed_in_late_counts_on_its_day_and_is_known_later() -> None:
    """The outcome belongs to the day of the win; no feature may see it before it was typed in."""
    with sources(opportunities=[deal()]) as given:
        told = days(won_expansions(given, TARGET), "day", "known")
    assert told == [(day_number(WON), day_number(TYPED))]


def test_an_ordinary_win_counts_when_its_stage_was_entered() -> None:
    """Whatever day somebody wrote into the close date."""
    early = deal(created_at=noon(date(2026, 2, 1)), known_from=noon(date(2026, 2, 1)))
    with sources(opportunities=[early]) as given:
        assert days(won_expansions(given, TARGET), "day") == [(day_number(TYPED),)]


def test_the_invoice_of_a_win_that_was_typed_in_late_is_no_second_expansion() -> None:
    """It is explained by the day of the win, though the record came months after the invoice."""
    very_late = date(2026, 8, 20)
    stamps = dict.fromkeys(("created_at", "known_from", "closed_at"), noon(very_late))
    with sources(opportunities=[deal(**stamps)], billing=[invoice(3, 1000.0), invoice(4, 1500.0)]) as given:
        assert days(expansion_events(given, TARGET), "day") == [(day_number(WON),)]


def test_an_expansion_without_an_opportunity_is_seen_on_the_invoice() -> None:
    """Only seats and ARR moved."""
    other = deal(account_id="b")
    with sources(opportunities=[other], billing=[invoice(3, 1000.0), invoice(4, 1500.0)]) as given:
        events = expansion_events(given, TARGET)
        assert days(events.filter(events.account_id == "a"), "day", "arr") == [
            (day_number(date(2026, 4, 1)), 500.0)
        ]


@pytest.mark.parametrize(("second", "grown"), [("EUR", 0), ("USD", 1)])
def test_an_invoice_in_another_currency_is_no_expansion(second: str, grown: int) -> None:
    """What moved may be the rate alone."""
    with sources(billing=[invoice(3, 1000.0), invoice(4, 1100.0, second)]) as given:
        assert len(days(arr_increases(given, TARGET), "day")) == grown


def test_an_invoice_that_was_corrected_is_no_expansion() -> None:
    """Neither of ARR nor of seats; a true step is counted from what the corrected one says."""
    wrong = invoice(3, 1000.0, seats=10.0)
    right = invoice(3, 1200.0, seats=12.0, known_from=noon(date(2026, 3, 20)))
    later = invoice(4, 1500.0, seats=12.0)
    with sources(billing=[wrong, right, later]) as given:
        assert days(arr_increases(given, TARGET), "day", "arr") == [(day_number(date(2026, 4, 1)), 300.0)]
        assert days(seat_increases(given), "day") == []


@pytest.mark.parametrize("names", [("SSO", "AUDIT"), ("AUDIT", "SSO")])
@pytest.mark.parametrize(("amount", "named"), [(None, "AUDIT"), (900.0, "SEATS")])
def test_of_two_wins_as_large_the_product_does_not_hang_on_their_order(
    names: tuple[str, str], amount: float | None, named: str
) -> None:
    """The same data give the same label; the largest win has its say before."""
    deals = [deal(crm_id=name, product_id=name, amount=None) for name in names]
    deals.append(deal(crm_id="third", product_id="SEATS" if amount else None, amount=amount))
    with sources(opportunities=deals) as given:
        rows = ibis.memtable(pa.table({"row": [0], "account_id": ["a"], "day": [day_number(WON) - 10]}))
        (told,) = outcomes(given, rows, TARGET, data_end=day_number(TYPED) + 90).to_pyarrow().to_pylist()
    assert (told["product_id"], told["arr"]) == (named, amount or 0.0)


def test_events_are_counted_for_the_accounts_that_are_asked_about() -> None:
    """Those of others do not make a model of the few that are eligible."""
    deals = [deal(), deal(crm_id="p", account_id="b"), deal(crm_id="q", account_id="b")]
    with sources(opportunities=deals) as given:
        events = expansion_events(given, TARGET)
        asked = (None, pa.chunked_array([["a", "a"]]), pa.chunked_array([["b"]]), pa.chunked_array([["c"]]))
        assert [how_many(events, accounts) for accounts in asked] == [3, 1, 2, 0]


def test_prospects_and_customers_who_left_are_not_scored() -> None:
    """Nobody who is not invoiced or, never invoiced, no customer by the CRM's word."""
    since = {"customer_since": date(2025, 1, 1)}
    accounts: list[dict[str, Any]] = [
        {"account_id": "a", "is_customer": True, **since},
        {"account_id": "left", "is_customer": True, **since},
        {"account_id": "former", "is_customer": False, **since},
        {"account_id": "prospect", "is_customer": False, "customer_since": None},
        {"account_id": "second", "is_customer": True, "customer_since": None},
        {"account_id": "unmatched", "is_customer": True, **since},
    ]
    bills = [invoice(6, 1000.0), invoice(2, 1000.0, account_id="left")]
    with sources(accounts=accounts, billing=bills) as given:
        assert customers(given, date(2026, 6, 20)) == ["a", "unmatched"]


@pytest.mark.parametrize(("day", "active"), [(date(2026, 6, 9), ["a"]), (date(2026, 6, 12), [])])
def test_who_has_left_is_no_customer_although_the_last_invoice_runs_on(day: date, active: list[str]) -> None:
    """From the day on which the CRM says so, and not before."""
    accounts = [{"account_id": "a", "is_customer": False}]
    change = {"account_id": "a", "field": "account_type", "changed_at": noon(date(2026, 6, 12))}
    with sources(accounts=accounts, account_history=[change], billing=[invoice(6, 1000.0)]) as given:
        assert customers(given, day) == active
