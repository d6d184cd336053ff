"""The open ledger: sessions that read, sessions that write, and a schema brought up to date on opening.

SQLite runs in WAL mode with foreign keys on; a writer takes the write lock when it begins (BEGIN IMMEDIATE),
because a reader that turns into a writer can lose its turn and fail. PostgreSQL needs none of this.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from connectors.errors import SettingError, StateError

HEAD = "0002"  # the newest migration; a test compares it with the migrations folder
BUSY_SECONDS = 30.0
MIGRATION_LOCK = 0x75707377  # PostgreSQL advisory lock: "upsw"


class Store:
    """The ledger, open. `session()` reads one consistent state, `begin()` writes all or nothing."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(upswell_writes=True)

    @classmethod
    def open(cls, url: str) -> Self:
        """The ledger at a database URL, created or migrated where needed.

        Raises SettingError when the URL can't be used, StateError when a newer version wrote it."""
        engine = _engine(url)
        store = cls(engine)
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
        """A session for reading; whatever it changed is rolled back."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A session for writing: committed at the end, rolled back when an exception leaves the block."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            session.connection()  # take the write lock before the first read, not at the first write
            yield session

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _upgrade(self) -> None:
        with self.engine.connect() as connection:
            if _revision(connection) == HEAD:
                return
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            # looked at again under the lock: another process may have migrated meanwhile
            revision = _revision(connection)
            if revision == HEAD:
                return
            from sync.store.migrations import upgrade

            if not upgrade(connection, since=revision):
                raise StateError(
                    f"a newer Upswell wrote this ledger (schema {revision}; this version knows {HEAD}).",
                    record=self.engine.url.render_as_string(hide_password=True),
                    fix="upgrade Upswell on this machine, or name another ledger in [state] url",
                )


def _revision(connection: Connection) -> str | None:
    """The schema's revision, or None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise _unusable(parsed, f"{parsed.get_backend_name()} is no database that the ledger runs on")
        if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() == "postgresql")
    except ArgumentError:
        raise _unusable(None, "this is no database URL") from None
    except (NoSuchModuleError, ImportError, OSError, SQLAlchemyError) as error:
        raise _unusable(parsed, str(error)) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = (
        None  # we say BEGIN ourselves, so that a transaction starts where it seems to
    )
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a committed "sending" must survive a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("upswell_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _unusable(url: URL | None, reason: str) -> SettingError:
    where = "" if url is None else f" {url.render_as_string(hide_password=True)}"
    return SettingError(
        f"the ledger{where} can't be opened: {reason.strip().splitlines()[0]}.",
        setting="state.url",
        searched=(),
        fix="name a writable file, as in sqlite:///upswell.sqlite, or a reachable postgresql+psycopg:// URL",
    )
