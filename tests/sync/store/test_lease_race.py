"""Processes that race for one lease: whoever holds it is alone, on either database."""

from __future__ import annotations

import subprocess
import sys

from sync.store import Store, tables

PROCESSES, TURNS = 3, 8

# The counter is read in one transaction and written in another: only the lease keeps a turn from being lost.
RACER = """
import os, sys
from datetime import datetime, UTC
from connectors.errors import StateError
from sync.store import Store
from sync.store.locks import lease
from sync.store.tables import LockRow

turns = int(sys.argv[2])
with Store.open(sys.argv[1]) as store:
    while turns:
        try:
            with lease(store, "apply:org"):
                with store.session() as session:
                    row = session.get(LockRow, "counter")
                    seen = 0 if row is None else int(row.owner)
                os.sched_yield()
                with store.begin() as session:
                    session.merge(LockRow(name="counter", owner=str(seen + 1), expires_at=datetime.now(UTC)))
                turns -= 1
        except StateError:
            os.sched_yield()
"""


def test_no_turn_is_lost_when_processes_race_for_a_lease(ledger: Store, ledger_url: str) -> None:
    """Each adds to a counter that nothing else protects, the first of them creating the lease's row."""
    command = [sys.executable, "-c", RACER, ledger_url, str(TURNS)]
    racers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    told = [racer.communicate()[1] for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * PROCESSES, told
    with ledger.session() as session:
        assert session.get_one(tables.LockRow, "counter").owner == str(PROCESSES * TURNS)
        assert session.get(tables.LockRow, "apply:org") is None  # given back


def test_processes_that_open_a_new_database_at_once_migrate_it_once(empty_database: str) -> None:
    """The first migrates; the others wait for it and find the schema there."""
    code = "import sys; from sync.store import Store; Store.open(sys.argv[1]).close()"
    command = [sys.executable, "-c", code, empty_database]
    openers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [opener.communicate()[1] for opener in openers]
    assert [opener.returncode for opener in openers] == [0, 0], told
    with Store.open(empty_database) as store, store.session() as session:
        assert session.query(tables.LockRow).count() == 0
