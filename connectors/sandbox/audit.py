"""What was asked of the sandbox and what changed in it, kept in its own SQLite file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from connectors.sandbox.store import Cell, Store, stamp
from connectors.sandbox.wire import SentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRequest:
    """One request. `path` has no query string on login endpoints, and bodies are never kept."""

    number: int
    at: str
    endpoint: str
    method: str
    path: str
    status: int  # 0 when the connection was reset
    api_calls: int
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedChange:
    """One changed cell; `request` is None for an edit that came through no request."""

    request: int | None
    at: str
    object: str
    id: str
    field: str
    before: Cell
    after: Cell
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRow:
    """One row that a writing request carried, whatever became of it; equal rows have equal digests."""

    request: int
    id: str | None  # None for a row that was to be created
    digest: str


class Audit:
    """The audit log of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE IF NOT EXISTS audit_requests (number INTEGER PRIMARY KEY, at TEXT,"
                " endpoint TEXT, method TEXT, path TEXT, status INTEGER, api_calls INTEGER, fault TEXT)"
            )
            sql.execute(
                "CREATE TABLE IF NOT EXISTS audit_changes (n INTEGER PRIMARY KEY, request INTEGER, at TEXT,"
                " object TEXT, id TEXT, field TEXT, before, after, by TEXT)"
            )
            sql.execute(
                "CREATE TABLE IF NOT EXISTS audit_rows (n INTEGER PRIMARY KEY, request INTEGER, id TEXT,"
                " digest TEXT)"
            )

    def next_number(self) -> int:
        """The number of the next request; it goes on counting over restarts."""
        return self._store.next_number("request")

    def latest(self) -> str | None:
        """When the last request came in, by the sandbox's clock."""
        found = self._store.select("SELECT max(at) FROM audit_requests")[0][0]
        return None if found is None else str(found)

    def record(
        self,
        *,
        number: int,
        at: datetime,
        endpoint: str,
        method: str,
        path: str,
        status: int,
        api_calls: int,
        fault: str | None,
        rows: Iterable[SentRow] = (),
    ) -> None:
        """Keep one request and which rows it carried; of what it wanted to write there, a digest only."""
        with self._store.transaction() as sql:
            sql.execute(
                "INSERT INTO audit_requests VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (number, stamp(at), endpoint, method, path, status, api_calls, fault),
            )
            sql.executemany(
                "INSERT INTO audit_rows (request, id, digest) VALUES (?, ?, ?)",
                ((number, row_id, _digest(content)) for row_id, content in rows),
            )

    def changed(self, changes: Iterable[AuditedChange]) -> None:
        """Keep changed cells; part of the transaction that changed them."""
        with self._store.transaction() as sql:
            sql.executemany(
                "INSERT INTO audit_changes (request, at, object, id, field, before, after, by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((c.request, c.at, c.object, c.id, c.field, c.before, c.after, c.by) for c in changes),
            )

    def requests(self) -> list[AuditedRequest]:
        """Every request so far, oldest first."""
        rows = self._store.select(
            "SELECT number, at, endpoint, method, path, status, api_calls, fault"
            " FROM audit_requests ORDER BY number"
        )
        names = ("number", "at", "endpoint", "method", "path", "status", "api_calls", "fault")
        return [AuditedRequest(**dict(zip(names, row, strict=True))) for row in rows]  # type: ignore[arg-type]  # typed by the table

    def rows(self) -> list[AuditedRow]:
        """Every row that a writing request carried so far, in the order in which they were handled."""
        rows = self._store.select("SELECT request, id, digest FROM audit_rows ORDER BY n")
        return [AuditedRow(request=int(r or 0), id=i, digest=str(d)) for r, i, d in rows]  # type: ignore[arg-type]  # typed by the table

    def changes(self) -> list[AuditedChange]:
        """Every changed cell so far, oldest first."""
        rows = self._store.select(
            "SELECT request, at, object, id, field, before, after, by FROM audit_changes ORDER BY n"
        )
        names = ("request", "at", "object", "id", "field", "before", "after", "by")
        return [AuditedChange(**dict(zip(names, row, strict=True))) for row in rows]  # type: ignore[arg-type]  # typed by the table


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
