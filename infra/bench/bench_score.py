"""What scoring costs: accounts scored, explained in words and kept in the ledger; one JSON object a line.

    python infra/bench/bench_score.py                    100,000 accounts × 150 features, as `make bench` does
    python infra/bench/bench_score.py --accounts 10000   fewer

The rows are made up, with a third of the values unknown; the model has 300 trees and the additive half. Each
account's change since a scoring before is told too. CPU seconds are of all threads of the process.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any, Final

import numpy as np
import pyarrow as pa

from model.boosting import fit_probability
from model.features.families import CATALOGUE
from model.frame import feature_frame, numbers, pool
from model.losses import CHURNED, CONTRACTED, KEPT
from model.panel import Panel, Rows
from model.predict import predict_range, rank
from model.product import Product
from model.signals import DEFAULTS
from model.target import Target
from model.train import train
from model.trained import TrainedModel
from sync.movement import with_movement
from sync.store import Store
from sync.store.runs import start_run
from sync.store.scores import save_scores

FEATURES: Final = 150
TREES: Final = 300
LEARNT_FROM: Final = 20_000
LIMIT: Final = 90  # CPU seconds for 100,000 accounts
RANGE: Final = 2_000  # [worker] range_size by default
TODAY: Final = date(2026, 11, 2)
NOW: Final = datetime(2026, 11, 2, 6, tzinfo=UTC)
PRODUCTS: Final = (
    Product(id="SEATS", name="Seats", type="seat", price=300),
    Product(id="UP", name="Upgrade", type="tier", price=100),
    Product(id="AN", name="Analytics Module", type="module", price=50),
)
# Rough middles of each unit, so that phrases hold as often as they do in life.
MIDDLES: Final = {
    "share": 0.6, "change": 0.05, "ratio": 1.0, "count": 4.0, "days": 90.0, "weeks": 4.0, "months": 6.0,
    "money": 20_000.0, "points": 4.0, "flag": 0.5,
}  # fmt: skip


def features() -> tuple[str, ...]:
    """The first 150 of the catalogue's features."""
    return tuple(CATALOGUE)[:FEATURES]


def made_up(accounts: int, *, seed: int, as_of: list[date]) -> pa.Table:
    """Rows of that many accounts with a third of the features unknown, all accounts on each date."""
    rng = np.random.default_rng(seed)
    n = accounts * len(as_of)
    columns: dict[str, Any] = {
        "account_id": [f"C-{number:06d}" for number in range(accounts)] * len(as_of),
        "as_of": pa.array(np.repeat(np.array(as_of, "datetime64[D]"), accounts)),
        "is_pipeline": rng.random(n) < 0.03,
        "owned": pa.array([["AN"] if each else [] for each in rng.random(n) < 0.2]),
        "data_completeness": rng.uniform(0.5, 1.0, n),
    }
    for name in features():
        if CATALOGUE[name].categorical:
            columns[name] = pa.array(rng.choice(["Growth", "Team", "Enterprise"], n))
            continue
        values = MIDDLES[CATALOGUE[name].unit] * (1 + 0.6 * rng.normal(size=n))
        whole = CATALOGUE[name].unit in ("count", "days", "weeks", "months", "flag")
        values = np.round(values) if whole else values
        columns[name] = np.where(rng.random(n) < 1 / 3, np.nan, values)
    return pa.table(columns)


def learnt() -> TrainedModel:
    """A model of 20,000 made-up rows: several features bring expansions, and losses where they are low."""
    dates = [TODAY - timedelta(days=28 * step) for step in range(24, 4, -1)]
    table = made_up(LEARNT_FROM // len(dates), seed=1, as_of=dates)
    pull = sum(
        np.nan_to_num((numbers(table, name) / MIDDLES[CATALOGUE[name].unit] - 1) / 0.6)
        for name in features()[:12]
        if not CATALOGUE[name].categorical
    )
    rng = np.random.default_rng(2)
    label = rng.random(table.num_rows) < 1 / (1 + np.exp(2.2 - 0.4 * pull))
    lost = rng.random(table.num_rows) < 1 / (1 + np.exp(2.2 + 0.4 * pull))
    loss = np.where(lost, rng.choice([CONTRACTED, CHURNED], table.num_rows), KEPT)
    columns = {
        "loss": loss,
        "lost_share": np.where(loss == CONTRACTED, 0.3, np.where(lost, 1.0, 0.0)),
        "label": label.astype(float),
        "added_arr": np.where(label, rng.lognormal(9, 0.6, table.num_rows), np.nan),
        "bought": pa.array([["SEATS", "UP"][i % 2] if hit else None for i, hit in enumerate(label)]),
    }
    for name, column in columns.items():
        table = table.append_column(name, pa.array(column))
    panel = Panel(
        table=table,
        features=features(),
        categorical=tuple(name for name in features() if CATALOGUE[name].categorical),
        signals=DEFAULTS,
        data_hash="bench",
        history_days=700,
        expansions=int(label.sum()),
    )
    trained = train(panel, target=Target(), products=PRODUCTS)
    frame = feature_frame(table, trained.features, trained.categorical)
    y = pool(frame, trained.categorical, numbers(table, "label"))
    return replace(
        trained, version="2026.11.02-1", booster=fit_probability(y, seed=0, threads=2, trees=TREES)
    )


def score(trained: TrainedModel, rows: Rows) -> pa.Table:
    """The predictions of all rows, range by range."""
    parts = [
        predict_range(
            trained,
            replace(rows, table=rows.table.slice(start, RANGE)),
            tiers={},
            products=PRODUCTS,
        )
        for start in range(0, rows.table.num_rows, RANGE)
    ]
    return rank(pa.concat_tables(parts))


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=100_000)
    accounts = parser.parse_args().accounts
    trained = learnt()
    rows = Rows(
        table=made_up(accounts, seed=3, as_of=[TODAY]),
        features=trained.features,
        categorical=trained.categorical,
        signals=DEFAULTS,
        through={name: TODAY - timedelta(days=1) for name in ("events", "usage", "billing")},
    )
    earlier = replace(rows, table=made_up(accounts, seed=4, as_of=[TODAY - timedelta(days=7)]))
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/ledger.db")
        keep(store, trained, score(trained, earlier), TODAY - timedelta(days=7), NOW - timedelta(days=7))
        spent = {"all": -process_time()}
        scores = timed(spent, "score_and_explain", lambda: score(trained, rows))
        moved = timed(spent, "why_it_moved", lambda: with_movement(store, scores, TODAY))
        timed(spent, "ledger", lambda: keep(store, trained, moved, TODAY, NOW))
        spent["all"] += process_time()
        size = (Path(folder) / "ledger.db").stat().st_size
        store.close()
    sentences = sum(len(row) for name in ("reasons", "against") for row in scores[name].to_pylist())
    told = f"{accounts:,} accounts × {len(trained.features)} features, {trained.booster.tree_count_} trees"
    for name, seconds in spent.items():
        limit = f"limit {LIMIT} at 100,000 accounts; {told}" if name == "all" else told
        show(f"score_{name}_cpu", round(seconds, 1), "CPU seconds", limit)
    show("score_sentences", sentences, "sentences", f"{sentences / accounts:.1f} an account")
    show("score_ledger_size", round(size / 2**20), "MB", "two scorings")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    show("score_memory", round(peak), "MB", "largest resident size, training included")


def keep(store: Store, trained: TrainedModel, scores: pa.Table, as_of: date, now: datetime) -> None:
    """The scores in the ledger, under a run of their own."""
    run_id = start_run(store, "score", config_hash="", now=now)
    named = scores.append_column("crm_id", scores["account_id"])
    save_scores(store, run_id, named, as_of=as_of, model_version=trained.version, data_hash="bench", now=now)


def timed(spent: dict[str, float], name: str, work: Any) -> Any:
    """What the work returns, its CPU seconds noted."""
    before = process_time()
    result = work()
    spent[name] = process_time() - before
    return result


def show(name: str, value: float, unit: str, compared_with: str) -> None:
    """One line."""
    print(json.dumps({"name": name, "value": value, "unit": unit, "compared_with": compared_with}))


if __name__ == "__main__":
    main()
