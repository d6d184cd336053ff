"""How good the model is on a later window of a synthetic company whose truth is known; one JSON a line.

    python infra/bench/bench_model.py                      seeds 1, 2 and 3, 5,000 accounts × 24 months
    python infra/bench/bench_model.py --seeds 4 --folder D    another company, kept for the next time

Trained on what was known 8 weeks before today, judged on the as-of dates since (8 and 4 weeks ago, and today)
by what the referee says came in the 90 days after each. All ways to tell are judged on the same rows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from infra.bench.model_bound import BOUNDS, driver_panel
from infra.bench.model_company import Company, company, known_at, rows_of
from model.baselines import Said, baselines
from model.evaluate import scores
from model.frame import numbers
from model.panel import OUTCOMES, Panel, Rows
from model.predict import predict
from model.train import train
from model.trained import TrainedModel, probabilities

SEEDS: Final = (1, 2, 3)
DATES: Final = 3  # judged: the last of the panel
CAPTURED: Final = 0.85
OF_THE_BOUND: Final = 0.95
CALIBRATION: Final = 0.02
METRICS: Final = ("auc", "pr_auc", "log_loss", "lift_20")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The later rows that are judged, what came after them, and what the truth said of them.

    The truth knows deals that were typed into the CRM after the fact, and says nothing of accounts that have
    one open; `all_rows` has these too, as whoever looks at the scores does."""

    panel: Panel  # as it stood before them
    rows: pa.Table
    truth: pa.Table
    all_rows: pa.Table
    all_outcomes: np.ndarray

    @property
    def outcome(self) -> np.ndarray:
        """1 where the account expanded within the horizon."""
        happened: np.ndarray = self.truth["expanded"].to_numpy(zero_copy_only=False).astype(float)
        return happened


def window_of(company: Company, panel: Panel | None = None) -> Window:
    """The last dates of a company, and its panel (or another of the same rows) as known before them."""
    panel = panel or company.panel
    days = company.days()[-DATES:]
    rows = pa.concat_tables([rows_of(panel.table, day) for day in days])
    truth = pa.concat_tables([company.truth(day) for day in days])
    judged = ~np.asarray(rows["is_pipeline"].to_numpy(zero_copy_only=False), bool)
    eligible = truth["eligible"].to_numpy(zero_copy_only=False)
    happened = truth["expanded"].to_pylist()
    judged &= np.array([value is not None for value in happened])
    kept = pa.array(judged & np.array([value is True for value in eligible.tolist()]))
    return Window(
        panel=known_at(panel, days[0], company.target.horizon_days),
        rows=rows.filter(kept).combine_chunks(),
        truth=truth.filter(kept).combine_chunks(),
        all_rows=rows.filter(pa.array(judged)).combine_chunks(),
        all_outcomes=np.array([value is True for value in happened], float)[judged],
    )


def past_of(panel: Panel) -> pa.Table:
    """The rows that a model may learn from."""
    usable = ~np.isnan(numbers(panel.table, "label"))
    usable &= ~np.asarray(panel.table["is_pipeline"].to_numpy(zero_copy_only=False), bool)
    return panel.table.filter(pa.array(usable))


def show(name: str, value: float, unit: str, compared_with: str) -> None:
    """One figure as a line of JSON."""
    line: dict[str, Any] = {"name": f"model_{name}", "value": round(value, 4), "unit": unit}
    print(json.dumps(line | {"compared_with": compared_with}), flush=True)


def loss(outcome: np.ndarray, said: np.ndarray) -> float:
    """Mean log loss; `outcome` may be a true probability, and the loss is then the expected one."""
    said = np.clip(said, 1e-9, 1 - 1e-9)
    return float(-np.mean(outcome * np.log(said) + (1 - outcome) * np.log1p(-said)))


def judge_seed(
    folder: Path, *, accounts: int, months: int, seed: int, bounds: Sequence[str] = tuple(BOUNDS)
) -> None:
    """Print every figure of one company."""
    made = company(folder, accounts=accounts, months=months, seed=seed)
    window = window_of(made)
    cpu = time.process_time()
    trained = train(window.panel, target=made.target, products=made.products, seed=seed)
    cpu = time.process_time() - cpu
    learnt = int(trained.facts["rows"])
    show(f"train_{seed}", cpu / learnt * 100_000, "CPU s per 100,000 rows", f"limit 150; {learnt:,} rows")
    past, rows, outcome = past_of(window.panel), window.rows, window.outcome
    true = window.truth["probability"].to_numpy()
    ours = probabilities(trained.margins(rows))
    said = {
        "upswell": Said(probability=ours, ranking=ours),
        "truth": Said(probability=true, ranking=true),
        **baselines(past, rows, horizon_days=made.target.horizon_days, seed=seed),
    }
    base = float(numbers(past, "label").mean())
    gain = loss(outcome, np.full(outcome.size, base)) - loss(outcome, true)
    share = (loss(outcome, np.full(outcome.size, base)) - loss(outcome, ours)) / gain
    expected = (loss(true, np.full(true.size, base)) - loss(true, ours)) / (
        loss(true, np.full(true.size, base)) - loss(true, true)
    )
    told = f"{outcome.size:,} rows, {outcome.mean():.1%} expanded, truth's gain {gain:.4f}"
    show(f"captured_{seed}", share, "of the truth's gain in log loss", f"at least {CAPTURED}; {told}")
    show(f"captured_expected_{seed}", expected, "the same by true chances", "no noise of outcomes")
    found = {name: each.figures(outcome) for name, each in said.items()}
    all_said = probabilities(trained.margins(window.all_rows))
    told = f"limit {CALIBRATION}; said {all_said.mean():.3f}, expanded {window.all_outcomes.mean():.3f}"
    show(f"ece_{seed}", scores(window.all_outcomes, all_said)["ece"], "ECE of all that is scored", told)
    told = f"said {ours.mean():.3f}, expanded {outcome.mean():.3f}, truth's own {found['truth']['ece']:.3f}"
    show(f"ece_judged_{seed}", found["upswell"]["ece"], "ECE without deals that nobody typed in", told)
    for metric in METRICS:
        others = ", ".join(f"{name} {found[name][metric]:.3f}" for name in said if name != "upswell")
        show(f"{metric}_{seed}", found["upswell"][metric], metric, others)
    _judge_rest(trained, made, window, seed)
    _judge_bounds(made, window, bounds, ours=ours, base=base, seed=seed)


def _judge_rest(trained: TrainedModel, made: Company, window: Window, seed: int) -> None:
    rows = Rows(
        table=window.rows.drop_columns([*OUTCOMES, "external_id"]),
        features=window.panel.features,
        categorical=window.panel.categorical,
        signals=window.panel.signals,
    )
    said = predict(trained, rows, tiers={}, products=made.products)
    grown = window.outcome > 0
    added = window.truth["expanded_arr"].to_numpy(zero_copy_only=False)[grown]
    low, high, mean = (said[name].to_numpy()[grown] for name in ("arr_low", "arr_high", "arr_if_expands"))
    inside = float(np.mean((added >= low) & (added <= high)))
    show(f"value_coverage_{seed}", inside, "of the ranges hold", f"0.75–0.90; {grown.sum():,} expansions")
    show(f"value_total_{seed}", float(mean.sum() / added.sum()), "of the ARR added", "given expansion")
    bought = np.array(window.truth["expanded_product"].to_pylist(), object)[grown]
    ours = np.array([said["product"].to_pylist(), said["product_2"].to_pylist()], object)[:, grown]
    ids = [name.removeprefix("probability_") for name in window.truth.column_names if "probability_" in name]
    chance = np.column_stack([window.truth[f"probability_{pid}"].to_numpy()[grown] for pid in ids])
    best = np.array(ids, object)[np.argsort(-chance, axis=1)[:, :2]].T
    hit, true_hit = (float((names == bought).any(axis=0).mean()) for names in (ours, best))
    first = f"first {np.mean(ours[0] == bought):.3f} of {np.mean(best[0] == bought):.3f}"
    show(
        f"product_top_2_{seed}",
        hit / true_hit,
        "of the truth's hits",
        f"{hit:.3f} of {true_hit:.3f}; {first}",
    )
    won = window.truth["won_at"].to_numpy(zero_copy_only=False)
    wait = (won - window.rows["as_of"].to_numpy().astype("datetime64[us]")) / np.timedelta64(1, "D")
    timing = np.array(said["timing"].to_pylist())
    for name in ("now", "d30", "d90", "hold"):
        part = timing == name
        soon = float(np.mean(grown[part] & (wait[part] <= 30))) if part.any() else float("nan")
        late = float(grown[part].mean()) if part.any() else float("nan")
        show(
            f"timing_{name}_{seed}", soon, "won within 30 days", f"{part.sum():,} rows, {late:.3f} within 90"
        )


def _judge_bounds(
    made: Company, window: Window, bounds: Sequence[str], *, ours: np.ndarray, base: float, seed: int
) -> None:
    true = window.truth["probability"].to_numpy()
    for bound in bounds:
        known = window_of(made, driver_panel(made, bound))
        best = train(known.panel, target=made.target, products=made.products, seed=seed)
        said = probabilities(best.margins(known.rows))
        for name, outcome in (("", window.outcome), ("expected_", true)):
            flat = loss(outcome, np.full(outcome.size, base))
            gains = [flat - loss(outcome, each) for each in (ours, said, true)]
            show(f"bound_{bound}_{name}{seed}", gains[1] / gains[2], "of the truth's gain", BOUNDS[bound])
            told = f"at least {OF_THE_BOUND}"
            show(f"of_bound_{bound}_{name}{seed}", gains[0] / gains[1], "of the bound's gain", told)


def main() -> None:
    """Judge the companies asked for, in a folder that goes afterwards unless one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--accounts", type=int, default=5000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--bounds", nargs="*", choices=BOUNDS, default=list(BOUNDS))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upswell-model-") as aside:
        for seed in asked.seeds:
            judge_seed(
                asked.folder or Path(aside),
                accounts=asked.accounts,
                months=asked.months,
                seed=seed,
                bounds=asked.bounds,
            )


if __name__ == "__main__":
    main()
