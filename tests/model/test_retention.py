"""Facts about coming losses, renewals and the bridges made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.account_bridges import account_bridges, coming_bridges
from model.forecast import Span
from model.recurring import Bridge
from model.retention import (
    Customer,
    losses_by_span,
    next_renewal,
    nrr_range,
    renewals_by_span,
)
from model.risk import default_risk

TODAY = date(2026, 11, 2)
SPANS = tuple(
    Span(
        label=f"Q{at}",
        first=date(2026, 11, 1) + timedelta(days=91 * at),
        last=date(2027, 1, 30) + timedelta(days=91 * at),
    )
    for at in range(4)
)
RISK = default_risk(90)
customers_of = st.lists(
    st.builds(
        Customer,
        account_id=st.just("A"),
        arr=st.floats(1, 1e6),
        churn=st.one_of(st.none(), st.floats(0, 0.6)),
        contraction=st.one_of(st.none(), st.floats(0, 0.4)),
        renewal=st.one_of(st.none(), st.integers(1, 700).map(lambda days: TODAY + timedelta(days=days))),
    ),
    min_size=1,
    max_size=20,
)


@settings(deadline=None, derandomize=True)
@given(customers=customers_of, added=st.integers(0, 10**8), lost=st.integers(0, 10**6))
def test_bridges_close_and_each_opens_where_the_one_before_closed(
    customers: list[Customer], added: int, lost: int
) -> None:
    """Plus who joined meanwhile, to the cent; and nobody loses more than they have, whatever the chances."""
    named = [replace(customer, account_id=f"A{at}") for at, customer in enumerate(customers)]
    joins = Customer(account_id="new", arr=7.0, churn=0.0, contraction=0.0)
    losses = losses_by_span([*named, joins], SPANS, RISK, scored_on=TODAY, today=TODAY)
    assert (losses.churn >= 0).all()
    assert losses.churn.sum(axis=1).max() <= 1 + 1e-9
    so_far = {each.account_id: Bridge(opening=each.arr, customers=1) for each in named}
    so_far["left"] = Bridge(opening=lost / 100, churn=lost / 100, customers=1, lost=1)
    parts = account_bridges([*named, joins], losses, {"A0": np.full(4, added)}, so_far)
    made = coming_bridges(parts)
    assert made[0].opening == pytest.approx(sum(round(each.opening, 2) for each in so_far.values()))
    assert made[0].churn >= lost / 100
    assert made[0].expansion == made[3].expansion == added / 100
    assert made[1].opening == pytest.approx(made[0].closing + 7.0)
    for before, after in pairwise(made[1:]):
        assert after.opening == pytest.approx(before.closing)
    for at, each in enumerate(made):
        assert each.closing == pytest.approx(each.opening + added / 100 - each.contraction - each.churn)
        assert round(100 * each.opening) == parts.opening[:, at].sum()


def test_what_a_newcomer_adds_counts_from_the_quarter_after_it_joined() -> None:
    """In the first it is no customer of the quarter's first day, and who pays nothing is one of none."""
    joins = Customer(account_id="new", arr=10.0)
    losses = losses_by_span([joins], SPANS, RISK, scored_on=TODAY, today=TODAY)
    added = {"new": np.full(4, 500), "stranger": np.full(4, 900)}
    made = coming_bridges(account_bridges([joins], losses, added, {}))
    assert [each.expansion for each in made] == [0.0, 5.0, 5.0, 5.0]
    assert [each.customers for each in made] == [0, 1, 1, 1]


def test_a_customer_at_risk_leaves_at_the_renewal() -> None:
    """The chance that the model gives lies whole in the quarter of the renewal inside the horizon."""
    (customer,) = [
        Customer(account_id="A", arr=100.0, churn=0.5, contraction=0.0, renewal=TODAY + timedelta(days=60))
    ]
    losses = losses_by_span([customer], SPANS, RISK, scored_on=TODAY, today=TODAY)
    assert losses.churn[0, 0] == pytest.approx(0.5)
    assert losses.churn[0, 1] < 0.01


def test_beyond_the_horizon_a_renewal_brings_the_usual_risk() -> None:
    """Three quarters on nobody knows more than the rate of accounts that renew."""
    customer = Customer(
        account_id="A", arr=100.0, churn=0.0, contraction=0.0, renewal=TODAY + timedelta(days=200)
    )
    losses = losses_by_span([customer], SPANS, RISK, scored_on=TODAY, today=TODAY)
    at = next(at for at, span in enumerate(SPANS) if span.first <= customer.renewal <= span.last)  # type: ignore[operator]
    assert losses.churn[0, at] == pytest.approx(RISK.rates["due"][0], rel=0.02)
    assert losses.churn[0].sum() < 1.2 * RISK.rates["due"][0]


def test_without_risk_and_expansion_nothing_changes() -> None:
    """NRR and GRR are one, and so is their range."""
    safe = replace(RISK, rates={"due": (0.0, 0.0), "not_due": (0.0, 0.0)}, base=(0.0, 0.0))
    customers = [Customer(account_id="A", arr=100.0)]
    losses = losses_by_span(customers, SPANS, safe, scored_on=TODAY, today=TODAY)
    made = coming_bridges(account_bridges(customers, losses, {}, {"A": Bridge(opening=100.0, customers=1)}))
    assert [(each.nrr, each.grr, each.closing) for each in made] == [(1.0, 1.0, 100.0)] * 4
    assert nrr_range(made[0], 0.0) == (1.0, 1.0)
    (first, *_) = renewals_by_span(customers, SPANS, losses)
    assert (first.accounts, first.arr) == (0, 0.0)


@settings(deadline=None, derandomize=True)
@given(
    start=st.dates(date(2015, 1, 1), date(2028, 1, 1)), term=st.sampled_from([None, 1.0, 12.0, 24.0, 36.0])
)
def test_the_next_renewal_is_after_today_and_no_further_than_a_term(start: date, term: float | None) -> None:
    """From a renewal date gone by, or from the contract's start, by whole terms."""
    found = next_renewal(TODAY, None, start, term)
    assert found is not None
    assert found > TODAY
    if start <= TODAY:
        assert (found - TODAY).days <= (term or 12.0) * 30.5
    assert next_renewal(TODAY, TODAY + timedelta(days=5), start, term) == TODAY + timedelta(days=5)
    assert next_renewal(TODAY, None, None, term) is None
