"""A Salesforce org for the contract suite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from connectors.crm import Crm, OrgInfo
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.person import (
    person_create,
    person_delete,
    person_edit,
    person_hide,
    person_merge,
)
from connectors.sandbox.salesforce.schema import Schema
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import stamp
from infra.contract.org import AT_ONCE, Login, Org, Part

_OBJECTS: Final = {"accounts": "Account", "contacts": "Contact", "tickets": "Case", "tasks": "Task"}
_PREFIXES: Final = {"accounts": "001", "contacts": "003"}


class SalesforceOrg(Org):
    """An Enterprise Edition org, seen through the External Client App of its integration user."""

    kind = "salesforce"
    parts: ClassVar[Mapping[Part, str]] = {
        "any": "*",
        "login": "token",
        "describe": "describe",
        "pull": "query*|bulk*",
        "read": "collections.read|composite",
        "write": "collections.update|composite|record.update",
        "tasks": "collections.create",
        "find": "query*",
    }
    busy: ClassVar[Mapping[str, Any]] = {"kind": "status", "status": 503, "code": "SERVER_UNAVAILABLE"}
    quota: ClassVar[Mapping[str, Any]] = {
        "kind": "status",
        "status": 403,
        "code": "REQUEST_LIMIT_EXCEEDED",
        "message": "TotalRequests Limit exceeded.",
    }
    columns: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "accounts": {"name": "Name", "website": "Website", "country": "BillingCountry"},
        "contacts": {"name": "LastName", "email": "Email", "account_crm_id": "AccountId"},
        "tickets": {"subject": "Subject", "account_crm_id": "AccountId"},
    }
    unknown_owner = salesforce_id("005", 999_999)
    unknown_account = salesforce_id("001", 987_654_321)
    text_settings = ("api_version", "login_url", "instance_url", "client_id", "client_secret", "auth")

    def __init__(self, folder: Path, *, sandbox: Sandbox | None = None, **limits: int) -> None:
        super().__init__(folder, sandbox or Sandbox(folder, "salesforce", **limits))

    def settings(self, **changes: Any) -> SalesforceSettings:
        """Right settings, but for the changes."""
        facts = json.loads((self.folder / "sandbox.json").read_text(encoding="utf-8"))
        values = {
            "login_url": self.sandbox.url,
            "auth": "client_credentials",
            "client_id": facts["client_id"],
            "client_secret": self.secrets[0],
            "currency": "USD",
        }
        return SalesforceSettings(**{**values, **changes})

    def _connect(self, login: Login, url: str, options: Mapping[str, Any]) -> Crm:
        changes: dict[str, Any] = {"login_url": url}
        if login == "refused":
            changes["client_secret"] = "0" * 64
        return Salesforce.connect(self.settings(**changes), **options)

    def log_in(self, **settings: str) -> OrgInfo:
        """Which org it is, by way of a connection with these settings."""
        crm = Salesforce.connect(self.settings(**settings), retry=AT_ONCE)
        try:
            return crm.org()
        finally:
            crm.close()

    @property
    def secrets(self) -> Sequence[str]:
        """The app's secret and refresh token."""
        folder = self.folder / "secrets"
        return [(folder / name).read_text().strip() for name in ("client_secret", "refresh_token")]

    def create(self, table: str, **values: Any) -> str:
        """A person creates a record; its id."""
        return person_create(self.sandbox.store, _OBJECTS[table], self._fields(table, values))

    def edit(self, table: str, record_id: str, values: Mapping[str, Any]) -> None:
        """A person edits a record."""
        person_edit(self.sandbox.store, _OBJECTS[table], record_id, values)

    def delete(self, table: str, record_id: str) -> None:
        """A person deletes a record."""
        person_delete(self.sandbox.store, _OBJECTS[table], record_id)

    def merge(self, table: str, survivor: str, loser: str) -> str:
        """A person merges two records: the survivor keeps its id."""
        person_merge(self.sandbox.store, _OBJECTS[table], survivor, [loser])
        return survivor

    def many(self, table: str, number: int, *, at: datetime, **cells: Any) -> list[str]:
        """Records stamped `at`."""
        first = self.sandbox.store.next_number("contract", first=1) * 1_000_000
        ids = [salesforce_id(_PREFIXES[table], first + each) for each in range(number)]
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), stamp(at))
        name = self.columns[table]["name"]
        rows = [
            {"Id": each, name: f"N {n}", "Name": f"N {n}", "IsDeleted": False, **stamps, **cells}
            for n, each in enumerate(ids)
        ]
        self.sandbox.store.bulk_insert(_OBJECTS[table], rows)
        return ids

    def stamp(self, table: str, record_id: str, at: datetime) -> None:
        """The record was last modified `at`."""
        stamps = dict.fromkeys(("LastModifiedDate", "SystemModstamp"), stamp(at))
        self.sandbox.store.bulk_update(_OBJECTS[table], [{"Id": record_id, **stamps}])

    def remove_field(self, key: str) -> None:
        """An administrator deletes a field in Setup."""
        Schema(self.sandbox.store).remove_field("Account", self.ours(key))

    def retype_field(self, key: str) -> None:
        """An administrator changes a field's type to Text, which keeps what it held."""
        store, name = self.sandbox.store, self.ours(key)
        schema = Schema(store)
        held = schema.objects()["account"].fields[name.lower()]
        cells = store.select(f'SELECT Id, "{name}" FROM Account WHERE "{name}" IS NOT NULL')
        changed = replace(held, type="string", length=80, precision=0, scale=0, digits=0, values=())
        with store.transaction():
            store.drop_column("Account", name)
            schema.add_fields("Account", [changed])
            store.bulk_update("Account", [{"Id": record, name: f"{cell:g}"} for record, cell in cells])

    def hide_field(self, key: str) -> None:
        """An administrator takes read access out of the permission set."""
        self._permit("PermissionsRead", 0, f"Account.{self.ours(key)}")

    def show_field(self, key: str) -> None:
        """An administrator gives it back."""
        self._permit("PermissionsRead", 1, f"Account.{self.ours(key)}")

    def forbid_writing(self) -> None:
        """An administrator takes edit access to our fields out of the permission set."""
        self._permit("PermissionsEdit", 0, "Account.Expansion%")

    def allow_writing(self) -> None:
        """An administrator gives it back."""
        self._permit("PermissionsEdit", 1, "Account.Expansion%")

    def hide(self, table: str) -> None:
        """An administrator takes the object out of the permission set: to us it does not exist."""
        person_hide(self.sandbox.store, _OBJECTS[table])

    def truth(self, table: str, **also: str) -> Mapping[str, Mapping[str, Any]]:
        """The live records."""
        columns = {**self.columns[table], **also}
        listed = ", ".join(f'"{field}"' for field in columns.values())
        rows = self.sandbox.store.select(f'SELECT Id, {listed} FROM "{_OBJECTS[table]}" WHERE NOT IsDeleted')
        return {str(row[0]): dict(zip(columns, row[1:], strict=True)) for row in rows}

    def held(self, table: str, record_id: str) -> Mapping[str, Any]:
        """One record's cells."""
        return dict(self.sandbox.store.row(_OBJECTS[table], record_id) or {})

    def _permit(self, right: str, given: int, fields: str) -> None:
        with self.sandbox.store.transaction() as sql:
            sql.execute(f"UPDATE FieldPermissions SET {right} = ? WHERE Field LIKE ?", (given, fields))

    def _fields(self, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {self.columns[table].get(column, column): value for column, value in values.items()}
