"""A HubSpot account in a folder: its SQLite file, its people, its app's credentials."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import set_base
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.auth import SCOPES, Auth, grant
from connectors.sandbox.hubspot.history import History
from connectors.sandbox.hubspot.rules import Rules
from connectors.sandbox.hubspot.schema import Schema
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.store import Store

DATABASE = "crm.sqlite"
FACTS = "sandbox.json"
SECRETS = "secrets"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

PORTAL_ID = 48_151_623
APP_ID = 4_815_162
ADMIN_USER_ID = 10_000_001
ADMIN_OWNER_ID = 20_000_001


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What a client must know to log in; the secrets are files in `secrets/`."""

    kind: str
    portal_id: int
    client_id: str
    url: str | None = None

    def write(self, folder: Path) -> None:
        """Keep the facts in `sandbox.json`."""
        entries = {name: getattr(self, name) for name in self.__slots__}
        (folder / FACTS).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> AccountFacts:
        """The facts of an account that was started once."""
        return cls(**json.loads((folder / FACTS).read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Somebody who can own records."""

    id: int
    user_id: int
    email: str
    first_name: str
    last_name: str
    team_id: int | None = None
    team: str | None = None
    created_at: datetime
    archived: bool = False


def add_owners(store: Store, owners: Iterable[Owner]) -> None:
    """Let people own records."""
    rows = [
        (
            str(o.id),
            o.email,
            o.first_name,
            o.last_name,
            o.user_id,
            o.team_id,
            o.team,
            iso(o.created_at),
            int(o.archived),
        )
        for o in owners
    ]
    with store.transaction() as sql:
        sql.executemany("INSERT INTO owners VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def set_rate(store: Store, currency: str, rate: float, *, effective_at: datetime, now: datetime) -> None:
    """Say what one unit of a currency is worth in the account's own from a moment on."""
    with store.transaction() as sql:
        sql.execute(
            "INSERT INTO exchange_rates (currency, rate, effective_at, created_at) VALUES (?, ?, ?, ?)",
            (currency, rate, iso(effective_at), iso(now)),
        )


def open_or_create_account(folder: Path) -> Store:
    """The account in the folder, made first if there is none."""
    path = folder / DATABASE
    return Store.open(path) if path.exists() else create_account(folder)


def create_account(folder: Path, *, now: datetime = START) -> Store:
    """A new account without Upswell's properties and without customers; `now` is where its clock starts."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.create(folder / DATABASE)
    with store.transaction() as sql:
        set_base(store, now)
        Schema.create(store)
        Associations.create(store)
        History.create(store)
        Rules.create(store)
        Audit(store)
        sql.execute(
            "CREATE TABLE merged (object TEXT, old_id TEXT, new_id TEXT, PRIMARY KEY (object, old_id))"
            " WITHOUT ROWID"
        )
        sql.execute(
            "CREATE TABLE owners (id TEXT PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT,"
            " user_id INTEGER, team_id INTEGER, team TEXT, created_at TEXT, archived INTEGER NOT NULL)"
        )
        sql.execute(
            "CREATE TABLE exchange_rates (n INTEGER PRIMARY KEY, currency TEXT, rate REAL, effective_at TEXT,"
            " created_at TEXT)"
        )
        admin = Owner(
            id=ADMIN_OWNER_ID,
            user_id=ADMIN_USER_ID,
            email="robin.admin@northwind.example",
            first_name="Robin",
            last_name="Admin",
            created_at=now,
        )
        add_owners(store, [admin])
        store.meta["portal.id"] = str(PORTAL_ID)
        store.meta["portal.domain"] = "app.northwind.example"
        store.meta["portal.created"] = iso(now)
        store.meta["app.id"] = str(APP_ID)
        store.meta["app.user"] = admin.email
        store.meta["app.user_id"] = str(ADMIN_USER_ID)
        grant(store, SCOPES)
        _credentials(store, folder)
    return store


def _credentials(store: Store, folder: Path) -> None:
    client_id = str(uuid.uuid4())
    token = f"pat-na1-{uuid.uuid4()}"
    store.meta["app.client_id"] = client_id
    store.meta["app.client_secret"] = str(uuid.uuid4())
    store.meta["app.refresh_token"] = f"na1-{secrets.token_urlsafe(32)}"
    Auth(store=store).keep_private(token)
    secret_folder = folder / SECRETS
    secret_folder.mkdir(mode=0o700, exist_ok=True)
    contents = {
        "token": token,
        "client_secret": store.meta["app.client_secret"],
        "refresh_token": store.meta["app.refresh_token"],
    }
    for name, content in contents.items():
        path = secret_folder / name
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
    AccountFacts(kind="hubspot", portal_id=PORTAL_ID, client_id=client_id).write(folder)
