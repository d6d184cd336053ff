"""Metered limits week by week, against a plain reference, and what was paid above the plan."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from model.panel import build_rows
from model.product import Product
from model.target import Target

AS_OF = date(2026, 6, 1)
EVE = AS_OF - timedelta(days=1)
ITEMS = ("api_calls", "storage_gb", "builds")
ACCOUNTS = 200

# one account's use: for each item a share of the limit per week, the newest first, None without a figure
Weeks = dict[str, list[float | None]]
NAMES = (
    *("limit_weeks_above_80", "limit_weeks_above_85", "limit_weeks_above_90", "limit_days_to_limit"),
    *("limit_utilisation", "limits_near", "limits_over", "limit_api_weeks_above_85"),
    "limit_storage_days_to_limit",
)


def _weeks(rng: random.Random) -> list[float | None]:
    """A walk from week to week, with a gap now and then; full ones are common, for the streaks."""
    level, step = rng.choice((0.5, 0.82, 0.9, 1.0)), rng.choice((-0.02, 0.0, 0.01))
    gaps = rng.choice((0.0, 0.0, 0.3))
    return [
        None if rng.random() < gaps else max(level + step * week + rng.uniform(-0.04, 0.04), 0.0)
        for week in range(rng.choice((1, 2, 8, 20, 40)))
    ]


def company(tiny: Any, uses: list[Weeks], overages: list[list[float | None]]) -> Any:
    """Accounts with these figures of a week each, and these invoices of a month each."""
    empty = tiny.without("usage", "entitlements", "billing", "accounts")
    bills, usage, limits = [], [], []
    for number, use in enumerate(uses):
        name = f"W{number:03d}"
        for month, overage in enumerate(overages[number]):
            start = AS_OF - timedelta(days=20 + 30 * month)
            bills.append({"account_id": name, "period_start": start, "arr": 100.0, "overage": overage})
        for item, weeks in use.items():
            limits.append(
                {"account_id": name, "item": item, "quantity": 1000.0, "valid_from": date(2020, 1, 1)}
            )
            for week, share in enumerate(weeks):
                if share is not None:
                    start = EVE - timedelta(days=7 * week + 6)
                    value = share * 1000.0 * (1 if item == "storage_gb" else 7 / 30.4)
                    usage.append(
                        {"account_id": name, "metric": item.upper(), "period_start": start, "period_days": 7,
                         "value": value}
                    )  # fmt: skip
    return empty.plus("billing", *bills).plus("usage", *usage).plus("entitlements", *limits)


def reference(use: Weeks) -> dict[str, float]:
    """What the features say, figured week by week."""
    found: dict[str, dict[str, float]] = {}
    for item, weeks in use.items():
        level = [_mean(weeks[lag : lag + 5]) for lag in range(27)]  # 35 days hold five weeks
        if level[0] is None:
            continue
        line = level[: next((lag for lag, each in enumerate(level) if each is None), 27)]
        figures = {f"above_{n}": float(_streak(line, n / 100)) for n in (80, 85, 90)}
        near = np.array(line[:14], float)
        slope = -np.polyfit(np.arange(len(near)), near, 1)[0] if len(near) > 1 else 0.0
        ahead = min((1 - line[0]) / (slope / 7), 365.0) if slope > 1e-9 else 365.0
        found[item] = figures | {"use": line[0], "days": 0.0 if line[0] >= 1 - 1e-9 else ahead}
    if not found:
        return {}

    def best(part: str, pick: Any, among: Any = ITEMS) -> float:
        values = [figures[part] for item, figures in found.items() if item in among]
        return float(pick(values)) if values else float("nan")

    return {
        **{f"limit_weeks_above_{n}": best(f"above_{n}", max) for n in (80, 85, 90)},
        "limit_days_to_limit": best("days", min),
        "limit_utilisation": best("use", max),
        "limits_near": sum(figures["use"] >= 0.85 - 1e-9 for figures in found.values()),
        "limits_over": sum(figures["use"] >= 1 - 1e-9 for figures in found.values()),
        "limit_api_weeks_above_85": best("above_85", max, ("api_calls",)),
        "limit_storage_days_to_limit": best("days", min, ("storage_gb",)),
    }


def _mean(shares: list[float | None]) -> Any:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def _streak(line: list[float], level: float) -> int:
    return next((lag for lag, share in enumerate(line) if share < level - 1e-9), len(line))


def _near_a_bound(use: Weeks) -> bool:
    """Whether a mean lies on a threshold, where the last bit decides."""
    means = [_mean(weeks[lag : lag + 5]) for weeks in use.values() for lag in range(27)]
    return any(
        mean is not None and abs(mean - bound) < 1e-9 for mean in means for bound in (0.8, 0.85, 0.9, 1)
    )


def overage_reference(overages: list[float | None]) -> float:
    """Invoices with overage in a row, the newest first; one that says nothing neither ends nor counts."""
    said = [overage for overage in overages if overage is not None]
    return next((place for place, overage in enumerate(said) if overage <= 0), len(said)) if said else np.nan


def test_limits_are_what_a_reference_says_week_by_week(tiny: Any, catalogue: tuple[Product, ...]) -> None:
    """Streaks, days to the limit, levels and overage of random accounts, gaps and missing limits included."""
    rng = random.Random(7)  # one build holds all of the worlds, which hypothesis would make the simplest of
    uses, overages = [], []
    while len(uses) < ACCOUNTS:
        use = {item: _weeks(rng) for item in ITEMS if rng.random() < 0.7}
        if not _near_a_bound(use):
            uses.append(use)
            overages.append([rng.choice((None, 0.0, 5.0, 5.0)) for _ in range(rng.randint(1, 5))])
    made = company(tiny, uses, overages)
    rows = build_rows(made.tables(), as_of=AS_OF, target=Target(), products=catalogue).table
    found = {row["account_id"]: row for row in rows.to_pylist()}
    assert len(found) == ACCOUNTS
    for number, use in enumerate(uses):
        expected = reference(use)
        row = found[f"W{number:03d}"]
        for name in NAMES:
            wanted = expected.get(name, float("nan"))
            assert row[name] == pytest.approx(wanted, rel=1e-4, nan_ok=True), (name, use)
        streak = overage_reference(overages[number])
        assert row["overage_streak"] == pytest.approx(streak, nan_ok=True), overages[number]
