"""Facts about coming losses, renewals and the bridges made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.forecast import Span
from model.recurring import Bridge
from model.retention import (
    Customer,
    coming_bridges,
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
@given(customers=customers_of, added=st.floats(0, 1e6), so_far=st.floats(0, 1e4))
def test_bridges_close_and_each_opens_where_the_one_before_closed(
    customers: list[Customer], added: float, so_far: float
) -> None:
    """Plus who joined meanwhile; and nobody loses more than they have, whatever the chances."""
    losses = losses_by_span(customers, SPANS, RISK, scored_on=TODAY, today=TODAY)
    assert (losses.churn >= 0).all()
    assert losses.churn.sum(axis=1).max() <= 1 + 1e-9
    opening = sum(customer.arr for customer in customers) + so_far
    made = coming_bridges(
        customers,
        losses,
        np.full(4, added),
        so_far=Bridge(opening=opening, churn=so_far, customers=len(customers)),
        joined=7.0,
    )
    assert made[0].opening == opening
    assert made[1].opening == pytest.approx(made[0].closing + 7.0)
    for before, after in pairwise(made[1:]):
        assert after.opening == pytest.approx(before.closing)
    for each in made:
        assert each.closing == pytest.approx(each.opening + added - each.contraction - each.churn)


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
    made = coming_bridges(
        customers, losses, np.zeros(4), so_far=Bridge(opening=100.0, customers=1), joined=0.0
    )
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
