"""A Salesforce org on loopback with people in it, and connections to it by the real client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.crm import Window
from connectors.fields import field_specs, object_specs
from connectors.installing import Extras
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.sandbox.clock import advance
from connectors.sandbox.faults import Edit, FaultRule
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.person import person_create, person_delete, person_edit, person_hide
from connectors.sandbox.server import Sandbox
from connectors.transport import RetryPolicy

PATIENT = RetryPolicy(sleep=lambda _: None)  # retries at once


class Org:
    """The sandbox with shorthands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sandbox = Sandbox(folder)
        self._connections: list[Salesforce] = []

    def settings(self, auth: str = "client_credentials", **changes: Any) -> SalesforceSettings:
        """Right settings, but for the changes."""
        facts = json.loads((self.folder / "sandbox.json").read_text())
        secrets = self.folder / "secrets"
        values = {
            "login_url": self.sandbox.url,
            "auth": auth,
            "client_id": facts["client_id"],
            "username": facts["username"],
            "client_secret": (secrets / "client_secret").read_text().strip(),
            "refresh_token": (secrets / "refresh_token").read_text().strip(),
            "private_key_file": str(secrets / "jwt_key.pem"),
            "currency": "EUR",
        }
        return SalesforceSettings(**{**values, **changes})

    def connect(self, settings: SalesforceSettings | None = None, **options: Any) -> Salesforce:
        """A connection, closed with the org."""
        options.setdefault("retry", PATIENT)
        crm = Salesforce.connect(settings or self.settings(), **options)
        self._connections.append(crm)
        return crm

    def create(self, object_name: str, **values: Any) -> str:
        """A person creates a record."""
        return person_create(self.sandbox.store, object_name, values)

    def edit(self, object_name: str, record_id: str, **values: Any) -> None:
        """A person edits a record."""
        person_edit(self.sandbox.store, object_name, record_id, values)

    def delete(self, object_name: str, record_id: str) -> None:
        """A person deletes a record."""
        person_delete(self.sandbox.store, object_name, record_id)

    def many_accounts(self, number: int) -> list[str]:
        """As many accounts as no person would type; their ids."""
        stamp = "2026-01-05T08:00:00.000+0000"
        facts = {"CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp, "IsDeleted": False}
        ids = [salesforce_id("001", 10_000 + each) for each in range(number)]
        self.sandbox.store.bulk_insert(
            "Account", [{"Id": each, "Name": f"A {each}", **facts} for each in ids]
        )
        return ids

    def hide(self, name: str) -> None:
        """An administrator takes an object, or a field (Object.Field), away from the integration user."""
        person_hide(self.sandbox.store, name)

    def advance(self, **span: float) -> datetime:
        """Move the org's time on; the new time."""
        return advance(self.sandbox.store, timedelta(**span))

    def fault(self, **rule: Any) -> None:
        """Replace the faults by one."""
        if "edit" in rule:
            rule["edit"] = Edit(**rule["edit"])
        self.sandbox.faults.replace([FaultRule(**rule)])

    def requests(self, endpoint: str = "") -> list[Any]:
        """What the org was asked, oldest first."""
        return [each for each in self.sandbox.audit.requests() if endpoint in each.path]

    def close(self) -> None:
        """Close connections and server."""
        for crm in self._connections:
            crm.close()
        self.sandbox.close()


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an org without our fields, made once: its keys take a while to find."""
    made = Org(tmp_path_factory.mktemp("empty") / "org")
    made.close()
    return made.folder


@pytest.fixture
def org_in() -> Callable[[Path], Org]:
    """Serves the org of a folder."""
    return Org


@pytest.fixture
def org(empty_folder: Path, tmp_path: Path) -> Iterator[Org]:
    """An org without our fields."""
    folder = tmp_path / "org"
    shutil.copytree(empty_folder, folder)
    with_people = Org(folder)
    yield with_people
    with_people.close()


@pytest.fixture(scope="session")
def installed_folder(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an org into which our fields were installed."""
    folder = tmp_path_factory.mktemp("installed") / "org"
    shutil.copytree(empty_folder, folder)
    made = Org(folder)
    made.connect().install(list(field_specs().values()), apply=True)
    made.close()
    return made.folder


@pytest.fixture
def our_org(installed_folder: Path, tmp_path: Path) -> Iterator[Org]:
    """An org with our fields."""
    folder = tmp_path / "ours"
    shutil.copytree(installed_folder, folder)
    with_people = Org(folder)
    yield with_people
    with_people.close()


@pytest.fixture(scope="session")
def full_folder(installed_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an org with our fields, our objects and what people look at."""
    folder = tmp_path_factory.mktemp("full") / "org"
    shutil.copytree(installed_folder, folder)
    made = Org(folder)
    specs, objects = list(field_specs().values()), list(object_specs().values())
    made.connect().install(specs, objects, extras=Extras(views=True), apply=True)
    made.close()
    return made.folder


@pytest.fixture
def full_org(full_folder: Path, tmp_path: Path) -> Iterator[Org]:
    """An org with our fields, our objects and what people look at."""
    folder = tmp_path / "full"
    shutil.copytree(full_folder, folder)
    with_people = Org(folder)
    yield with_people
    with_people.close()


@pytest.fixture
def pulled() -> Callable[..., list[dict[str, Any]]]:
    """All rows of a pulled table, as dicts."""

    def pull(crm: Salesforce, table: str, since: datetime | None = None) -> list[dict[str, Any]]:
        window = Window(since=since, until=datetime(2100, 1, 1, tzinfo=UTC))
        pages = list(crm.pull(table, window))
        return pa.concat_tables(pages).to_pylist() if pages else []

    return pull
