"""The bridge of coming spans: opening ARR of the same customers, expansion, contraction, churn, closing.

Within the horizon the risk model says who may leave or shrink, at the renewal if one falls into it; after it
the usual rate goes on, of accounts that renew in that span and of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from model.forecast import Span
from model.recurring import Bridge
from model.risk import RiskModel

_YEAR: Final = 365.25
_DEVIATIONS: Final = 1.2816  # of a normal distribution from its middle to its P10 and P90


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer today: ARR, chances within the horizon (None: not scored), and the next renewal if known."""

    account_id: str
    arr: float
    churn: float | None = None
    contraction: float | None = None
    renewal: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """customers × spans: the chance to churn and to contract in each; a contraction takes `lost_share`."""

    churn: np.ndarray
    contraction: np.ndarray
    lost_share: float

    def cumulants(self, arr: np.ndarray) -> np.ndarray:
        """spans × 2: mean and variance of the ARR lost."""
        left, shrunk = self.churn, self.contraction
        size = arr[:, None]
        mean = size * (left + shrunk * self.lost_share)
        square = size**2 * (left + shrunk * self.lost_share**2)
        return np.stack([mean.sum(axis=0), (square - mean**2).sum(axis=0)], axis=-1)


def losses_by_span(
    customers: Sequence[Customer],
    spans: Sequence[Span],
    risk: RiskModel,
    *,
    scored_on: date,
    today: date,
) -> Losses:
    """Who may leave or shrink in each span after `today`; what could have happened before is past."""
    known = np.array([customer.churn is not None for customer in customers], bool)
    churn = np.array([customer.churn or 0.0 for customer in customers], float)
    shrink = np.array([customer.contraction or 0.0 for customer in customers], float)
    horizon, now = risk.horizon_days, (today - scored_on).days
    days = [(each.renewal - scored_on).days if each.renewal else np.nan for each in customers]
    renewal = np.array(days, float)
    no_date, due = np.isnan(renewal), renewal <= horizon
    found = []
    for kind, said in enumerate((churn, shrink)):
        at_renewal, between, all_over = risk.rates["due"][kind], risk.rates["not_due"][kind], risk.base[kind]
        usual = np.select([no_date, due], [all_over, at_renewal], between)
        within = np.where(known, said, usual)
        parts = np.zeros((len(customers), len(spans)))
        for at, span in enumerate(spans):
            begin = max((span.first - scored_on).days - 1, now)
            end = max((span.last - scored_on).days, begin)
            near = max(min(end, horizon) - begin, 0) / horizon
            far = max(end - max(begin, horizon), 0) / horizon
            renews = (renewal > begin) & (renewal <= end)
            inside = np.where(due, renews, near) * within
            beyond = np.where(no_date, all_over, between) * far
            parts[:, at] = inside + np.where(renews & ~due, at_renewal, beyond)
        found.append(parts)
    alive = np.ones(len(customers))
    for at in range(len(spans)):
        both = np.clip(found[0][:, at] + found[1][:, at], 1e-12, None)
        scale = alive * np.minimum(1.0, 1.0 / both)
        found[0][:, at] *= scale
        found[1][:, at] *= scale
        alive = alive - found[0][:, at]
    return Losses(churn=found[0], contraction=found[1], lost_share=risk.lost_share)


def next_renewal(
    today: date, renewal: date | None, contract_start: date | None, term_months: float | None
) -> date | None:
    """The first renewal after `today`: the date given, or one whole term after another on from it, or from
    the contract's start. A contract without a term is taken to be of a year."""
    start = renewal if renewal is not None else contract_start
    if start is None:
        return None
    if start > today and renewal is not None:
        return start
    term = max(1.0, term_months or 12.0) * _YEAR / 12
    terms = int(max((today - start).days, 0) // term) + 1
    return start + timedelta(days=round(terms * term))


def nrr_range(bridge: Bridge, variance: float) -> tuple[float, float] | None:
    """P10 and P90 of NRR, from the variance of the ARR added and lost; None of nothing."""
    if bridge.nrr is None:
        return None
    wide = _DEVIATIONS * float(np.sqrt(max(variance, 0.0))) / bridge.opening
    return max(0.0, bridge.nrr - wide), bridge.nrr + wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewals:
    """Accounts whose contract comes up for renewal in a span, their ARR, and what is expected to renew."""

    accounts: int
    arr: float
    kept: float


def renewals_by_span(customers: Sequence[Customer], spans: Sequence[Span], losses: Losses) -> list[Renewals]:
    """What comes up for renewal after today in each span."""
    arr = np.array([customer.arr for customer in customers], float)
    stays = 1 - losses.churn - losses.contraction * losses.lost_share
    made = []
    for at, span in enumerate(spans):
        up = np.array([each.renewal and span.first <= each.renewal <= span.last for each in customers], bool)
        made.append(
            Renewals(accounts=int(up.sum()), arr=float(arr[up].sum()), kept=float(arr[up] @ stays[up, at]))
        )
    return made
