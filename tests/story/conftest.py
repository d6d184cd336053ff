"""A small company in a sandbox on a real port, and `upswell` called as a user would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.sandbox.audit import Audit
from connectors.sandbox.server import Sandbox
from worker.cli import upswell
from worker.sandbox_folder import make_company, open_sandbox

COMPANY: dict[str, Any] = {"accounts": 200, "months": 16, "seed": 3}
FIRST_RUN = "first-run.json"
MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call of `upswell … --json` said."""

    exit_code: int
    data: dict[str, Any]
    errors: list[dict[str, Any]]
    warnings: list[str]
    run_id: str | None


@dataclass(slots=True, kw_only=True)
class Home:
    """An installation of Upswell beside a sandbox of its own."""

    folder: Path
    sandbox: Sandbox

    @property
    def config(self) -> Path:
        return self.folder / "upswell.toml"

    @property
    def first_run(self) -> dict[str, Any]:
        """The id and data of the first whole run, and the accounts as they stood before it."""
        told: dict[str, Any] = json.loads((self.folder / FIRST_RUN).read_text("utf-8"))
        return told

    @property
    def audit(self) -> Audit:
        return self.sandbox.audit

    def upswell(self, *arguments: str, env: dict[str, str] | None = None) -> Answer:
        """Call a verb with --json; its answer must be one JSON object on the last line."""
        result = CliRunner().invoke(
            upswell, ["--config", str(self.config), *arguments, "--json"], env=env, catch_exceptions=False
        )
        said = json.loads(result.stdout.splitlines()[-1])
        assert said["exit_code"] == result.exit_code
        return Answer(
            exit_code=result.exit_code,
            data=said["data"],
            errors=said["errors"],
            warnings=said["warnings"],
            run_id=said["run_id"],
        )

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Every account of the CRM as it stands, by id, without stamps."""
        rows = self.sandbox.store.select("SELECT Id FROM Account WHERE IsDeleted = 0")
        stamps = {"SystemModstamp", "LastModifiedDate", "LastModifiedById"}
        found = {}
        for (record_id,) in rows:
            row = self.sandbox.store.row("Account", str(record_id))
            assert row is not None
            found[str(record_id)] = {name: value for name, value in row.items() if name not in stamps}
        return found


@pytest.fixture(scope="session")
def company(made_once: MadeOnce) -> Path:
    """A company of 200 accounts and 16 months, made once; tests work on copies."""

    return made_once("company", make_salesforce)


def make_salesforce(folder: Path) -> None:
    """The company with its records in Salesforce."""
    make_company(folder, advance=lambda _done, _total: None, **COMPANY)


@pytest.fixture(scope="session")
def make_hubspot() -> Callable[[Path], None]:
    """Make the same company with its records in HubSpot."""

    def make(folder: Path) -> None:
        make_company(folder, kind="hubspot", advance=lambda _done, _total: None, **COMPANY)

    return make


@pytest.fixture(scope="session")
def scored_company(company: Path, made_once: MadeOnce) -> Path:
    """The same company after `install` and a first whole run, made once; tests work on copies."""

    def fill(folder: Path) -> None:
        shutil.copytree(company, folder)
        with open_sandbox(folder) as sandbox:
            home = Home(folder=folder, sandbox=sandbox)
            assert home.upswell("install", "--apply").exit_code == 0
            before = home.accounts()
            run = home.upswell("run")
            assert run.exit_code == 0, run.errors
            told = {"before": before, "run_id": run.run_id, "data": run.data}
            (folder / FIRST_RUN).write_text(json.dumps(told), encoding="utf-8")

    return made_once("scored", fill)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Path], Home]]:
    """Open a copy of a company's folder with its sandbox served."""
    served: list[Sandbox] = []

    def open_home(source: Path) -> Home:
        folder = tmp_path / f"home-{len(served)}"
        shutil.copytree(source, folder)
        sandbox = open_sandbox(folder)
        served.append(sandbox)
        return Home(folder=folder, sandbox=sandbox)

    yield open_home
    for sandbox in served:
        sandbox.close()


@pytest.fixture
def fresh(opened: Callable[[Path], Home], company: Path) -> Home:
    """A home where nothing has happened yet: no fields in the CRM, an empty ledger."""
    return opened(company)


@pytest.fixture
def home(opened: Callable[[Path], Home], scored_company: Path) -> Home:
    """A home after a first whole run."""
    return opened(scored_company)
