"""Usage that comes as figures alone still tells level, growth and seats in use, as a reference has it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from model.features.figures import FEATURES, LATEST_DAYS, USERS
from model.panel import build_rows
from model.product import Product
from model.target import Target

AS_OF = date(2026, 6, 1)
EVE = AS_OF - timedelta(days=1)
ACCOUNTS = 150
METRICS = ("api_calls", "Reports", "storage_gb", "Active_Users", "seats_used")
NAMES = tuple(feature.name for feature in FEATURES)

Figure = tuple[str, date, int | None, float, date]
"""Metric, first day, days, value, and the day on which it was told."""


def figures(rng: random.Random) -> list[Figure]:
    """Figures of some metrics by day, week or month, some of them missing, late or for a day yet to come."""
    made: list[Figure] = []
    for metric in METRICS:
        days = rng.choice((None, 1, 7, 30))
        if rng.random() < 0.4:
            continue
        for back in range(-1, rng.choice((1, 4, 8))):
            start = EVE - timedelta(days=(days or 1) * (back + 1) + rng.choice((0, 0, 60)) - 1)
            told = start + timedelta(days=(days or 1) + rng.choice((0, 0, 3, 90)))
            if rng.random() < 0.9:
                made.append((metric, start, days, float(rng.randint(0, 50)), told))
    return made


def reference(told: list[Figure], seats: float | None) -> dict[str, float]:
    """What the features say, figure by figure; empty where nothing was known in half a year."""
    seen: dict[str, list[tuple[int, int, float]]] = {}
    for metric, start, days, value, known in told:
        end = start + timedelta(days=(days or 1) - 1)
        age = (EVE - end).days
        if max(known, end) <= EVE and age < 180:
            seen.setdefault(metric.lower(), []).append((age, days or 1, value))
    if not seen:
        return {}

    def level(metric: str, first: int, last: int) -> float | None:
        is_level = any(part in metric for part in ("user", "seat", "storage"))
        inside = [(days, value) for age, days, value in seen[metric] if first <= age < last]
        total = sum(days for days, _ in inside)
        return sum(value * (days if is_level else 1) for days, value in inside) / total if total else None

    def against(now: float | None, before: float | None) -> float | None:
        return now / before - 1 if now is not None and before else None

    def some(pick: Callable[[list[float]], float], values: list[float | None]) -> float:
        there = [value for value in values if value is not None]
        return pick(there) if there else float("nan")

    newest = {metric: level(metric, 0, LATEST_DAYS) for metric in seen}
    month = [against(now, level(metric, LATEST_DAYS, 2 * LATEST_DAYS)) for metric, now in newest.items()]
    quarter = [against(level(metric, 0, 90), level(metric, 90, 180)) for metric in seen]
    users = [metric for metric in seen if metric in USERS]
    now = some(max, [newest[metric] for metric in users])
    ago = some(max, [level(metric, 90, 90 + LATEST_DAYS) for metric in users])
    nothing = float("nan")
    return {
        "figures_known": float(sum(value is not None for value in newest.values())),
        "figures_trend": some(lambda each: sum(each) / len(each), quarter),
        "figures_trend_30": some(lambda each: sum(each) / len(each), month),
        "figures_trend_max": some(max, quarter),
        "figures_trend_min": some(min, quarter),
        "figure_users": now,
        "figure_users_growth_90": now / ago - 1 if ago else nothing,
        "figure_seat_utilisation": now / seats if seats else nothing,
    }


def test_figures_are_what_a_reference_says(
    tiny: Any, catalogue: tuple[Product, ...], at: Callable[..., datetime]
) -> None:
    """Of random accounts in one build: no events, mixed periods, late rows, seats from two tables."""
    rng = random.Random(11)
    empty = tiny.without("usage", "events", "entitlements", "billing", "accounts")
    accounts, usage, bills, limits = [], [], [], []
    expected = {}
    for number in range(ACCOUNTS):
        name = f"W{number:03d}"
        told = figures(rng)
        accounts.append({"account_id": name, "is_customer": True, "customer_since": date(2020, 1, 1)})
        for metric, start, days, value, known in told:
            usage.append(
                {"account_id": name, "metric": metric, "period_start": start, "period_days": days,
                 "value": value, "known_from": at(known)}
            )  # fmt: skip
        billed, entitled = rng.choice((None, 10.0)), rng.choice((None, 20.0))
        if billed:
            for month, seats in ((60, 99.0), (20, billed)):
                start = AS_OF - timedelta(days=month)
                bills.append({"account_id": name, "period_start": start, "arr": 100.0, "seats": seats})
        if entitled:
            limits.append(
                {"account_id": name, "item": "Seats", "quantity": entitled, "valid_from": date(2020, 1, 1)}
            )
        expected[name] = reference(told, billed or entitled)
    made = empty.plus("accounts", *accounts).plus("usage", *usage)
    made = made.plus("billing", *bills).plus("entitlements", *limits)
    rows = build_rows(made.tables(), as_of=AS_OF, target=Target(), products=catalogue).table
    found = {row["account_id"]: row for row in rows.to_pylist()}
    assert found.keys() == expected.keys()
    assert sum(bool(figures) for figures in expected.values()) > ACCOUNTS // 2
    for name, figures_of in expected.items():
        for feature in NAMES:
            wanted = figures_of.get(feature, float("nan"))
            assert found[name][feature] == pytest.approx(wanted, rel=1e-4, nan_ok=True), (name, feature)
