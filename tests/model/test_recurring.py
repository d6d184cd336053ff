"""Facts about ARR by billing and the bridges between days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.days import day_number
from model.recurring import Bridge, arr_on, arr_spans, bridges

QUARTERS = [date(2025, 2, 1), date(2025, 5, 1), date(2025, 8, 1)]
END = date(2025, 12, 31)


def invoice(account: str, month: int, arr: float, currency: str = "USD", *, known: int = 1) -> dict[str, Any]:
    """A monthly invoice of 2025, known on that day of its month, in the clean form of `model.sources`."""
    first = date(2025, month, 1)
    following = (first + timedelta(days=31)).replace(day=1)
    return {
        "account_id": account,
        "at": day_number(first),
        "known": day_number(first) + known - 1,
        "period_end": day_number(following) - 1,
        "arr": arr,
        "original_currency": currency,
    }


def spans_of(rows: list[dict[str, Any]], end: date, left: Mapping[str, date] = {}) -> ir.Table:
    """The spans of a company that is its invoices, and the days from which the CRM calls accounts none."""
    gone = {"account_id": pa.array(list(left), pa.string())}
    days = pa.array([day_number(day) for day in left.values()], pa.int64())
    sources = {
        "billing": ibis.memtable(pa.Table.from_pylist(rows)),
        "accounts": ibis.memtable(
            pa.table(gone | {"is_customer": pa.array([False] * len(left), pa.bool_())})
        ),
        "account_history": ibis.memtable(
            pa.table(gone | {"field": pa.array(["account_type"] * len(left), pa.string()), "known": days})
        ),
    }
    return arr_spans(sources, data_end=day_number(end))


def bridged(rows: list[dict[str, Any]], *, end: date = END) -> list[Bridge]:
    """Its bridges between the quarters' first days."""
    return bridges(spans_of(rows, end), QUARTERS)


@settings(deadline=None, max_examples=8, derandomize=True)
@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 100.0, 250.0, 400.0]), min_size=9, max_size=9), min_size=1, max_size=5
    )
)
def test_a_bridge_closes_at_what_the_same_customers_pay_on_its_last_day(paid: list[list[float]]) -> None:
    """Opening, expansion, contraction and churn lead to the ARR that billing has, whatever was invoiced."""
    rows = [
        invoice(f"A{number}", month, arr)
        for number, months in enumerate(paid)
        for month, arr in enumerate(months, start=1)
    ]
    for at, found in enumerate(bridged(rows)):
        first, later = QUARTERS[at].month - 1, QUARTERS[at + 1].month - 1
        same = [months for months in paid if months[first] > 0]
        assert found.opening == pytest.approx(sum(months[first] for months in same))
        assert found.closing == pytest.approx(sum(months[later] for months in same))
        assert found.customers == len(same)
        assert found.lost == sum(months[later] == 0 for months in same)
        if found.nrr is not None and found.grr is not None:
            assert found.nrr >= found.grr
            assert 0 <= found.grr <= 1


def test_a_customer_whose_invoice_is_late_has_not_left_until_the_grace_is_over() -> None:
    """Forty-five days after the last period nobody knows yet; a day later the customer left with it."""
    rows = [invoice("A", month, 100.0) for month in range(1, 7)]
    late, over = bridged(rows, end=date(2025, 8, 14))[1], bridged(rows, end=date(2025, 8, 15))[1]
    assert (late.churn, late.lost) == (0.0, 0)
    assert (over.churn, over.lost) == (100.0, 1)


def test_a_customer_that_the_crm_calls_none_is_not_waited_for() -> None:
    """Its last invoice holds to the end of its period, as billing has it, and then it has left."""
    rows, left = [invoice("A", month, 100.0) for month in range(1, 8)], {"A": date(2025, 7, 10)}
    spans = spans_of(rows, date(2025, 8, 2), left)
    assert [arr_on(spans, day) for day in (date(2025, 7, 31), date(2025, 8, 1))] == [{"A": 100.0}, {}]


def test_a_step_to_another_currency_is_neither_bought_nor_cancelled() -> None:
    """The bridge closes by a line of its own, and NRR and GRR stay at one."""
    rows = [
        invoice("A", month, 100.0 if month < 4 else 80.0, "USD" if month < 4 else "EUR")
        for month in range(1, 10)
    ]
    found = bridged(rows)[0]
    assert (found.expansion, found.contraction, found.currency) == (0.0, 0.0, -20.0)
    assert (found.nrr, found.grr, found.closing) == (1.0, 1.0, 80.0)


def test_arr_on_a_day_is_that_of_the_invoice_in_force() -> None:
    """Not of the latest one, nor of one corrected since: of two for a period the one known last counts."""
    corrected = invoice("A", 2, 150.0, known=20)
    rows = [invoice("A", 1, 100.0), invoice("A", 2, 200.0), corrected, invoice("A", 3, 300.0)]
    spans = spans_of(rows, date(2025, 3, 10))
    found = [arr_on(spans, date(2025, month, 15)) for month in (1, 2, 3)]
    assert found == [{"A": 100.0}, {"A": 150.0}, {"A": 300.0}]


def test_rates_of_nothing_are_unknown() -> None:
    """A quarter without customers has no NRR and no GRR, rather than zero."""
    assert (Bridge().nrr, Bridge().grr) == (None, None)
