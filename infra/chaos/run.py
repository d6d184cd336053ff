"""`make chaos`: twenty runs of chaos, a hundred storms, and fifty deaths at each of seven places; JSON lines.

The last line sums up; the exit code is 1 when anything was found.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from infra.chaos.company import make_org
from infra.chaos.crash import JOB_POINTS, POINTS
from infra.chaos.crashes import go_on, take_back
from infra.chaos.home import at_home, empty_ledger
from infra.chaos.nursery import Nursery
from infra.chaos.processes import MODULES
from infra.chaos.result import Result
from infra.chaos.story import tell
from infra.chaos.weather import way_of, weathered


def main() -> int:
    """Run what is asked for; print a line for each run and place, and a summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--operations", type=int, default=2_000)
    parser.add_argument("--deaths", type=int, default=50, help="at each place")
    parser.add_argument("--storms", type=int, default=100, help="in one process, rollback included")
    parser.add_argument("--first-seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="upswell-chaos-") as folder:
        results = _stories(Path(folder), asked.first_seed, asked.runs, asked.operations)
        storms = _storms(Path(folder), asked.storms)
        deaths = _deaths(Path(folder), asked.deaths)
    clean = sum(result.is_clean for result in results)
    found = sum(len(result.violations) + len(result.rollback_violations) for result in results)
    summary = {
        "name": "chaos",
        "runs": len(results),
        "clean": clean,
        "operations": sum(result.operations for result in results),
        "violations": found,
        "worst_converged_seconds": max((result.converged_seconds for result in results), default=0.0),
        "worst_applied_share": min((result.applied_share for result in results), default=1.0),
        "workers_killed": sum(result.workers_killed for result in results),
        "children_killed": sum(result.children_killed for result in results),
        "redis_wipes": sum(result.redis_wipes for result in results),
        "edits": sum(result.edits for result in results),
        "deaths": sum(deaths.values()),
        "deaths_with_violations": deaths["bad"],
        "storms": sum(storms.values()),
        "storms_with_violations": storms["bad"],
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(summary), flush=True)
    return int(clean < len(results) or deaths["bad"] + storms["bad"] > 0)


def _stories(folder: Path, first: int, runs: int, operations: int) -> list[Result]:
    results = []
    for seed in range(first, first + runs):
        place = folder / f"run-{seed}"
        (place / "processes").mkdir(parents=True)
        with Nursery(MODULES, place / "processes") as nursery:
            result = tell(place, nursery, seed=seed, operations=operations)
        print(result.line(), flush=True)
        results.append(result)
    return results


def _storms(folder: Path, times: int) -> Counter[str]:
    """How many plans came through a storm and back, and how many did not."""
    found: Counter[str] = Counter()
    place = folder / "storms"
    place.mkdir(parents=True)
    orgs = {kind: make_org(place / kind, kind, accounts=60, seed=1) for kind in ("salesforce", "hubspot")}
    ledger = empty_ledger(place)
    violations: list[str] = []
    for seed in range(times):
        kind, settings = way_of(seed)
        here = place / f"storm-{seed}"
        here.mkdir()
        with at_home(here, orgs[kind], ledger, **settings) as home:
            applied, taken_back = weathered(home, seed)
        found["bad" if applied or taken_back else "good"] += 1
        violations += [f"storm {seed}: {each}" for each in (*applied, *taken_back)]
    print(json.dumps({"name": "chaos_storms", "storms": times, "violations": violations}), flush=True)
    return found


def _deaths(folder: Path, times: int) -> Counter[str]:
    """How many deaths were survived and how many left something behind."""
    found: Counter[str] = Counter()
    place = folder / "deaths"
    (place / "processes").mkdir(parents=True)
    orgs = [make_org(place / kind, kind, accounts=60, seed=1) for kind in ("salesforce", "hubspot")]
    ledger = empty_ledger(place)
    with Nursery(MODULES, place / "processes") as nursery:
        for point in (*POINTS, *JOB_POINTS):
            violations: list[str] = []
            for number in range(times):
                chance = random.Random(f"{point} {number}")
                how = take_back if number % 4 == 3 else go_on
                here = place / f"{point}-{number}"
                here.mkdir()
                by_job = point in JOB_POINTS
                settings: dict[str, Any] = {} if by_job else {"write_batch": 25}
                with at_home(here, orgs[0 if by_job else number % 2], ledger, **settings) as home:
                    nth = 1 if by_job else chance.randint(1, 3)
                    told = how(home, nursery, point=point, nth=nth, seed=number)
                found["bad" if told else "good"] += 1
                violations += map(str, told)
            line = {"name": f"chaos_{point}", "deaths": times, "violations": violations}
            print(json.dumps(line), flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
