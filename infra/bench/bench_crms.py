"""The loop's work on HubSpot against Salesforce: CPU seconds, wall seconds without waiting, API calls.

One process runs both loops, step by step in turn, so that a noisy machine disturbs both alike; a small
company goes first, so that neither pays for what Python loads once. Each CRM is a sandbox in a process of its
own: its CPU is not ours, though the wall clock sees how long it takes to answer. What the limits hold back is
subtracted from the wall clock, as the connector itself counts it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connectors.fields import field_specs
from sync.config import load
from sync.loop import Loop
from sync.training import why_train
from worker.loop_home import open_loop
from worker.screen import Screen

CRMS: Final = ("salesforce", "hubspot")
ASKS_THE_CRM: Final = ("install", "pull", "plan", "apply", "rollback")  # the rest is the same work on both
LIMIT: Final = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Which company is made."""

    accounts: int
    months: int
    seed: int


DEMO: Final = Size(accounts=2000, months=24, seed=1)
WARM_UP: Final = Size(accounts=200, months=14, seed=1)  # enough for a model; not reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step cost; `wall` without the time that calls waited for the CRM's limits."""

    cpu: float = 0.0
    wall: float = 0.0
    waited: float = 0.0
    calls: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            cpu=self.cpu + other.cpu,
            wall=self.wall + other.wall,
            waited=self.waited + other.waited,
            calls=self.calls + other.calls,
        )


@dataclass(slots=True)
class Trip:
    """One CRM's loop while it is measured: what each step of each run cost, and what it found."""

    loop: Loop
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)
    found: dict[tuple[str, str], Any] = field(default_factory=dict)

    def measure(self, run: str, step: str, work: Callable[[], Any]) -> None:
        """Do the work of a step and keep its cost."""
        before = self.loop.crm.usage()
        cpu, wall = time.process_time(), time.perf_counter()
        self.found[run, step] = work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        after = self.loop.crm.usage()
        waited = after.waited - before.waited
        cost = Cost(cpu=cpu, wall=wall - waited, waited=waited, calls=after.calls - before.calls)
        self.costs[run, step] = self.costs.get((run, step), Cost()) + cost

    def total(self, run: str | None = None, steps: tuple[str, ...] | None = None) -> Cost:
        """What a run cost, or some steps, or everything."""
        return sum(
            (
                cost
                for (of_run, step), cost in self.costs.items()
                if run in (None, of_run) and (steps is None or step in steps)
            ),
            Cost(),
        )


@contextmanager
def served(kind: str, folder: Path, size: Size) -> Iterator[None]:
    """The company made and served as this CRM's sandbox, in a process of its own."""
    command = [sys.executable, "-m", "worker", "sandbox", kind, "--data", str(folder), "--port", "0"]
    command += ["--accounts", str(size.accounts), "--months", str(size.months), "--seed", str(size.seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if not any("Ctrl-C" in line for line in process.stdout):
            raise SystemExit(f"the sandbox of {kind} did not start")
        yield
    finally:
        process.terminate()
        process.communicate()


def steps(trip: Trip, run: str) -> Iterator[None]:
    """A run of the loop, a step at each turn."""
    loop, found = trip.loop, trip.found
    with loop.run("run") as here:
        trip.measure(run, "pull", lambda: loop.pull(here))
        yield
        trip.measure(run, "exports", lambda: loop.exports(here))
        yield
        as_of = loop.today()
        if why_train(loop, as_of):
            trip.measure(run, "train", lambda: loop.train(here, as_of))
        yield
        trip.measure(run, "score", lambda: loop.score(here, as_of))
        yield
        trip.measure(run, "plan", lambda: loop.plan(here, found[run, "score"]))
        yield
        if not found[run, "plan"].is_empty:
            trip.measure(run, "apply", lambda: loop.apply(here, found[run, "plan"].id))
        yield
        trip.measure(run, "outcomes", lambda: loop.outcomes(here))
        yield


def install(trip: Trip) -> Iterator[None]:
    """The fields put into the CRM."""
    specs = list(field_specs().values())
    trip.measure("install", "install", lambda: trip.loop.crm.install(specs, apply=True))
    yield


def rollback(trip: Trip) -> Iterator[None]:
    """Everything that the first run wrote, taken back."""
    with trip.loop.run("rollback") as here:
        trip.measure("rollback", "rollback", lambda: trip.loop.rollback(here))
    yield


def in_turn(turns: list[Iterator[None]]) -> None:
    """Each iterator's steps in turn, the one that goes first changing every time."""
    while turns:
        turns = [each for each in turns if next(each, turns) is not turns][::-1]


def check(trip: Trip, kind: str) -> None:
    """The runs did what they are measured for."""
    first, second = trip.found["first_run", "plan"], trip.found["second_run", "plan"]
    undone = trip.found["rollback", "rollback"]
    if first.is_empty or not second.is_empty or undone.restored_records != len(first.changes):
        raise SystemExit(f"{kind}: the runs did not write once and take it all back")


def report(trips: dict[str, Trip]) -> None:
    """Print each run's and the whole's figures, then the ratios."""
    salesforce, hubspot = (trips[kind] for kind in CRMS)
    for run in ("install", "first_run", "second_run", "rollback", None):
        left, right = salesforce.total(run), hubspot.total(run)
        name = f"crms_hubspot_{run or 'whole'}"
        _print(f"{name}_cpu", right.cpu, "CPU seconds", f"Salesforce {left.cpu:.2f}")
        waited = f"HubSpot waited {right.waited:.1f} besides, Salesforce {left.waited:.1f}"
        _print(f"{name}_wall", right.wall, "s without waiting", f"Salesforce {left.wall:.2f}; {waited}")
        _print(f"{name}_calls", right.calls, "calls", f"Salesforce {left.calls}")
    left, right = salesforce.total(), hubspot.total()
    _print("crms_ratio_cpu", right.cpu / left.cpu, "times Salesforce", f"the whole, limit {LIMIT}")
    _print("crms_ratio_wall", right.wall / left.wall, "times Salesforce", f"the whole, limit {LIMIT}")
    left, right = salesforce.total(steps=ASKS_THE_CRM), hubspot.total(steps=ASKS_THE_CRM)
    only = ", ".join(ASKS_THE_CRM)
    _print("crms_ratio_of_crm_steps_cpu", right.cpu / left.cpu, "times Salesforce", f"only {only}")
    _print("crms_ratio_of_crm_steps_wall", right.wall / left.wall, "times Salesforce", f"only {only}")


def measured(size: Size) -> dict[str, Trip]:
    """Both CRMs' loops over a company of this size, from install to rollback."""
    with tempfile.TemporaryDirectory(prefix="upswell-bench-") as name, ExitStack() as stack:
        trips = {}
        for kind in CRMS:
            folder = Path(name) / kind
            stack.enter_context(served(kind, folder, size))
            settings = load(folder / "upswell.toml", {})
            trips[kind] = Trip(stack.enter_context(open_loop(settings, Screen(quiet=True))))
        in_turn([install(trip) for trip in trips.values()])
        in_turn([steps(trip, "first_run") for trip in trips.values()])
        in_turn([steps(trip, "second_run") for trip in trips.values()])
        in_turn([rollback(trip) for trip in trips.values()])
    return trips


def main() -> None:
    """Print one JSON object a line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=DEMO.accounts)
    options.add_argument("--months", type=int, default=DEMO.months)
    options.add_argument("--seed", type=int, default=DEMO.seed)
    given = options.parse_args()
    measured(WARM_UP)
    trips = measured(Size(accounts=given.accounts, months=given.months, seed=given.seed))
    for kind, trip in trips.items():
        check(trip, kind)
    report(trips)


def _print(name: str, value: float, unit: str, compared_with: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with}))


if __name__ == "__main__":
    main()
