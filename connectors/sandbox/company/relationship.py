"""The relationship as it leaves traces: meetings, calls, e-mails, tasks, QBR notes, goals and surveys."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from connectors.sandbox.company.drivers import ROW
from connectors.sandbox.company.people import identities
from connectors.sandbox.company.population import NEVER, WARM_UP
from connectors.sandbox.company.randomness import stream
from connectors.sandbox.company.texts import (
    CALLS,
    EMAILS,
    GOAL_NOTES,
    MEETINGS,
    NPS_COMMENTS,
    ONBOARDING,
    QBR,
    TASKS,
    fill,
    goal,
)
from connectors.sandbox.company.timing import account_keys, moments
from connectors.sandbox.company.world import World

TIME: Final = pa.timestamp("us", tz="UTC")
KINDS: Final = ("meeting", "email", "call", "task")
_SUBJECTS: Final = (MEETINGS, EMAILS, CALLS, TASKS)
_RATES: Final = np.array([0.075, 0.070, 0.040, 0.012])
_PULL: Final = np.array([0.9, 0.75, 0.75, 0.20])  # how strongly each follows the relationship
_OUTCOMES: Final = ("negative", "neutral", "positive")
_QUARTER: Final = 13
_MINUTES: Final = 45


def activities(world: World, until: int) -> pa.Table:
    """One row a meeting, e-mail, call or task before week `until`; QBRs are meetings."""
    keys = account_keys(world.plan.accounts)
    parts = [_activities_of_week(world, week) for week in range(WARM_UP, until)]
    column = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    subject = [
        "Quarterly business review" if is_qbr else fill(_SUBJECTS[kind][draw % len(_SUBJECTS[kind])], draw)
        for kind, is_qbr, draw in zip(
            column["kind"].tolist(), column["qbr"].tolist(), column["draw"].tolist(), strict=True
        )
    ]
    when = pa.array(column["at"], TIME)
    return pa.table(
        {
            "activity_key": [f"A-{n:09d}" for n in (column["week"] * 100_000 + column["position"]).tolist()],
            "account_key": [keys[a] for a in column["account"].tolist()],
            "contact_number": column["contact"],
            "kind": [KINDS[kind] for kind in column["kind"].tolist()],
            "subject": subject,
            "is_qbr": column["qbr"],
            "status": ["completed"] * len(subject),
            "occurred_at": when,
            "ends_at": pa.array(column["at"] + np.timedelta64(_MINUTES, "m"), TIME),
            "minutes": pa.array([_MINUTES] * len(subject), pa.int64()),
            "created_at": when,
            "modified_at": when,
        }
    )


def _activities_of_week(world: World, week: int) -> dict[str, np.ndarray]:
    rng = stream(world.plan.seed, "relationship", week)
    warmth = world.traces["levels"][week][:, ROW["relationship"]].astype(float)
    customer = world.traces["customer"][week]
    n = len(warmth)
    counts = rng.poisson(_RATES * np.exp(_PULL * warmth[:, None]) * customer[:, None])
    account = np.repeat(np.arange(n), counts.sum(axis=1))
    kind = np.repeat(np.tile(np.arange(len(KINDS)), n), counts.ravel())
    reviewed = np.nonzero(_reviews(world, week))[0]
    account = np.concatenate([account, reviewed])
    kind = np.concatenate([kind, np.zeros(len(reviewed), dtype=np.int64)])
    qbr = np.concatenate(
        [np.zeros(len(account) - len(reviewed), dtype=bool), np.ones(len(reviewed), dtype=bool)]
    )
    rows = len(account)
    day, minute = rng.integers(0, 5, rows), rng.integers(480, 1020, rows)
    return {
        "account": account,
        "kind": kind,
        "qbr": qbr,
        "draw": rng.integers(0, 1 << 20, rows),
        "contact": np.array([10, 10, 1, 2, 4])[rng.integers(0, 5, rows)],
        "at": moments(world.plan, np.full(rows, week), day, minute),
        "week": np.full(rows, week),
        "position": np.arange(rows),
    }


def _reviews(world: World, week: int) -> np.ndarray:
    """Accounts that hold a QBR in a week: every quarter, unless it is cancelled."""
    due = (np.arange(world.plan.accounts) * 5 + week) % _QUARTER == 0
    held = stream(world.plan.seed, "review", week).random(world.plan.accounts) < 0.75
    reviewed: np.ndarray = due & held & world.traces["customer"][week]
    return reviewed


def notes(world: World, until: int) -> pa.Table:
    """One row a note: onboarding with its goal, QBRs with their outcome, goals when they are agreed."""
    rows: list[tuple[np.datetime64, int, str, str, str]] = []
    seed, plan = world.plan.seed, world.plan
    draws = stream(seed, "onboarding").integers(0, 1 << 20, plan.accounts).tolist()
    for account, week in enumerate(world.population.start_week.tolist()):
        if week < until and week != NEVER:
            at = moments(plan, np.array([week]), np.array([2]), np.array([900]))[0]
            text = ONBOARDING[draws[account] % len(ONBOARDING)]
            filled = text.format(team=fill("{team}", draws[account]).lower(), goal=goal(draws[account]))
            rows.append((at, account, "onboarding", "positive" if draws[account] % 4 else "neutral", filled))
    agreed = goals_in_force(world, until)
    for week in range(WARM_UP, until):
        rng = stream(seed, "notes", week)
        level = world.traces["levels"][week].astype(float)
        mood = 0.7 * level[:, ROW["sentiment"]] + 0.4 * level[:, ROW["satisfaction"]]
        mood = mood + 0.6 * rng.standard_normal(plan.accounts)
        outcome = np.digitize(mood, [-0.8, 0.6])
        draw = rng.integers(0, 1 << 20, plan.accounts)
        minute = rng.integers(600, 1040, plan.accounts)
        started = (
            world.traces["goal"][week] & ~world.traces["goal"][week - 1] & world.traces["customer"][week]
        )
        for account in np.nonzero(_reviews(world, week))[0].tolist():
            result = _OUTCOMES[outcome[account]]
            text = fill(QBR[result][draw[account] % 3], int(draw[account]))
            if agreed[week, account] >= 0:
                text += f" Goal still stands: {goal(int(agreed[week, account]))}."
            at = moments(plan, np.array([week]), np.array([4]), minute[account : account + 1])[0]
            rows.append((at, account, "qbr", result, text))
        for account in np.nonzero(started)[0].tolist():
            text = GOAL_NOTES[int(draw[account]) % 3].format(goal=goal(int(agreed[week, account])))
            at = moments(plan, np.array([week]), np.array([3]), minute[account : account + 1])[0]
            rows.append((at, account, "goal", "positive", text))
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    keys = account_keys(plan.accounts)
    owner = world.population.owner
    return pa.table(
        {
            "account_key": pa.array([keys[row[1]] for row in rows], pa.string()),
            "kind": pa.array([row[2] for row in rows], pa.string()),
            "written_at": pa.array(np.array([row[0] for row in rows], dtype="datetime64[us]"), TIME),
            "author": pa.array([f"csm-{owner[row[1]] + 1:03d}" for row in rows], pa.string()),
            "outcome": pa.array([row[3] for row in rows], pa.string()),
            "text": pa.array([row[4] for row in rows], pa.string()),
        }
    )


def goals_in_force(world: World, until: int) -> np.ndarray:
    """Weeks × accounts: a draw that fixes the text of the goal in force, -1 where there is none."""
    active = world.traces["goal"][:until]
    begins = np.zeros(active.shape, dtype=np.int64)
    week = np.arange(until)[:, None]
    begins[1:] = np.where(active[1:] & ~active[:-1], week[1:], 0)
    since = np.maximum.accumulate(begins, axis=0)
    return np.where(active, (since * 7919 + np.arange(active.shape[1]) * 104_729) % (1 << 20), -1)


def surveys(world: World, until: int) -> pa.Table:
    """One row an answer: NPS 0–10 and CSAT 1–5, with a comment where someone wrote one."""
    parts = []
    n = world.plan.accounts
    for week in range(WARM_UP, until):
        rng = stream(world.plan.seed, "surveys", week)
        level = world.traces["levels"][week].astype(float)
        nps = np.clip(np.round(7.2 + 1.9 * level[:, ROW["sentiment"]] + 0.7 * rng.standard_normal(n)), 0, 10)
        csat = np.clip(
            np.round(3.9 + 0.75 * level[:, ROW["satisfaction"]] + 0.6 * rng.standard_normal(n)), 1, 5
        )
        asked = rng.random((2, n)) < np.array([[0.065], [0.060]])
        day, minute, draw = rng.integers(0, 5, n), rng.integers(480, 1040, n), rng.integers(0, 1 << 20, n)
        for code, answer in enumerate((nps, csat)):
            who = np.nonzero(asked[code] & world.traces["customer"][week])[0]
            at = moments(world.plan, np.full(len(who), week), day[who], minute[who])
            parts.append((who, np.full(len(who), code), answer[who], at, draw[who]))
    account, kind, score, at, draw = (np.concatenate(column) for column in zip(*parts, strict=True))
    number = np.array([1, 2, 4, 5])[draw % 4]
    roles = [("", "executive_sponsor", "decision_maker", "", "user", "user")[no] for no in number.tolist()]
    people = identities(world, account, number, roles)
    comments = list(NPS_COMMENTS.values())
    text = [
        comments[0 if s >= 9 else 1 if s >= 7 else 2][d // 4 % 3] if k == 0 and d % 3 == 0 else None
        for k, s, d in zip(kind.tolist(), score.tolist(), draw.tolist(), strict=True)
    ]
    keys = account_keys(n)
    return pa.table(
        {
            "account_key": [keys[a] for a in account.tolist()],
            "kind": ["nps" if k == 0 else "csat" for k in kind.tolist()],
            "score": score,
            "responded_at": pa.array(at, TIME),
            "respondent_email": people.email,
            "comment": pa.array([t or None for t in text], pa.string()),
        }
    )
