"""What a process of the story does: apply a plan with a ledger, a config and a clock of its own."""

from __future__ import annotations

import os
import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.orm import configure_mappers

from infra.chaos.crash import JOB_POINTS, POINTS
from infra.chaos.home import HurriedClock
from infra.chaos.sabotage import SABOTAGES
from sync.apply import apply
from sync.config import load
from sync.connect import connect
from sync.dispatch import dispatch
from sync.rollback import rollback
from sync.store import Store
from worker.cli import upswell
from worker.sandbox_folder import open_sandbox

MODULES = (
    "infra.chaos.processes",
    "worker.commands.worker",
    "worker.loop_home",
    "sync.loop",
    "celery.bin.worker",
)
"""What the nursery imports before it forks."""

configure_mappers()  # once, before the fork, instead of in every process


def apply_plan(
    config: str,
    ledger: str,
    plan_id: str,
    holder: str,
    *,
    ahead: float = 0.0,
    crash: str = "",
    nth: int = 1,
    sabotage: str = "",
    timezone: str = "",
    pages: int = 0,
) -> None:
    """Apply a plan, or the rest of it; the clock is `ahead` seconds of the machine's, and waiting jumps.

    With `crash` the process dies when it comes to that point the nth time; `timezone` is the machine's; the
    ledger's disk is full once the file has `pages` more pages than now."""
    if timezone:
        os.environ["TZ"] = timezone
        time.tzset()
    if sabotage:
        SABOTAGES[sabotage].strike()
    if crash:
        (POINTS | JOB_POINTS)[crash](nth)
    clock = HurriedClock(ahead=timedelta(seconds=ahead))
    with Store.open(ledger) as store:
        if pages:
            fill_disk(store, pages)
        crm = connect(load(Path(config), {}))
        try:
            apply(
                plan_id, crm, store, now=crm.server_time(), holder=holder, resume=True,
                sleep=clock.sleep, clock=clock,
            )  # fmt: skip
        finally:
            crm.close()


def fill_disk(store: Store, pages: int) -> None:
    """Let SQLite say that the disk is full once the ledger has grown by so many pages."""

    def limited(connection: sqlite3.Connection, _record: object) -> None:
        (size,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {int(size) + pages}")

    event.listen(store.engine, "connect", limited)
    store.engine.dispose()  # so that every connection from now on is a limited one


def take_back(config: str, ledger: str, plan_id: str, *, ahead: float = 0.0) -> None:
    """Roll a plan back."""
    clock = HurriedClock(ahead=timedelta(seconds=ahead))
    with Store.open(ledger) as store:
        crm = connect(load(Path(config), {}))
        try:
            rollback(plan_id, crm, store, now=crm.server_time(), sleep=clock.sleep, clock=clock)
        finally:
            crm.close()


def dispatch_at(config: str, ledger: str, slot: str, begin: float) -> None:
    """At that second of the machine's clock, start whatever a schedule says for the time `slot`."""
    settings, now = load(Path(config), {}), datetime.fromisoformat(slot)
    with Store.open(ledger) as store:
        while time.time() < begin:
            pass  # all of them at once, as near as a processor lets them
        for found in dispatch(store, settings, now=now, by=str(os.getpid())):
            print(found.status)


def serve(folder: str) -> None:
    """Serve the sandbox of a folder until killed; a file beside it says that it is served."""
    from infra.chaos.stage import SERVING

    with open_sandbox(Path(folder)) as sandbox:
        (Path(folder) / SERVING).write_text(sandbox.url)
        sandbox.serve_forever()


def work(config: str, concurrency: int) -> None:
    """`upswell worker`."""
    upswell(["--config", config, "worker", "--concurrency", str(concurrency)], standalone_mode=True)
