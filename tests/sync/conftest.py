"""A real ledger and lake in a temporary folder, canonical rows, and a strict CRM double for the way in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy.engine import URL

from connectors.canonical import CRM_TABLES, FROM_CRM, schema_of
from connectors.crm import Capabilities, Held, OrgInfo, Usage, Window
from connectors.errors import AbsentError, SetupError
from sync.lake import Lake
from sync.store import Store
from sync.store.journal_key import JournalKey

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ibis 12.0 calls a method that DuckDB 2.0 has deprecated; neither is ours to change."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(
                pytest.mark.filterwarnings(r"ignore:fetch_arrow_table\(\) is deprecated:DeprecationWarning")
            )


@pytest.fixture(scope="session")
def noon() -> datetime:
    """A Monday noon, UTC."""
    return NOON


@pytest.fixture(scope="session", autouse=True)
def key_of_servers() -> Iterator[None]:
    """A key for ledgers on a server, which have no folder to keep one in; settings give it elsewhere."""
    beside = JournalKey.beside

    def given(url: URL) -> JournalKey:
        return beside(url) if url.get_backend_name() == "sqlite" else JournalKey(secret="of-tests" * 8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JournalKey, "beside", given)
        yield


DATABASES = ("sqlite", "postgresql")
NewLedger = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def new_ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewLedger:
    """The URL of a ledger on "sqlite" or "postgresql" that is empty, migrated, and gone after the block.

    It is migrated once and copied from then on, which is quicker."""

    @cache
    def template(database: str) -> str:
        if database == "sqlite":
            file = tmp_path_factory.mktemp("new") / "ledger.sqlite"
            Store.open(f"sqlite:///{file}").close()
            return str(file)
        server = request.getfixturevalue("postgres")
        server.execute("CREATE DATABASE {}", "upswell_template")
        Store.open(server.url("upswell_template")).close()
        return "upswell_template"

    @contextmanager
    def copy(database: str) -> Iterator[str]:
        if database == "sqlite":
            with tempfile.TemporaryDirectory() as folder:
                file = shutil.copy(template(database), Path(folder) / "ledger.sqlite")
                yield f"sqlite:///{file}"
        else:
            server = request.getfixturevalue("postgres")
            with server.database(template(database)) as name:
                yield server.url(name)

    return copy


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database that the ledger is on: a test that uses it, or a ledger, runs on each."""
    kind: str = request.param
    return kind


@pytest.fixture
def ledger_url(new_ledger: NewLedger, database: str) -> Iterator[str]:
    """The URL of a fresh ledger."""
    with new_ledger(database) as url:
        yield url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Store]:
    """A fresh ledger, open."""
    with Store.open(ledger_url) as store:
        yield store


@pytest.fixture
def lake(tmp_path: Path, ledger: Store) -> Iterator[Lake]:
    """An empty lake."""
    with Lake(tmp_path / "lake", ledger) as made:
        yield made


Rows = Callable[..., pa.Table]


@pytest.fixture(scope="session")
def canonical_rows() -> Rows:
    """Make a canonical table from the cells that matter; the others are null or a plain default."""
    return make_rows


def make_rows(table: str, *rows: Mapping[str, Any]) -> pa.Table:
    """A canonical table of these rows."""
    schema = schema_of(table)
    plain: dict[str, Any] = dict.fromkeys(schema.names)
    if table in FROM_CRM:
        plain |= {"created_at": NOON, "modified_at": NOON, "known_from": NOON, "is_deleted": False}
    return pa.Table.from_pylist([plain | dict(row) for row in rows], schema=schema)


@dataclass
class CrmDouble:
    """A CRM in memory that answers pulls by window, as the protocol promises, and nothing else."""

    org_id: str = "00D000000000001EAA"
    clock: datetime = NOON
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    invisible: set[str] = field(default_factory=set)
    windows: list[tuple[str, Window]] = field(default_factory=list)
    page_rows: int = 3
    fail_at: str | None = None
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)
    hidden_objects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    objects: dict[str, str] = field(default_factory=dict)  # table -> the object that the settings name
    moves: dict[str, dict[str, Any]] = field(default_factory=dict)  # what a row holds now, by its id
    asked_whether_moved: list[str] = field(default_factory=list)
    mapping: dict[str, dict[str, str]] = field(default_factory=dict)
    reread_columns: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(write_batch=200, read_batch=2000, page_size=3)
    )
    _calls: int = 0

    def put(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Create or replace records by crm_id."""
        for row in rows:
            held = [r for r in self.rows.get(table, []) if r["crm_id"] != row["crm_id"]]
            self.rows[table] = [*held, dict(row)]

    def org(self) -> OrgInfo:
        return OrgInfo(
            id=self.org_id, name="Acme", kind="salesforce", url="https://acme.example", currency="USD",
            timezone="UTC", api_version="68.0",
        )  # fmt: skip

    def server_time(self) -> datetime:
        return self.clock

    def object_name(self, table: str) -> str:
        return {"accounts": "Account"}.get(table, table)

    def tables(self) -> Mapping[str, str]:
        return dict.fromkeys(CRM_TABLES, "") | self.objects

    def pull(self, table: str, window: Window, *, also: Collection[str] = ()) -> Iterator[pa.Table]:
        self.also[table] = tuple(also)
        if table in self.invisible:
            raise SetupError("the integration user can't see it.", record=table, fix="grant read access")
        if table in self.absent:
            raise AbsentError("there is none.", record=table)
        self.windows.append((table, window))
        found = [
            row
            for row in self.rows.get(table, [])
            if (window.since is None and not row.get("is_deleted"))
            or (window.since is not None and window.since <= row["modified_at"] < window.until)
        ]
        for start in range(0, len(found), self.page_rows):
            self._calls += 1
            yield make_rows(table, *found[start : start + self.page_rows])
            if self.fail_at == table:
                raise ConnectionResetError("the CRM hung up")

    def hidden(self, table: str) -> Mapping[str, str]:
        return dict.fromkeys(self.hidden_objects.get(table, ()), "grant it")

    def moved(self, table: str, held: Held) -> Iterator[pa.Table]:
        self.asked_whether_moved.append(table)
        ids = [each for each in held(table, ["crm_id"])["crm_id"].to_pylist() if each in self.moves]
        if ids:
            yield pa.Table.from_pylist([{"crm_id": each, **self.moves[each]} for each in ids])

    def mapped(self, table: str) -> Mapping[str, str]:
        return self.mapping.get(table, {})

    def reread(self, table: str, columns: Collection[str], held: Held) -> Iterator[pa.Table]:
        self.reread_columns.append((table, tuple(columns)))
        yield from self.moved(table, held)

    def usage(self) -> Usage:
        return Usage(calls=self._calls, org_used=None, org_limit=None)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the way in must not call {name}")


@pytest.fixture
def crm_double() -> CrmDouble:
    """A CRM with two accounts, a contact and an opportunity, all an hour old."""
    crm = CrmDouble()
    old = NOON - timedelta(hours=1)
    crm.put("accounts", *({"crm_id": f"A{n}", "external_id": f"c{n}", "modified_at": old} for n in (1, 2)))
    crm.put("contacts", {"crm_id": "P1", "account_crm_id": "A1", "modified_at": old})
    crm.put("opportunities", {"crm_id": "O1", "account_crm_id": "A1", "modified_at": old})
    return crm


@pytest.fixture(scope="session")
def ids_of() -> Callable[[Any], Sequence[str]]:
    """The crm_ids of an Ibis table, sorted."""

    def ids(table: Any) -> list[str]:
        return sorted(table.select("crm_id").to_pyarrow()["crm_id"].to_pylist())

    return ids
