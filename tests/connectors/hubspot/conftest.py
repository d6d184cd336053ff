"""A HubSpot account on loopback with people in it, and connections to it by the real client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.crm import Crm, Window
from connectors.fields import field_specs
from connectors.hubspot.crm import Hubspot
from connectors.hubspot.settings import HubspotSettings
from connectors.sandbox.clock import advance
from connectors.sandbox.faults import Edit, FaultRule
from connectors.sandbox.hubspot.auth import grant
from connectors.sandbox.hubspot.person import at_work, person_archive, person_create, person_edit
from connectors.sandbox.hubspot.schema import Schema
from connectors.sandbox.server import Sandbox
from connectors.transport import RetryPolicy

PATIENT = RetryPolicy(sleep=lambda _: None)  # retries at once
WIDE = {"burst": 1_000_000, "searches": 1_000_000, "index_lag": 0}  # limits are tested where they matter
_TYPES = {"parent": 14}


class Account:
    """The sandbox with shorthands."""

    def __init__(self, folder: Path, **limits: int) -> None:
        self.folder = folder
        self.sandbox = Sandbox(folder, "hubspot", **{**WIDE, **limits})  # type: ignore[arg-type]  # whole numbers
        self._connections: list[Hubspot] = []

    def settings(self, **changes: Any) -> HubspotSettings:
        """Right settings, but for the changes."""
        token = (self.folder / "secrets" / "token").read_text().strip()
        return HubspotSettings(**{"base_url": self.sandbox.url, "token": token, **changes})

    def oauth(self, **changes: Any) -> HubspotSettings:
        """Settings with a refresh token."""
        facts = json.loads((self.folder / "sandbox.json").read_text())
        secrets = self.folder / "secrets"
        values = {
            "token": None,
            "client_id": facts["client_id"],
            "client_secret": (secrets / "client_secret").read_text().strip(),
            "refresh_token": (secrets / "refresh_token").read_text().strip(),
        }
        return self.settings(**{**values, **changes})

    def connect(self, settings: HubspotSettings | None = None, **options: Any) -> Hubspot:
        """A connection, closed with the account; that it is a Crm, the type checker proves here."""
        options.setdefault("retry", PATIENT)
        crm: Crm = Hubspot.connect(settings or self.settings(), **options)
        assert isinstance(crm, Hubspot)
        self._connections.append(crm)
        return crm

    def create(self, object_name: str, **values: Any) -> str:
        """A person creates a record."""
        return person_create(self.sandbox.store, object_name, values)

    def edit(self, object_name: str, record_id: str, **values: Any) -> None:
        """A person edits a record."""
        person_edit(self.sandbox.store, object_name, record_id, values)

    def archive(self, object_name: str, record_id: str) -> None:
        """A person archives a record."""
        person_archive(self.sandbox.store, object_name, record_id)

    def link(self, object_name: str, record_id: str, to_id: str, type_id: int) -> None:
        """A person associates two records."""
        with at_work(self.sandbox.store, object_name) as (kind, _records, linker):
            linker.associate(kind, record_id, to_id, [type_id])

    def unlink(self, object_name: str, record_id: str, other_name: str, to_id: str) -> None:
        """A person takes two records apart."""
        with at_work(self.sandbox.store, object_name) as (kind, _records, linker):
            linker.dissociate(kind, record_id, Schema(self.sandbox.store).types()[other_name], to_id)

    def merge(self, crm: Hubspot, object_name: str, survivor: str, loser: str) -> str:
        """Another app merges two records; the survivor's id."""
        path = f"{crm._client.paths.records(object_name)}/merge"
        body = {"primaryObjectId": survivor, "objectIdToMerge": loser}
        return str(crm._client.send(path, body)["id"])

    def grant(self, *scopes: str) -> None:
        """An administrator changes what the app may do."""
        grant(self.sandbox.store, scopes)

    def advance(self, **span: float) -> datetime:
        """Move the account's time on; the new time."""
        return advance(self.sandbox.store, timedelta(**span))

    def fault(self, **rule: Any) -> None:
        """Replace the faults by one."""
        if "edit" in rule:
            rule["edit"] = Edit(**rule["edit"])
        self.sandbox.faults.replace([FaultRule(**rule)])

    def requests(self, endpoint: str = "") -> list[Any]:
        """What the account was asked, oldest first."""
        return [each for each in self.sandbox.audit.requests() if endpoint in each.path]

    def close(self) -> None:
        """Close connections and server."""
        for crm in self._connections:
            crm.close()
        self.sandbox.close()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """An account without our properties."""
    with_people = Account(tmp_path / "account")
    yield with_people
    with_people.close()


@pytest.fixture(scope="session")
def installed_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an account into which our properties were installed."""
    made = Account(tmp_path_factory.mktemp("installed") / "account")
    made.connect().install(list(field_specs().values()), apply=True)
    made.close()
    return made.folder


@pytest.fixture
def opened() -> Iterator[Callable[..., Account]]:
    """Open an account in a folder with limits of its own; closed afterwards."""
    made: list[Account] = []

    def open_(folder: Path, **limits: int) -> Account:
        made.append(Account(folder, **limits))
        return made[-1]

    yield open_
    for each in made:
        each.close()


@pytest.fixture
def our_account(installed_account: Path, tmp_path: Path, opened: Callable[..., Account]) -> Account:
    """An account with our properties."""
    folder = tmp_path / "ours"
    shutil.copytree(installed_account, folder)
    return opened(folder)


@pytest.fixture
def pulled() -> Callable[..., list[dict[str, Any]]]:
    """All rows of a pulled table, as dicts."""

    def pull(
        crm: Hubspot, table: str, since: datetime | None = None, until: datetime | None = None
    ) -> list[dict[str, Any]]:
        window = Window(since=since, until=until or datetime(2100, 1, 1, tzinfo=UTC))
        pages = list(crm.pull(table, window))
        return pa.concat_tables(pages).to_pylist() if pages else []

    return pull


@pytest.fixture
def by_id() -> Callable[[list[dict[str, Any]]], Mapping[str, dict[str, Any]]]:
    """Rows by their CRM id; the last one wins, as in the lake."""
    return lambda rows: {row["crm_id"]: row for row in rows}
