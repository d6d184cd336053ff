"""The company week by week: drivers, deals, contracts and what peers see of each other.

A world is a pure function of its plan and of how many weeks are asked for; the first weeks of a long
run are those of a short one. So moving the company on needs no saved state, only the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from connectors.sandbox.company import contracts as contract
from connectors.sandbox.company import drivers as driver
from connectors.sandbox.company.catalogue import COMMIT, EXPANSIONS, SEATS
from connectors.sandbox.company.contracts import Contracts
from connectors.sandbox.company.drivers import Drivers
from connectors.sandbox.company.hazards import CYCLE, Outlook, outlook
from connectors.sandbox.company.population import Population, WorldPlan, populate
from connectors.sandbox.company.randomness import stream

SIZE_NOISE: Final = 0.45  # log sd of how many seats a deal is about
PRICE_NOISE: Final = 0.18  # log sd of the price of everything else
_WARM_KEEP: Final = float(np.exp(-1 / 13))  # peers remember an expansion for about a quarter


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that the next week depends on; arrays are worlds × accounts."""

    week: int
    drivers: Drivers
    contracts: Contracts
    warmth: np.ndarray  # own expansions, fading over a quarter
    close_week: np.ndarray  # of the open expansion deal, -1 for none
    will_win: np.ndarray
    product: np.ndarray
    units: np.ndarray
    list_arr: np.ndarray
    arr: np.ndarray

    @property
    def open(self) -> np.ndarray:
        """True where an expansion deal is open."""
        return self.close_week >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What a week brought."""

    outlook: Outlook
    created: np.ndarray  # an expansion deal was created
    cycle: np.ndarray  # weeks until it closes
    closed: np.ndarray
    won: np.ndarray
    churned: np.ndarray
    renewed: np.ndarray


def start(plan: WorldPlan, population: Population) -> State:
    """The state before week 0; one world."""
    shape = (1, plan.accounts)
    return State(
        week=0,
        drivers=driver.begin(population, stream(plan.seed, "first drivers")),
        contracts=contract.sign(population, stream(plan.seed, "first contracts")),
        warmth=np.full(shape, 0.12),
        close_week=np.full(shape, -1),
        will_win=np.zeros(shape, dtype=bool),
        product=np.zeros(shape, dtype=np.int64),
        units=np.zeros(shape),
        list_arr=np.zeros(shape),
        arr=np.zeros(shape),
    )


def advance_week(
    state: State,
    population: Population,
    *,
    epoch: datetime,
    effects: Mapping[str, float],
    rng: np.random.Generator,
    wins_count: bool = True,
) -> tuple[State, Happened, Drivers]:
    """The state after `state.week`, what happened in that week, and the drivers during it.

    With `wins_count` False, wins warm the peers but change no contract: the referee asks what an
    account would do if it had not expanded yet."""
    week, shape = state.week, state.close_week.shape
    d = driver.step(state.drivers, population, state.contracts.seats, rng)
    view = outlook(
        d, state.contracts, population, week=week, epoch=epoch, effects=effects,
        peers=peer_warmth(state.warmth, state.contracts.customer, population),
    )  # fmt: skip
    chance = rng.random((6, *shape))
    size = rng.standard_normal((2, *shape))
    created = (chance[0] < view.hazard) & ~state.open
    product = (chance[1][..., None] > np.cumsum(view.products, axis=-1)).sum(axis=-1)
    product = np.minimum(product, len(EXPANSIONS) - 1)
    cycle = np.searchsorted(np.cumsum(CYCLE)[:-1], chance[2])
    pressure = np.maximum(0, (d.utilisation - 0.66) / 0.16)
    price = np.take_along_axis(
        contract.unit_list_price(state.contracts), product[..., None], axis=-1
    )[..., 0]  # fmt: skip
    wanted = np.maximum(
        2, np.round(state.contracts.seats * seat_share(pressure) * np.exp(SIZE_NOISE * size[0]))
    )
    units = np.where(product == SEATS, wanted, 1.0)
    noise = np.where(product == SEATS, 1.0, np.exp(PRICE_NOISE * size[1]))
    list_arr = np.round(units * price * noise, 2)
    deal = replace(
        state,
        close_week=np.where(created, week + cycle, state.close_week),
        will_win=np.where(created, chance[3] < view.win, state.will_win),
        product=np.where(created, product, state.product),
        units=np.where(created, units, state.units),
        list_arr=np.where(created, list_arr, state.list_arr),
        arr=np.where(created, np.round(list_arr * (1 - population.discount), 2), state.arr),
    )
    closed = deal.close_week == week
    won = closed & deal.will_win & state.contracts.customer
    due = state.contracts.customer & (state.contracts.renewal_week == week)
    churned = due & (chance[4] < view.churn)
    kept = np.where(chance[5] < view.contract, 0.85, 1.0)
    after = state.contracts
    if wins_count:
        after = contract.expand(
            after,
            won=won,
            product=deal.product,
            units=deal.units,
            list_arr=deal.list_arr,
            arr=deal.arr,
            week=week,
        )
    after = contract.renew(after, population, week=week, churned=churned, seats_kept=kept)
    following = replace(
        deal,
        week=week + 1,
        drivers=d,
        contracts=after,
        warmth=_WARM_KEEP * state.warmth + won,
        close_week=np.where(closed, -1, deal.close_week),
    )
    happened = Happened(
        outlook=view,
        created=created,
        cycle=cycle,
        closed=closed,
        won=won,
        churned=churned,
        renewed=due & ~churned,
    )
    return following, happened, d


def seat_share(pressure: np.ndarray) -> np.ndarray:
    """Typical share of seats added by a seat deal, from the pressure on seats."""
    return 0.13 + 0.07 * pressure


def peer_warmth(warmth: np.ndarray, customer: np.ndarray, population: Population) -> np.ndarray:
    """How much similar accounts and the corporate family expanded lately, without the account itself."""
    warm = warmth * customer
    group, family = population.peer_group, population.family
    result = np.empty(warmth.shape)
    for world, (own, active) in enumerate(zip(warm, customer, strict=True)):
        others = np.bincount(group, own)[group] - own
        count = np.bincount(group, active)[group] - active
        rate = others / np.maximum(count, 4)
        kin = np.bincount(family, own, minlength=len(family))[family] - own
        result[world] = np.clip((rate - 0.12) / 0.05, -2.0, 2.5) + 0.8 * np.minimum(kin, 1.2)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Deals:
    """Expansion deals in order of creation; one entry a deal."""

    account: np.ndarray
    created_week: np.ndarray
    close_week: np.ndarray
    won: np.ndarray
    product: np.ndarray
    units: np.ndarray
    list_arr: np.ndarray
    arr: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A company from week 0 to `weeks`. `traces` maps a name to an array weeks × accounts (or more axes).

    Traces of contracts stand at the start of a week, traces of drivers are those during the week."""

    plan: WorldPlan
    population: Population
    weeks: int
    traces: Mapping[str, np.ndarray]
    deals: Deals
    snapshots: Mapping[int, State] = field(default_factory=dict)  # state at the start of a week


def run(plan: WorldPlan, weeks: int, *, snapshots: frozenset[int] = frozenset()) -> World:
    """The first `weeks` weeks of a plan, keeping the states at the starts of the weeks asked for."""
    population = populate(plan)
    effects = dict(plan.effects)
    state = start(plan, population)
    kept: dict[int, State] = {}
    rows: dict[str, list[np.ndarray]] = {}
    found: list[tuple[np.ndarray, ...]] = []
    for week in range(weeks):
        if week in snapshots:
            kept[week] = state
        following, happened, during = advance_week(
            state, population, epoch=plan.epoch, effects=effects, rng=stream(plan.seed, "week", week)
        )
        for name, values in _observe(state.contracts, during, happened, population).items():
            rows.setdefault(name, []).append(values[0])
        new = np.nonzero(happened.created[0])[0]
        opened = following if len(new) else state
        found.append(
            (
                new,
                np.full(len(new), week),
                week + happened.cycle[0, new],
                opened.will_win[0, new],
                opened.product[0, new],
                opened.units[0, new],
                opened.list_arr[0, new],
                opened.arr[0, new],
            )
        )
        state = following
    if weeks in snapshots:
        kept[weeks] = state
    for name, values in _contract_traces(state.contracts).items():
        rows[name].append(values[0])  # one row more: as contracts stand at the end
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    traces = {name: np.stack(values) for name, values in rows.items()}
    deals = Deals(**dict(zip(Deals.__dataclass_fields__, columns, strict=True)))
    gone = ~traces["customer"][np.minimum(deals.close_week, weeks), deals.account]
    deals = replace(deals, won=deals.won & ~gone)
    return World(plan=plan, population=population, weeks=weeks, traces=traces, deals=deals, snapshots=kept)


def _contract_traces(contracts: Contracts) -> dict[str, np.ndarray]:
    return {
        "customer": contracts.customer,
        "seats": contracts.seats,
        "tier": contracts.tier,
        "owned": contracts.owned,
        "arr": contracts.arr,
        "list_arr": contracts.list_arr,
        "renewal_week": contracts.renewal_week,
    }


def _observe(
    contracts: Contracts, d: Drivers, happened: Happened, population: Population
) -> dict[str, np.ndarray]:
    """The traces of a week that exports and CRM records are made from."""
    return _contract_traces(contracts) | {
        "users": d.users,
        "departments": d.departments,
        "features": driver.features_adopted(d, population, contracts.tier),
        "api_ratio": driver.api_ratio(d, population, contracts.seats, contracts.tier),
        "storage_ratio": driver.storage_ratio(d, population, contracts.seats, contracts.tier),
        "champion_here": d.champion_here,
        "champion_leaves": d.champion_leaves,
        "champion_returns": d.champion_returns,
        "senior_joins": d.senior_joins,
        "trigger_kind": d.trigger_kind,
        "goal": d.goal,
        "multi_year": contracts.owned[..., COMMIT],
        "churned": happened.churned,
        "renewed": happened.renewed,
        "pull": happened.outlook.pull,
        "levels": np.stack([d.level(name) for name in driver.PROCESSES], axis=-1).astype(np.float32),
    }
