"""A lake of made-up product events of any size, one file a month, written by DuckDB so that none is held."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import ibis.expr.types as ir
import pyarrow as pa

from sync.lake import Lake
from sync.segments import Segment, file_sha256
from sync.store import Store
from sync.usage_days import usage_by_key

FIRST: Final = date(2024, 11, 1)
MONTHS: Final = 24
AS_OF: Final = date(2026, 11, 1)
FEATURES: Final = 40
SESSION: Final = 16  # events, on four features
NOW: Final = datetime(2026, 11, 1, 6, tzinfo=UTC)

# A session is one user's on one day; busy accounts, users and features are commoner than idle ones.
MAKE: Final = """
COPY (
    SELECT
        'C-' || account AS account_key,
        'U-' || account || '-' || person AS user_id,
        'use' AS event,
        'feature_' || CAST(floor($features * pow(hash(s * 31 + n % 4) % 100003 / 100003, 2)) AS INT)
            AS feature,
        began + to_seconds(CAST(60 * (n % $session) AS INT)) AS at,
        'S-' || s AS session_id,
        began + to_seconds(CAST(60 * (n % $session) AS INT)) AS known_from
    FROM (
        SELECT
            n,
            s,
            CAST(floor($accounts * pow(hash(s * 3) % 100003 / 100003, 1.5)) AS INT) AS account,
            CAST(floor(25 * pow(hash(s * 7) % 100003 / 100003, 2)) AS INT) AS person,
            $first + to_seconds(CAST(hash(s * 13) % ($days * 86400 - 600) AS INT)) AS began
        FROM (SELECT range AS n, range // $session AS s FROM range($start, $start + $events))
    )
    ORDER BY began
) TO $file (FORMAT parquet, COMPRESSION zstd)
"""


def write_events(file: Path, first: date, days: int, *, events: int, accounts: int, start: int) -> None:
    """A Parquet file in the canonical schema of events, `days` days from `first`, in order of time."""
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("SET memory_limit = '3GB'")
        engine.execute("SET threads = 2")
        values = {
            "features": FEATURES, "session": SESSION, "accounts": accounts, "days": days, "events": events,
            "start": start, "first": datetime(first.year, first.month, first.day, tzinfo=UTC),
            "file": str(file),
        }  # fmt: skip
        engine.execute(MAKE, values)


def months() -> list[tuple[date, int]]:
    """The first day and the days of each month of the lake."""
    starts = [
        date(FIRST.year + (FIRST.month - 1 + n) // 12, (FIRST.month - 1 + n) % 12 + 1, 1)
        for n in range(MONTHS + 1)
    ]
    return [(start, (after - start).days) for start, after in itertools.pairwise(starts)]


def fill(folder: Path, *, events: int, accounts: int) -> None:
    """A new lake with so many events of so many accounts over two years."""
    each = events // MONTHS // SESSION * SESSION
    with opened(folder) as lake:
        (folder / "lake" / "events").mkdir(parents=True, exist_ok=True)
        for number, (first, days) in enumerate(months()):
            name = f"events/{number:010d}.parquet"
            file = folder / "lake" / name
            write_events(file, first, days, events=each, accounts=accounts, start=number * each)
            segment = Segment(
                table="events", path=name, rows=each, bytes=file.stat().st_size, sha256=file_sha256(file),
                source=f"file:{number}", first_at=None, last_at=None,
            )  # fmt: skip
            lake.commit([segment], run_id=None, now=NOW)


@contextmanager
def opened(folder: Path) -> Iterator[Lake]:
    """The lake of a folder, and its ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        Store.open(f"sqlite:///{folder}/ledger.sqlite") as store,
        Lake(folder / "lake", store) as lake,
    ):
        lake.connection.raw_sql("SET threads = 2")
        yield lake


def tables_of(lake: Lake, accounts: int) -> dict[str, ir.Table]:
    """What the model reads: usage by day, every account a customer, its users in five departments."""
    keys = [f"C-{number}" for number in range(accounts)]
    people = [(key, f"U-{key[2:]}-{person}", f"D{person % 5}") for key in keys for person in range(25)]
    connection = lake.connection
    given = {
        "billing": pa.table(
            {
                "account_id": keys,
                "period_start": [FIRST] * accounts,
                "period_end": [AS_OF + timedelta(days=365)] * accounts,
                "seats": [20.0] * accounts,
                "arr": [1000.0] * accounts,
            }
        ),
        "users": pa.table(
            dict(zip(("account_id", "user_id", "department"), zip(*people, strict=True), strict=True))
        ),
    }
    for name, rows in given.items():
        connection.con.register(f"bench_{name}", rows)
    usage = {name: table.rename(account_id="account_key") for name, table in usage_by_key(lake).items()}
    return {name: connection.table(f"bench_{name}") for name in given} | usage
