"""Four workers that call one HubSpot account as fast as they may: do they stay within its limits together?

By the sandbox's own audit: the most calls in any ten seconds, the most searches in any second, how many calls
were refused, how much of what was allowed was used, and what a turn costs this process's CPU.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.budget import Shares
from connectors.hubspot.crm import Hubspot
from connectors.hubspot.settings import HubspotSettings
from connectors.pace import Rate
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import moment
from connectors.transport import RetryPolicy
from sync.budget import SharedBudget
from sync.pacing import SharedPace
from sync.store import Store

BURST_SECONDS = 10.0
SECOND = 1.0
CLOCK_GRAIN = 0.001  # the audit's moments are cut off after milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the account saw: the moments of all calls and of searches (seconds), and refused ones (429)."""

    calls: Sequence[float]
    searches: Sequence[float]
    refused: int


@contextmanager
def connection(url: str, token: str, ledger: str) -> Iterator[Hubspot]:
    """A connection whose calls are counted and paced in the ledger."""
    with Store.open(ledger) as store:
        crm = Hubspot.connect(
            HubspotSettings(base_url=url, token=token),
            budget=SharedBudget(store, url, shares=Shares()),
            pace=SharedPace(store, url, longest_call=65.0),
            retry=RetryPolicy(attempts=1),  # a refused call is a failure here
        )
        try:
            yield crm
        finally:
            crm.close()


def work(crm: Hubspot, *, searches: int, others: int, until: float) -> None:
    """Search and list by turns, so many times at most, and until then by the machine's clock."""
    client = crm._client
    left = {"search": searches, "list": others}
    while any(left.values()) and time.monotonic() < until:
        for kind in [each for each, number in left.items() if number]:
            if kind == "search":
                client.search("companies", {"limit": 1, "filterGroups": []})
            else:
                client.get(client.paths.records("companies"), {"limit": 1})
            left[kind] -= 1


def seen_by(sandbox: Sandbox) -> Seen:
    """What the account's audit says."""
    requests = sandbox.audit.requests()
    at = [(moment(each.at).timestamp(), each) for each in requests if each.endpoint != "token"]
    return Seen(
        calls=sorted(second for second, each in at if each.status != 429),
        searches=sorted(s for s, each in at if each.status != 429 and each.endpoint.endswith(".search")),
        refused=sum(each.status == 429 for _, each in at),
    )


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The most of these sorted moments in any window that is so long."""
    ends = (bisect_left(moments, start + seconds - CLOCK_GRAIN) for start in moments)
    return max((end - first for first, end in enumerate(ends)), default=0)


def run_workers(sandbox: Sandbox, ledger: str, *loads: Mapping[str, float]) -> Seen:
    """What the account saw of processes that worked at once, one a load (searches, others, seconds).

    Raises SystemExit when one failed."""
    command = [sys.executable, "-m", "infra.bench.bench_pace", "--account", str(sandbox.folder)]
    command += ["--url", sandbox.url, "--ledger", ledger]
    workers = [
        subprocess.Popen(
            [*command, *(part for name, number in load.items() for part in (f"--{name}", str(number)))],
            stderr=subprocess.PIPE,
            text=True,
        )
        for load in loads
    ]
    told = [worker.communicate()[1] for worker in workers]
    if any(worker.returncode for worker in workers):
        raise SystemExit("\n".join(told))
    return seen_by(sandbox)


def cost_of_a_turn(ledger: str) -> dict[str, float]:
    """CPU microseconds of one call's turn and of its booking, where nobody waits."""
    many = Rate(name="many", calls=190, seconds=0.01)
    strict = Rate(name="strict", calls=10, seconds=0.0, strict=True)
    with Store.open(ledger) as store:
        pace = SharedPace(store, "nobody", longest_call=65.0)
        budget = SharedBudget(store, "nobody", shares=Shares())
        budget.observe(used=0, limit=10_000_000)

        def turns(rate: Rate) -> None:
            with pace.turn(rate):
                pass

        kinds: dict[str, Any] = {
            "turn": lambda: turns(many),
            "strict_turn": lambda: turns(strict),
            "booking": budget.spend,
        }
        costs = {}
        for name, call in kinds.items():
            for _ in range(100):
                call()
            began = time.process_time()
            for _ in range(1000):
                call()
            costs[name] = (time.process_time() - began) * 1000
        budget.close()
    return costs


def report(seconds: float) -> None:
    """Print one JSON object a line."""
    with tempfile.TemporaryDirectory(prefix="upswell-bench-") as name:
        folder = Path(name)
        ledger = f"sqlite:///{folder / 'ledger.sqlite'}"
        Store.open(ledger).close()
        with Sandbox(folder / "account", "hubspot") as sandbox:
            both, lists = {"seconds": seconds}, {"seconds": seconds, "searches": 0}
            seen = run_workers(sandbox, ledger, both, both, lists, lists)
            burst, searches = 190, 5
            lasted = seen.calls[-1] - seen.calls[0]
        allowed = burst + burst * lasted / BURST_SECONDS
        costs = cost_of_a_turn(ledger)
    _print("pace_most_calls_in_10_s", most_within(seen.calls, BURST_SECONDS), "calls", f"limit {burst}")
    _print("pace_most_searches_in_1_s", most_within(seen.searches, SECOND), "searches", f"limit {searches}")
    _print("pace_refused", seen.refused, "calls answered by 429", f"of {len(seen.calls)}")
    _print("pace_used", len(seen.calls) / allowed, "of what was allowed", f"{lasted:.0f} s, four workers")
    each = len(seen.searches) / lasted
    _print("pace_searches_a_second", each, "searches a second", f"limit {searches}")
    for kind, cost in costs.items():
        _print(f"pace_cpu_of_a_{kind}", cost, "CPU microseconds a call", "SQLite")


def _print(name: str, value: float, unit: str, compared_with: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with}))


def main() -> None:
    """Measure, or with --ledger be one of the workers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=40.0)
    options.add_argument("--searches", type=int, default=1_000_000)
    options.add_argument("--others", type=int, default=1_000_000)
    for name in ("account", "url", "ledger"):
        options.add_argument(f"--{name}", default="", help=argparse.SUPPRESS)
    given = options.parse_args()
    if not given.ledger:
        report(given.seconds)
        return
    until = time.monotonic() + given.seconds
    token = (Path(given.account) / "secrets" / "token").read_text().strip()
    with connection(given.url, token, given.ledger) as crm:
        work(crm, searches=given.searches, others=given.others, until=until)


if __name__ == "__main__":
    main()
