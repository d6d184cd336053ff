"""What other currencies are worth: the settings first, then what the CRM tells."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.canonical import CRM_TABLES
from sync.lake_engine import arrow_view, open_engine
from sync.rates import money_of, rates_in
from sync.settings import Company

TOLD = date(2026, 11, 2)


def told(currency: str, rate: float | None, begins: date | None = None, **more: Any) -> dict[str, Any]:
    """A row of exchange_rates."""
    return {"currency": currency, "rate": rate, "valid_from": begins, "told_on": TOLD} | more


def test_the_settings_go_before_the_crm() -> None:
    """Finance's rate stays; a currency that finance left out has the CRM's."""
    engine = open_engine("duckdb://")
    rows = [told("USD", 1.0), told("EUR", 1.2), told("GBP", 1.3)]
    table = pa.Table.from_pylist(rows, schema=CRM_TABLES["exchange_rates"])
    money = money_of(Company(currency="USD", rates={"EUR": 1.1}), arrow_view(engine, table))
    assert (money.rate_of("EUR"), money.rate_of("GBP"), money.rate_of("JPY")) == (1.1, 1.3, None)
    engine.disconnect()


def test_another_home_than_the_crms_own_currency_goes_by_the_quotient() -> None:
    """The CRM reports in dollars, the company in euros."""
    rates = rates_in("EUR", [told("USD", 1.0), told("EUR", 1.25), told("GBP", 1.5)])
    assert rates == {"USD": pytest.approx(0.8), "GBP": pytest.approx(1.2)}


def test_without_a_rate_for_the_companys_currency_nothing_is_known() -> None:
    """Better no amount than one in the wrong unit."""
    assert rates_in("CHF", [told("USD", 1.0), told("EUR", 1.25)]) == {}


def test_a_rate_whatever_the_day_goes_before_dated_ones() -> None:
    """ARR does not move with the market."""
    rows = [told("USD", 1.0), told("EUR", 1.3, date(2026, 10, 1)), told("EUR", 1.2)]
    assert rates_in("USD", rows) == {"EUR": 1.2}


def test_of_dated_rates_the_last_that_had_begun_holds() -> None:
    """One of next month does not yet; nor does one that was taken back, or is nothing."""
    rows = [
        told("USD", 1.0),
        told("EUR", 1.1, date(2026, 1, 1)),
        told("EUR", 1.2, date(2026, 11, 2)),
        told("EUR", 1.3, date(2026, 11, 3)),
        told("EUR", 1.4, date(2026, 11, 1), is_deleted=True),
        told("GBP", None),
        told("CAD", 0.0),
    ]
    assert rates_in("USD", rows) == {"EUR": 1.2}


@given(
    worth=st.dictionaries(
        st.sampled_from(["USD", "EUR", "GBP", "CAD", "JPY"]), st.floats(0.001, 1_000), min_size=1
    ),
    home=st.sampled_from(["USD", "EUR", "GBP", "CAD", "JPY"]),
)
def test_every_currency_that_is_told_has_its_worth_in_the_home_one(
    worth: dict[str, float], home: str
) -> None:
    """And none else; what one is worth in another is the reverse of the other way round."""
    rates = rates_in(home, [told(currency, rate) for currency, rate in worth.items()])
    assert rates.keys() == (worth.keys() - {home} if home in worth else set())
    for currency, rate in rates.items():
        assert rate * worth[home] == pytest.approx(worth[currency])
