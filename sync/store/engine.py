"""The open ledger: sessions that read, sessions that write, and a schema brought up to date on opening.

There is one writer at a time on both databases, so that whoever looks and then writes decides on what is so.
SQLite runs in WAL mode with foreign keys on; a writer takes the write lock when it begins (BEGIN IMMEDIATE),
because a reader that turns into a writer can lose its turn and fail. On PostgreSQL a writer takes an advisory
lock first; READ COMMITTED lets it then see what the writer before it committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from connectors.errors import LedgerError, SettingError, StateError
from sync.store.journal_key import JournalKey
from sync.store.storable import storable_json

HEAD = "0014"  # the newest migration; a test compares it with the migrations folder
BUSY_SECONDS = 30.0
WIPE_SECONDS = 5.0
CONNECT_SECONDS = 10  # libpq waits for ever for a host that does not answer
LOCK_NOT_AVAILABLE = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
DISK_FULL = frozenset({"53100", "58030"})  # disk_full and io_error
KEY_OF_SESSION = "journal_key"
WRITER_LOCK = 0x75707377  # PostgreSQL advisory lock of the database: "upsw"
COUNTER_LOCK = WRITER_LOCK + 1  # of the calls to the CRM, which wait for no other writer


class Store:
    """The ledger, open. `session()` reads one consistent state, `begin()` writes all or nothing.

    `journal_key` is what the journal's chain is made and verified with; each session knows it."""

    def __init__(self, engine: Engine, *, journal_key: JournalKey | None = None) -> None:
        self._pool = engine
        self.journal_key = JournalKey.beside(engine.url) if journal_key is None else journal_key
        if engine.dialect.name == "postgresql":  # whatever the server's default is
            self.engine: Engine = engine.execution_options(isolation_level="REPEATABLE READ")
            self._writer = engine.execution_options(isolation_level="READ COMMITTED", upswell_writes=True)
            self._counter = engine.execution_options(isolation_level="READ COMMITTED", upswell_counts=True)
        else:
            self.engine = engine
            self._writer = engine.execution_options(upswell_writes=True)
            # connections of their own, since how long a commit waits is a matter of the connection
            self._counter = _engine(engine.url, quick=True).execution_options(upswell_writes=True)

    @classmethod
    def open(cls, url: str, *, journal_key: JournalKey | None = None) -> Self:
        """The ledger at a database URL, created or migrated where needed.

        Without `journal_key` a ledger file has its own, in a file beside it.
        Raises SettingError when the URL can't be used, StateError when a newer version wrote it."""
        engine = _engine(url)
        store = cls(engine, journal_key=journal_key)
        try:
            store._upgrade()
        except DBAPIError as error:
            engine.dispose()
            raise _unusable(engine.url, str(error.orig)) from None
        except BaseException:
            engine.dispose()
            raise
        return store

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for reading; whatever it changed is rolled back.

        Raises LedgerError when the database is away."""
        with self._told(), self._session(self.engine) as session:
            yield session

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A session for writing: committed at the end, rolled back when an exception leaves the block.

        Raises LedgerError when the database is away, or another process has been writing for too long."""
        with (
            self._told(),
            self._session(self._writer) as session,
            session.begin(),
        ):
            session.connection()  # take the write lock before the first read, not at the first write
            yield session

    @contextmanager
    def counting(self) -> Iterator[Connection]:
        """A connection for what is counted at each call to the CRM, by one process at a time.

        It is committed at the end without waiting for the disk: a process that dies loses nothing, a power
        cut the last of it. On PostgreSQL it waits for no other writer. Raises LedgerError as `begin` does."""
        with self._told(), self._counter.begin() as connection:
            yield connection

    def _session(self, engine: Engine) -> Session:
        return Session(engine, expire_on_commit=False, info={KEY_OF_SESSION: self.journal_key})

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What befalls the database, in the user's words; a fault of ours stays as it is."""
        try:
            yield
        except DBAPIError as error:
            if _is_busy(error):
                raise LedgerError(
                    f"another process has been writing to the ledger for {BUSY_SECONDS:.0f} seconds.",
                    record=_shown(self.engine.url),
                    fix="let it end, or end it; then run this again",
                ) from None
            if _is_full(error):
                raise LedgerError(
                    f"the ledger can't be written: {_first_line(error)}.",
                    record=_shown(self.engine.url),
                    fix="make room on its disk, then run this again; what was committed is there",
                ) from None
            if _is_away(error):
                raise LedgerError(
                    f"the ledger's database is away: {_first_line(error)}.",
                    record=_shown(self.engine.url),
                    fix="run this again when it is back; what was committed is there",
                ) from None
            raise

    def wipe(self) -> bool:
        """Rewrite a ledger file without what was erased in it; False while somebody reads its old state.

        SQLite leaves the bytes of a deleted text where they were. A server's ledger is left to its VACUUM."""
        if self.engine.dialect.name != "sqlite":
            return True
        connection = self._pool.raw_connection()
        try:
            connection.cursor().execute(f"PRAGMA busy_timeout = {int(WIPE_SECONDS * 1000)}")
            connection.cursor().execute("VACUUM")
            is_busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        finally:
            connection.invalidate()  # it waits less than the others
        return not is_busy

    def close(self) -> None:
        """Give back the connections."""
        self._pool.dispose()
        self._counter.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _upgrade(self) -> None:
        with self.engine.connect() as connection:
            if _revision(connection) == HEAD:
                return
        with self._writer.begin() as connection:
            # looked at again under the lock: another process may have migrated meanwhile
            revision = _revision(connection)
            if revision == HEAD:
                return
            from sync.store.migrations import upgrade

            if not upgrade(connection, since=revision):
                raise StateError(
                    f"a newer Upswell wrote this ledger (schema {revision}; this version knows {HEAD}).",
                    record=_shown(self.engine.url),
                    fix="upgrade Upswell on this machine, or name another ledger in [state] url",
                )


def key_of(session: Session) -> JournalKey:
    """The key of the journal that a session of a Store writes to."""
    key: JournalKey = session.info[KEY_OF_SESSION]
    return key


def _revision(connection: Connection) -> str | None:
    """The schema's revision, or None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def _engine(url: str | URL, *, quick: bool = False) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise _unusable(parsed, f"{parsed.get_backend_name()} is no database that the ledger runs on")
        if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, json_serializer=storable_json, **_options(parsed))
    except ArgumentError:
        raise _unusable(None, "this is no database URL") from None
    except (NoSuchModuleError, ImportError, OSError, SQLAlchemyError) as error:
        raise _unusable(parsed, str(error)) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_quick_sqlite if quick else _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {}
    # what the URL says itself counts: libpq's own names, after a question mark
    ours = {"connect_timeout": CONNECT_SECONDS, "application_name": "upswell"}
    return {
        "pool_pre_ping": True,  # a server that was restarted costs no failed transaction
        "connect_args": {name: value for name, value in ours.items() if name not in url.query},
    }


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = (
        None  # we say BEGIN ourselves, so that a transaction starts where it seems to
    )
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a committed "sending" must survive a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _prepare_quick_sqlite(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    _prepare_sqlite(connection, record)
    connection.execute("PRAGMA synchronous = NORMAL")  # in WAL mode: no wait for the disk at a commit


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("upswell_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("upswell_writes", False):
        # the server goes from left to right, so the wait is limited by the time it starts
        connection.execute(
            text("SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock(:key)"),
            {"wait": f"{BUSY_SECONDS * 1000:.0f}ms", "key": WRITER_LOCK},
        )
    elif connection.get_execution_options().get("upswell_counts", False):
        connection.execute(
            text(
                "SELECT set_config('lock_timeout', :wait, true), "
                "set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(:key)"
            ),
            {"wait": f"{BUSY_SECONDS * 1000:.0f}ms", "key": COUNTER_LOCK},
        )


def _is_busy(error: DBAPIError) -> bool:
    """Whether it says that a lock could not be had in time, in the words of either database."""
    state = getattr(error.orig, "sqlstate", None)
    return state == LOCK_NOT_AVAILABLE or getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _is_full(error: DBAPIError) -> bool:
    """Whether the disk has no room, or fails: nothing of the transaction was kept."""
    kind = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # an extended code has more above
    state = getattr(error.orig, "sqlstate", None)
    return state in DISK_FULL or kind in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _is_away(error: DBAPIError) -> bool:
    """Whether the connection broke, or none could be made: the server was stopped, or the network failed."""
    # a refused connection comes from libpq, not from a server, so it bears no SQLSTATE
    refused = isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", "") is None
    return error.connection_invalidated or refused


def _first_line(error: DBAPIError) -> str:
    return next(iter(str(error.orig).strip().splitlines()), "no reason given").rstrip(".")


def _shown(url: URL) -> str:
    """The URL without what may be secret: the password, and options, where libpq takes one as well."""
    return url.set(query={}).render_as_string(hide_password=True)


def _unusable(url: URL | None, reason: str) -> SettingError:
    where = "" if url is None else f" {_shown(url)}"
    return SettingError(
        f"the ledger{where} can't be opened: {reason.strip().splitlines()[0].rstrip('.')}.",
        setting="state.url",
        searched=(),
        fix="name a writable file, as in sqlite:///upswell.sqlite, or a reachable postgresql+psycopg:// URL",
    )
