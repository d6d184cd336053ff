"""Workers that take turns, may be killed at any commit and any call, and a CRM that is hard to work with.

A worker is a thread that goes on only when the test lets it take a step: to the next begin or commit of the
ledger, or to the next call of the CRM. So every order of events can be tried, and tried again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from infra.doubles.wire import Killed, Wire
from sync import journal
from sync.apply import Progress, apply_some, finish_apply, start_apply
from sync.planned import Plan
from sync.store import Store
from sync.store.tables import LockRow
from sync.store.writeback import JournalRow, OperationRow, PlanRow, TaskRow

HOLDER = "run-of-the-test"


class Turns:
    """Lets one thread run at a time: the test's, or the one worker whose turn it is."""

    def __init__(self) -> None:
        self.go, self.stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.doomed, self.ended, self.at = False, False, "start"

    def pause(self, where: str) -> None:
        """Give the turn back; the worker may never get another."""
        self.at = where
        self.stopped.release()
        self.go.acquire()
        if self.doomed:
            raise Killed

    def step(self) -> None:
        """Let the worker go on to its next pause, or its end."""
        if not self.ended:
            self.go.release()
            self.stopped.acquire()


class SteppedStore(Store):
    """The ledger, with a pause before each writing transaction and after its commit."""

    pause: Callable[[str], None] = staticmethod(lambda _: None)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        self.pause("begin")
        with super().begin() as session:
            yield session
        self.pause("committed")


@dataclass
class Worker:
    """A process that works at a plan, a step at a time."""

    name: str
    turns: Turns
    thread: threading.Thread
    store: SteppedStore
    errors: list[BaseException] = field(default_factory=list)

    def step(self) -> str:
        """One step; where the worker stands then."""
        self.turns.step()
        return self.turns.at

    def until(self, *where: str) -> None:
        """Let it go on until it stands at one of these places."""
        while self.step() not in where:
            assert not self.turns.ended, self.errors

    def to_end(self) -> None:
        """Let it go on until nothing is left for it."""
        while not self.turns.ended:
            self.step()
        assert self.errors == []

    def kill(self) -> None:
        """Kill it where it stands."""
        self.turns.doomed = True
        while not self.turns.ended:
            self.turns.step()
        self.thread.join()
        self.store.close()


@dataclass(repr=False)  # Hypothesis prints it with each example
class Crew:
    """Workers at one plan, their ledger and CRM, and what must hold however they are treated."""

    world: Any
    wire: Wire
    url: str
    plan: Plan
    workers: list[Worker] = field(default_factory=list)
    hired: int = 0

    def reset(self) -> None:
        """As if nothing had been done yet with the plan."""
        self.dismiss()
        fresh = dict.fromkeys(
            ("outcome", "vendor_code", "message", "fix", "owner", "lease_until", "due_at", "job")
        )
        counters = dict.fromkeys(("attempts", "fence", "crashes", "requests", "lost", "looks"), 0)
        with self.world.store.begin() as session:
            session.execute(delete(JournalRow.__table__))
            session.execute(delete(TaskRow))
            session.execute(delete(LockRow))
            session.execute(update(OperationRow).values(state="planned", **fresh, **counters))
            session.execute(update(PlanRow).values(status="planned", tried_at=None, paused_until=None))
        self.world.crm.records = {record_id: {} for record_id in self.world.crm.records}
        self.world.crm.tasks.clear()
        self.wire = Wire(inner=self.world.crm, machine=self.world.machine, job_door=self.wire.job_door)

    def start(self, **options: Any) -> None:
        """Begin the plan, as the run that all workers belong to."""
        options = {"settings": self.world.settings, "holder": HOLDER, "clock": self.world.machine} | options
        start_apply(self.plan.id, self.wire, self.world.store, now=self.world.now, **options)

    def some(self, worker: str = "w", **options: Any) -> Progress:
        """What one worker that nobody disturbs can do now."""
        options = {"holder": HOLDER, "timezone": "UTC", "clock": self.world.machine} | options
        return apply_some(
            self.plan.id, self.wire, self.world.store, now=self.world.now, worker=worker, **options
        )

    def hire(self) -> Worker:
        """A new worker that stands at its start."""
        self.hired += 1
        turns, store = Turns(), SteppedStore.open(self.url)
        worker = Worker(name=f"worker-{self.hired}", turns=turns, thread=threading.Thread(), store=store)
        wire = replace(self.wire, pause=turns.pause)
        for name in (
            "faults",
            "task_faults",
            "requests",
            "effects",
            "modified",
            "late",
            "unindexed",
            "yard",
            "job_faults",
        ):
            assert getattr(wire, name) is getattr(self.wire, name)

        def run() -> None:
            turns.go.acquire()
            store.pause = turns.pause  # type: ignore[method-assign]  # one of its own
            try:
                while not turns.doomed and self._work(worker, wire).left:
                    turns.pause("idle")
            except Killed:
                pass
            except Exception as error:  # noqa: BLE001  # the test looks at it
                worker.errors.append(error)
            finally:
                turns.ended = True
                turns.stopped.release()

        worker.thread = threading.Thread(target=run, daemon=True)
        worker.thread.start()
        self.workers.append(worker)
        return worker

    def finish(self, rounds: int = 200) -> str:
        """One more worker, and time, until nothing is left; the plan's status then."""
        for _ in range(rounds):
            found = self.some("the-last")
            if not found.left or found.status == "stopped":
                self.world.machine.sleep(60)  # whatever is still on its way arrives
                self.wire.land()
                return finish_apply(self.plan.id, self.world.store, holder=HOLDER)
            wait = 1.0 if found.due_at is None else (found.due_at - self.world.machine.now).total_seconds()
            self.world.machine.sleep(max(wait, 1.0))
        raise AssertionError("it never ends")

    def rows(self, *kinds: str) -> list[OperationRow]:
        """The operations as the ledger holds them."""
        with self.world.store.session() as session:
            found = session.query(OperationRow).order_by(OperationRow.kind.desc(), OperationRow.position)
            return [row for row in found if row.kind in (kinds or ("write", "task"))]

    def check(self) -> None:
        """What holds of every plan that has come to its end, whatever happened on the way."""
        effects = Counter(key for key, _, _ in self.wire.effects)
        planned = {change.key: change for change in self.plan.changes}
        for row in self.rows("write"):
            assert row.state == "done", row.key
            assert row.outcome is not None, row.key
            # applied is one write that had an effect, and everything else is none
            assert effects[row.key] == (row.outcome == "applied"), (row.key, row.outcome, effects[row.key])
        for key, before, after in self.wire.effects:
            cells = planned[key].cells
            assert after == {cell.name: cell.after for cell in cells}
            assert before == {cell.name: cell.before for cell in cells}, "another value was overwritten"
        for row in self.rows("task"):
            assert row.state == "done", row.key
            made = row.payload["draft"]["key"] in self.wire.inner.tasks
            assert made == (row.outcome == "applied"), (row.key, row.outcome)
        assert max(self.wire.requests.values(), default=0) <= 6
        with self.world.store.session() as session:
            entries = Counter(entry.record_id for entry in journal.standing(session, self.plan.id))
            tasks = {row.key for row in session.query(TaskRow)}
        written = [row for row in self.rows("write") if row.outcome == "applied"]
        applied = {row.record_id: len(row.payload["cells"]) for row in written}
        assert entries == applied, "the journal holds each written cell once, and nothing else"
        assert tasks == set(self.wire.inner.tasks)

    def dismiss(self) -> None:
        """Kill whoever is still there."""
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def _work(self, worker: Worker, wire: Wire) -> Progress:
        return apply_some(
            self.plan.id, wire, worker.store, now=self.world.now, worker=worker.name, holder=HOLDER,
            timezone="UTC", clock=self.world.machine, limit=3,
        )  # fmt: skip


@pytest.fixture(scope="session")
def make_crew() -> Callable[..., Any]:
    """Make a crew around a world: its plan from these scores, with the CRM behind a wire."""

    @contextmanager
    def made(world: Any, url: str, *rows: Mapping[str, Any]) -> Iterator[Crew]:
        wire = Wire(inner=world.crm, machine=world.machine)
        crew = Crew(world=world, wire=wire, url=url, plan=world.plan(*rows))
        try:
            yield crew
        finally:
            crew.dismiss()

    return made


@pytest.fixture
def crew(
    world: Any, ledger_url: str, score: Callable[..., Any], make_crew: Callable[..., Any]
) -> Iterator[Crew]:
    """A plan of four records and their tasks, nothing of it begun."""
    with make_crew(world, ledger_url, *(score(n) for n in range(4))) as made:
        yield made


@pytest.fixture
def crowd(
    world: Any, ledger_url: str, score: Callable[..., Any], make_crew: Callable[..., Any]
) -> Iterator[Crew]:
    """A plan of sixty records without tasks, for a CRM that takes fifty in a call."""
    world.crm.records = {f"001{n}": {} for n in range(60)}
    world.crm.capabilities = replace(world.crm.capabilities, write_batch=50)
    with make_crew(world, ledger_url, *(score(n, tier="low") for n in range(60))) as made:
        yield made
