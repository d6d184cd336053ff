"""The ticks of a worker: what they find, and that they harm no process that is forked."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.attendance import workers
from sync.config import load
from sync.jobs import VERBS
from sync.schedules import states
from sync.settings import Settings
from sync.store import Store
from sync.store.locks import machine_clock
from sync.store.queue import Due, queue_run
from worker.reconciler import Reconciler

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TICK = timedelta(seconds=15)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with a schedule every hour."""
    return load(
        None,
        {
            "UPSWELL_CRM__KIND": "salesforce",
            "UPSWELL_STATE__URL": f"sqlite:///{tmp_path}/ledger.sqlite",
            "UPSWELL_SCHEDULES": '{ pull = { cron = "0 * * * *" } }',
            "UPSWELL_WORKER__TICK_SECONDS": "0.05",
        },
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Its ledger."""
    with Store.open(settings.state.url) as opened:
        yield opened


def queued(store: Store, now: datetime = NOON) -> str:
    """A run that waits for somebody."""
    with store.begin() as session:
        return queue_run(
            session, "pull", VERBS["pull"], config_hash="c", asked={}, created_by="os:ann", now=now
        )


def test_a_tick_rings_for_what_is_queued_and_for_what_schedules_start(
    settings: Settings, store: Store
) -> None:
    """The settings' schedules are taken in by the first tick, and their slots are due from then on."""
    rung: list[Due] = []
    now = [NOON]
    reconciler = Reconciler(settings, rung.append, clock=lambda: now[0])
    run = queued(store)
    reconciler.tick()
    assert [(due.run_id, due.step, due.shared) for due in rung] == [(run, "pull", False)]
    assert [state.name for state in states(store, now=NOON)] == ["pull"]
    now[0] += timedelta(hours=1)
    rung.clear()
    assert len(reconciler.tick()) == len(rung) == 2


def test_a_slot_that_was_missed_is_warned_of(
    settings: Settings, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker's log shows warnings; a started slot is none."""
    now = [NOON]
    reconciler = Reconciler(settings, lambda _due: None, clock=lambda: now[0])
    reconciler.tick()
    now[0] += timedelta(hours=1)
    with caplog.at_level("INFO"):
        reconciler.tick()
    assert [record.levelname for record in caplog.records if "slot" in record.message] == ["INFO"]
    caplog.clear()
    now[0] += timedelta(hours=9, minutes=59)
    with caplog.at_level("WARNING"):
        reconciler.tick()
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert any("missed" in each for each in told)


def test_a_worker_is_healthy_while_it_ticks(settings: Settings, store: Store) -> None:
    """Its health is its last finished tick; one that ended as it should says so."""
    reconciler = Reconciler(settings, lambda _due: None, clock=lambda: NOON)
    reconciler.tick()
    (worker,) = workers(store, now=NOON + 3 * TICK, tick=TICK)
    assert (worker.health, worker.last_tick, worker.pid) == ("healthy", NOON, os.getpid())
    assert workers(store, now=NOON + 4 * TICK, tick=TICK)[0].health == "late"
    reconciler.stop()
    assert workers(store, now=NOON + 4 * TICK, tick=TICK)[0].health == "ended"
    assert workers(store, now=NOON + timedelta(days=2), tick=TICK) == []


def test_a_tick_that_fails_does_not_end_the_ticking(settings: Settings, store: Store) -> None:
    """Whatever happened to it: the next one finds what there is."""
    queued(store, machine_clock())
    rung: list[Due] = []
    thrice = threading.Event()

    def ring(due: Due) -> None:
        rung.append(due)
        if len(rung) == 3:
            thrice.set()
        raise ValueError("a bell that breaks")

    reconciler = Reconciler(settings, ring)
    reconciler.start()
    assert thrice.wait(60)
    reconciler.stop()


def test_a_process_forked_while_a_tick_goes_on_can_tick_itself(settings: Settings, store: Store) -> None:
    """The fork waits for the end of the tick, so that no lock which the tick held lives on in the child."""
    queued(store, machine_clock())
    ticking, forking = threading.Event(), threading.Event()

    def ring(_due: Due) -> None:
        ticking.set()
        assert forking.wait(60)

    reconciler = Reconciler(settings, ring)
    os.register_at_fork(before=forking.set)  # called before the reconciler's own, which came first
    reconciler.start()
    assert ticking.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # it would wait for ever for a lock that nobody holds
        reconciler.tick()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    reconciler.stop()
    assert os.waitstatus_to_exitcode(status) == 0
