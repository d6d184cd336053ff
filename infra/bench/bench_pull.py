"""Pulls of a large Salesforce org: API calls, CPU and memory of the first one and of increments.

100,000 accounts, 300,000 opportunities with history and lines, and 500,000 tasks, into a lake as
`upswell pull` does it. Each pull is a process and a connection of its own, so that logging in, describing and
Python's own memory are part of it; the sandbox is another one, so that it is not. Its jobs are found
at work up to twice, and the waiting between two looks is left out.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.tables import SOURCES
from connectors.sandbox.server import Sandbox
from connectors.transport import RetryPolicy
from infra.bench.salesforce_org import Size, fill, touch
from sync.lake import Lake
from sync.pull import pull
from sync.store import Store

THREE: Final = ("accounts", "opportunities", "activities")
CHANGED: Final = 1_000
PATIENCE: Final = 1_800  # seconds, after which a process has died


def connect(folder: Path) -> Salesforce:
    """The product's connection to the sandbox that last served this folder."""
    facts = json.loads((folder / "sandbox.json").read_text(encoding="utf-8"))
    settings = SalesforceSettings(
        login_url=facts["url"],
        auth="client_credentials",
        client_id=facts["client_id"],
        client_secret=(folder / "secrets" / "client_secret").read_text(encoding="utf-8").strip(),
    )
    return Salesforce.connect(settings, retry=RetryPolicy(sleep=lambda _: None))


def pulled(org: Path, home: Path, tables: Sequence[str] | None) -> dict[str, Any]:
    """What one pull read and cost."""
    now = datetime.now(UTC)
    with Store.open(f"sqlite:///{home / 'ledger.sqlite'}") as store, Lake(home / "lake", store) as lake:
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        crm = connect(org)
        report = pull(crm, store, lake, run_id=None, now=now, tables=tables)
        after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
        calls = crm.usage().calls
        crm.close()
    return {
        "rows": {table.table: table.rows for table in report.tables if table.rows},
        "calls": calls,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": wall,
        "grown_mb": (after.ru_maxrss - before.ru_maxrss) / 1024,
    }


def served(org: Path, size: Size, orders: Any, done: Any) -> None:
    """Serve the org and do what is ordered with it: each order is a number of records to change."""
    with Sandbox(org) as sandbox:
        fill(sandbox.store, size)
        done.put(sandbox.url)
        while (number := orders.get()) is not None:
            sandbox.advance(timedelta(hours=1))
            touch(sandbox.store, number, sandbox.clock.now())
            sandbox.advance(timedelta(hours=1))
            done.put(sandbox.url)


def _told(work: Callable[..., Any], arguments: Sequence[Any], found: Any) -> None:
    found.put(work(*arguments))


def alone(made: Any, work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of the work in a fresh interpreter."""
    found = made.Queue()
    process = made.Process(target=_told, args=(work, arguments, found))
    process.start()
    result = found.get(timeout=PATIENCE)
    process.join()
    return result


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the whole org")
    scale = parser.parse_args().scale
    objects = len({source.object for sources in SOURCES.values() for source in sources})
    made = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="upswell-bench-") as name:
        org, home, other = (Path(name) / each for each in ("org", "home", "other"))
        home.mkdir()
        other.mkdir()
        orders, done = made.Queue(), made.Queue()
        served_org = (org, Size().times(scale), orders, done)
        server = made.Process(target=served, args=served_org, daemon=True)
        server.start()
        done.get(timeout=PATIENCE)
        _report("first", alone(made, pulled, org, home, THREE), "limit 40")
        orders.put(CHANGED)
        done.get(timeout=PATIENCE)
        _report("increment", alone(made, pulled, org, home, THREE), "limit 12")
        _report("first_of_all", alone(made, pulled, org, other, None), "no limit stated")
        orders.put(CHANGED)
        done.get(timeout=PATIENCE)
        limit = f"limit {objects + 6}: {objects} objects and 6"
        _report("increment_of_all", alone(made, pulled, org, other, None), limit)
        orders.put(None)
        server.join()


def _report(what: str, told: dict[str, Any], limit: str) -> None:
    _print(f"pull_{what}_calls", told["calls"], "calls", f"{limit}; rows {told['rows']}")
    _print(f"pull_{what}_cpu", told["cpu"], "CPU seconds", f"{told['wall']:.0f} s by the clock")
    _print(f"pull_{what}_memory", told["grown_mb"], "MB", "growth of the largest resident size, limit 600")


def _print(name: str, value: float, unit: str, compared_with: str) -> None:
    line = {"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
