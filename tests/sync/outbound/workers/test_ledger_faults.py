"""When the ledger can't be written, nothing is sent that it does not know of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, make_url, text

from connectors.errors import LedgerError, StateError
from sync.store import Store

FULL = "the ledger can't be written"


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """The ledger's file may not grow by a page: what SQLite meets on a full disk."""

    def limit(connection: Any, *_: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def free(connection: Any, *_: Any) -> None:
        connection.execute("PRAGMA max_page_count = 4294967294")

    store.close()
    event.listen(store._pool, "connect", limit)
    try:
        yield
    finally:
        store.close()
        event.remove(store._pool, "connect", limit)
        event.listen(store._pool, "connect", free)


@pytest.fixture
def database() -> str:
    """SQLite: a test here says itself when it means a server."""
    return "sqlite"


def test_a_full_disk_is_said_in_words_and_what_was_sent_is_known(crowd: Any) -> None:
    """A journal of a thousand cells does not fit; with room again the same command completes the plan."""
    crowd.start()
    with full_disk(crowd.world.store):
        with pytest.raises(StateError, match=rf"{FULL}.*make room on its disk"):
            crowd.some()
        known = {row.key for row in crowd.rows() if row.state in ("sending", "unknown", "done")}
    assert crowd.wire.requests
    assert set(crowd.wire.requests) <= known
    assert crowd.finish() == "applied"
    crowd.check()
    assert set(crowd.wire.requests.values()) == {1}


@pytest.mark.parametrize("commit", range(8))
def test_a_disk_that_fills_up_at_any_commit_loses_no_outcome(crew: Any, commit: int) -> None:
    """Before `sending` is kept there is no call; after the call the row is found and looked for."""
    crew.start()
    commits = 0
    begin = crew.world.store.begin

    @contextmanager
    def failing() -> Iterator[Any]:
        nonlocal commits
        commits += 1
        with begin() as session:
            yield session
            if commits > commit:
                session.execute(text("PRAGMA max_page_count = 1"))
                session.execute(text("CREATE TABLE ballast AS SELECT hex(randomblob(100000))"))

    crew.world.store.begin = failing
    with pytest.raises(StateError, match=FULL):
        crew.some()
    with crew.world.store.session() as session:
        kept = {row.key for row in crew.rows() if row.state in ("sending", "unknown", "done")}
        session.execute(text("PRAGMA max_page_count = 4294967294"))
    drafts = {row.payload["draft"]["key"]: row.key for row in crew.rows("task")}
    assert {drafts.get(key, key) for key in crew.wire.requests} <= kept, "sent and not recorded"
    del crew.world.store.begin
    crew.world.store.close()
    assert crew.finish() == "applied"
    crew.check()
    assert set(crew.wire.requests.values()) == {1}


LIMITED = """
import resource, sys
from connectors.errors import LedgerError, StateError
from sync.store import Store
from sync.store.locks import Lease

with Store.open(sys.argv[1]) as store:
    Lease(store, "before").take()
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
    try:
        for number in range(10_000):
            Lease(store, f"{number}" * 100).take()
    except StateError as error:
        print(error)
"""


def test_a_file_that_may_not_grow_is_said_in_words(ledger_url: str) -> None:
    """The system's own limit on the size of a file, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, ledger_url], capture_output=True, text=True, check=True
    )
    assert FULL in done.stdout
    assert "make room" in done.stdout


@pytest.fixture
def server_crew(
    postgres: Any,
    new_ledger: Callable[..., Any],
    make_world: Callable[..., Any],
    world: Any,
    score: Callable[..., Any],
    make_crew: Callable[..., Any],
) -> Iterator[Any]:
    """A crew whose ledger is on a server."""
    with new_ledger("postgresql") as url, Store.open(url) as store:
        there = make_world(crm=world.crm, store=store, settings=world.settings, tables=world.tables)
        with make_crew(there, url, *(score(n) for n in range(4))) as made:
            yield made


@pytest.mark.parametrize("where", ["read", "write", "written"])
def test_a_server_that_goes_away_during_an_apply_loses_no_outcome(
    server_crew: Any, postgres: Any, where: str
) -> None:
    """Its connections are cut before the call, or between the call and the commit of its outcome."""
    crew = server_crew
    crew.start()
    worker = crew.hire()
    worker.until(where)
    sent = crew.wire.requests.total()
    with refusing(postgres, crew.url):
        while not worker.turns.ended:
            worker.step()
    assert [type(error) for error in worker.errors] == [LedgerError]
    assert "the ledger's database is away" in str(worker.errors[0])
    assert crew.wire.requests.total() == sent + (3 if where == "write" else 0)
    crew.world.machine.sleep(150)
    assert crew.finish() == "applied"
    crew.check()
    assert set(crew.wire.requests.values()) == {1}


@contextmanager
def refusing(postgres: Any, url: str) -> Iterator[None]:
    """The server takes no new connection to the database, and ends those that there are."""
    name = make_url(url).database
    postgres.execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upswell'"
    )
    try:
        yield
    finally:
        postgres.execute("ALTER DATABASE {} ALLOW_CONNECTIONS true", name)
