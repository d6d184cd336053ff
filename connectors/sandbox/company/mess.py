"""How far the company's records are from the truth: which accounts are messy, in which way, since when.

A decision depends on the seed and on the account alone, never on how far the company was revealed, so
that moving on in one step or in two leaves the same records. `WorldPlan.mess` scales every rate: 1 is
what CRMs look like after a few years, 0 is a company whose records are all in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from connectors.sandbox.company.catalogue import COUNTRIES
from connectors.sandbox.company.population import WARM_UP, WorldPlan
from connectors.sandbox.company.randomness import scatter
from connectors.sandbox.company.timing import account_keys
from connectors.sandbox.company.world import World

HOME: Final = "USD"
RATES: Final = {"USD": 1.0, "EUR": 1.10, "GBP": 1.28, "CAD": 0.74}
"""US dollars for one unit, as the company's finance has fixed them for its price lists."""

ODD_KEYS: Final = ("001", "NA", "NULL", "null", "1e5", "007")
"""Own ids that careless readers turn into numbers or into nothing."""

_LOCAL: Final = {
    "Germany": "EUR",
    "France": "EUR",
    "Netherlands": "EUR",
    "Spain": "EUR",
    "United Kingdom": "GBP",
    "Canada": "CAD",
}
_PAYS_LOCALLY: Final = 0.75  # of the customers in these countries
_UNKNOWN: Final = 0.012  # accounts whose CRM record lacks the own id, so that exports can't be matched
_SPACED: Final = 0.01  # accounts whose invoices bear their key with a blank behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Mess:
    """The mess of one company; arrays and lists have one entry an account."""

    plan: WorldPlan
    keys: list[str]  # C-00001 …: the company's own numbering, which no system shows where the next differs
    export_keys: list[str]  # the own id in exports and, where the CRM knows it, in the CRM
    known: np.ndarray  # the CRM knows the own id
    spaced: np.ndarray
    currencies: list[str]

    def chance(self, purpose: str, *numbers: np.ndarray) -> np.ndarray:
        """A draw in [0, 1) for each row of numbers, the same for ever."""
        return scatter(self.plan.seed, purpose, *numbers)

    def hits(self, purpose: str, rate: float, *numbers: np.ndarray) -> np.ndarray:
        """True for about `rate` × mess of the rows."""
        found: np.ndarray = self.chance(purpose, *numbers) < rate * self.plan.mess
        return found

    def weeks(self, purpose: str, numbers: np.ndarray, first: int, last: int) -> np.ndarray:
        """A week in [first, last) for each number."""
        found: np.ndarray = first + (self.chance(purpose, numbers) * (last - first)).astype(np.int64)
        return found

    @property
    def export_key_of(self) -> dict[str, str]:
        """The own id in exports by the company's numbering."""
        return dict(zip(self.keys, self.export_keys, strict=True))

    @property
    def currency_of(self) -> dict[str, str]:
        """The currency in which an account pays by the company's numbering."""
        return dict(zip(self.keys, self.currencies, strict=True))


def mess_of(world: World) -> Mess:
    """The mess in the records of a company."""
    plan, population = world.plan, world.population
    accounts = np.arange(plan.accounts)
    seed, mess = plan.seed, plan.mess
    local = [_LOCAL.get(COUNTRIES[c][0], HOME) for c in population.country.tolist()]
    pays = scatter(seed, "pays locally", accounts) < _PAYS_LOCALLY * min(mess, 1.0)
    keys = account_keys(plan.accounts)
    exported = list(keys)
    if mess > 0:
        order = np.argsort(scatter(seed, "odd key", accounts), kind="stable")
        for account, odd in zip(order[: plan.accounts // 25].tolist(), ODD_KEYS, strict=False):
            exported[account] = odd
    odd_ones = np.array([key != own for key, own in zip(exported, keys, strict=True)])
    return Mess(
        plan=plan,
        keys=keys,
        export_keys=exported,
        known=(scatter(seed, "unknown", accounts) >= _UNKNOWN * mess) | odd_ones,
        spaced=(scatter(seed, "spaced", accounts) < _SPACED * mess) & ~odd_ones,
        currencies=[own if yes else HOME for own, yes in zip(local, pays.tolist(), strict=True)],
    )


def span(plan: WorldPlan) -> tuple[int, int]:
    """The weeks in which records get messier: the exported history and a year and a half beyond it."""
    return WARM_UP, plan.now_week + 78
