"""The first pull of a large HubSpot account: its calls against what page sizes allow, CPU and memory.

Twice, each in a process of its own: companies, deals and engagements with their associations, as the issue
counts them (100 a page), then every table of the product's own pull, with the past of companies and deals (a
list with history holds 50). The sandbox is a process too, its limits raised, so that neither its CPU nor any
waiting is measured.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.canonical import CRM_TABLES
from connectors.crm import Window
from connectors.errors import SetupError
from connectors.hubspot.crm import Hubspot
from connectors.hubspot.settings import HubspotSettings
from connectors.sandbox.server import Sandbox
from infra.bench.hubspot_account import ENGAGEMENTS, Size, fill

RECORDS = ("accounts", "opportunities", "activities")
LIMIT = 1.2
UNLIMITED = {"burst": 1_000_000, "searches": 1_000_000, "daily": 100_000_000, "index_lag": 0}


def fewest_calls(size: Size, *, with_past: bool) -> int:
    """Pages that the records fill: 100 of a list, 50 with history."""
    page = 50 if with_past else 100
    kinds = [math.ceil(len(range(place, size.engagements, 5)) / 100) for place in range(len(ENGAGEMENTS))]
    return (
        math.ceil(size.companies / page)
        + math.ceil(size.deals / page)
        + math.ceil(size.lines / 100)
        + sum(kinds)
    )


def connect(url: str, folder: Path) -> Hubspot:
    """The product's connection to the sandbox."""
    token = (folder / "secrets" / "token").read_text(encoding="utf-8").strip()
    return Hubspot.connect(HubspotSettings(base_url=url, token=token), account_external_id="customer_id")


def read(
    crm: Hubspot, tables: Sequence[str], *, look: Callable[[str, pa.Table], None] | None = None
) -> dict[str, int]:
    """Rows by table of a full pull, each page shown to `look`; a table that HubSpot has not is left out."""
    window = Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))
    rows: dict[str, int] = {}
    for number, table in enumerate(tables):
        also = tables[number + 1 :]
        try:
            for page in crm.pull(table, window, also=also):
                rows[table] = rows.get(table, 0) + page.num_rows
                if look is not None:
                    look(table, page)
        except SetupError:
            continue
    return rows


def _measured(url: str, folder: Path, tables: Sequence[str], found: Any) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    crm = connect(url, folder)
    began = time.perf_counter()
    rows = read(crm, tables)
    after = resource.getrusage(resource.RUSAGE_SELF)
    found.put(
        {
            "rows": rows,
            "calls": crm.usage().calls,
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "wall": time.perf_counter() - began,
            "grown_mb": (after.ru_maxrss - before.ru_maxrss) / 1024,
        }
    )
    crm.close()


def _serve(folder: Path, size: Size, ready: Any, done: Any) -> None:
    with Sandbox(folder, "hubspot", **UNLIMITED) as sandbox:
        fill(sandbox.store, size)
        ready.put(sandbox.url)
        done.wait()


def in_a_process(made: Any, work: Callable[..., None], *arguments: Any) -> Any:
    """What `work` puts into a queue, run in a fresh interpreter."""
    found = made.Queue()
    process = made.Process(target=work, args=(*arguments, found))
    process.start()
    result = found.get()
    process.join()
    return result


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the whole account")
    size = Size().times(parser.parse_args().scale)
    made = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder, ready, done = Path(name) / "account", made.Queue(), made.Event()
        server = made.Process(target=_serve, args=(folder, size, ready, done))
        server.start()
        url = ready.get()
        for what, tables in (("records", RECORDS), ("everything", tuple(CRM_TABLES))):
            told = in_a_process(made, _measured, url, folder, tables)
            fewest = fewest_calls(size, with_past=what == "everything")
            _print(
                f"hubspot_pull_{what}_calls", told["calls"], "calls", f"{fewest:,} pages; rows {told['rows']}"
            )
            _print(f"hubspot_pull_{what}_ratio", told["calls"] / fewest, "times", f"limit {LIMIT}")
            _print(
                f"hubspot_pull_{what}_cpu", told["cpu"], "CPU seconds", f"{told['wall']:.0f} s by the clock"
            )
            _print(
                f"hubspot_pull_{what}_memory", told["grown_mb"], "MB", "growth of the largest resident size"
            )
        done.set()
        server.join()


def _print(name: str, value: float, unit: str, compared_with: str) -> None:
    line = {"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
