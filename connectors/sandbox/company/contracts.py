"""What each account has bought: seats, tier, products, ARR and the term, and how a deal changes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.company.catalogue import (
    ADOPTION,
    COMMIT,
    EXPANSIONS,
    MODULES,
    SEAT_PRICE,
    SEATS,
    SUPPORT,
    TIER,
)
from connectors.sandbox.company.population import Population

_MODULE_PRICE = np.array([EXPANSIONS[m].price for m in MODULES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """Contracts in one week; arrays are worlds × accounts, `owned` has products as a third axis."""

    customer: np.ndarray
    seats: np.ndarray
    tier: np.ndarray
    owned: np.ndarray
    list_arr: np.ndarray
    arr: np.ndarray
    renewal_week: np.ndarray  # first week of the next term
    last_win: np.ndarray  # week of the last expansion; far in the past for none
    wins: np.ndarray


def sign(population: Population, rng: np.random.Generator) -> Contracts:
    """Contracts before week 0, with what was bought in the years before; one world."""
    n = len(population.seats)
    shape = (1, n)
    owned = np.zeros((1, n, len(EXPANSIONS)), dtype=bool)
    long_customer = population.start_week < -40
    for product in (*MODULES, SUPPORT):
        owned[0, :, product] = long_customer & (rng.random(n) < 0.17)
    seats = population.seats[None, :].astype(float)
    tier = population.tier[None, :].copy()
    list_arr = np.round(
        seats * SEAT_PRICE[tier] + module_value(owned, seats) + 2400.0 * owned[..., SUPPORT], 2
    )
    first = population.start_week + population.term
    late = np.maximum(0, -first)
    renewal = first + -(-late // population.term) * population.term
    return Contracts(
        customer=(population.start_week < 0)[None, :],
        seats=seats,
        tier=tier,
        owned=owned,
        list_arr=list_arr,
        arr=np.round(list_arr * (1 - population.discount), 2),
        renewal_week=np.broadcast_to(renewal, shape).copy(),
        last_win=np.where(population.past_expansions > 0, -rng.integers(6, 90, n), -400)[None, :],
        wins=population.past_expansions[None, :].copy(),
    )


def module_value(owned: np.ndarray, seats: np.ndarray) -> np.ndarray:
    """List price a year of the modules owned."""
    value: np.ndarray = (owned[..., MODULES[0] : MODULES[-1] + 1] * _MODULE_PRICE).sum(axis=-1) * seats
    return value


def unit_list_price(contracts: Contracts) -> np.ndarray:
    """List ARR that one unit of each product adds: worlds × accounts × products.

    A unit is a seat for seats and the whole account for everything else."""
    seats, tier = contracts.seats, contracts.tier
    price = np.empty((*seats.shape, len(EXPANSIONS)))
    modules = (contracts.owned[..., MODULES[0] : MODULES[-1] + 1] * _MODULE_PRICE).sum(axis=-1)
    price[..., SEATS] = SEAT_PRICE[tier] + modules
    price[..., TIER] = (SEAT_PRICE[np.minimum(tier + 1, 3)] - SEAT_PRICE[tier]) * seats
    for module, each in zip(MODULES, _MODULE_PRICE, strict=True):
        price[..., module] = 600 + each * seats
    price[..., SUPPORT] = np.maximum(1800, 0.12 * contracts.list_arr)
    price[..., ADOPTION] = 2600 + 70 * seats
    price[..., COMMIT] = np.maximum(900, 0.07 * contracts.list_arr)
    return price


def expand(
    contracts: Contracts,
    *,
    won: np.ndarray,
    product: np.ndarray,
    units: np.ndarray,
    list_arr: np.ndarray,
    arr: np.ndarray,
    week: int,
) -> Contracts:
    """The contracts after expansions won in a week; all masks and amounts are worlds × accounts."""
    owned = contracts.owned.copy()
    worlds, accounts = np.nonzero(won)
    owned[worlds, accounts, product[worlds, accounts]] = True
    owned[..., [SEATS, TIER]] = False  # bought again and again, never owned
    seats = contracts.seats + np.where(won & (product == SEATS), units, 0)
    longer = won & (product == COMMIT)
    return Contracts(
        customer=contracts.customer,
        seats=seats,
        tier=np.where(won & (product == TIER), np.minimum(contracts.tier + 1, 3), contracts.tier),
        owned=owned,
        list_arr=np.where(won, np.round(contracts.list_arr + list_arr, 2), contracts.list_arr),
        arr=np.where(won, np.round(contracts.arr + arr, 2), contracts.arr),
        renewal_week=np.where(longer, contracts.renewal_week + 52, contracts.renewal_week),
        last_win=np.where(won, week, contracts.last_win),
        wins=contracts.wins + won,
    )


def renew(
    contracts: Contracts, population: Population, *, week: int, churned: np.ndarray, seats_kept: np.ndarray
) -> Contracts:
    """The contracts after the renewals and cancellations of a week.

    `seats_kept` is the share of seats that a renewing account keeps: below 1 is contraction."""
    due = contracts.customer & (contracts.renewal_week == week)
    starts = population.start_week == week
    seats = np.where(due, np.maximum(5, np.round(contracts.seats * seats_kept)), contracts.seats)
    ratio = np.where(due, seats / contracts.seats, 1.0)
    return Contracts(
        customer=(contracts.customer & ~churned) | starts,
        seats=seats,
        tier=contracts.tier,
        owned=contracts.owned,
        list_arr=np.where(due, np.round(contracts.list_arr * ratio, 2), contracts.list_arr),
        arr=np.where(due, np.round(contracts.arr * ratio, 2), contracts.arr),
        renewal_week=np.where(due, contracts.renewal_week + population.term, contracts.renewal_week),
        last_win=contracts.last_win,
        wins=contracts.wins,
    )
