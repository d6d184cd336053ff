"""The model where data are few, say nothing, or lie; one JSON a line.

    python infra/bench/bench_model_trials.py --folder D     the company of seed 1, kept in a folder

- cold start: 20 times, as many accounts at random as have had 40 expansions; rules, model and blend
- no signal: the outcomes of 1,500 accounts, shuffled
- a leak: a field that is filled in once an expansion is won, with the present value in all past rows
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from infra.bench.bench_model import Window, show, window_of
from infra.bench.model_company import Company, company
from model.evaluate import scores
from model.frame import numbers
from model.panel import Panel
from model.train import train
from model.trained import probabilities

RESAMPLES: Final = 20
EXPANSIONS: Final = 40
STEP_DAYS: Final = 28  # an expansion is counted at the last as-of date before it
SOME: Final = 1_500  # accounts
LEAK: Final = "country"  # a field that is kept as it stands now, whose values are taken over


def cold_start(made: Company, window: Window) -> None:
    """Mean AUC and log loss of rules, model and blend over the resamples, on the later rows of all others."""
    rng = np.random.default_rng(0)
    found: dict[str, list[tuple[float, float]]] = {"blend": [], "model": [], "rule": []}
    for _ in range(RESAMPLES):
        few = _with_expansions(window.panel, rng)
        trained = train(few, target=made.target, products=made.products)
        assert trained.basis == "blend", trained.basis
        ways = {
            "blend": trained,
            "model": replace(trained, basis="model", weight=1.0),
            "rule": replace(trained, basis="scorecard", weight=0.0, booster=None, additive=None),
        }
        known = set(few.table["account_id"].to_pylist())
        others = np.array([each not in known for each in window.rows["account_id"].to_pylist()])
        rows, outcome = window.rows.filter(pa.array(others)), window.outcome[others]
        for name, way in ways.items():
            figures = scores(outcome, probabilities(way.margins(rows)))
            found[name].append((figures["auc"], figures["log_loss"]))
    mean = {name: np.mean(each, axis=0) for name, each in found.items()}
    for place, metric in enumerate(("auc", "log_loss")):
        told = ", ".join(f"{name} {mean[name][place]:.4f}" for name in ("model", "rule"))
        show(f"cold_start_{metric}", float(mean["blend"][place]), f"{metric} of the blend", told)


def no_signal(made: Company, window: Window) -> None:
    """Whether shuffled outcomes are said to tell nothing."""
    few = _some(window.panel, np.random.default_rng(1))
    label = numbers(few.table, "label")
    known = np.flatnonzero(~np.isnan(label))
    label = label.copy()
    label[known] = np.random.default_rng(2).permutation(label[known])
    told = train(replace(few, table=_put(few.table, "label", label)), target=made.target, products=())
    show("no_signal", float(told.facts["has_signal"] is False), "told so", f"basis {told.basis}")


def leak(made: Company, window: Window) -> None:
    """AUC on later rows after training with a field that was filled in afterwards, and without the field."""
    few = _some(window.panel, np.random.default_rng(3))
    today = few.table["as_of"].to_numpy().max()
    day = few.table["as_of"].to_numpy().astype("datetime64[D]")
    came = day + np.nan_to_num(numbers(few.table, "days_to"), nan=10**6).astype("timedelta64[D]")
    ids = few.table["account_id"].to_pylist()
    ever = {each for each, when in zip(ids, came, strict=True) if when <= today}
    ever |= {e for e, past in zip(ids, numbers(few.table, "expansions_past"), strict=True) if past > 0}
    lying = _put(few.table, LEAK, ["Closed won" if each in ever else None for each in ids])
    past = numbers(window.rows, "expansions_past")
    live = _put(window.rows, LEAK, ["Closed won" if number > 0 else None for number in past])
    with_it = train(replace(few, table=lying), target=made.target, products=())
    rest = {
        "features": tuple(name for name in few.features if name != LEAK),
        "categorical": tuple(name for name in few.categorical if name != LEAK),
    }
    without = train(replace(few, **rest), target=made.target, products=())
    auc = [scores(window.outcome, probabilities(t.margins(live)))["auc"] for t in (with_it, without)]
    told = f"{auc[1]:.4f} without the field, limit 0.02 away; left out: {with_it.facts['suspects']}"
    show("leak_live_auc", auc[0], "AUC", told)


def _with_expansions(panel: Panel, rng: np.random.Generator) -> Panel:
    """The panel of as many accounts at random as have had `EXPANSIONS` expansions."""
    counted = np.nan_to_num(numbers(panel.table, "days_to"), nan=10**6) <= STEP_DAYS
    ids = np.array(panel.table["account_id"].to_pylist())
    names, account = np.unique(ids, return_inverse=True)
    events = np.bincount(account, counted)
    order = rng.permutation(names.size)
    chosen = order[: int(np.searchsorted(np.cumsum(events[order]), EXPANSIONS)) + 1]
    kept = np.isin(account, chosen)
    return replace(panel, table=panel.table.filter(pa.array(kept)), expansions=EXPANSIONS)


def _some(panel: Panel, rng: np.random.Generator) -> Panel:
    ids = np.array(panel.table["account_id"].to_pylist())
    names, account = np.unique(ids, return_inverse=True)
    kept = np.isin(account, rng.permutation(names.size)[:SOME])
    return replace(panel, table=panel.table.filter(pa.array(kept)))


def _put(table: pa.Table, name: str, values: object) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array(values, table.schema.field(name).type))


def main() -> None:
    """Run the three trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upswell-model-") as aside:
        made = company(asked.folder or Path(aside), accounts=asked.accounts, seed=asked.seed)
        window = window_of(made)
        no_signal(made, window)
        leak(made, window)
        cold_start(made, window)


if __name__ == "__main__":
    main()
