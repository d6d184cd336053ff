"""Bounds: the product's own learner, given the drivers of the company themselves in place of features.

* `drivers`: every driver that any source shows a trace of, without noise; it lacks only the process
  `unobserved` and the market's shock
* `traces`: of the latent ones what can be known by their traces (`model_traces.py`), the others without noise
* `exports`: the same, but users as the exports show them, where only those are seen who did something: in
  place of the true numbers it has all of the product's features of users and seats
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.catalogue import EXPANSIONS, MODULES, TRIGGER_WEIGHT
from connectors.sandbox.company.drivers import IMPULSE_KEEP, PROCESSES
from connectors.sandbox.company.lifecycle import read_plan
from connectors.sandbox.company.referee import read_truth
from connectors.sandbox.company.truth import HORIZON_WEEKS
from connectors.sandbox.company.world import World, peer_warmth, run
from infra.bench.model_company import Company
from infra.bench.model_traces import EXACT, told_by_traces
from model.features.families import FAMILY_OF
from model.panel import Panel

BOUNDS: Final = {
    "drivers": "drivers without noise",
    "traces": "what their traces tell of them",
    "exports": "the same, users as the exports show them",
}
"""Each bound, and what it is."""
OF_USERS: Final = ("utilisation", "used_now")
"""Drivers that say how many people use the product."""
COUNTED: Final = ("seats", "usage", "team")
"""Families of features that say so in the product."""
HIDDEN: Final = ("unobserved", "momentum")  # momentum shows in the levels that share it


def driver_panel(company: Company, bound: str = "drivers") -> Panel:
    """The company's panel with what the bound takes as known on each row's day in place of its features.

    It says nothing of losses, so that no model of them is learnt."""
    plan, now = read_plan(company.folder)
    world = run(plan, now + HORIZON_WEEKS, snapshots=frozenset({0}))
    found = _drivers(world)
    if bound != "drivers":
        known = told_by_traces(world)
        found = {name: values for name, values in found.items() if name not in PROCESSES or name in EXACT}
        found |= known | {name: _metered(world.traces[name]) for name in ("api_ratio", "storage_ratio")}
    if bound == "exports":
        found = {name: values for name, values in found.items() if name not in OF_USERS}
    table = company.panel.table
    week = (table["as_of"].to_numpy() - np.datetime64(plan.epoch.date())).astype(int) // 7
    places = {key: place for place, key in enumerate(read_truth(company.folder)["account_key"].to_pylist())}
    account = np.array([places.get(key, -1) for key in table["external_id"].to_pylist()])
    columns = {}
    for name, values in found.items():
        column = values[week, account].astype(float)
        columns[f"true_{name}"] = pa.array(np.where(account < 0, np.nan, column))
    kept = table.drop_columns([*company.panel.features])
    for name in ("plan_tier", "expansions_past", "arr"):  # what the product ranking and value fall back on
        kept = kept.append_column(name, table[name])
    kept = kept.set_column(kept.column_names.index("loss"), "loss", pa.nulls(len(week), pa.float64()))
    if bound == "exports":
        columns |= {name: table[name] for name in company.panel.features if FAMILY_OF[name] in COUNTED}
    for name, column in columns.items():
        kept = kept.append_column(name, column)
    return replace(company.panel, table=kept, features=tuple(columns), categorical=())


def _metered(values: np.ndarray) -> np.ndarray:
    """The mean of the newest month that has been reported: it ended two weeks ago on average."""
    return np.stack([values[max(0, week - 6) : max(1, week - 2)].mean(axis=0) for week in range(len(values))])


def _drivers(world: World) -> dict[str, np.ndarray]:
    """Name to weeks × accounts: what is true at the start of each week."""
    trace, people = world.traces, world.population
    weeks, n = trace["users"].shape
    week = np.arange(weeks)[:, None]
    seats = trace["seats"][:weeks].astype(float)

    def before(values: np.ndarray) -> np.ndarray:
        """What was during a week, as known at the start of the next."""
        return np.concatenate([values[:1], values[:-1]])

    def fading(marks: np.ndarray, keep: float) -> np.ndarray:
        total = np.zeros((weeks, n))
        for row in range(1, weeks):
            total[row] = keep * total[row - 1] + marks[row - 1]
        return total

    def smoothed(values: np.ndarray, share: float) -> np.ndarray:
        total = values.astype(float).copy()
        for row in range(1, weeks):
            total[row] = total[row - 1] + share * (values[row - 1] - total[row - 1])
        return total

    won = np.zeros((weeks, n))
    last_win = np.repeat(world.snapshots[0].contracts.last_win.astype(float), weeks + 1, axis=0)
    deals = world.deals
    order = np.argsort(deals.close_week[deals.won], kind="stable")
    for account, closed in zip(
        deals.account[deals.won][order], deals.close_week[deals.won][order], strict=True
    ):
        if closed < weeks:
            won[closed, account] += 1
            last_win[closed + 1 :, account] = closed
    found = {
        name: before(trace["levels"][..., row]) for row, name in enumerate(PROCESSES) if name not in HIDDEN
    }
    kind = trace["trigger_kind"]
    warmth = fading(won, float(np.exp(-1 / 13)))
    owned = trace["owned"][:weeks]
    customer = trace["customer"][:weeks]
    family = people.family
    wanted = np.zeros((weeks, n))
    for module in MODULES:
        has = (owned[..., module] & customer).astype(float)
        kin = np.stack([np.bincount(family, row, minlength=n)[family] for row in has]) - has
        wanted += (kin > 0) & ~owned[..., module]
    month = (np.array(world.plan.epoch.date(), "datetime64[D]") + 7 * week).astype("datetime64[M]").astype(
        int
    ) % 12
    found |= {
        "utilisation": smoothed(trace["users"] / seats, 0.28),
        "used_now": before(trace["users"] / seats),
        "seats": seats,
        "tier": trace["tier"][:weeks],
        "arr": trace["arr"][:weeks],
        "departments": before(trace["departments"]),
        "departments_rise": before(trace["departments"]) - smoothed(trace["departments"], 0.07),
        "features": before(trace["features"]),
        "api_ratio": before(trace["api_ratio"]),
        "storage_ratio": before(trace["storage_ratio"]),
        "champion_here": before(trace["champion_here"]),
        "champion_left": fading(trace["champion_leaves"], IMPULSE_KEEP),
        "senior": fading(trace["senior_joins"], IMPULSE_KEEP),
        "trigger": fading(np.where(kind >= 0, TRIGGER_WEIGHT[kind], 0.0), IMPULSE_KEEP),
        "goal": before(trace["goal"]),
        "to_renewal": trace["renewal_week"][:weeks] - week,
        "since_win": week - last_win[:weeks],
        "tenure": week - people.start_week[None, :],
        "discount": np.broadcast_to(people.discount, (weeks, n)),
        "fit": np.broadcast_to(people.fit, (weeks, n)),
        "fiscal_month": (month - (people.fiscal_start[None, :] - 1)) % 12,
        "wanted": wanted,
        "peers": peer_warmth(warmth, customer, people),
    }
    for index, product in enumerate(EXPANSIONS):
        found[f"owns_{product.id}"] = owned[..., index]
    return found
