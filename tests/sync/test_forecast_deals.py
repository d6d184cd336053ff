"""Facts about open deals: as they stood on a day, and what became of others that stood so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest

from model.target import Target
from sync.forecast_deals import PRIOR_DEALS, DealBook

TIME = pa.timestamp("us", tz="UTC")
DEALS = {
    "crm_id": pa.string(), "account_id": pa.string(), "product_id": pa.string(), "amount": pa.float64(),
    "probability": pa.float64(), "close_date": pa.date32(), "original_currency": pa.string(),
    "opportunity_type": pa.string(), "pipeline": pa.string(), "stage": pa.string(), "created_at": TIME,
    "closed_at": TIME, "is_closed": pa.bool_(), "is_won": pa.bool_(),
}  # fmt: skip
STEPS = {
    "opportunity_crm_id": pa.string(), "stage": pa.string(), "amount": pa.float64(),
    "probability": pa.float64(), "close_date": pa.date32(), "changed_at": TIME,
}  # fmt: skip


def at(month: int, day: int) -> datetime:
    """A noon of 2026."""
    return datetime(2026, month, day, 12, tzinfo=UTC)


def deal(crm_id: str, *, won: bool | None = None, **more: Any) -> dict[str, Any]:
    """An expansion created in January, closed on the first of May unless `won` is None."""
    closed = None if won is None else at(5, 1)
    return {
        "crm_id": crm_id, "account_id": crm_id, "amount": 900.0, "probability": 0.9,
        "opportunity_type": "Upsell", "close_date": date(2026, 6, 1), "created_at": at(1, 10),
        "closed_at": closed, "is_closed": won is not None, "is_won": bool(won), **more,
    }  # fmt: skip


def step(crm_id: str, when: datetime, probability: float, amount: float) -> dict[str, Any]:
    """What the CRM said from a moment on."""
    return {"opportunity_crm_id": crm_id, "changed_at": when, "probability": probability, "amount": amount}


def book(deals: list[dict[str, Any]], steps: list[dict[str, Any]]) -> DealBook:
    """The deals of a lake."""
    tables = {
        "opportunities": ibis.memtable(pa.Table.from_pylist(deals, schema=pa.schema(list(DEALS.items())))),
        "opportunity_history": ibis.memtable(
            pa.Table.from_pylist(steps, schema=pa.schema(list(STEPS.items())))
        ),
    }
    return DealBook(tables, Target(), "USD")


def test_a_deal_of_the_past_stands_as_its_history_has_it_that_day() -> None:
    """Not as it ended; before it was created and after it was closed it is not there."""
    held = book([deal("D", won=True)], [step("D", at(1, 10), 0.1, 500.0), step("D", at(3, 1), 0.75, 800.0)])
    (early,), (late,) = held.open_on(date(2026, 2, 1)), held.open_on(date(2026, 4, 1))
    assert (early.amount, early.chance) == (500.0, 0.1)
    assert (late.amount, late.chance) == (800.0, 0.75)
    assert held.open_on(date(2026, 1, 9)) == held.open_on(date(2026, 5, 1)) == []


def test_a_deal_without_history_tells_nothing_of_how_it_ended() -> None:
    """The model fills in what is unknown."""
    (found,) = book([deal("D", won=True)], []).open_on(date(2026, 2, 1))
    assert (found.amount, found.chance, found.close_date) == (None, None, None)


def test_the_chance_is_what_became_of_deals_that_stood_at_such_a_probability() -> None:
    """Drawn to the CRM's own figure by as many deals as PRIOR_DEALS, and only of deals closed by then."""
    closed = [deal(f"C{n}", won=n < 30) for n in range(40)]
    steps = [step(f"C{n}", at(1, 10), 0.1, 900.0) for n in range(40)]
    held = book([*closed, deal("D", probability=0.1)], [*steps, step("D", at(1, 10), 0.1, 900.0)])
    (now,) = held.open_now(date(2026, 6, 1))
    assert now.chance == pytest.approx((40 * 0.75 + PRIOR_DEALS * 0.1) / (40 + PRIOR_DEALS))
    (before,) = [each for each in held.open_on(date(2026, 4, 30)) if each.account_id == "D"]
    assert before.chance == 0.1


def test_other_kinds_of_opportunities_are_no_expansion() -> None:
    """Renewals and new business stay out, whatever they are worth."""
    deals = [deal("R", opportunity_type="Renewal"), deal("N", opportunity_type="New Business"), deal("D")]
    assert [each.account_id for each in book(deals, []).open_now(date(2026, 2, 1))] == ["D"]
