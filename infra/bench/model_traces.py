"""What traces tell of a driver, to one who knows exactly how they are made: an exact Bayes filter on a grid.

Many drivers of the company show in a few countable things only: a champion in his events, the relationship
in meetings, mails and calls, satisfaction in the answers that somebody gave. Nobody can know such a driver
better than its posterior given those counts. They are drawn anew here at the rates of the exports, which is
the same in distribution as reading them; a driver moves as an autoregression with its own time scale.

Growth shows in the events of those who use the product without a part in the deal, and in theirs alone; how
many of them there are in each week is taken as known, and how busy each is.

Also taken as known without noise, though it isn't quite: seats, users, departments and features in use, power
users, triggers, goals, who comes and goes, renewals, and all that is on the contract. Metered figures are
those of the newest month that was reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from connectors.sandbox.company.drivers import PROCESSES, ROW
from connectors.sandbox.company.people import contacts_of, slots_in_use, slots_of
from connectors.sandbox.company.usage_events import BUSY
from connectors.sandbox.company.world import World

_GRID: Final = np.linspace(-3.6, 3.6, 49)
_SEEN_FROM: Final = 26  # nothing is exported before
EXACT: Final = ("power",)
"""Processes that are taken as known."""

Rate = Callable[[np.ndarray], np.ndarray]

# Events a week at each level of the driver, as the exports draw them.
COUNTS: Final[dict[str, tuple[Rate, ...]]] = {
    "premium": (lambda x: 0.70 * np.exp(0.60 * x),),
    "champion": (lambda x: 1.8 * np.exp(0.60 * x),),
    "executive": (lambda x: 0.45 * np.exp(0.75 * x),),
    "finance": (lambda x: 0.55 * np.exp(0.85 * x),),
    "support": (lambda x: 0.09 * np.exp(0.50 * x),),
    "gap_analytics": (lambda x: 0.004 + 0.15 * np.maximum(0, x - 0.4),),
    "gap_automation": (lambda x: 0.004 + 0.15 * np.maximum(0, x - 0.4),),
    "gap_audit": (lambda x: 0.004 + 0.15 * np.maximum(0, x - 0.4),),
    "relationship": (
        lambda x: 0.075 * np.exp(0.9 * x),
        lambda x: 0.070 * np.exp(0.75 * x),
        lambda x: 0.040 * np.exp(0.75 * x),
    ),
}
# Chance of an answer in a week, and the noise of what it says of the driver, in standard deviations.
ANSWERS: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "satisfaction": ((0.060, 0.6 / 0.75), (0.06, 0.7 / 0.75), (0.10, 0.8)),
    "sentiment": ((0.065, 0.7 / 1.9), (0.058, 0.6 / 0.7)),
}


def told_by_traces(world: World) -> dict[str, np.ndarray]:
    """Driver to weeks × accounts: its posterior mean at the start of each week."""
    rng = np.random.default_rng(world.plan.seed)
    levels = world.traces["levels"]
    shape = levels.shape[:2]
    found = {}
    for name, rates in COUNTS.items():
        level = levels[..., ROW[name]].astype(float)
        counts = [rng.poisson(rate(level)) for rate in rates]
        found[name] = _posterior(
            name, [_of_counts(*pair) for pair in zip(counts, rates, strict=True)], *shape
        )
    growth = levels[..., ROW["growth"]].astype(float)
    usual = _usual_events(world, shape[0])
    events = rng.poisson(np.exp(0.35 * growth) * usual)
    found["growth"] = _posterior("growth", [_of_use(events, usual)], *shape)
    for name, answers in ANSWERS.items():
        level = levels[..., ROW[name]].astype(float)
        found[name] = _posterior(name, [_of_answers(level, *answer, rng) for answer in answers], *shape)
    return found


def _usual_events(world: World, weeks: int) -> np.ndarray:
    """Weeks × accounts: the events that its users, named people apart, make when growth is at its mean."""
    last = min(weeks, world.weeks)
    contacts, slots = contacts_of(world, last), slots_of(world)
    usual = np.zeros((weeks, world.plan.accounts))
    for week in range(_SEEN_FROM, last):
        used = np.nonzero(slots_in_use(world, contacts, slots, week))[0]
        account = slots.account[used]
        spread = np.clip(0.50 + 0.20 * world.traces["levels"][week][:, ROW["power"]], 0.1, 1.1)[account]
        busy = np.exp(spread * slots.weight[used] - spread**2 / 2)
        usual[week] = BUSY * np.bincount(account, busy, minlength=world.plan.accounts)
    return usual


Evidence = Callable[[int], np.ndarray]
"""Log-likelihood of a week's traces, accounts × grid."""


def _of_counts(count: np.ndarray, rate: Rate) -> Evidence:
    mean = np.maximum(rate(_GRID), 1e-9)
    return lambda week: count[week][:, None] * np.log(mean) - mean


def _of_use(events: np.ndarray, usual: np.ndarray) -> Evidence:
    return lambda week: events[week][:, None] * 0.35 * _GRID - usual[week][:, None] * np.exp(0.35 * _GRID)


def _of_answers(level: np.ndarray, chance: float, noise: float, rng: np.random.Generator) -> Evidence:
    given = rng.random(level.shape) < chance
    said = level + noise * rng.standard_normal(level.shape)
    return lambda week: given[week][:, None] * -((said[week][:, None] - _GRID) ** 2) / (2 * noise**2)


def _posterior(name: str, traces: list[Evidence], weeks: int, accounts: int) -> np.ndarray:
    """Posterior mean of the level at the start of each week, by all traces of the weeks before it."""
    keep = np.exp(-1 / PROCESSES[name])
    step = np.exp(-((_GRID[None, :] - keep * _GRID[:, None]) ** 2) / (2 * (1 - keep**2)))
    step /= step.sum(axis=1, keepdims=True)
    still = np.exp(-(_GRID**2) / 2)
    belief = np.tile(still / still.sum(), (accounts, 1))
    mean = np.zeros((weeks, accounts))
    for week in range(weeks):
        mean[week] = belief @ _GRID
        belief = belief @ step
        if week >= _SEEN_FROM:
            odds = sum(trace(week) for trace in traces)
            belief *= np.exp(odds - odds.max(axis=1, keepdims=True))
            belief /= belief.sum(axis=1, keepdims=True)
    return mean
