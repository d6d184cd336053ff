"""The true chance of an expansion within ninety days, given everything that is latent.

Sixty-four worlds are run thirteen weeks ahead from the state at a date. In each, the chance of a first
win is computed, not drawn: week by week the chance that no deal is open, times hazard, chance to win
and chance that the cycle fits the rest. The mean over worlds is the truth; averaging chances instead of
draws takes most of the noise out (Rao–Blackwell).
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.catalogue import EXPANSIONS, SEATS
from connectors.sandbox.company.contracts import unit_list_price
from connectors.sandbox.company.drivers import PROCESSES
from connectors.sandbox.company.hazards import CYCLE
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.timing import account_keys, close_time
from connectors.sandbox.company.world import PRICE_NOISE, SIZE_NOISE, State, World, advance_week, seat_share

HORIZON_WEEKS: Final = 13  # deals close on working days, so these weeks end within 90 days of a Monday
WORLDS: Final = 64
_FITS: Final = np.cumsum(CYCLE)

T = TypeVar("T")


def truth(world: World, week: int, *, worlds: int = WORLDS) -> pa.Table:
    """One row an account as of the start of `week`, which must be among the world's snapshots.

    Columns: account_key, eligible, probability, arr_if_expands, product, one probability for each
    product, the drivers as `driver_*`, and what really happened in the following ninety days (null
    where the world does not reach that far)."""
    state = world.snapshots[week]
    chance, products, money = _look_ahead(world, state, worlds)
    keys = account_keys(world.plan.accounts)
    eligible = state.contracts.customer[0] & ~state.open[0]
    columns: dict[str, Any] = {
        "account_key": keys,
        "eligible": eligible,
        "probability": np.where(state.contracts.customer[0], chance, 0.0),
        "arr_if_expands": np.round(money, 2),
        "product": [EXPANSIONS[best].id for best in products.argmax(axis=1)],
    }
    for index, product in enumerate(EXPANSIONS):
        columns[f"probability_{product.id}"] = products[:, index]
    for row, name in enumerate(PROCESSES):
        columns[f"driver_{name}"] = state.drivers.processes[row, 0]
    columns |= {
        "driver_utilisation": state.drivers.utilisation[0],
        "driver_users": state.drivers.users[0],
        "driver_departments": state.drivers.departments[0],
        "driver_trigger": state.drivers.trigger[0],
        "driver_goal": state.drivers.goal[0],
    }
    return pa.table(columns | _outcome(world, week))


def _look_ahead(world: World, state: State, worlds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chance to win, chance of each product given a win, and mean ARR given a win: one row an account."""
    plan, population, week = world.plan, world.population, state.week
    many = _repeat(state, worlds)
    shape = many.close_week.shape
    free = [np.ones(shape), *(np.zeros(shape) for _ in range(HORIZON_WEEKS + len(CYCLE)))]
    won = np.zeros(shape)
    mass = np.zeros((*shape, len(EXPANSIONS)))
    money = np.zeros(shape)
    effects = dict(plan.effects)
    keep = 1 - population.discount
    for ahead in range(HORIZON_WEEKS):
        before = many.contracts
        many, happened, drivers = advance_week(
            many, population, epoch=plan.epoch, effects=effects, wins_count=False,
            rng=stream(plan.seed, f"referee {ahead}", week),
        )  # fmt: skip
        view = happened.outlook
        starts = free[ahead] * view.hazard
        free[ahead + 1] += free[ahead] - starts
        for cycle, share in enumerate(CYCLE):  # a lost deal frees the account for another
            free[ahead + cycle + 1] += starts * (1 - view.win) * share
        first = starts * view.win * _FITS[min(HORIZON_WEEKS - 1 - ahead, len(_FITS) - 1)]
        won += first
        mass += first[..., None] * view.products
        pressure = np.maximum(0, (drivers.utilisation - 0.66) / 0.16)
        amount = unit_list_price(before) * np.exp(PRICE_NOISE**2 / 2)
        units = np.maximum(2, before.seats * seat_share(pressure) * np.exp(SIZE_NOISE**2 / 2))
        amount[..., SEATS] *= units / np.exp(PRICE_NOISE**2 / 2)
        money += first * (view.products * amount).sum(axis=-1) * keep
    chance = won.mean(axis=0)
    total = np.maximum(chance, 1e-12)
    return chance, mass.mean(axis=0) / total[:, None], money.mean(axis=0) / total


def _repeat(value: T, worlds: int) -> T:
    """A state copied into many worlds; the world axis is the second last but for products and processes."""
    changed: dict[str, Any] = {}
    for entry in fields(value):  # type: ignore[arg-type]  # only called with dataclasses
        part = getattr(value, entry.name)
        if is_dataclass(part):
            part = _repeat(part, worlds)
        elif isinstance(part, np.ndarray):
            part = np.repeat(part, worlds, axis=1 if entry.name == "processes" else 0)
        changed[entry.name] = part
    return type(value)(**changed)


def _outcome(world: World, week: int) -> dict[str, Any]:
    """The first win in the horizon: expanded, expanded_product, expanded_arr, won_at."""
    n = world.plan.accounts
    deals = world.deals
    if world.weeks < week + HORIZON_WEEKS:
        nothing = {"expanded": pa.bool_(), "expanded_product": pa.string(), "expanded_arr": pa.float64()}
        times = {"won_at": pa.timestamp("us", tz="UTC")}
        return {name: pa.nulls(n, kind) for name, kind in (nothing | times).items()}
    hits = np.nonzero(deals.won & (deals.close_week >= week) & (deals.close_week < week + HORIZON_WEEKS))[0]
    hits = hits[np.argsort(deals.close_week[hits], kind="stable")]
    product: list[str | None] = [None] * n
    won_at: list[Any] = [None] * n
    expanded = np.zeros(n, dtype=bool)
    money = np.zeros(n)
    for deal in hits:
        account = int(deals.account[deal])
        money[account] += deals.arr[deal]
        if not expanded[account]:
            expanded[account] = True
            product[account] = EXPANSIONS[deals.product[deal]].id
            won_at[account] = close_time(world.plan, deals, int(deal))
    return {
        "expanded": expanded,
        "expanded_product": pa.array(product, pa.string()),
        "expanded_arr": pa.array(np.round(money, 2), mask=~expanded),
        "won_at": pa.array(won_at, pa.timestamp("us", tz="UTC")),
    }
