"""One run of chaos: a plan is applied by real workers while everything around them fails, then judged.

The sandbox, each worker and Redis are processes of their own. By seed: which writes meet which fault, when
workers and their children are killed, when Redis is wiped, and when people edit. Then the faults stop, and
within a minute every operation must have its outcome; then the plan is taken back.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

from connectors.errors import UpswellError
from connectors.sandbox.faults import FaultRule
from connectors.sandbox.storm import as_entries, storm
from infra.chaos.checker import Violation, check
from infra.chaos.nursery import Nursery
from infra.chaos.result import CONVERGED, Result, result_of
from infra.chaos.stage import POLL, TIMEOUT, Stage, set_up
from sync.config import config_hash
from sync.rollback import rollback
from sync.store.locks import machine_clock
from sync.store.queue import queue_run

WORKERS: Final = 2
FEWEST: Final = 3  # kills of workers, kills of children, wipes of Redis; more of a longer run
ENOUGH: Final = 0.85  # of the operations done, and everything struck: then the faults stop


def tell(folder: Path, nursery: Nursery, *, seed: int, operations: int) -> Result:
    """One run of chaos by seed, judged."""
    began = time.monotonic()
    with set_up(folder, nursery, seed=seed, operations=operations) as stage:
        run_id = _queue(stage)
        faults = stage.org.folder / "faults.json"
        faults.write_text(json.dumps(as_entries(_rules(stage))), encoding="utf-8")
        for _ in range(WORKERS):
            stage.add_worker()
        _rage(stage, run_id)
        faults.unlink()
        converged = _converge(stage, run_id)
        evidence = stage.evidence()
        violations = check(evidence)
        taken_back = _take_back(stage)
        return result_of(stage, evidence, violations, taken_back, converged, seconds=time.monotonic() - began)


def _rules(stage: Stage) -> tuple[FaultRule, ...]:
    """The storm: a late write is applied when its client has given up, and quota runs out once, by seed."""
    quota = 5 if stage.seed % 2 else 0
    return storm(stage.org.kind, seed=stage.seed, quota=quota, wait=TIMEOUT + 0.5, seconds=TIMEOUT + 2.0)


def _queue(stage: Stage) -> str:
    with stage.store.begin() as session:
        return queue_run(
            session,
            "apply",
            ("apply",),
            config_hash=config_hash(stage.org.settings),
            asked={"plan": stage.plan.id},
            created_by="chaos",
            now=machine_clock(),
        )


def _rage(stage: Stage, run_id: str) -> None:
    """Strike at the seed's places of the progress, until everything has happened and most is done."""
    times = max(FEWEST, stage.operations // 500)
    strikes = ["worker", "child", "wipe"] * times + ["edit"] * max(8, stage.operations // 50)
    stage.chance.shuffle(strikes)
    places = sorted(stage.chance.uniform(0.0, 0.7) for _ in strikes)
    limit = 60.0 + 0.15 * stage.operations  # seconds; a run that stands still is judged as it is
    began = time.monotonic()
    while time.monotonic() - began < limit:
        done = stage.done()
        if done == 1.0 and not strikes:
            return
        # what is late by the clock comes too, or a run that stands still would never be struck
        late = (time.monotonic() - began) / limit
        if strikes and max(done, late) >= places[0] and stage.strike(strikes[0]):
            strikes.pop(0)
            places.pop(0)
        stage.keep_workers()
        stage.resume_if_paused([run_id])
        if not strikes and done > ENOUGH:
            return
        time.sleep(POLL)


def _converge(stage: Stage, run_id: str) -> float:
    """Seconds from the last fault until nothing is left; more than CONVERGED where it stood still.

    A run that is slow, as on a busy machine, is waited for; one on which nothing moves any more is not."""
    began = moved = time.monotonic()
    done = stage.done()
    while not stage.is_over(run_id):
        if stage.done() != done:
            done, moved = stage.done(), time.monotonic()
        if time.monotonic() - moved > 2 * CONVERGED:
            break
        stage.keep_workers()
        stage.resume_if_paused([run_id])
        time.sleep(POLL)
    return time.monotonic() - began


def _take_back(stage: Stage) -> list[Violation]:
    """Two more people edit, then the plan is rolled back; what the checker finds after that."""
    stage.end_workers()
    for position in (0, len(stage.org.ids) // 2):
        stage.org.edit(stage.org.ids[position], {stage.reason: f"Edited after all {position}"})
    try:
        rollback(stage.plan.id, stage.crm, stage.store, now=stage.crm.server_time())
    except UpswellError as error:
        return [Violation(rule="I6", record=stage.plan.id, why=f"the rollback failed: {error}")]
    return check(stage.evidence(), rolled_back=frozenset({stage.plan.id}))
