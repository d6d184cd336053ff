"""CPU seconds of the whole timeline for weekly snapshots, against count(distinct) of users for each."""

from __future__ import annotations

import json
import time

import ibis
import numpy as np
import pyarrow as pa

from model.rolling import rolling_users
from model.timeline import code_events, read_timeline
from model.workspace import Workspace

ACCOUNTS, USERS, EVENTS, DAYS = 1000, 20, 1_000_000, 730
SNAPSHOTS = 104  # weekly over two years, which is what seat streaks ask for
WINDOWS = (1, 7, 30, 90)


def main() -> None:
    """Print one JSON line for each figure."""
    backend = ibis.duckdb.connect()
    backend.raw_sql("SET threads = 2")
    rng = np.random.default_rng(0)
    account = rng.integers(0, ACCOUNTS, EVENTS)
    user = account * USERS + np.minimum(rng.geometric(0.15, EVENTS), USERS) - 1
    at = rng.integers(0, DAYS, EVENTS)
    names = {"event": "use", "feature": "f"}
    columns = {
        "account_id": np.char.add("A", account.astype(str)),
        "user_id": np.char.add("U", user.astype(str)),
        "session_id": np.arange(EVENTS).astype(str),
        "at": at,
        "known": at,
    } | {name: np.full(EVENTS, value) for name, value in names.items()}
    days = [DAYS - 1 - 7 * k for k in range(SNAPSHOTS)]
    with Workspace(backend) as space:
        events = space.keep(ibis.memtable(pa.table(columns)))
        begun = time.process_time()
        user_day = read_timeline(code_events(events, space), days[-1:], space).user_day
        exact = rolling_users(user_day, dict.fromkeys(WINDOWS, days), space)
        timeline = time.process_time() - begun
        begun = time.process_time()
        counted = {}
        for day in days:
            recent = events.filter((events["at"] <= day) & (events["at"] > day - max(WINDOWS)))
            counts = recent.group_by("account_id").agg(
                **{f"users_{w}": recent.user_id.nunique(where=recent["at"] > day - w) for w in WINDOWS}
            )
            counted[day] = counts.to_pyarrow()
        distinct = time.process_time() - begun
    total = sum(table["users_30"].to_numpy().sum() for table in counted.values())
    if total != exact[30].values.sum():
        raise SystemExit("the timeline and count(distinct) disagree")
    _print("timeline_cpu", timeline, "s", f"{EVENTS} events, {SNAPSHOTS} snapshots, 4 windows")
    _print("count_distinct_cpu", distinct, "s", "the same figures by count(distinct) per snapshot")
    _print("timeline_ratio", distinct / timeline, "times less CPU", "count(distinct) per snapshot")


def _print(name: str, value: float, unit: str, compared_with: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with}))


if __name__ == "__main__":
    main()
