"""`upswell audit` and `upswell history` over a small ledger: what they say, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from connectors.crm import RowOutcome
from sync import journal
from sync.operations import Operation, add
from sync.store import Store
from sync.store.writeback import JournalRow, OperationRow, PlanRow, TaskRow
from worker.cli import upswell

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DRAFT = {
    "key": "C-1:expand:FY2027Q4", "subject": "Expansion: Acme", "body": "Whom to reach: Dana Ortiz",
    "due": "2026-11-26", "owner_id": "U1", "account_crm_id": "001A", "contact_crm_id": "003A",
    "priority": "high",
}  # fmt: skip
CELL = {"key": "tier", "name": "Tier__c", "before": {"value": "=1+1"}, "after": {"value": "high"}}
Run = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with settings and a ledger in which a record was written, a task made, and it was closed."""
    (tmp_path / "upswell.toml").write_text('[crm]\nkind = "salesforce"\n')
    operations = [
        Operation(
            key=f"plan-1:{kind}", plan_id="plan-1", run_id="run-1", position=place, kind=kind, object=table,
            record_id="001A", account_id="C-1", payload=payload,
        )
        for place, (kind, table, payload) in enumerate(
            (
                ("write", "Account", {"cells": [CELL], "why": "new"}),
                ("task", "tasks", {"draft": DRAFT, "why": "rank 1"}),
                ("close", "tasks", {"task_id": "00T1", "task_key": DRAFT["key"], "note": "Closed."}),
            )
        )
    ]  # fmt: skip
    plan = PlanRow(
        id="plan-1", run_id="run-1", org_id="00D", object="Account", created_at=NOW, expires_at=NOW,
        as_of=NOW.date(), model_version="2026.11.20-1", mapping_hash="", schema_hash="", digest="", fields={},
        findings=[], scored=1, api_calls=3, status="applied",
    )  # fmt: skip
    task = TaskRow(
        key=DRAFT["key"], plan_id="plan-1", run_id="run-1", account_id="C-1", account_crm_id="001A",
        task_id="00T1", owner_id="U1", play="expand", product=None, cycle="FY2027Q4",
        subject=DRAFT["subject"], due=date(2026, 11, 26), created_at=NOW, closed_at=NOW,
    )  # fmt: skip
    with Store.open(f"sqlite:///{tmp_path / 'upswell.sqlite'}") as store, store.begin() as session:
        session.add(plan)
        session.flush()
        add(session, operations, NOW)
        journal.record(session, operations[:1], NOW)
        journal.record_tasks(session, [(operation, "00T1") for operation in operations[1:]], NOW)
        session.execute(update(OperationRow).values(state="done", outcome=RowOutcome.APPLIED.value))
        session.add(task)
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Call a verb: its exit code, its answer, and what it prints for people."""

    def call(*arguments: str) -> tuple[int, dict[str, Any], str]:
        begin = ["--config", str(home / "upswell.toml")]
        shown = CliRunner().invoke(upswell, [*begin, *arguments], catch_exceptions=False)
        answer = CliRunner().invoke(upswell, [*begin, *arguments, "--json"], catch_exceptions=False)
        return shown.exit_code, json.loads(answer.stdout.splitlines()[-1]), shown.output

    return call


def tamper(home: Path, **values: Any) -> None:
    """Change the first entry behind our back."""
    table = JournalRow.__table__
    with Store.open(f"sqlite:///{home / 'upswell.sqlite'}") as store, store.begin() as session:
        session.execute(update(table).where(table.c.id == 1).values(values))


def test_a_whole_journal_ends_well_and_prints_its_head(run: Run) -> None:
    """The head can be given back."""
    code, answer, shown = run("audit", "verify")
    assert (code, answer["ok"], answer["data"]["entries"], answer["data"]["links"]) == (0, True, 3, 2)
    assert "whole: 3 entries in 2 links" in shown
    head = answer["data"]["head"]
    assert head in shown
    assert run("audit", "verify", "--head", head)[0] == 0
    code, answer, _ = run("audit", "verify", "--head", f"7:{head}")
    assert (code, answer["errors"][0]["record"]) == (1, "link 7")


def test_a_broken_journal_fails_and_names_the_row(home: Path, run: Run) -> None:
    """Exit code 1, for a person and for a program."""
    tamper(home, after={"value": "low"})
    code, answer, shown = run("audit", "verify")
    assert code == answer["exit_code"] == 1
    assert answer["ok"] is False
    assert [(e["code"], e["record"]) for e in answer["errors"]] == [("changed", "journal entry 1")]
    assert "journal entry 1" in shown
    assert "backup" in shown
    assert "head" not in shown  # the end of a broken chain is nothing to keep


def test_a_row_that_cannot_be_read_is_a_finding_and_no_crash(home: Path, run: Run) -> None:
    """SQLite keeps any text where JSON and times belong."""
    import sqlite3

    with sqlite3.connect(home / "upswell.sqlite") as connection:
        connection.execute("UPDATE journal SET before = '{', at = 'yesterday' WHERE id = 1")
        connection.execute("UPDATE journal_links SET ref = 'x', at = '' WHERE seq = 1")
    connection.close()
    code, answer, _ = run("audit", "verify")
    assert code == 1
    assert {e["record"] for e in answer["errors"]} >= {"journal entry 1", "link 1"}


def test_another_key_is_a_failure_that_says_what_to_set(home: Path, run: Run) -> None:
    """Not a broken journal."""
    (home / "upswell.sqlite.journal-key").write_text("another" * 9)
    code, answer, _ = run("audit", "verify")
    assert (code, answer["errors"][0]["code"]) == (1, "state")
    assert "another key" in answer["errors"][0]["message"]
    assert "JOURNAL_KEY" in answer["errors"][0]["fix"]


def test_the_journal_is_exported(home: Path, run: Run) -> None:
    """All of it, or some days."""
    out = home / "journal.csv"
    code, answer, _ = run("audit", "export", "--out", str(out))
    assert (code, answer["data"]["entries"]) == (0, 3)
    assert ",'=1+1,high," in out.read_text()
    assert run("audit", "export", "--out", str(out), "--since", "2026-11-24")[1]["data"]["entries"] == 0
    assert run("audit", "export", "--out", str(home / "journal.doc"))[0] == 2


def test_a_person_is_erased_after_a_dry_run(home: Path, run: Run) -> None:
    """Before the first pull nobody is known by id, and a name is looked for as it is written."""
    code, answer, shown = run("audit", "erase", "Dana Ortiz", "--dry-run")
    assert (code, answer["data"]["entries"], answer["data"]["operations"]) == (0, 1, 1)
    assert "Would be erased" in shown
    assert b"Dana Ortiz" in (home / "upswell.sqlite").read_bytes()
    code, _, shown = run("audit", "erase", "Dana Ortiz", "--reason", "request 17")
    assert code == 0
    assert "Erased" in shown
    assert [file.name for file in home.iterdir() if b"Dana Ortiz" in file.read_bytes()] == []
    assert run("audit", "erase", "Dana Ortiz")[2].strip() == "The ledger keeps nothing of that."
    assert run("audit", "verify")[1]["data"]["erased"] == 1


def test_an_account_is_erased_by_its_id(run: Run) -> None:
    """Everything of it, whoever it speaks of."""
    assert run("audit", "erase", "C-1", "--dry-run")[1]["data"]["entries"] == 3


def test_retention_asks_for_days_and_erases_what_is_older(home: Path, run: Run) -> None:
    """From the settings, or named."""
    code, answer, _ = run("audit", "retain")
    assert (code, answer["errors"][0]["record"]) == (2, "state.journal_days")
    with (home / "upswell.toml").open("a") as toml:
        toml.write("[state]\njournal_days = 36500\n")
    assert run("audit", "retain", "--dry-run")[1]["data"]["entries"] == 0
    tamper(home, at=datetime(1900, 1, 1, tzinfo=UTC))
    assert run("audit", "retain", "--dry-run")[1]["data"]["entries"] == 1


def test_history_shows_tasks_with_their_id_and_where_they_stand_in_the_journal(run: Run) -> None:
    """Made and closed, beside the cells."""
    code, answer, shown = run("history", "plan-1")
    assert code == 0
    assert shown.count("Task 00T1: Expansion: Acme") == 2
    held = {write["kind"]: write for write in answer["data"]["writes"]}
    assert held["close"]["task_id"] == held["task"]["task_id"] == "00T1"
    assert (held["write"]["entries"], held["task"]["entries"], held["close"]["entries"]) == (
        [1, 1],
        [2, 2],
        [3, 3],
    )
    assert "Journal: entry 1" in shown


def test_history_says_what_was_erased(run: Run) -> None:
    """And does not show it."""
    run("audit", "erase", "C-1")
    _, answer, shown = run("history", "plan-1")
    assert "Content of this was erased" in shown
    assert "high" not in shown
    assert {write["is_erased"] for write in answer["data"]["writes"]} == {True}
