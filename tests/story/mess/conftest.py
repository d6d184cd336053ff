"""The smallest company with every kind of mess in its records, in either CRM, after a first whole run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from connectors.sandbox import clock
from connectors.sandbox.company import salesforce
from connectors.sandbox.company.hubspot_rows import number_of
from connectors.sandbox.hubspot import person as in_hubspot
from connectors.sandbox.salesforce import person as in_salesforce
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store as CrmStore
from sync.config import load
from sync.identity import Resolved
from sync.lake import Lake
from sync.loop import Loop
from sync.store import Store
from worker.cli import upswell
from worker.loop_home import no_progress
from worker.sandbox_folder import DATABASE, make_company, open_sandbox

ACCOUNTS, MONTHS, SEED, MESS = 100, 14, 17, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What one CRM calls what these stories look at, and how people work in it."""

    account: str
    id_of: Callable[[str], str]
    name: str
    score: str
    money: str
    money_per_record: bool  # its money fields are in the record's own currency
    segment: str
    back_filled: str
    former: Mapping[str, object]  # what a person fills in when a customer has left
    tasks: str
    task_key: str
    edit: Callable[[CrmStore, str, Mapping[str, object]], None]
    delete: Callable[[CrmStore, str], None]
    merge: Callable[[CrmStore, str, str], str]  # survivor, loser -> the record that is left


def _merge_in_salesforce(store: CrmStore, survivor: str, loser: str) -> str:
    in_salesforce.person_merge(store, "Account", survivor, [loser])
    return survivor


WORDS = {
    "salesforce": Words(
        account="Account",
        id_of=salesforce.account_id,
        name="Name",
        score="Expansion_Score__c",
        money="Expansion_Expected_ARR__c",
        money_per_record=True,
        segment="Segment__c",
        back_filled="Upsell_Stage__c",
        former={"Type": "Former Customer"},
        tasks="Task",
        task_key="Expansion_Task_Key__c",
        edit=lambda store, key, values: in_salesforce.person_edit(store, "Account", key, values),
        delete=lambda store, key: in_salesforce.person_delete(store, "Account", key),
        merge=_merge_in_salesforce,
    ),
    "hubspot": Words(
        account="companies",
        id_of=lambda key: str(number_of("companies", key)),
        name="name",
        score="expansion_score",
        money="expansion_expected_arr",
        money_per_record=False,
        segment="segment",
        back_filled="upsell_stage",
        former={"lifecyclestage": "former_customer"},
        tasks="tasks",
        task_key="expansion_task_key",
        edit=lambda store, key, values: in_hubspot.person_edit(store, "companies", key, values),
        delete=lambda store, key: in_hubspot.person_archive(store, "companies", key),
        merge=lambda store, survivor, loser: in_hubspot.person_merge(store, "companies", survivor, loser),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Messy:
    """The company, its CRM as it stands, and what Upswell holds of it."""

    folder: Path
    words: Words
    store: CrmStore
    sandbox: Sandbox | None = None

    def records(self, name: str = "accounts") -> list[dict[str, Any]]:
        """The company's own records in no vendor's words, as they stood before people moved anything."""
        rows: list[dict[str, Any]] = pq.read_table(self.folder / "crm" / f"{name}.parquet").to_pylist()
        return rows

    def ids(self, rows: list[dict[str, Any]]) -> set[str]:
        """The CRM ids of such rows' accounts."""
        return {self.words.id_of(row["account_key"]) for row in rows}

    def scored(self) -> dict[str, tuple[float, float]]:
        """Score and expected ARR in the CRM by record id, where there is a score."""
        words = self.words
        cells = f'Id, "{words.score}", "{words.money}"'
        rows = self.store.select(f"SELECT {cells} FROM {words.account} WHERE {words.score} IS NOT NULL")
        return {str(key): (float(str(score)), float(str(money))) for key, score, money in rows}

    def tasks(self) -> list[str]:
        """The key of each task of ours in the CRM."""
        key = self.words.task_key
        rows = self.store.select(f"SELECT {key} FROM {self.words.tasks} WHERE {key} IS NOT NULL")
        return sorted(str(key) for (key,) in rows)

    def users_of(self, own: str) -> set[str]:
        """The people at a customer who used the product, by its own id in the exports."""
        files = sorted((self.folder / "exports" / "events").glob("*.parquet"))
        rows = pq.read_table(files, columns=["account_key", "user_id"]).to_pylist()
        return {row["user_id"] for row in rows if row["account_key"] == own}

    def upswell(self, *arguments: str) -> dict[str, Any]:
        """The answer of a verb called with --json; it must be done."""
        settings = ["--config", str(self.folder / "upswell.toml")]
        result = CliRunner().invoke(upswell, [*settings, *arguments, "--json"], catch_exceptions=False)
        said: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        assert said["exit_code"] == 0, said["errors"]
        return said

    def days_pass(self, days: int) -> None:
        """Move the CRM's clock on; the company stands still."""
        clock.advance(self.store, timedelta(days=days))

    @contextmanager
    def loop(self) -> Iterator[Loop]:
        """The loop over what Upswell holds, without a CRM."""
        settings = load(self.folder / "upswell.toml", {})
        store = Store.open(settings.state.url)
        loop = Loop(
            settings=settings,
            store=store,
            lake=Lake(settings.lake.folder, store, url=settings.lake.url),
            connect=lambda: pytest.fail("the CRM was asked"),
            clock=lambda: datetime.now(UTC),
            tell=no_progress,
        )
        try:
            yield loop
        finally:
            loop.close()

    @contextmanager
    def resolved(self) -> Iterator[Resolved]:
        """The lake's tables by account, and how well they were joined."""
        with self.loop() as loop:
            yield loop.tables()

    def ledger(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        import sqlite3

        with sqlite3.connect(self.folder / "upswell" / "ledger.sqlite") as ledger:
            found = ledger.execute(statement).fetchall()
        ledger.close()
        return found


@pytest.fixture(
    scope="session",
    params=list(WORDS),
)
def messy_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """Which CRM, and the company's folder after `install` and a first run; tests that change it copy it."""
    folder = tmp_path_factory.mktemp(f"mess-{request.param}") / "play"
    make_company(
        folder,
        kind=request.param,
        accounts=ACCOUNTS,
        months=MONTHS,
        seed=SEED,
        mess=MESS,
        advance=lambda _done, _total: None,
    )
    with open_sandbox(folder) as sandbox:
        home = Messy(folder=folder, words=WORDS[request.param], store=sandbox.store)
        home.upswell("install", "--apply")
        home.upswell("run")
    return request.param, folder


@pytest.fixture
def messy(messy_folder: tuple[str, Path]) -> Iterator[Messy]:
    """The company as the first run left it, to look at."""
    kind, folder = messy_folder
    store = CrmStore.open(folder / DATABASE)
    yield Messy(folder=folder, words=WORDS[kind], store=store)
    store.close()


@pytest.fixture
def served(messy_folder: tuple[str, Path], tmp_path: Path) -> Iterator[Messy]:
    """A copy of it with its CRM served, for what happens next."""
    kind, source = messy_folder
    folder = tmp_path / "play"
    shutil.copytree(source, folder)
    with open_sandbox(folder) as sandbox:
        yield Messy(folder=folder, words=WORDS[kind], store=sandbox.store, sandbox=sandbox)
