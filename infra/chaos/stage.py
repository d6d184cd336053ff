"""The stage of a run of chaos: a sandbox, a Redis and workers as processes, and what can strike them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from connectors.crm import Crm
from connectors.sandbox.audit import Audit
from connectors.sandbox.store import Store as SandboxStore
from infra.chaos.company import Org, make_org, make_plan, reading_of
from infra.chaos.evidence import Evidence, gather
from infra.chaos.home import journal_faults, set_crm
from infra.chaos.nursery import Child, Nursery
from infra.chaos.redis_server import RedisServer
from sync.connect import connect
from sync.planned import Plan
from sync.store import Store
from sync.store.tables import RunRow
from sync.store.writeback import OperationRow, PlanRow

CHILDREN: Final = 2  # of each worker
TIMEOUT: Final = 3.0  # seconds that a client waits for a reply
SERVED_WITHIN: Final = 60.0
POLL: Final = 0.05
SERVING: Final = "serving"
MODES: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "salesforce", "settings": {"write_batch": 10}},
    {"kind": "hubspot", "settings": {"write_batch": 10}},
    {"kind": "salesforce", "settings": {"salesforce__conditional_writes": True}},
)
"""By seed: Collections, HubSpot's batches, and conditional writes."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """One run's processes and files, its plan, and the workers that are at it."""

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

    def end_workers(self) -> None:
        """kill -9 whoever still works."""
        for worker in self.workers:
            worker.kill_family()

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


@contextmanager
def set_up(folder: Path, nursery: Nursery, *, seed: int, operations: int) -> Iterator[Stage]:
    """An org that is served by a process, a Redis, a ledger with a plan, and no worker yet."""
    mode = MODES[seed % len(MODES)]
    tasks = operations // 10
    org = make_org(folder / "org", mode["kind"], accounts=operations - tasks, seed=seed)
    with ExitStack() as stack:
        redis = RedisServer(folder)
        stack.callback(redis.close)
        _settle_config(org, mode["settings"], redis.url)
        sandbox = nursery.start("infra.chaos.processes:serve", folder=str(org.folder))
        stack.callback(sandbox.kill)
        _await_serving(org, sandbox)
        store = stack.enter_context(Store.open(org.settings.state.url))
        crm = connect(org.settings)
        stack.callback(crm.close)
        stage = Stage(
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
        stack.callback(stage.end_workers)
        yield stage


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


def _changes_so_far(org: Org) -> int:
    sandbox = SandboxStore.open(org.database)
    try:
        return len(Audit(sandbox).changes())
    finally:
        sandbox.close()


def _await_serving(org: Org, child: Child) -> None:
    began = time.monotonic()
    while not (org.folder / SERVING).exists():
        if child.status is not None or time.monotonic() - began > SERVED_WITHIN:
            raise RuntimeError(f"the sandbox is not served:\n{child.said()}")
        time.sleep(POLL)
