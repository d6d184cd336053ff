"""The accounts as they are at birth: attributes that the simulation never changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from connectors.sandbox.company.catalogue import COUNTRIES, DEPARTMENTS, FEATURES, INDUSTRIES
from connectors.sandbox.company.randomness import stream

WARM_UP = 26  # weeks simulated before anything is exported, so that drivers and deals have a past
NEVER = 1_000_000  # a week that does not come


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldPlan:
    """What a world depends on: the same plan is the same company, bit for bit."""

    accounts: int
    months: int
    seed: int
    today: date
    effects: tuple[tuple[str, float], ...] = ()
    mess: float = 1.0  # how messy the records are; the company itself is the same at any

    @property
    def now_week(self) -> int:
        """The first week that has not happened at `today`."""
        return WARM_UP + round(self.months * 365.25 / 12 / 7)

    @property
    def epoch(self) -> datetime:
        """Monday 00:00 UTC on which week 0 begins."""
        monday = self.today - timedelta(days=self.today.weekday())
        return datetime.combine(monday, time(), UTC) - timedelta(weeks=self.now_week)

    @property
    def first_day(self) -> date:
        """The first day that exports cover."""
        return (self.epoch + timedelta(weeks=WARM_UP)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """One array a column, one entry an account."""

    segment: np.ndarray  # index in SEGMENTS
    industry: np.ndarray
    country: np.ndarray
    parent: np.ndarray  # index of the parent account, -1 for a parent itself or a stand-alone company
    family: np.ndarray  # index of the corporate family's head; a stand-alone company heads itself
    family_size: np.ndarray
    start_week: np.ndarray  # first week as a customer: negative before the simulation, NEVER for none
    term: np.ndarray  # contract term in weeks
    fiscal_start: np.ndarray  # month 1–12
    seats: np.ndarray  # at the start
    tier: np.ndarray  # at the start
    discount: np.ndarray  # 0–0.3 off list
    fit: np.ndarray  # log of the utilisation to which the account tends
    api_level: np.ndarray  # log of calls a user, relative to the starting plan's limit
    storage_level: np.ndarray
    breadth_level: np.ndarray
    employees: np.ndarray
    owner: np.ndarray
    seller: np.ndarray
    feature_order: np.ndarray  # accounts × features: the order in which an account discovers them
    department_order: np.ndarray  # accounts × departments
    past_expansions: np.ndarray  # before the simulation

    @property
    def peer_group(self) -> np.ndarray:
        """Accounts alike in segment and industry share a number."""
        group: np.ndarray = self.segment * len(INDUSTRIES) + self.industry
        return group


def populate(plan: WorldPlan) -> Population:
    """The accounts of a plan. Raises ValueError for fewer than one account or month."""
    if plan.accounts < 1 or plan.months < 1:
        raise ValueError(
            f"a company needs 1 account and 1 month of history or more, not {plan.accounts} and {plan.months}"
        )
    n = plan.accounts
    rng = stream(plan.seed, "population")
    family = _families(n, rng)
    heads = np.arange(n)
    segment = rng.choice(3, n, p=[0.58, 0.31, 0.11])
    industry = rng.integers(0, len(INDUSTRIES), n)
    industry = np.where(rng.random(n) < 0.7, industry[family], industry)  # families mostly share a trade
    median = np.array([2.75, 3.2, 3.8])[segment]
    seats = np.maximum(12, np.round(np.exp(rng.normal(median, 0.33)))).astype(np.int64)
    tier = np.clip(segment + rng.choice([-1, 0, 1], n, p=[0.2, 0.55, 0.25]), 0, 3)
    term = rng.choice([52, 104, 156], n, p=[0.75, 0.15, 0.10])
    managers = max(1, round(n / 40))
    sellers = max(1, round(n / 120))
    return Population(
        segment=segment,
        industry=industry,
        country=rng.choice(len(COUNTRIES), n, p=[0.38, 0.14, 0.14, 0.09, 0.06, 0.08, 0.06, 0.05]),
        parent=np.where(family == heads, -1, family),
        family=family,
        family_size=np.bincount(family, minlength=n)[family],
        start_week=_starts(plan, rng),
        term=term,
        fiscal_start=rng.choice([1, 2, 4, 7, 10], n, p=[0.52, 0.12, 0.16, 0.12, 0.08]),
        seats=seats,
        tier=tier,
        discount=np.round(np.clip(rng.beta(2, 7, n), 0, 0.4), 2),
        fit=np.log(0.62) + rng.normal(0, 0.10, n),
        api_level=rng.normal(-0.10, 0.15, n),
        storage_level=rng.normal(-0.15, 0.15, n),
        breadth_level=rng.normal(0, 0.5, n),
        employees=np.round(seats * np.exp(rng.normal(2.2, 0.6, n))).astype(np.int64),
        owner=(np.arange(n) + rng.integers(0, managers, n)) % managers,
        seller=rng.integers(0, sellers, n),
        feature_order=np.argsort(np.arange(len(FEATURES)) + rng.normal(0, 4, (n, len(FEATURES))), axis=1),
        department_order=np.argsort(rng.random((n, len(DEPARTMENTS))), axis=1),
        past_expansions=rng.poisson(0.8, n),
    )


def _families(n: int, rng: np.random.Generator) -> np.ndarray:
    """The head of each account's corporate family: 2–6 accounts each, and one in eight stands alone."""
    sizes = rng.choice([1, 2, 3, 4, 5, 6], n, p=[0.34, 0.24, 0.18, 0.12, 0.08, 0.04])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    group = np.searchsorted(starts, np.arange(n), side="right") - 1
    members = rng.permutation(n)
    head = np.empty(n, dtype=np.int64)
    head[members] = members[starts[group]]
    return head


def _starts(plan: WorldPlan, rng: np.random.Generator) -> np.ndarray:
    """First week as a customer: most long before, some during the history, a few after or never."""
    n = plan.accounts
    before = -rng.integers(0, 260, n)
    during = rng.integers(0, max(1, plan.now_week - 2), n)
    after = plan.now_week + rng.integers(3, 70, n)
    kind = rng.choice(4, n, p=[0.74, 0.21, 0.03, 0.02])
    return np.choose(kind, [before, during, after, np.full(n, NEVER)])
