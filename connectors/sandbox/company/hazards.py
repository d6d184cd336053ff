"""How the drivers turn into expansion: hazard of a deal, chance to win it, product, cycle and churn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from connectors.sandbox.company.catalogue import (
    ADOPTION,
    COMMIT,
    EXPANSIONS,
    FAMILIES,
    MODULES,
    SEATS,
    SUPPORT,
    TIER,
)
from connectors.sandbox.company.contracts import Contracts
from connectors.sandbox.company.drivers import Drivers, api_ratio, breadth, storage_ratio
from connectors.sandbox.company.population import Population

CYCLE: Final = np.array([0.09, 0.08, 0.15, 0.17, 0.15, 0.12, 0.09, 0.07, 0.05, 0.03])
"""Chance that a deal closes 0, 1, … 9 weeks after it was created; the first two are self-serve."""

SHARPNESS: Final = 1.32  # scales every effect: how far the drivers separate accounts
BASE: Final = -7.85  # weekly log-odds of a deal in an average account
_MONTH: Final = np.array([0.1, 0.0, 0.15, 0.0, 0.0, 0.05, -0.15, -0.25, 0.1, 0.1, 0.05, -0.1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What may happen to each account in a week: worlds × accounts, `products` with a third axis."""

    pull: np.ndarray  # log-odds of a deal
    hazard: np.ndarray  # chance that an expansion deal is created, 0 for who is no customer
    win: np.ndarray  # chance that such a deal is won
    products: np.ndarray  # chance that it is about each product
    churn: np.ndarray  # chance to leave at a renewal
    contract: np.ndarray  # chance to renew with fewer seats


def switches(effects: Mapping[str, float]) -> dict[str, float]:
    """A weight for every signal family, 1.0 unless said otherwise. Raises ValueError for an unknown one."""
    unknown = sorted(set(effects) - set(FAMILIES))
    if unknown:
        raise ValueError(f"unknown signal families {unknown}; known are {list(FAMILIES)}")
    return {family: float(effects.get(family, 1.0)) for family in FAMILIES}


def outlook(
    drivers: Drivers,
    contracts: Contracts,
    population: Population,
    *,
    week: int,
    epoch: datetime,
    peers: np.ndarray,
    effects: Mapping[str, float],
) -> Outlook:
    """Hazards of a week; `peers` is the recent expansion of similar accounts, standardised."""
    on = switches(effects)
    d, c, p = drivers, contracts, population
    rise = _relu
    pressure = np.clip((d.utilisation - 0.66) / 0.16, -2.2, 2.2)
    limits = np.clip((api_ratio(d, p, c.seats, c.tier) - 0.85) / 0.28, -2, 2.5)
    storage = np.clip((storage_ratio(d, p, c.seats, c.tier) - 0.80) / 0.28, -2, 2.5)
    growth, wide = d.level("growth"), (breadth(d, p) - 0.52) / 0.22
    spread = np.clip(d.departments - d.departments_before, -2.5, 2.5)
    champion = np.where(d.champion_here, d.level("champion"), -1.2)
    content = 0.6 * d.level("satisfaction") + 0.6 * d.level("sentiment")
    gaps = np.stack([d.level(f"gap_{m}") for m in ("analytics", "automation", "audit")], axis=-1)
    owned = c.owned[..., MODULES[0] : MODULES[-1] + 1]
    gap = np.where(owned, 0.0, rise(gaps - 0.7))
    budget = _budget_window(p, week, epoch)
    to_renewal = c.renewal_week - week
    renewing = ((to_renewal >= 4) & (to_renewal <= 18)).astype(float)
    recent = np.exp(-np.maximum(0, week - c.last_win) / 9.0)
    yearly = np.exp(-0.5 * ((week - c.last_win - 52) / 8.0) ** 2)
    new = np.exp(-np.maximum(0, week - p.start_week) / 12.0)
    siblings = _sibling_modules(c, p)
    wanted = (siblings * ~owned).sum(axis=-1)
    month = (epoch + timedelta(weeks=week)).month
    parts = {
        "seats": 1.12 * pressure + 0.3 * rise(pressure - 0.8),
        "limits": 0.45 * limits + 0.50 * rise(limits) + 0.22 * storage,
        "usage": 0.42 * growth,
        "adoption": 0.40 * wide + 0.34 * d.level("premium"),
        "departments": 0.40 * spread,
        "power_users": 0.25 * d.level("power"),
        "people": 0.40 * champion + 0.22 * d.level("executive") + 0.85 * d.senior - 0.8 * d.champion_left
        + 0.34 * d.level("finance"),
        "support": -0.18 * d.level("support") + 0.25 * d.level("satisfaction") + 0.55 * gap.sum(axis=-1),
        "relationship": 0.30 * d.level("relationship") + 0.70 * d.goal + 0.25 * d.level("sentiment"),
        "contract": 0.95 * renewing - 1.8 * recent + 0.45 * yearly - 1.3 * new - 1.2 * (p.discount - 0.2),
        "fiscal": 0.95 * budget + _MONTH[month - 1],
        "triggers": 0.85 * np.minimum(d.trigger, 2.0),
        "peers": 0.34 * peers,
        "hierarchy": 0.36 * np.minimum(wanted, 2.0),
    }  # fmt: skip
    pull = sum(on[family] * part for family, part in parts.items())
    pull = pull + on["seats"] * on["people"] * on["fiscal"] * 0.40 * rise(pressure) * rise(champion) * (
        0.4 + budget
    )
    pull = pull + on["usage"] * on["adoption"] * 0.22 * np.clip(growth * wide, -1.5, 2.5)
    pull = pull + on["limits"] * on["support"] * 0.22 * rise(limits) * np.clip(content, -1.5, 1.5)
    pull = BASE + SHARPNESS * (pull + 0.15 * d.level("unobserved") + d.market)
    hazard = np.where(c.customer, 1 - np.exp(-np.exp(np.minimum(pull, 0.5))), 0.0)
    health = 0.5 * content + 0.4 * champion + 0.5 * pressure + 0.4 * d.level("relationship")
    win = _logistic(0.55 + 0.35 * content + 0.30 * champion + 0.20 * d.level("relationship"))
    appeal = np.full((*pressure.shape, len(EXPANSIONS)), -np.inf)
    appeal[..., SEATS] = 0.70 + 1.1 * on["seats"] * rise(pressure)
    appeal[..., TIER] = np.where(
        c.tier < 3,
        -0.4 + on["limits"] * 0.9 * rise(limits) + on["adoption"] * 0.5 * d.level("premium"),
        -np.inf,
    )
    for row, module in enumerate(MODULES):
        want = -1.5 + on["support"] * 1.3 * rise(gaps[..., row]) + on["hierarchy"] * 0.9 * siblings[..., row]
        appeal[..., module] = np.where(c.owned[..., module], -np.inf, want)
    addon = -1.9 + on["support"] * 0.9 * d.level("support")
    appeal[..., SUPPORT] = np.where(c.owned[..., SUPPORT], -np.inf, addon)
    service = -2.0 + on["relationship"] * 0.9 * d.goal - on["adoption"] * 0.5 * wide
    appeal[..., ADOPTION] = np.where(c.owned[..., ADOPTION], -np.inf, service)
    commit = -1.9 + on["contract"] * 1.4 * renewing
    appeal[..., COMMIT] = np.where(c.owned[..., COMMIT], -np.inf, commit)
    weight = np.exp(appeal)
    return Outlook(
        pull=pull,
        hazard=hazard,
        win=win,
        products=weight / weight.sum(axis=-1, keepdims=True),
        churn=_logistic(-3.3 - 1.0 * health),
        contract=_logistic(-2.6 - 1.1 * pressure),
    )


def _budget_window(population: Population, week: int, epoch: datetime) -> np.ndarray:
    """1 in the last six weeks of the customer's fiscal year and the first eight of the next, else 0."""
    day = epoch + timedelta(weeks=week)
    position = (
        day.timetuple().tm_yday / 30.4375 - (population.fiscal_start - 1)
    ) % 12  # months into the year
    window: np.ndarray = ((position < 8 / 4.35) | (position > 12 - 6 / 4.35)).astype(float)
    return window


def _sibling_modules(contracts: Contracts, population: Population) -> np.ndarray:
    """1 where another account of the corporate family owns the module, as worlds × accounts × modules."""
    owned = (contracts.owned[..., MODULES[0] : MODULES[-1] + 1] & contracts.customer[..., None]).astype(
        np.float32
    )
    total = np.zeros_like(owned)
    head = population.family
    for world in range(len(owned)):
        np.add.at(total[world], head, owned[world])
        total[world] = total[world][head]
    elsewhere: np.ndarray = (total - owned) > 0
    return elsewhere.astype(float)


def _relu(x: np.ndarray) -> np.ndarray:
    positive: np.ndarray = np.maximum(x, 0.0)
    return positive


def _logistic(x: np.ndarray) -> np.ndarray:
    chance: np.ndarray = 1 / (1 + np.exp(-x))
    return chance
