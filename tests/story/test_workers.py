"""Real Celery workers with a real Redis: the same scores, and nothing lost to kills and wipes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import redis
from sqlalchemy import select

from infra.doubles.anthropic.server import KEY, fake_anthropic
from infra.doubles.planted import PLANTED
from sync.plan_ledger import latest_plan_id
from sync.store import Store
from sync.store.scores import load_scores
from sync.store.tables import RunRow, StepRow
from sync.store.work import ScoreRangeRow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # four processes on two busy cores

WaitUntil = Callable[..., Any]
RANGE = "37"  # accounts: no divisor of how many there are, so that the last range is shorter


@dataclass(slots=True, kw_only=True)
class Staff:
    """Workers of one home, as processes of their own, and the ledger that they share."""

    home: Any
    store: Store
    redis_url: str
    wait_until: WaitUntil
    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)  # settings beside those below

    @property
    def environment(self) -> dict[str, str]:
        """Quick ticks and leases, small ranges."""
        return {
            "UPSWELL_REDIS__URL": self.redis_url,
            "UPSWELL_WORKER__TICK_SECONDS": "0.5",
            "UPSWELL_WORKER__LEASE_SECONDS": "3",
            "UPSWELL_WORKER__RANGE_SIZE": RANGE,
        } | self.more

    def start(self, concurrency: int) -> subprocess.Popen[bytes]:
        """A worker with so many processes, in a group of its own, which can be killed at once."""
        command = [sys.executable, "-m", "worker", "--config", str(self.home.config), "worker"]
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [*command, "--concurrency", str(concurrency)],
                env=os.environ | self.environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(worker)
        return worker

    def stop(self, worker: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
        """End a worker: as it is asked to, or with all its processes at once."""
        if how is signal.SIGKILL:
            os.killpg(worker.pid, how)
        else:
            worker.terminate()
        worker.wait(60)
        self.running.remove(worker)

    def queue(self, *verb: str) -> str:
        """Queue a run; its id."""
        answer = self.home.upswell(*verb, env=self.environment)
        assert answer.exit_code == 0, answer.errors
        return str(answer.data["queued"])

    def ended(self, run_id: str) -> RunRow:
        """The run, once it has ended."""

        def look() -> RunRow | None:
            with self.store.session() as session:
                run = session.get_one(RunRow, run_id)
                return run if run.ended_at is not None else None

        run = self.wait_until(look, lambda: self.log.read_text(errors="replace")[-3000:])
        assert isinstance(run, RunRow)
        assert run.status == "done", run.error
        return run

    def ranges(self, run_id: str) -> list[ScoreRangeRow]:
        """The ranges of the run's scoring."""
        query = select(ScoreRangeRow).where(ScoreRangeRow.run_id == run_id)
        with self.store.session() as session:
            return list(session.scalars(query.order_by(ScoreRangeRow.position)))

    def claimed(self, run_id: str, *, but: Collection[str] = ()) -> ScoreRangeRow:
        """A range that is being scored just now, by another process than those."""

        def look() -> ScoreRangeRow | None:
            held = [row for row in self.ranges(run_id) if row.state == "claimed" and row.owner not in but]
            return held[0] if held else None

        found = self.wait_until(look, lambda: self.log.read_text(errors="replace")[-3000:])
        assert isinstance(found, ScoreRangeRow)
        return found

    def skipped(self, run_id: str) -> dict[str, str]:
        """The run's steps that had nothing to do, and why."""
        with self.store.session() as session:
            steps = session.scalars(select(StepRow).where(StepRow.run_id == run_id)).all()
            return {step.name: step.detail["skipped"] for step in steps if "skipped" in step.detail}

    def scores(self, run_id: str) -> pa.Table:
        """The run's scores, every column."""
        return load_scores(self.store, run_id)


@pytest.fixture
def staff(home: Any, redis_server: str, wait_until: WaitUntil, tmp_path: Path) -> Iterator[Staff]:
    """The workers of a home whose model is trained; all of them are gone at the end."""
    ledger = f"sqlite:///{home.folder}/upswell/ledger.sqlite"
    with _staff(home, ledger, redis_server, wait_until, tmp_path) as made:
        yield made


@contextmanager
def _staff(home: Any, ledger: str, redis_url: str, wait_until: WaitUntil, tmp_path: Path) -> Iterator[Staff]:
    with Store.open(ledger) as store:
        made = Staff(
            home=home,
            store=store,
            redis_url=redis_url,
            wait_until=wait_until,
            log=tmp_path / "worker.log",
        )
        home.upswell("schedule", "add", "rescore", "--job", "score", "--every", "30d")
        home.upswell("schedule", "add", "write", "--job", "apply", "--every", "30d")
        try:
            yield made
        finally:
            for worker in list(made.running):
                made.stop(worker, signal.SIGKILL)


def test_one_process_and_one_and_four_workers_give_the_same_scores(staff: Staff) -> None:
    """Every column to the last bit; the ledger names the process that scored each range."""
    alone = staff.home.first_run["run_id"]
    for processes in (1, 4):
        worker = staff.start(processes)
        run = staff.queue("schedule", "run", "rescore")
        staff.ended(run)
        assert staff.scores(run).equals(staff.scores(alone))
        ranges = staff.ranges(run)
        assert {row.rows for row in ranges[:-1]} == {int(RANGE)}
        named = {row.process for row in ranges}
        assert f"{os.uname().nodename}:{worker.pid}" not in named  # its children work, not itself
        assert len(named) == 1 if processes == 1 else len(named) > 1
        staff.stop(worker)
    # one process cuts at 2,000, which are more than there are
    assert [row.rows for row in staff.ranges(alone)] == [staff.scores(alone).num_rows]


def test_what_stands_in_notes_is_in_no_queue_log_or_prompt(staff: Staff) -> None:
    """A worker reads notes full of secrets, has Claude write, and makes tasks: none is on the way."""
    with (staff.home.folder / "exports/notes.csv").open("a", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        for number, (said, _) in enumerate(PLANTED.values()):
            for account in range(number, 200, 7):
                write((f"C-{account:05}", "goal", "2026-06-01T09:00:00Z", "csm-001", "neutral", said))
    with fake_anthropic() as fake:
        asked = {"PROVIDER": "anthropic", "BASE_URL": fake.url, "API_KEY": KEY, "BATCH_FROM": "1000"}
        staff.more = {f"UPSWELL_BRIEFS__{name}": value for name, value in asked.items()}
        staff.more["UPSWELL_OWNERS__SLOTS_PER_WEEK"] = "40"
        staff.start(1)
        staff.home.upswell("schedule", "add", "everything", "--job", "run", "--every", "30d")
        staff.ended(staff.queue("schedule", "run", "everything"))
        bodies = "\n".join(json.dumps(json.loads(body), ensure_ascii=False) for body in fake.bodies)
    assert len(fake.bodies) > 5, staff.log.read_text(errors="replace")[-3000:]
    queue = _everything_in(staff.redis_url)
    assert queue
    for place in (queue, staff.log.read_text(errors="replace"), bodies):
        assert [kind for kind, (_, secret) in PLANTED.items() if secret in place] == []
        assert KEY not in place


def _everything_in(url: str) -> str:
    """All keys of a Redis and what they hold."""
    with redis.Redis.from_url(url) as client:
        read = {
            b"none": lambda _key: "",  # gone since it was listed
            b"string": client.get,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"set": client.smembers,
            b"hash": client.hgetall,
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        }
        return "\n".join(f"{key!r} {read[client.type(key)](key)!r}" for key in client.scan_iter())


@pytest.mark.soak
def test_a_worker_and_a_child_killed_while_they_score_lose_nothing(staff: Staff) -> None:
    """What they held is scored by others when the lease is over, and the scores are the same."""
    alone = staff.home.first_run["run_id"]
    worker = staff.start(2)
    run = staff.queue("schedule", "run", "rescore")
    owner = staff.claimed(run).owner
    assert owner is not None
    os.kill(int(owner.split(":")[1]), signal.SIGKILL)  # the child; its worker makes another
    staff.claimed(run, but={owner})
    staff.stop(worker, signal.SIGKILL)
    staff.start(1)
    staff.ended(run)
    assert staff.scores(run).equals(staff.scores(alone))


@pytest.mark.soak
def test_a_redis_that_is_wiped_and_goes_away_loses_no_run(
    home: Any, wait_until: WaitUntil, tmp_path: Path, own_redis: Any
) -> None:
    """The bells are rung again by the next tick; the worker finds Redis again by itself."""
    ledger = f"sqlite:///{home.folder}/upswell/ledger.sqlite"
    with _staff(home, ledger, own_redis.url, wait_until, tmp_path) as staff:
        own_redis.start()
        staff.start(1)
        first = staff.queue("schedule", "run", "rescore")
        own_redis.wipe()
        staff.ended(first)
        own_redis.stop()
        second = staff.queue("schedule", "run", "rescore")
        assert staff.home.upswell("status").data["runs"][0]["status"] == "queued"
        own_redis.start()
        staff.ended(second)


def test_a_first_run_behind_celery_on_postgresql_writes_what_one_process_writes(
    fresh: Any,
    home: Any,
    redis_server: str,
    postgres: Any,
    wait_until: WaitUntil,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the pull to the outcomes, as one process on SQLite does, but for when that was."""
    with postgres.database() as name:
        ledger = postgres.url(name)
        monkeypatch.setenv("UPSWELL_STATE__URL", ledger)
        with _staff(fresh, ledger, redis_server, wait_until, tmp_path) as staff:
            assert fresh.upswell("install", "--apply").exit_code == 0
            staff.start(2)
            run = staff.queue("run", "--detach")
            staff.ended(run)
            assert len({row.process for row in staff.ranges(run)}) == 2
            again = staff.queue("schedule", "run", "write")
            staff.ended(again)
            plan = latest_plan_id(staff.store, run_id=run)
            assert staff.skipped(again) == {"apply": f"the newest plan, {plan}, is applied already"}
    assert _without_stamp(fresh.accounts()) == _without_stamp(home.accounts())


def _without_stamp(accounts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        record: {name: value for name, value in row.items() if name != "Expansion_Scored_At__c"}
        for record, row in accounts.items()
    }


def test_without_redis_one_process_does_what_is_queued(home: Any) -> None:
    """`upswell worker --once` for a small company's cron; a second one finds nothing to do."""
    run = home.upswell("run", "--detach").run_id
    answer = home.upswell("worker", "--once")
    assert answer.exit_code == 0, answer.errors
    assert answer.data["worked"] == [run]
    assert home.upswell("status").data["runs"][0]["status"] == "done"
    assert home.upswell("worker", "--once").data["worked"] == []
