"""Support tickets: volume and mood from the drivers, and requests that point to a missing module."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.catalogue import MODULES
from connectors.sandbox.company.drivers import ROW
from connectors.sandbox.company.population import WARM_UP
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.texts import GAPS, MOOD, TICKETS, fill
from connectors.sandbox.company.timing import account_keys, moments
from connectors.sandbox.company.world import World

TIME: Final = pa.timestamp("us", tz="UTC")
_PRIORITIES: Final = ("low", "medium", "high", "critical")
_GAP_ROWS: Final = [ROW["gap_analytics"], ROW["gap_automation"], ROW["gap_audit"]]


def tickets(world: World, until: int) -> pa.Table:
    """One row a ticket opened before week `until`, as it stands then."""
    now = np.datetime64(world.plan.epoch.replace(tzinfo=None), "us") + np.timedelta64(7 * until, "D")
    keys = account_keys(world.plan.accounts)
    parts = [_tickets_of_week(world, week) for week in range(WARM_UP, until)]
    column = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    if not column:
        raise ValueError(f"week {until} is not after the start of the history, week {WARM_UP}")
    opened, closes = column["opened"], column["closes"]
    closed = closes < now
    subject, body = _texts(column)
    account = column["account"]
    known = np.where(closed, closes, opened)
    answered = closed & column["answers"].astype(bool)
    number = column["week"] * 100_000 + column["position"]
    escalated = column["escalates"].astype(bool)
    status = np.where(closed, "closed", np.where(escalated, "escalated", "working"))
    return pa.table(
        {
            "ticket_key": [f"T-{n:09d}" for n in number.tolist()],
            "account_key": [keys[a] for a in account.tolist()],
            "contact_number": column["contact"],
            "subject": subject,
            "body": body,
            "priority": [_PRIORITIES[p] for p in column["priority"].tolist()],
            "status": status.tolist(),
            "is_closed": closed,
            "is_escalated": escalated & ~closed,
            "created_at": pa.array(opened, TIME),
            "closed_at": pa.array(closes, TIME, mask=~closed),
            "modified_at": pa.array(known, TIME),
            "csat": pa.array(column["csat"].astype(float), pa.float64(), mask=~answered),
        }
    )


def _tickets_of_week(world: World, week: int) -> dict[str, np.ndarray]:
    rng = stream(world.plan.seed, "support", week)
    levels = world.traces["levels"][week].astype(float)
    n = len(levels)
    customer = world.traces["customer"][week]
    size = 0.7 + 0.3 * np.log(world.traces["seats"][week] / 15)
    general = rng.poisson(0.09 * np.maximum(size, 0.4) * np.exp(0.50 * levels[:, ROW["support"]]) * customer)
    owned = world.traces["owned"][week][:, MODULES[0] : MODULES[-1] + 1]
    need = np.maximum(0, levels[:, _GAP_ROWS] - 0.4) * ~owned
    gaps = rng.poisson(0.004 + 0.15 * need) * customer[:, None]
    counts = np.concatenate([general[:, None], gaps], axis=1)
    account = np.repeat(np.arange(n), counts.sum(axis=1))
    about = np.repeat(np.tile(np.arange(4), n), counts.ravel())  # 0 general, 1–3 a module that is missing
    rows = len(account)
    chance = rng.random((6, rows))
    mood = levels[account, ROW["satisfaction"]] + 0.8 * rng.standard_normal(rows)
    strain = levels[account, ROW["support"]]
    cuts = np.stack([np.full(rows, 0.25), np.full(rows, 0.70), 0.95 - 0.02 * np.clip(strain, 0, 2)])
    priority = np.where(about > 0, chance[0] > 0.6, (chance[0] > cuts).sum(axis=0))
    score = np.clip(
        np.round(3.9 + 0.75 * levels[account, ROW["satisfaction"]] + 0.7 * rng.standard_normal(rows)), 1, 5
    )
    day = np.minimum(np.floor(chance[1] * 5.4), 6).astype(np.int64)
    opened = moments(world.plan, np.full(rows, week), day, (480 + 560 * chance[2]).astype(np.int64))
    hours = np.exp(3.2 + 0.25 * strain + 0.9 * rng.standard_normal(rows))
    closes = opened + (hours * 60).astype(np.int64).astype("timedelta64[m]").astype("timedelta64[us]")
    return {
        "account": account,
        "about": about,
        "mood": np.digitize(mood, [-1.0, 1.2]),
        "draw": rng.integers(0, 1 << 20, rows),
        "contact": np.array([4, 5, 10, 2, 3])[np.floor(chance[3] * 5).astype(np.int64)],
        "priority": priority.astype(np.int64),
        "csat": score,
        "answers": chance[4] < 0.6,
        "escalates": (priority == 3) & (chance[5] < 0.35),
        "opened": opened,
        "closes": closes,
        "week": np.full(rows, week),
        "position": np.arange(rows),
    }


def _texts(column: dict[str, np.ndarray]) -> tuple[list[str], list[str]]:
    subjects, bodies = [], []
    moods = list(MOOD.values())
    rows = zip(column["about"].tolist(), column["mood"].tolist(), column["draw"].tolist(), strict=True)
    for about, mood, draw in rows:
        choices = GAPS[about - 1] if about else TICKETS
        subject, body = choices[draw % len(choices)]
        tail = moods[mood][draw // 7 % len(moods[mood])]
        subjects.append(subject)
        bodies.append(f"{fill(body, draw)} {tail}")
    return subjects, bodies
