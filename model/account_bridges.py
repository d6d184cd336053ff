"""The bridge of coming spans account by account, in whole cents: opening, expansion, contraction, churn.

Each span opens where the one before closed, so what a bridge shows is the sum of its accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.amounts import CENTS, cents
from model.recurring import Bridge
from model.retention import Customer, Losses


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBridges:
    """accounts × spans, in cents. Of the first span `so_far` has by account what billing says of it.

    `expansion` leaves out what an account adds in a span of whose first day it is no customer."""

    accounts: tuple[str, ...]
    opening: np.ndarray
    expansion: np.ndarray
    contraction: np.ndarray
    churn: np.ndarray
    so_far: Mapping[str, Bridge]
    paying: frozenset[str]  # today's customers


def account_bridges(
    customers: Sequence[Customer],
    losses: Losses,
    expansion: Mapping[str, np.ndarray],
    so_far: Mapping[str, Bridge],
) -> AccountBridges:
    """The bridges of today's customers and of those of the first span's first day.

    `so_far` holds the latter, from that day to today; a customer that is not among them joined since, and
    counts from the second span on. `expansion` is what each account adds in each span, in cents."""
    accounts = tuple(dict.fromkeys([*so_far, *(customer.account_id for customer in customers)]))
    place = {account: at for at, account in enumerate(accounts)}
    arr = np.array([customer.arr for customer in customers], float)[:, None]
    shape = (len(accounts), losses.churn.shape[1])
    opening, added, contraction, churn = (np.zeros(shape, np.int64) for _ in range(4))
    at = np.array([place[customer.account_id] for customer in customers], np.int64)
    churn[at] = cents(arr * losses.churn)
    contraction[at] = cents(arr * losses.contraction * losses.lost_share)
    paying = np.zeros(len(accounts), bool)
    paying[at] = True
    begun = np.array([account in so_far for account in accounts], bool)
    for account, parts in expansion.items():
        if account in place:
            added[place[account]] = parts
    added[:, 0] *= begun
    added[:, 1:] *= paying[:, None]
    past = np.array([_in_cents(so_far.get(account, Bridge())) for account in accounts], np.int64)
    past = past.reshape(len(accounts), 4)
    opening[:, 0] = past[:, 0]
    contraction[:, 0] += past[:, 1]
    churn[:, 0] += past[:, 2]
    joined = np.zeros(len(accounts), np.int64)
    joined[at] = cents(arr[:, 0]) * ~begun[at]
    for span in range(1, shape[1]):
        before = span - 1
        opening[:, span] = opening[:, before] + added[:, before] - contraction[:, before] - churn[:, before]
        if before == 0:
            opening[:, span] += past[:, 3] + joined
    return AccountBridges(
        accounts=accounts,
        opening=opening,
        expansion=added,
        contraction=contraction,
        churn=churn,
        so_far=so_far,
        paying=frozenset(customer.account_id for customer in customers),
    )


def coming_bridges(parts: AccountBridges) -> list[Bridge]:
    """The bridge of each span: the sums of its accounts.

    Customers, the lost among them, and what a change of currency moved are known of the first one alone."""
    past = list(parts.so_far.values())
    sums = {
        name: (getattr(parts, name).sum(axis=0) / CENTS).tolist()
        for name in ("opening", "expansion", "contraction", "churn")
    }
    made = [
        Bridge(customers=len(parts.paying), **{name: column[at] for name, column in sums.items()})
        for at in range(parts.opening.shape[1])
    ]
    made[0] = replace(
        made[0],
        currency=sum(_in_cents(bridge)[3] for bridge in past) / CENTS,
        customers=len(past),
        lost=sum(bridge.lost for bridge in past),
    )
    return made


def _in_cents(bridge: Bridge) -> tuple[int, ...]:
    return tuple(
        round(CENTS * part) for part in (bridge.opening, bridge.contraction, bridge.churn, bridge.currency)
    )
