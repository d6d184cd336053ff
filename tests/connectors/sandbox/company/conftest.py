"""A small company on disk, and worlds of full size in memory, each made once a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from connectors.sandbox.company import CompanySummary, generate
from connectors.sandbox.company.people import contacts_of, slots_of
from connectors.sandbox.company.population import WorldPlan
from connectors.sandbox.company.truth import HORIZON_WEEKS, truth
from connectors.sandbox.company.usage_events import events_of_week
from connectors.sandbox.company.world import World, run

TODAY = date(2026, 11, 2)
Reader = Callable[[Path, str], pa.Table]
Auc = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A generated company."""

    folder: Path
    summary: CompanySummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The truth about the eligible accounts of a full-size world, and what a seat rule would see."""

    world: World
    week: int
    eligible: np.ndarray
    probability: np.ndarray
    expanded: np.ndarray
    seat_utilisation: np.ndarray
    truth: pa.Table


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """300 accounts over a year, their records all in order."""
    folder = tmp_path_factory.mktemp("company")
    return Company(folder=folder, summary=generate(folder, accounts=300, months=12, seed=7, mess=0))


@pytest.fixture(scope="session")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The same company with records as they are after a few years, and more so."""
    folder = tmp_path_factory.mktemp("messy")
    return Company(folder=folder, summary=generate(folder, accounts=300, months=12, seed=7, mess=2.0))


@pytest.fixture(scope="session")
def read_export() -> Reader:
    """Reads an export by name: one CSV, or all files of a monthly one, as text where CSV says text."""

    def read(folder: Path, name: str) -> pa.Table:
        exports = folder / "exports"
        if (exports / f"{name}.csv").exists():
            return pacsv.read_csv(exports / f"{name}.csv")
        files = sorted((exports / name).iterdir())
        reader = pq.read_table if files[0].suffix == ".parquet" else pacsv.read_csv
        return pa.concat_tables([reader(file) for file in files])

    return read


@pytest.fixture(scope="session")
def auc() -> Auc:
    """Area under the ROC curve by ranks; ties count half."""

    def area(happened: np.ndarray, score: np.ndarray) -> float:
        _, place, count = np.unique(score, return_inverse=True, return_counts=True)
        rank = (np.cumsum(count) - (count - 1) / 2)[place]
        positive = int(happened.sum())
        negative = len(happened) - positive
        return float((rank[happened].sum() - positive * (positive + 1) / 2) / (positive * negative))

    return area


@pytest.fixture(scope="session")
def judged() -> Callable[[int], Judged]:
    """Full-size worlds (2,000 accounts × 24 months) by seed, with the truth at their clock."""

    @cache
    def judge(seed: int) -> Judged:
        plan = WorldPlan(accounts=2000, months=24, seed=seed, today=TODAY)
        week = plan.now_week
        world = run(plan, week + HORIZON_WEEKS, snapshots=frozenset({week}))
        table = truth(world, week, worlds=12)
        people, slots = contacts_of(world, week), slots_of(world)
        active: set[tuple[int, int]] = set()
        now = np.datetime64(TODAY, "us")
        for past in range(week - 5, week):
            seen = events_of_week(world, people, slots, past)
            recent = seen.at >= now - np.timedelta64(30, "D")
            active |= set(zip(seen.account[recent].tolist(), seen.user[recent].tolist(), strict=True))
        users = np.bincount([account for account, _ in active], minlength=plan.accounts)
        eligible = table["eligible"].to_numpy()
        return Judged(
            world=world,
            week=week,
            eligible=eligible,
            probability=table["probability"].to_numpy()[eligible],
            expanded=table["expanded"].to_numpy()[eligible],
            seat_utilisation=(users / world.traces["seats"][week])[eligible],
            truth=table,
        )

    return judge


@pytest.fixture(scope="session")
def outcomes() -> Callable[[Mapping[str, float]], np.ndarray]:
    """Which accounts of a small world expand at all, with the given influence of signal families."""

    def expanded(effects: Mapping[str, float]) -> np.ndarray:
        plan = WorldPlan(accounts=400, months=12, seed=3, today=TODAY, effects=tuple(sorted(effects.items())))
        world = run(plan, plan.now_week)
        return np.stack([world.deals.account, world.deals.created_week, world.deals.won])

    return expanded
