"""A HubSpot account for the contract suite, in any of the API's dialects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from connectors.crm import Crm, OrgInfo
from connectors.hubspot.crm import Hubspot
from connectors.hubspot.settings import HubspotSettings
from connectors.sandbox.hubspot.auth import SCOPES, grant
from connectors.sandbox.hubspot.person import person_archive, person_create, person_edit, person_merge
from connectors.sandbox.hubspot.schema import ARCHIVED, NUMBER, Property, Schema
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.server import Sandbox
from infra.contract.org import AT_ONCE, Login, Org, Part

_OBJECTS: Final = {"accounts": "companies", "contacts": "contacts", "tickets": "tickets", "tasks": "tasks"}
_PULLED: Final = ("companies", "contacts", "deals", "line_items", "products", "tickets", "meetings", "calls")
_WIDE: Final = {"burst": 1_000_000, "searches": 1_000_000, "index_lag": 0}
_SCOPES: Final = {"accounts": "companies", "contacts": "contacts", "tickets": "tickets"}


class HubspotOrg(Org):
    """A Professional account, seen through a project app; rate limits are wide: they have own tests."""

    kind = "hubspot"
    parts: ClassVar[Mapping[Part, str]] = {
        "any": "*",
        "login": "token",
        "describe": "*.properties.list",
        "pull": "|".join(f"{name}.{way}" for name in _PULLED for way in ("list", "search")),
        "read": "*.batch.read",
        "write": "companies.batch.update",
        "tasks": "tasks.batch.create",
        "find": "tasks.search|tasks.batch.read",
    }
    busy: ClassVar[Mapping[str, Any]] = {"kind": "status", "status": 429, "code": "TEN_SECONDLY_ROLLING"}
    quota: ClassVar[Mapping[str, Any]] = {"kind": "status", "status": 429, "code": "DAILY"}
    columns: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "accounts": {"name": "name", "website": "website", "country": "country"},
        "contacts": {"name": "lastname", "email": "email", "account_crm_id": "associatedcompanyid"},
        "tickets": {"subject": "subject"},
    }
    unknown_owner = "999999"
    unknown_account = "987654321"
    text_settings = ("api_version", "base_url", "token", "client_id", "client_secret")

    def __init__(self, folder: Path, *, dialect: str, sandbox: Sandbox | None = None, **limits: int) -> None:
        super().__init__(folder, sandbox or Sandbox(folder, "hubspot", **{**_WIDE, **limits}))
        self.dialect = dialect
        self._archived: dict[str, Property] = {}

    def settings(self, login: Login = "good", **changes: Any) -> HubspotSettings:
        """A static token, a wrong one, or a refresh token."""
        values: dict[str, Any] = {"base_url": self.sandbox.url, "api_version": self.dialect}
        token, client_secret, refresh_token = self.secrets
        if login == "renewable":
            facts = json.loads((self.folder / "sandbox.json").read_text(encoding="utf-8"))
            values |= {"client_id": facts["client_id"], "client_secret": client_secret}
            values |= {"refresh_token": refresh_token}
        else:
            values["token"] = token if login == "good" else "pat-na1-00000000-0000-0000-0000-000000000000"
        return HubspotSettings(**{**values, **changes})

    def _connect(self, login: Login, url: str, options: Mapping[str, Any]) -> Crm:
        return Hubspot.connect(self.settings(login, base_url=url), **options)

    def log_in(self, **settings: str) -> OrgInfo:
        """Which account it is, by way of a connection with these settings."""
        login: Login = "renewable" if settings.keys() & {"client_id", "client_secret"} else "good"
        crm = Hubspot.connect(self.settings(login, **settings), retry=AT_ONCE)
        try:
            return crm.org()
        finally:
            crm.close()

    @property
    def secrets(self) -> Sequence[str]:
        """The static token, the app's secret and the refresh token."""
        folder = self.folder / "secrets"
        return [(folder / name).read_text().strip() for name in ("token", "client_secret", "refresh_token")]

    def create(self, table: str, **values: Any) -> str:
        """A person creates a record; its id."""
        return person_create(self.sandbox.store, _OBJECTS[table], self._properties(table, values))

    def edit(self, table: str, record_id: str, values: Mapping[str, Any]) -> None:
        """A person edits a record."""
        person_edit(self.sandbox.store, _OBJECTS[table], record_id, values)

    def delete(self, table: str, record_id: str) -> None:
        """A person archives a record."""
        person_archive(self.sandbox.store, _OBJECTS[table], record_id)

    def merge(self, table: str, survivor: str, loser: str) -> str:
        """A person merges two records: a new one comes of them."""
        return person_merge(self.sandbox.store, _OBJECTS[table], survivor, loser)

    def many(self, table: str, number: int, *, at: datetime, **cells: Any) -> list[str]:
        """Records stamped `at`."""
        kind = Schema(self.sandbox.store).types()[_OBJECTS[table]]
        first = self.sandbox.store.next_number("contract", first=1) * 1_000_000
        ids = [first + each for each in range(number)]
        stamps = {kind.created: iso(at), kind.modified: iso(at), ARCHIVED: 0}
        name = self.columns[table]["name"]
        rows = [
            {"Id": str(each), NUMBER: each, name: f"N {n}", **stamps, **cells} for n, each in enumerate(ids)
        ]
        self.sandbox.store.bulk_insert(kind.name, rows)
        return [str(each) for each in ids]

    def stamp(self, table: str, record_id: str, at: datetime) -> None:
        """The record was last modified `at`."""
        kind = Schema(self.sandbox.store).types()[_OBJECTS[table]]
        self.sandbox.store.bulk_update(kind.name, [{"Id": record_id, kind.modified: iso(at)}])

    def remove_field(self, key: str) -> None:
        """An administrator archives a property."""
        Schema(self.sandbox.store).archive("companies", self.ours(key), iso(self.now))

    def retype_field(self, key: str) -> None:
        """An administrator changes a property's field type to single-line text."""
        schema = Schema(self.sandbox.store)
        held = schema.types()["companies"].properties[self.ours(key)]
        schema.add("companies", [replace(held, type="string", field_type="text", options=(), currency=False)])

    def hide_field(self, key: str) -> None:
        """An administrator archives the property; its values come back with it."""
        self._archived[key] = Schema(self.sandbox.store).types()["companies"].properties[self.ours(key)]
        self.remove_field(key)

    def show_field(self, key: str) -> None:
        """An administrator restores it."""
        Schema(self.sandbox.store).add("companies", [self._archived.pop(key)])

    def forbid_writing(self) -> None:
        """An administrator takes the scope to write companies from the app."""
        grant(self.sandbox.store, tuple(each for each in SCOPES if each != "crm.objects.companies.write"))

    def allow_writing(self) -> None:
        """An administrator gives the scope back."""
        grant(self.sandbox.store, SCOPES)

    def hide(self, table: str) -> None:
        """An administrator takes the object's scopes from the app."""
        about = _SCOPES[table]
        grant(self.sandbox.store, tuple(each for each in SCOPES if about not in each))

    def truth(self, table: str, **also: str) -> Mapping[str, Mapping[str, Any]]:
        """The live records."""
        columns = {**self.columns[table], **also}
        listed = ", ".join(f'"{name}"' for name in columns.values())
        rows = self.sandbox.store.select(
            f'SELECT Id, {listed} FROM "{_OBJECTS[table]}" WHERE "{ARCHIVED}" = 0'
        )
        return {str(row[0]): dict(zip(columns, row[1:], strict=True)) for row in rows}

    def held(self, table: str, record_id: str) -> Mapping[str, Any]:
        """One record's properties."""
        return dict(self.sandbox.store.row(_OBJECTS[table], record_id) or {})

    def _properties(self, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {self.columns[table].get(column, column): value for column, value in values.items()}
