"""The latent drivers behind every signal: slow processes that no export shows directly.

Each process is a first-order autoregression with unit variance and a time scale of two to six months,
so that the past tells about the next ninety days. Arrays are worlds × accounts: the company that
is exported is one world, the referee's look ahead is many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from connectors.sandbox.company.catalogue import (
    API_CALLS_PER_SEAT,
    INCLUDED,
    STORAGE_PER_SEAT,
    TRIGGER_WEIGHT,
)
from connectors.sandbox.company.population import Population

PROCESSES: Final = {
    "momentum": 24.0,  # what is common to growth, breadth, champion, relationship and sentiment
    "growth": 17.0,
    "api": 22.0,
    "storage": 30.0,
    "breadth": 24.0,
    "premium": 20.0,
    "departments": 22.0,
    "power": 22.0,
    "champion": 20.0,
    "executive": 18.0,
    "finance": 13.0,
    "support": 16.0,
    "satisfaction": 22.0,
    "gap_analytics": 24.0,
    "gap_automation": 24.0,
    "gap_audit": 24.0,
    "relationship": 22.0,
    "sentiment": 24.0,
    "unobserved": 12.0,
}
"""Each process and its time scale in weeks: after that long, 37 % of a deviation is left."""

ROW: Final = {name: row for row, name in enumerate(PROCESSES)}
_KEEP: Final = np.exp(-1 / np.array(list(PROCESSES.values())))[:, None, None]
_SHOCK: Final = np.sqrt(1 - _KEEP**2)
_SHARED: Final = {"growth": 0.45, "breadth": 0.4, "champion": 0.4, "relationship": 0.35, "sentiment": 0.4}
IMPULSE_KEEP: Final = float(np.exp(-1 / 10))  # a trigger or a new senior contact fades over ten weeks
CHAMPION_LEAVES: Final = 0.0045  # a week: one in five a year
CHAMPION_RETURNS: Final = 0.10
SENIOR_JOINS: Final = 0.0075
TRIGGER_RATE: Final = 0.022
GOAL_STARTS: Final = 0.022
GOAL_ENDS: Final = 0.045


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """The drivers in one week; every array is worlds × accounts unless said otherwise."""

    processes: np.ndarray  # processes × worlds × accounts
    market: np.ndarray  # worlds × 1: a shock common to all accounts
    demand: np.ndarray  # log of the people who would use the product if seats allowed
    users: np.ndarray  # people who use it
    utilisation: np.ndarray  # smoothed over about four weeks
    departments: np.ndarray  # active departments
    departments_before: np.ndarray  # smoothed over about a quarter
    champion_here: np.ndarray
    champion_left: np.ndarray  # fading mark of a champion who left
    senior: np.ndarray  # fading mark of a new senior contact
    trigger: np.ndarray  # fading mark of trigger events
    goal: np.ndarray  # a stated growth goal is in force
    champion_leaves: np.ndarray  # happened in this week
    champion_returns: np.ndarray
    senior_joins: np.ndarray
    trigger_kind: np.ndarray  # index in TRIGGERS, -1 for none

    def level(self, name: str) -> np.ndarray:
        """A process with its share of the common momentum, in standard deviations."""
        own: np.ndarray = self.processes[ROW[name]]
        shared = _SHARED.get(name, 0.0)
        if not shared:
            return own
        mixed: np.ndarray = np.sqrt(1 - shared**2) * own + shared * self.processes[ROW["momentum"]]
        return mixed


def begin(population: Population, rng: np.random.Generator) -> Drivers:
    """The drivers before week 0, drawn from where the processes settle; one world."""
    n = len(population.seats)
    shape = (1, n)
    demand = np.log(population.seats)[None, :] + population.fit + rng.normal(0, 0.15, shape)
    never = np.zeros(shape, dtype=bool)
    departments = np.full(shape, 3)
    return Drivers(
        processes=rng.standard_normal((len(PROCESSES), *shape)),
        market=np.zeros((1, 1)),
        demand=demand,
        users=np.maximum(1, np.round(np.exp(demand))),
        utilisation=np.exp(demand) / population.seats,
        departments=departments,
        departments_before=departments.astype(float),
        champion_here=rng.random(shape) < 0.93,
        champion_left=np.zeros(shape),
        senior=np.zeros(shape),
        trigger=np.zeros(shape),
        goal=rng.random(shape) < GOAL_STARTS / (GOAL_STARTS + GOAL_ENDS),
        champion_leaves=never,
        champion_returns=never,
        senior_joins=never,
        trigger_kind=np.full(shape, -1),
    )


def step(before: Drivers, population: Population, seats: np.ndarray, rng: np.random.Generator) -> Drivers:
    """The drivers one week on, given the seats that each account has."""
    shape = before.demand.shape
    processes = _KEEP * before.processes + _SHOCK * rng.standard_normal(before.processes.shape)
    chance = rng.random((6, *shape))
    noise = rng.standard_normal(shape)
    growth = np.sqrt(1 - 0.45**2) * processes[ROW["growth"]] + 0.45 * processes[ROW["momentum"]]
    home = np.log(seats) + population.fit
    demand = before.demand + 0.018 * growth + 0.042 * (home - before.demand) + 0.018 * noise
    users = np.clip(np.round(np.exp(demand)), 1, seats)
    wanted = 1.2 + 0.75 * np.log(seats) + 1.1 * processes[ROW["departments"]]
    off = wanted - before.departments  # a department comes or goes once the case for it is clear
    departments = np.clip(before.departments + np.where(np.abs(off) > 0.8, np.sign(off), 0), 1, 8).astype(
        np.int64
    )
    leaves = before.champion_here & (chance[0] < CHAMPION_LEAVES)
    returns = ~before.champion_here & (chance[1] < CHAMPION_RETURNS)
    joins = chance[2] < SENIOR_JOINS
    happens = chance[3] < TRIGGER_RATE
    kind = np.where(happens, np.floor(chance[4] * len(TRIGGER_WEIGHT)).astype(np.int64), -1)
    goal = np.where(before.goal, chance[5] > GOAL_ENDS, chance[5] < GOAL_STARTS)
    return Drivers(
        processes=processes,
        market=0.92 * before.market + 0.045 * rng.standard_normal((shape[0], 1)),
        demand=demand,
        users=users,
        utilisation=before.utilisation + 0.28 * (users / seats - before.utilisation),
        departments=departments,
        departments_before=before.departments_before
        + 0.07 * (before.departments - before.departments_before),
        champion_here=(before.champion_here & ~leaves) | returns,
        champion_left=IMPULSE_KEEP * before.champion_left + leaves,
        senior=IMPULSE_KEEP * before.senior + joins,
        trigger=IMPULSE_KEEP * before.trigger + np.where(happens, TRIGGER_WEIGHT[kind], 0.0),
        goal=goal,
        champion_leaves=leaves,
        champion_returns=returns,
        senior_joins=joins,
        trigger_kind=kind,
    )


def api_ratio(drivers: Drivers, population: Population, seats: np.ndarray, tier: np.ndarray) -> np.ndarray:
    """Calls a month over the plan's limit; above 1 is overage."""
    calls = np.exp(population.api_level + 0.30 * drivers.level("api") + 0.10 * drivers.level("growth"))
    per_user = calls * API_CALLS_PER_SEAT[population.tier] / 0.68
    ratio: np.ndarray = per_user * drivers.users / (API_CALLS_PER_SEAT[tier] * seats)
    return ratio


def storage_ratio(
    drivers: Drivers, population: Population, seats: np.ndarray, tier: np.ndarray
) -> np.ndarray:
    """Gigabytes stored over the plan's limit."""
    stored = np.exp(population.storage_level + 0.25 * drivers.level("storage") - 0.15)
    per_user = stored * STORAGE_PER_SEAT[population.tier] / 0.68
    ratio: np.ndarray = per_user * drivers.users / (STORAGE_PER_SEAT[tier] * seats)
    return ratio


def breadth(drivers: Drivers, population: Population) -> np.ndarray:
    """Share of the plan's features that an account has taken up, 0–1."""
    share: np.ndarray = 1 / (
        1 + np.exp(-(0.1 + 0.8 * population.breadth_level + 0.9 * drivers.level("breadth")))
    )
    return share


def features_adopted(drivers: Drivers, population: Population, tier: np.ndarray) -> np.ndarray:
    """How many features of the plan are in use."""
    included = INCLUDED[tier]
    count: np.ndarray = np.clip(np.round(breadth(drivers, population) * included), 2, included)
    return count.astype(np.int64)
