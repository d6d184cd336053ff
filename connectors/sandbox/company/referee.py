"""Readers of the truth, for judging scores after they were made; nothing else may look here."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.sandbox.company.lifecycle import read_plan
from connectors.sandbox.company.messy_records import shown_truth
from connectors.sandbox.company.population import WARM_UP
from connectors.sandbox.company.truth import HORIZON_WEEKS, truth
from connectors.sandbox.company.world import run


def read_truth(folder: Path) -> pa.Table:
    """One row an account as of the sandbox's clock: account_key, eligible, probability, outcome and more.

    Columns as in `truth.truth`. Raises FileNotFoundError where no company was generated."""
    path = folder / "referee" / "truth.parquet"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no truth (no referee/truth.parquet); generate a company first"
        )
    return pq.read_table(path)


def truth_on(folder: Path, day: date, *, worlds: int = 16) -> pa.Table:
    """The truth as of the Monday on or before a past day, computed anew with fewer worlds.

    Raises ValueError for a day outside the exported history."""
    plan, now = read_plan(folder)
    week = (day - plan.epoch.date()).days // 7
    if not WARM_UP <= week <= now:
        raise ValueError(f"the history runs from {plan.first_day} to the sandbox's clock; {day} is outside")
    world = run(plan, week + HORIZON_WEEKS, snapshots=frozenset({week}))
    return shown_truth(world, truth(world, week, worlds=worlds))
