"""The whole loop of a tiny company with its ledger on PostgreSQL, by the commands that a user gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from sync.store import Store
from sync.store.tables import ScoreRow
from sync.store.writeback import JournalRow
from worker.cli import upswell
from worker.sandbox_folder import make_company, open_sandbox

Call = Callable[..., dict[str, Any]]


def upswell_json(config: Path, *arguments: str, ledger: str) -> dict[str, Any]:
    """What a verb answers with --json; the ledger is named in the environment."""
    command = ["--config", str(config), *arguments, "--json"]
    result = CliRunner().invoke(upswell, command, env={"UPSWELL_STATE__URL": ledger}, catch_exceptions=False)
    said: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    assert (said["exit_code"], said["ok"]) == (result.exit_code, result.exit_code in (0, 3))
    return said


@pytest.fixture
def url(new_ledger: Any) -> Iterator[str]:
    """A ledger on PostgreSQL."""
    with new_ledger("postgresql") as made:
        yield made


@pytest.fixture
def call(tmp_path: Path, url: str) -> Iterator[Call]:
    """`upswell VERB --json` beside a sandbox of 60 accounts."""
    folder = tmp_path / "play"
    make_company(folder, accounts=60, months=8, seed=1, advance=lambda _done, _total: None)

    with open_sandbox(folder):
        yield partial(upswell_json, folder / "upswell.toml", ledger=url)


def test_a_company_runs_on_postgresql_alone(call: Call, url: str, tmp_path: Path) -> None:
    """Installed, run, run again with nothing to write, rolled back; no file takes the ledger's place."""
    assert call("install", "--apply")["ok"]
    assert call("run")["exit_code"] == 0
    status = call("status")["data"]
    assert [run["status"] for run in status["runs"] if run["verb"] == "run"] == ["done"]
    assert status["lake"]["accounts"]["rows"] >= 60
    assert status["plan"]["status"] == "applied"
    with Store.open(url) as store, store.session() as session:
        scored = session.scalar(select(func.count()).select_from(ScoreRow))
        entries = session.scalar(select(func.count()).select_from(JournalRow))
        written = session.scalar(select(func.count()).where(JournalRow.kind == "write"))
    assert scored
    assert written
    again = call("run")
    assert again["exit_code"] == 0
    with Store.open(url) as store, store.session() as session:
        assert session.scalar(select(func.count()).select_from(JournalRow)) == entries
    back = call("rollback", status["plan"]["plan"])
    assert back["data"]["restored_cells"] == written
    assert list(tmp_path.rglob("ledger.sqlite")) == []


def test_a_ledger_that_cannot_be_reached_is_the_users_to_fix(postgres: Any, tmp_path: Path) -> None:
    """Exit code 2 and the setting's name, with neither password nor traceback."""
    file = tmp_path / "upswell.toml"
    file.write_text('[company]\ncurrency = "EUR"\n[crm]\nkind = "salesforce"\n')
    wrong = postgres.url(password="hunter2")
    away = "postgresql+psycopg://me:hunter2@127.0.0.1:1/upswell"
    for ledger, hint in ((wrong, "password authentication failed"), (away, "refused")):
        said = upswell_json(file, "status", ledger=ledger)
        assert said["exit_code"] == 2
        (error,) = said["errors"]
        assert hint in error["message"]
        assert "state.url" in json.dumps(error)
        assert "hunter2" not in json.dumps(said)
