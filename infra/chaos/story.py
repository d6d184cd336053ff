"""One run of chaos: a plan is applied by real workers while everything around them fails, then judged.

The sandbox, each worker and Redis are processes of their own. By seed: which writes meet which fault, when
workers and their children are killed, when Redis is wiped, and when people edit. Then the faults stop, and
within a minute every operation must have its outcome; then the plan is taken back.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from connectors.crm import Crm
from connectors.errors import UpswellError
from connectors.sandbox.audit import Audit
from connectors.sandbox.faults import FaultRule
from connectors.sandbox.store import Store as SandboxStore
from connectors.sandbox.storm import as_entries, storm
from infra.chaos.checker import Violation, check
from infra.chaos.company import Org, make_org, make_plan, reading_of
from infra.chaos.evidence import Evidence, gather
from infra.chaos.home import journal_faults, set_crm
from infra.chaos.nursery import Child, Nursery
from infra.chaos.redis_server import RedisServer
from sync.config import config_hash
from sync.connect import connect
from sync.planned import Plan
from sync.rollback import rollback
from sync.store import Store
from sync.store.locks import machine_clock
from sync.store.queue import queue_run
from sync.store.tables import RunRow
from sync.store.writeback import OperationRow, PlanRow

WORKERS: Final = 2
CHILDREN: Final = 2  # of each worker
KILLS = WIPES = 3  # at least
EDITS: Final = 8
TIMEOUT: Final = 3.0  # seconds that a client waits for a reply
ENOUGH: Final = 0.85  # of the operations done, and everything struck: then the faults stop
CONVERGED: Final = 60.0
POLL: Final = 0.05
SERVING: Final = "serving"
MODES: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "salesforce", "settings": {"write_batch": 10}},
    {"kind": "hubspot", "settings": {"write_batch": 10}},
    {"kind": "salesforce", "settings": {"salesforce__conditional_writes": True}},
)
"""By seed: Collections, HubSpot's batches, and conditional writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one run, as it is printed."""

    seed: int
    kind: str
    conditional: bool
    operations: int
    outcomes: dict[str, int]
    applied_share: float  # of the operations without a conflict
    faults: dict[str, int]  # writes by the fault that they met; "" for none
    fault_share: float
    workers_killed: int
    children_killed: int
    redis_wipes: int
    edits: int
    run_status: str
    converged_seconds: float
    seconds: float
    violations: tuple[str, ...]
    rollback_violations: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and it converged in time."""
        broken = self.violations or self.rollback_violations or self.run_status not in ("done", "partial")
        return not broken and self.converged_seconds <= CONVERGED and self.applied_share >= 0.995

    def line(self) -> str:
        """The result as one JSON object."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({"name": f"chaos_seed_{self.seed}", **shown}, default=str)


@dataclass(slots=True, kw_only=True)
class Story:
    """One run in a folder of its own; `tell` it with `run`."""

    folder: Path
    seed: int
    operations: int
    nursery: Nursery
    org: Org
    store: Store
    crm: Crm
    plan: Plan
    since: int
    redis: RedisServer
    chance: random.Random
    workers: list[Child] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("worker", "child", "wipe", "edit"), 0)
    )

    @property
    def config(self) -> Path:
        """The settings that every process reads."""
        return self.org.folder / "upswell.toml"

    def done(self) -> float:
        """The share of operations that have their outcome."""
        query = select(func.count()).where(OperationRow.plan_id == self.plan.id, OperationRow.state == "done")
        with self.store.session() as session:
            return float(session.execute(query).scalar_one()) / self.operations

    def is_over(self, run_id: str) -> bool:
        """Whether the run has ended, and nothing of the plan is left."""
        with self.store.session() as session:
            run = session.get_one(RunRow, run_id)
        return run.status not in ("queued", "running", "paused") and self.done() == 1.0

    def run_status(self) -> str:
        """How the run ended: partial where people's edits were kept."""
        with self.store.session() as session:
            return session.scalars(select(RunRow.status).order_by(RunRow.started_at)).first() or "none"

    def add_worker(self) -> None:
        """One more `upswell worker`."""
        self.workers.append(
            self.nursery.start("infra.chaos.processes:work", config=str(self.config), concurrency=CHILDREN)
        )

    def strike(self, what: str) -> bool:
        """Let it happen; False when there is nothing to strike just now."""
        happened: bool = getattr(self, f"_{what}")()
        self.counts[what] += happened
        return happened

    def keep_workers(self) -> None:
        """Replace workers that ended by themselves, as a supervisor does."""
        for worker in [each for each in self.workers if each.status is not None]:
            self.workers.remove(worker)
            self.add_worker()

    def resume_if_paused(self, run_ids: list[str]) -> None:
        """Somebody looks at a plan that was paused for its quota, and lets it go on."""
        with self.store.begin() as session:
            plan = session.get_one(PlanRow, self.plan.id)
            if plan.status == "paused":
                plan.paused_until = plan.created_at
                run = session.get_one(RunRow, run_ids[-1])
                if run.status == "paused":
                    run.due_at = None

    def evidence(self) -> Evidence:
        """Everything as it stands."""
        sandbox = SandboxStore.open(self.org.database)
        try:
            return gather(
                self.store,
                sandbox,
                reading_of(self.org, self.crm),
                approved=frozenset({self.plan.id}),
                since=self.since,
                journal_faults=journal_faults(self.store),
            )
        finally:
            sandbox.close()

    def _worker(self) -> bool:
        worker = self.chance.choice(self.workers)
        if worker.status is not None or not children_of(worker.pid):
            return False
        worker.kill()
        self.workers.remove(worker)
        self.add_worker()
        return True

    def _child(self) -> bool:
        children = [child for worker in self.workers for child in children_of(worker.pid)]
        if not children:
            return False
        return kill_process(self.chance.choice(children))

    def _wipe(self) -> bool:
        if self.counts["wipe"] % 3 == 2:
            self.redis.restart()
        else:
            self.redis.wipe()
        return True

    def _edit(self) -> bool:
        """A person changes a cell that a plan is about, before it was touched or after it was done.

        Between our reading and our writing only where the platform takes a condition: elsewhere nobody can
        keep that edit. The ledger is held meanwhile, so that no worker begins with this record."""
        anywhere = bool(self.crm.capabilities.conditional_write)
        with self.store.begin() as session:
            settled = [OperationRow.attempts == 0, OperationRow.state == "planned"]
            if self.chance.random() < 0.5:
                settled = [OperationRow.attempts == 1, OperationRow.state == "done"]
            query = select(OperationRow.record_id).where(
                OperationRow.plan_id == self.plan.id,
                OperationRow.kind == "write",
                *([] if anywhere else settled),
            )
            ids = session.scalars(query.order_by(OperationRow.position)).all()
            if not ids:
                return False
            record_id = self.chance.choice(ids)
            self.org.edit(record_id, {self.reason: f"Edited by a person {self.counts['edit']}"})
        return True

    @property
    def reason(self) -> str:
        """The vendor's name of our first reason."""
        return {"salesforce": "Expansion_Reason_1__c", "hubspot": "expansion_reason_1"}[self.org.kind]


def tell(folder: Path, nursery: Nursery, *, seed: int, operations: int) -> Result:
    """One run of chaos by seed, judged."""
    began = time.monotonic()
    with set_up(folder, nursery, seed=seed, operations=operations) as story:
        run_id = _queue(story)
        faults = story.org.folder / "faults.json"
        faults.write_text(json.dumps(as_entries(_rules(story))), encoding="utf-8")
        for _ in range(WORKERS):
            story.add_worker()
        _rage(story, run_id)
        faults.unlink()
        converged = _converge(story, run_id)
        evidence = story.evidence()
        violations = check(evidence)
        taken_back = _take_back(story)
        return _result(story, evidence, violations, taken_back, converged, seconds=time.monotonic() - began)


@contextmanager
def set_up(folder: Path, nursery: Nursery, *, seed: int, operations: int) -> Iterator[Story]:
    """An org that is served by a process, a Redis, a ledger with a plan, and no worker yet."""
    mode = MODES[seed % len(MODES)]
    tasks = operations // 10
    org = make_org(folder / "org", mode["kind"], accounts=operations - tasks, seed=seed)
    redis = RedisServer(folder)
    _settle_config(org, mode["settings"], redis.url)
    sandbox = nursery.start("infra.chaos.processes:serve", folder=str(org.folder))
    _await(lambda: (org.folder / SERVING).exists() or sandbox.status is not None, 60.0, sandbox)
    store = Store.open(org.settings.state.url)
    crm = connect(org.settings)
    story: Story | None = None
    try:
        story = Story(
            folder=folder,
            seed=seed,
            operations=operations,
            nursery=nursery,
            org=org,
            store=store,
            crm=crm,
            plan=make_plan(
                org, crm, store, name=f"chaos-{seed}", writes=operations - tasks, tasks=tasks, seed=seed,
                now=crm.server_time(),
            ),
            since=_changes_so_far(org),
            redis=redis,
            chance=random.Random(seed),
        )  # fmt: skip
        yield story
    finally:
        for worker in story.workers if story is not None else ():
            worker.kill_family()
        sandbox.kill()
        crm.close()
        store.close()
        redis.close()


def children_of(pid: int) -> list[int]:
    """The processes that a process started, as the kernel has them."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(each) for each in thread.read_text().split()]
        except OSError:
            continue
    return found


def kill_process(pid: int) -> bool:
    """kill -9 of a child that we found; False when it was gone already."""
    import os
    import signal

    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _settle_config(org: Org, settings: dict[str, Any], redis_url: str) -> None:
    """Short times, so that what was lost is found soon."""
    config = org.folder / "upswell.toml"
    set_crm(config, {"timeout_seconds": TIMEOUT, **settings})
    more = ["", "[worker]", "tick_seconds = 0.5", "lease_seconds = 4", "[redis]", f'url = "{redis_url}"', ""]
    config.write_text(config.read_text(encoding="utf-8") + "\n".join(more), encoding="utf-8")


def _rules(story: Story) -> tuple[FaultRule, ...]:
    """The storm: a late write is applied when its client has given up, and quota runs out once, by seed."""
    quota = 5 if story.seed % 2 else 0
    return storm(story.org.kind, seed=story.seed, quota=quota, wait=TIMEOUT + 0.5, seconds=TIMEOUT + 2.0)


def _changes_so_far(org: Org) -> int:
    sandbox = SandboxStore.open(org.database)
    try:
        return len(Audit(sandbox).changes())
    finally:
        sandbox.close()


def _queue(story: Story) -> str:
    with story.store.begin() as session:
        return queue_run(
            session,
            "apply",
            ("apply",),
            config_hash=config_hash(story.org.settings),
            asked={"plan": story.plan.id},
            created_by="chaos",
            now=machine_clock(),
        )


def _rage(story: Story, run_id: str) -> None:
    """Strike at the seed's places of the progress, until everything has happened and most is done."""
    strikes = ["worker"] * KILLS + ["child"] * KILLS + ["wipe"] * WIPES + ["edit"] * EDITS
    story.chance.shuffle(strikes)
    places = sorted(story.chance.uniform(0.0, 0.7) for _ in strikes)
    limit = 60.0 + 0.15 * story.operations  # seconds; a run that stands still is judged as it is
    began = time.monotonic()
    while time.monotonic() - began < limit:
        done = story.done()
        if done == 1.0 and not strikes:
            return
        # what is late by the clock comes too, or a run that stands still would never be struck
        late = (time.monotonic() - began) / limit
        if strikes and max(done, late) >= places[0] and story.strike(strikes[0]):
            strikes.pop(0)
            places.pop(0)
        story.keep_workers()
        story.resume_if_paused([run_id])
        if not strikes and done > ENOUGH:
            return
        time.sleep(POLL)


def _converge(story: Story, run_id: str) -> float:
    """Seconds from the last fault until nothing is left; CONVERGED and more when that never came."""
    began = time.monotonic()
    while not story.is_over(run_id):
        if time.monotonic() - began > 2 * CONVERGED:
            break
        story.keep_workers()
        story.resume_if_paused([run_id])
        time.sleep(POLL)
    return time.monotonic() - began


def _take_back(story: Story) -> list[Violation]:
    """Two more people edit, then the plan is rolled back; what the checker finds after that."""
    for worker in story.workers:
        worker.kill_family()
    for position in (0, len(story.org.ids) // 2):
        story.org.edit(story.org.ids[position], {story.reason: f"Edited after all {position}"})
    try:
        rollback(story.plan.id, story.crm, story.store, now=story.crm.server_time())
    except UpswellError as error:
        return [Violation(rule="I6", record=story.plan.id, why=f"the rollback failed: {error}")]
    return check(story.evidence(), rolled_back=frozenset({story.plan.id}))


def _result(
    story: Story,
    evidence: Evidence,
    violations: Sequence[Violation],
    taken_back: Sequence[Violation],
    converged: float,
    *,
    seconds: float,
) -> Result:
    outcomes: dict[str, int] = {}
    for op in evidence.operations:
        outcomes[str(op.outcome)] = outcomes.get(str(op.outcome), 0) + 1
    writing = {row.request for row in evidence.rows}
    faults: dict[str, int] = {}
    for request in evidence.requests:
        if request.number in writing:
            name = request.fault or ""
            faults[name] = faults.get(name, 0) + 1
    free = len(evidence.operations) - outcomes.get("conflict", 0)
    return Result(
        seed=story.seed,
        kind=story.org.kind,
        conditional=bool(story.crm.capabilities.conditional_write),
        operations=len(evidence.operations),
        outcomes=outcomes,
        applied_share=outcomes.get("applied", 0) / max(free, 1),
        faults=faults,
        fault_share=1 - faults.get("", 0) / max(sum(faults.values()), 1),
        workers_killed=story.counts["worker"],
        children_killed=story.counts["child"],
        redis_wipes=story.counts["wipe"],
        edits=story.counts["edit"],
        run_status=story.run_status(),
        converged_seconds=round(converged, 1),
        seconds=round(seconds, 1),
        violations=tuple(map(str, violations)),
        rollback_violations=tuple(map(str, taken_back)),
    )


def _await(happened: Any, seconds: float, child: Child) -> None:
    began = time.monotonic()
    while not happened():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"nothing within {seconds} s:\n{child.said()}")
        time.sleep(POLL)
    if child.status is not None:
        raise RuntimeError(f"it ended with {child.status}:\n{child.said()}")
