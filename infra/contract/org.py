"""What the contract suite asks of a CRM's stand-in, in words that no vendor owns.

A harness starts the stand-in, is its people (who create, edit, delete, merge, and change fields and rights),
breaks it in the ways that the vendor is known for, and reads the truth past the API. A third CRM adds one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import pyarrow as pa

from connectors.crm import Crm, OrgInfo, Window
from connectors.fields import field_specs
from connectors.sandbox.audit import AuditedChange, AuditedRequest
from connectors.sandbox.clock import advance
from connectors.sandbox.faults import Edit, FaultRule
from connectors.sandbox.server import Sandbox
from connectors.sandbox.wire import Request, Response
from connectors.transport import RetryPolicy

Part = Literal["any", "login", "describe", "pull", "read", "write", "tasks", "find"]
Login = Literal["good", "refused", "renewable"]

AT_ONCE: Final = RetryPolicy(sleep=lambda _: None)
FAR: Final = datetime.fromisoformat("2100-01-01T00:00:00+00:00")


class Org(ABC):
    """One org or account on loopback. Records and values are named by canonical table and column."""

    kind: ClassVar[str]
    parts: ClassVar[Mapping[Part, str]]  # what a connector does -> endpoints of the stand-in
    busy: ClassVar[Mapping[str, Any]]  # the fault that says "try again in a moment"
    quota: ClassVar[Mapping[str, Any]]  # the fault that says "no more calls today"
    columns: ClassVar[Mapping[str, Mapping[str, str]]]  # table -> column -> field, of cells that people type
    unknown_owner: ClassVar[str]  # an id like an owner's, of nobody
    unknown_account: ClassVar[str]  # an id like an account's, of no record that ever was
    text_settings: ClassVar[Sequence[str]]  # the vendor's settings that are a text

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self._connections: list[Crm] = []
        self._earlier = max((each.number for each in sandbox.audit.requests()), default=0)

    # --- ours -----------------------------------------------------------------------------------------

    def connect(self, login: Login = "good", *, url: str | None = None, **options: Any) -> Crm:
        """A connection, closed with the org; retries wait for nothing. `url` leads somewhere else."""
        options.setdefault("retry", AT_ONCE)
        crm = self._connect(login, url or self.sandbox.url, options)
        self._connections.append(crm)
        return crm

    @abstractmethod
    def _connect(self, login: Login, url: str, options: Mapping[str, Any]) -> Crm: ...

    @abstractmethod
    def log_in(self, **settings: str) -> OrgInfo:
        """Which org it is, by way of a connection with these settings of the vendor's own."""

    @property
    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """What must never be shown."""

    def ours(self, key: str) -> str:
        """The vendor's name of one of our fields."""
        spec = field_specs()[key]
        return str(getattr(spec, self.kind))

    # --- people ---------------------------------------------------------------------------------------

    @abstractmethod
    def create(self, table: str, **values: Any) -> str:
        """A person creates a record; its id."""

    @abstractmethod
    def edit(self, table: str, record_id: str, values: Mapping[str, Any]) -> None:
        """A person edits a record; fields by the vendor's names."""

    @abstractmethod
    def delete(self, table: str, record_id: str) -> None:
        """A person deletes a record."""

    @abstractmethod
    def merge(self, table: str, survivor: str, loser: str) -> str:
        """A person merges two records; the id of what they became."""

    @abstractmethod
    def many(self, table: str, number: int, *, at: datetime, **cells: Any) -> list[str]:
        """As many records as nobody types, all stamped `at`, with cells by the vendor's names; their ids in
        the order of ids."""

    @abstractmethod
    def stamp(self, table: str, record_id: str, at: datetime) -> None:
        """The record was last modified `at`, as one that a long transaction commits late."""

    @abstractmethod
    def remove_field(self, key: str) -> None:
        """An administrator removes one of our account fields."""

    @abstractmethod
    def retype_field(self, key: str) -> None:
        """An administrator makes one of our account fields that is no text a text field."""

    @abstractmethod
    def hide_field(self, key: str) -> None:
        """One of our account fields is out of sight, its values kept."""

    @abstractmethod
    def show_field(self, key: str) -> None:
        """It is back, with its values."""

    @abstractmethod
    def forbid_writing(self) -> None:
        """An administrator takes away our right to write account fields."""

    @abstractmethod
    def allow_writing(self) -> None:
        """The administrator gives that right back."""

    @abstractmethod
    def hide(self, table: str) -> None:
        """An administrator takes away our right to see a table's object."""

    # --- faults ---------------------------------------------------------------------------------------

    def break_(self, part: Part, kind: str, **rule: Any) -> None:
        """One more fault for what the connector does: the vendor's `busy` and `quota`, else a kind of the
        stand-in's (reset_before, reset_after, late, lock, expire_session, edit)."""
        named: Mapping[str, Any] = {"busy": self.busy, "quota": self.quota}.get(kind, {"kind": kind})
        given = {"endpoint": self.parts[part], **named, **rule}
        if isinstance(given.get("edit"), Edit):
            given["edit"] = {name: getattr(given["edit"], name) for name in ("object", "id", "values")}
        self.sandbox.faults.add(**given)

    def expire_sessions(self, **rule: Any) -> None:
        """Sessions are lost when they are used; `request` and `times` narrow it down."""
        self.sandbox.faults.add(endpoint="*", kind="expire_session", **rule)

    def after_each(self, part: Part, act: Callable[[], object]) -> None:
        """Do something each time a request of this purpose has been answered, before its reply leaves."""
        answer, rule = self.sandbox.answer, FaultRule(kind="delay", endpoint=self.parts[part])

        def acting(method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
            reply = answer(method, target, headers, body)
            request = Request.parse(number=0, method=method, target=target)
            if rule.about(self.sandbox.dialect.endpoint(request), method, request.path):
                act()
            return reply

        self.sandbox.answer = acting  # type: ignore[method-assign]  # of this one server

    def mend(self) -> None:
        """No faults from here on."""
        self.sandbox.faults.clear()

    # --- the truth ------------------------------------------------------------------------------------

    @abstractmethod
    def truth(self, table: str, **also: str) -> Mapping[str, Mapping[str, Any]]:
        """The live records as the stand-in holds them: id -> column -> cell; `also` are columns with their
        fields."""

    @abstractmethod
    def held(self, table: str, record_id: str) -> Mapping[str, Any]:
        """One record's cells by the vendor's names."""

    @property
    def now(self) -> datetime:
        """The stand-in's clock."""
        return self.sandbox.clock.now()

    def advance(self, **span: float) -> datetime:
        """Let time pass; the new time."""
        return advance(self.sandbox.store, timedelta(**span))

    def requests(self, part: Part = "any") -> list[AuditedRequest]:
        """What was asked for this purpose since the harness was made, oldest first."""
        rule = FaultRule(kind="delay", endpoint=self.parts[part])
        return [
            each
            for each in self.sandbox.audit.requests()
            if each.number > self._earlier and rule.about(each.endpoint, each.method, each.path)
        ]

    def our_changes(self, record_id: str = "") -> list[AuditedChange]:
        """Cells that a request changed since then, oldest first; of one record or of all."""
        return [
            each
            for each in self.sandbox.audit.changes()
            if (each.request or 0) > self._earlier and record_id in {"", each.id}
        ]

    def close(self) -> None:
        """Close connections and server."""
        for crm in self._connections:
            crm.close()
        self.sandbox.close()


def rows_of(
    crm: Crm, table: str, since: datetime | None = None, until: datetime = FAR
) -> list[dict[str, Any]]:
    """All rows of a pull, in its order."""
    pages = list(crm.pull(table, Window(since=since, until=until)))
    return pa.concat_tables(pages).to_pylist() if pages else []


def landed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The rows as the lake holds them: the newest of each record, of equal ones the last."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        before = found.get(row["crm_id"])
        if before is None or before["modified_at"] is None or row["modified_at"] >= before["modified_at"]:
            found[row["crm_id"]] = row
    return found
