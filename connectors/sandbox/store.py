"""One SQLite file that holds everything a sandbox CRM knows: records, settings, audit, sessions.

The store knows tables, columns and cells; what a column means to a vendor is the dialect's business.
Dates are kept as `YYYY-MM-DD` and moments as `YYYY-MM-DDTHH:MM:SS.mmm+0000` in UTC, so that text order
is time order and a page of records needs no conversion on its way out.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path

TEXT = "TEXT"
KEY = "TEXT KEY"
NUMBER = "REAL"
INTEGER = "INTEGER"
BOOLEAN = "INTEGER BOOLEAN"
DATE = "TEXT DATE"
DATETIME = "TEXT DATETIME"
ANY = "BLOB ANY"
"""Kinds of column. SQLite derives the storage class from the first word and keeps the whole phrase."""

Cell = str | float | int | None

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}\Z")
_BUSY_SECONDS = 60.0  # `sandbox advance` in another process may hold the write lock for a while


def identifier(name: str) -> str:
    """The name quoted for SQL. Raises ValueError for anything that is not a plain identifier."""
    if not _IDENTIFIER.match(name):
        raise ValueError(f"{name!r} is not a table or column name")
    return f'"{name}"'


def stamp(moment: datetime) -> str:
    """An aware datetime as stored text in UTC, with milliseconds."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03d}+0000"


def moment(text: str) -> datetime:
    """The aware datetime behind a stored text."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def _datetime_cell(value: object) -> Cell:
    if value is None:
        return None
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, str):
        if value.endswith("+0000") and len(value) == len("2026-11-02T09:00:00.000+0000"):
            return value
        return stamp(datetime.fromisoformat(value))
    raise TypeError(f"{value!r} is no datetime")


def _date_cell(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError(f"{value!r} is no date")
    return value.isoformat()


def _boolean_cell(value: object) -> Cell:
    return 1 if value else 0


def _number_cell(value: object) -> Cell:
    if value is None:
        return None
    if isinstance(value, int | float | Decimal):
        return float(value)
    # numpy scalars are not numbers.Number subclasses that mypy knows, and SQLite would store them as blobs
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"{value!r} is no number")
    return float(item())


def _integer_cell(value: object) -> Cell:
    number = _number_cell(value)
    return None if number is None else int(number)


def _any_cell(value: object) -> Cell:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float):
        return value
    return _number_cell(value)


def _text_cell(value: object) -> Cell:
    # SQLite turns an empty text into what it is; the CRMs turn it into no value at all
    return None if value is None or value == "" else str(value)


_TO_CELL: Mapping[str, Callable[[object], Cell]] = {
    TEXT: _text_cell,
    KEY: _text_cell,
    ANY: _any_cell,
    NUMBER: _number_cell,
    INTEGER: _integer_cell,
    BOOLEAN: _boolean_cell,
    DATE: _date_cell,
    DATETIME: _datetime_cell,
}


def _declared(name: str, kind: str, key: str) -> str:
    """The column as a table declares it; a checkbox is never null."""
    return f"{identifier(name)} {kind}{' PRIMARY KEY' * (name == key)}{' DEFAULT 0' * (kind == BOOLEAN)}"


class Meta:
    """Settings of the sandbox by key: clock, ids, credentials."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> str | None:
        """The value, or None when the key was never set."""
        rows = self._store.select("SELECT value FROM meta WHERE key = ?", (key,))
        return None if not rows else str(rows[0][0])

    def __getitem__(self, key: str) -> str:
        value = self.get(key)
        if value is None:
            raise KeyError(
                f"{self._store.path} holds no {key!r}: it was not made by this version of the sandbox"
            )
        return value

    def __setitem__(self, key: str, value: str) -> None:
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


class Store:
    """The sandbox's SQLite file; safe to use from several threads, one transaction at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._sql = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = NORMAL")
        self._sql.execute("PRAGMA case_sensitive_like = OFF")
        self.meta = Meta(self)
        self._columns: dict[str, dict[str, str]] = {}

    @classmethod
    def create(cls, path: Path) -> Store:
        """A new empty store. Raises FileExistsError when there is one already."""
        if path.exists():
            raise FileExistsError(f"{path} exists: open it, or choose another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        store = cls(path)
        with store.transaction() as sql:
            sql.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            sql.execute("CREATE TABLE sequences (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID")
        return store

    @classmethod
    def open(cls, path: Path) -> Store:
        """The store in an existing file. Raises FileNotFoundError when there is none."""
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: start the sandbox once to create it")
        return cls(path)

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._sql.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is committed together or not at all; nests as a savepoint."""
        with self._lock:
            self._depth += 1
            name = f"nested_{self._depth}"
            self._sql.execute("BEGIN IMMEDIATE" if self._depth == 1 else f"SAVEPOINT {name}")
            try:
                yield self._sql
            except BaseException:
                self._sql.execute("ROLLBACK" if self._depth == 1 else f"ROLLBACK TO {name}")
                # columns added inside are gone again
                self._columns.clear()
                raise
            else:
                self._sql.execute("COMMIT" if self._depth == 1 else f"RELEASE {name}")
            finally:
                self._depth -= 1

    def select(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Cell, ...]]:
        """All rows of a statement."""
        with self._lock:
            return self._sql.execute(statement, parameters).fetchall()

    def define(
        self, table: str, columns: Mapping[str, str], *, key: str = "Id", indexes: Iterable[str] = ()
    ) -> None:
        """Make the table, or add the columns it lacks; column kinds are this module's constants."""
        present = self.columns(table)
        with self.transaction() as sql:
            if not present:
                body = ", ".join(_declared(name, kind, key) for name, kind in columns.items())
                sql.execute(f"CREATE TABLE {identifier(table)} ({body})")
            else:
                for name in columns.keys() - present.keys():
                    column = _declared(name, columns[name], key)
                    sql.execute(f"ALTER TABLE {identifier(table)} ADD COLUMN {column}")
            for name in indexes:
                index = identifier(f"{table}_{name}")
                # the CRMs compare text without regard to case, ids with
                collation = " COLLATE NOCASE" if columns[name] == TEXT else ""
                place = f"{identifier(table)} ({identifier(name)}{collation})"
                sql.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {place}")
        self._columns.pop(table, None)

    def drop_column(self, table: str, name: str) -> None:
        """Remove a column with all its values."""
        with self.transaction() as sql:
            sql.execute(f"DROP INDEX IF EXISTS {identifier(f'{table}_{name}')}")
            sql.execute(f"ALTER TABLE {identifier(table)} DROP COLUMN {identifier(name)}")
        self._columns.pop(table, None)

    def drop_table(self, table: str) -> None:
        """Remove a table with all its rows."""
        with self.transaction() as sql:
            sql.execute(f"DROP TABLE {identifier(table)}")
        self._columns.pop(table, None)

    def columns(self, table: str) -> Mapping[str, str]:
        """Column kinds by name; empty when there is no such table."""
        if table not in self._columns:
            rows = self.select("SELECT name, type FROM pragma_table_info(?)", (table,))
            if not rows:
                return {}
            self._columns[table] = {str(name): str(kind) for name, kind in rows}
        return self._columns[table]

    def bulk_insert(self, table: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Insert the rows as they are, stamps and ids included; the number of rows written.

        A column that a row lacks stays empty. Raises KeyError for a column that the table lacks."""
        columns = self._known(table)
        written = 0
        with self.transaction() as sql:
            # rows of one shape come in runs, and one statement serves a run
            for names, run in groupby(rows, key=tuple):
                unknown = [name for name in names if name not in columns]
                if unknown:
                    raise KeyError(f"{table} has no column {', '.join(unknown)}")
                converters = [(name, _TO_CELL[columns[name]]) for name in names]
                body = ", ".join(identifier(name) for name in names)
                marks = ", ".join("?" * len(names))
                # names come from the table itself, values are bound
                statement = f"INSERT INTO {identifier(table)} ({body}) VALUES ({marks})"  # noqa: S608
                cells = ([convert(row[name]) for name, convert in converters] for row in run)
                written += sql.executemany(statement, cells).rowcount
        return written

    def bulk_update(self, table: str, rows: Iterable[Mapping[str, object]], *, key: str = "Id") -> int:
        """Set the given columns of each row found by its key; the number of rows written."""
        columns = self._known(table)
        groups: dict[tuple[str, ...], list[list[Cell]]] = {}
        for row in rows:
            names = tuple(name for name in row if name != key)
            unknown = [name for name in (key, *names) if name not in columns]
            if unknown:
                raise KeyError(f"{table} has no column {', '.join(unknown)}")
            values = [_TO_CELL[columns[name]](row[name]) for name in (*names, key)]
            groups.setdefault(names, []).append(values)
        written = 0
        with self.transaction() as sql:
            for names, group in groups.items():
                if not names:
                    continue
                assignments = ", ".join(f"{identifier(name)} = ?" for name in names)
                statement = f"UPDATE {identifier(table)} SET {assignments} WHERE {identifier(key)} = ?"  # noqa: S608
                written += sql.executemany(statement, group).rowcount
        return written

    def row(self, table: str, key: str, *, column: str = "Id") -> dict[str, Cell] | None:
        """One row by its key, or None."""
        with self._lock:
            statement = f"SELECT * FROM {identifier(table)} WHERE {identifier(column)} = ?"  # noqa: S608
            cursor = self._sql.execute(statement, (key,))
            found = cursor.fetchone()
            return (
                None if found is None else dict(zip((c[0] for c in cursor.description), found, strict=True))
            )

    def rows(self, table: str, keys: Sequence[str]) -> dict[str, dict[str, Cell]]:
        """Rows by their Id; those that do not exist are missing."""
        with self._lock:
            statement = f"SELECT * FROM {identifier(table)} WHERE Id IN (SELECT value FROM json_each(?))"  # noqa: S608
            cursor = self._sql.execute(statement, (json.dumps(list(keys)),))
            names = [c[0] for c in cursor.description]
            found = [dict(zip(names, row, strict=True)) for row in cursor]
        return {str(row["Id"]): row for row in found}

    def next_number(self, name: str, *, first: int = 1) -> int:
        """The next number of a sequence that only goes up."""
        with self.transaction() as sql:
            found = sql.execute(
                "INSERT INTO sequences (name, last) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last",
                (name, first),
            ).fetchall()
            return int(found[0][0])

    def _known(self, table: str) -> Mapping[str, str]:
        columns = self.columns(table)
        if not columns:
            raise KeyError(f"{self.path} has no table {table!r}")
        return columns
