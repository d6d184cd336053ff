"""What features of usage cost, in CPU and memory, against the usual recipe and a bare scan; one JSON a line.

    python infra/bench/bench_timeline.py                  10 M events, as `make bench` does
    python infra/bench/bench_timeline.py --large 50 200   as many millions, and a day's file on top

Every figure is of a process of its own, so peak memory is that of the work named.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from infra.bench.events_lake import AS_OF, NOW, fill, opened, tables_of, write_events

SNAPSHOTS: Final = 24
ACCOUNTS: Final = 2_000
WINDOWS: Final = (
    (1, 0), (7, 0), (7, 7), (30, 0), (30, 30), (30, 60), (30, 90), (30, 180), (90, 0), (90, 90),
)  # fmt: skip
"""Days of each window that the features of usage are made of, and how many days before the date it ends."""
DAILY: Final = 100_000
OF_EVENTS: Final = ("seats", "usage", "adoption", "departments", "power_users")
"""The families of features that events make; the others' cost does not depend on them."""


def dates() -> list[date]:
    """The snapshot dates, 28 days apart."""
    return [AS_OF - timedelta(days=28 * number) for number in range(SNAPSHOTS)]


def start(folder: Path) -> None:
    """What every process below pays before it begins: imports, an open lake, a first tiny query."""
    from model import panel

    with opened(folder) as lake:
        assert panel is not None
        lake.segments()
        lake.connection.raw_sql("SELECT 1")


def scan(folder: Path) -> None:
    """The needed columns of all events, read and looked at once by DuckDB."""
    with opened(folder) as lake:
        events = lake.read(lake.segments("events"))
        columns = ("account_key", "user_id", "event", "feature", "session_id", "at", "known_from")
        events.aggregate(**{name: events[name].max() for name in columns}).to_pyarrow()


def pandas(folder: Path) -> None:
    """The usual recipe for the same figures: by date and window filter the frame, group, count distinct.

    Users, features, sessions and events of windows now and before, first uses of features, departments and
    power users; without the weekly figures of half a year that the seats' streaks need."""
    import pandas as pd

    columns = ["account_key", "user_id", "feature", "session_id", "at"]
    frame = pd.concat(
        [pd.read_parquet(file, columns=columns) for file in sorted((folder / "lake/events").iterdir())]
    )
    frame["day"] = frame["at"].dt.floor("D")
    frame["department"] = frame["user_id"].str.rsplit("-", n=1).str[-1].astype(int) % 5
    for day in dates():
        until = pd.Timestamp(day, tz="UTC")

        def within(width: int, lag: int = 0, until: pd.Timestamp = until) -> pd.DataFrame:
            last = until - pd.Timedelta(days=lag)
            return frame[(frame["at"] < last) & (frame["at"] >= last - pd.Timedelta(days=width))]

        for width, lag in WINDOWS:
            within(width, lag).groupby("account_key").agg(
                users=("user_id", "nunique"),
                features=("feature", "nunique"),
                departments=("department", "nunique"),
                sessions=("session_id", "nunique"),
                events=("user_id", "size"),
            )
        for lag in (0, 90):
            within(30, lag).groupby(["account_key", "user_id"]).agg(
                days=("day", "nunique"), events=("day", "size")
            )
        past = frame[frame["at"] < until]
        for subject in ("feature", "department"):
            past.groupby(["account_key", subject])["at"].min()


def reduce(folder: Path) -> None:
    """Every file of events reduced to days: once in its life."""
    from sync.usage_days import reduce_events

    with opened(folder) as lake:
        reduce_events(lake, run_id=None, now=NOW)


def _features(folder: Path, days: list[date]) -> None:
    from model.features.families import FAMILIES
    from model.panel import build_days
    from model.target import Target

    usage = [family for family in FAMILIES if family.name in OF_EVENTS]

    with opened(folder) as lake:
        built = build_days(tables_of(lake, ACCOUNTS), days=days, target=Target(), products=(), families=usage)
        assert sum(rows.table.num_rows for rows in built.values()) == ACCOUNTS * len(days)


def one(folder: Path) -> None:
    """The features of all accounts on one date."""
    _features(folder, dates()[:1])


def many(folder: Path) -> None:
    """The features of all accounts on 24 dates."""
    _features(folder, dates())


def daily(folder: Path) -> None:
    """A day's file is read, kept and reduced, and the features of all accounts are there again."""
    from connectors.exports.listing import list_files
    from connectors.exports.spec import ExportSpec
    from connectors.exports.table import iter_export
    from sync.usage_days import reduce_events

    spec = ExportSpec(kind="events", path=str(folder / "today.parquet"))
    with opened(folder) as lake:
        (file,) = list_files(spec)
        segment = lake.stage("events", iter_export(spec, file, now=NOW), source="file:today")
        assert segment is not None
        lake.commit([segment], run_id=None, now=NOW)
        reduce_events(lake, run_id=None, now=NOW)
    _features(folder, [AS_OF])


WORK: Final[dict[str, Callable[[Path], None]]] = {
    each.__name__: each for each in (start, scan, pandas, reduce, one, many, daily)
}


def measured(work: str, folder: Path) -> dict[str, float]:
    """CPU seconds and peak memory in MB of a process that does the work."""
    command = [sys.executable, __file__, "--work", work, "--folder", str(folder)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def show(name: str, value: float, unit: str, compared_with: str) -> None:
    """One figure as a line of JSON."""
    line: dict[str, Any] = {"name": name, "value": round(value, 2), "unit": unit}
    print(json.dumps(line | {"compared_with": compared_with}), flush=True)


def small(folder: Path) -> None:
    """10 M events."""
    fill(folder, events=10_000_000, accounts=ACCOUNTS)
    cost = {work: measured(work, folder) for work in ("start", "scan", "pandas", "reduce", "one", "many")}
    idle = cost["start"]["cpu"]
    cpu = {work: each["cpu"] - idle for work, each in cost.items()}
    ours = cpu["reduce"] + cpu["many"]
    for work, seconds in cpu.items():
        show(f"timeline_{work}", seconds, "CPU s", "above start-up" if work != "start" else f"{idle:.1f} s")
    show("timeline_against_pandas", cpu["pandas"] / ours, "times less CPU", "at least 15")
    show("timeline_against_scan", ours / cpu["scan"], "times a bare scan", "at most 10")
    together = (cpu["reduce"] + cpu["many"]) / (cpu["reduce"] + cpu["one"])
    show("timeline_24_against_1", together, "times the cost of one date", "at most 1.5")


def large(folder: Path, millions: list[int]) -> None:
    """Lakes of so many million events: what they cost, and a day's file on top of each."""
    for size in millions:
        place = folder / str(size)
        fill(place, events=size * 1_000_000, accounts=ACCOUNTS)
        limit = 2_000 if size <= 50 else 6_000
        idle = measured("start", place)["cpu"]
        for work in ("reduce", "many"):
            found = measured(work, place)
            show(f"timeline_{size}M_{work}", found["cpu"] - idle, "CPU s", "above start-up")
            show(f"timeline_{size}M_{work}_memory", found["memory"], "MB", f"at most {limit:,}")
        yesterday = AS_OF - timedelta(days=1)
        today = place / "today.parquet"
        write_events(today, yesterday, 1, events=DAILY, accounts=ACCOUNTS, start=10**12)
        found = measured("daily", place)
        show(f"timeline_{size}M_daily", found["cpu"] - idle, "CPU s", "at most 5, above start-up")


def main() -> None:
    """Measure what is asked for, in a folder that goes afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, nargs="+", metavar="MILLIONS", help="such as 50 200")
    parser.add_argument("--work", choices=WORK)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.work:
        WORK[asked.work](asked.folder)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss / 1024}))
        return
    with tempfile.TemporaryDirectory(prefix="upswell-timeline-") as folder:
        if asked.large:
            large(Path(folder), asked.large)
        else:
            small(Path(folder))


if __name__ == "__main__":
    main()
