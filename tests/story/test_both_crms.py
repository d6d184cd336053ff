"""The same company gives the same scores and the same tasks, whichever CRM it keeps its records in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from worker.cli import upswell
from worker.sandbox_folder import make_company, open_sandbox

ACCOUNTS, MONTHS, SEED = 120, 14, 11
NUMBERS = ("probability", "arr_if_expands", "arr_low", "arr_high", "expected_arr", "data_completeness")
WORDS = ("tier", "product", "product_2", "timing", "health", "priority", "reasons", "as_of", "name")


def call(folder: Path, *arguments: str) -> dict[str, Any]:
    """The data of a verb's answer; it must succeed."""
    settings = ["--config", str(folder / "upswell.toml")]
    result = CliRunner().invoke(upswell, [*settings, *arguments, "--json"], catch_exceptions=False)
    said = json.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == 0, said["errors"]
    data: dict[str, Any] = said["data"]
    return data


def loop_on(kind: str, folder: Path) -> dict[str, Any]:
    """Scores by the company's own account id, task keys and subjects, and what a second run would write."""
    make_company(
        folder, kind=kind, accounts=ACCOUNTS, months=MONTHS, seed=SEED, advance=lambda _done, _total: None
    )
    with open_sandbox(folder):
        call(folder, "install", "--apply")
        first = call(folder, "run")
        second = call(folder, "run")
        call(folder, "score", "--out", str(folder / "scores.csv"))
        undone = call(folder, "rollback")
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        scores = {row["external_id"] or row["name"]: row for row in csv.DictReader(file)}
    return {"scores": scores, "first": first, "second": second, "undone": undone, "tasks": tasks_of(folder)}


def tasks_of(folder: Path) -> set[tuple[str, str]]:
    """(key, subject) of each task in the ledger."""
    from sqlalchemy import select

    from sync.config import load
    from sync.store import Store
    from sync.store.writeback import TaskRow

    with Store.open(load(folder / "upswell.toml", {}).state.url) as store, store.session() as session:
        return {(row.key, row.subject) for row in session.scalars(select(TaskRow))}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The loop's results on both CRMs."""
    home = tmp_path_factory.mktemp("both")
    return {kind: loop_on(kind, home / kind) for kind in ("salesforce", "hubspot")}


def test_both_crms_give_the_same_scores(both: dict[str, dict[str, Any]]) -> None:
    """Every figure to 1e-9, every word to the letter."""
    left, right = (both[kind]["scores"] for kind in ("salesforce", "hubspot"))
    assert left.keys() == right.keys()
    assert len(left) > ACCOUNTS // 2
    for account, row in left.items():
        other = right[account]
        assert [row[name] for name in WORDS] == [other[name] for name in WORDS], account
        for name in NUMBERS:
            assert float(row[name]) == pytest.approx(float(other[name]), abs=1e-9), (account, name)


def test_both_crms_get_the_same_tasks(both: dict[str, dict[str, Any]]) -> None:
    """The same keys with the same subjects."""
    assert both["salesforce"]["tasks"] == both["hubspot"]["tasks"] != set()


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_a_second_run_writes_nothing_and_rollback_takes_everything_back(
    both: dict[str, dict[str, Any]], kind: str
) -> None:
    """The second plan is empty; the rollback restores each written cell and closes each task."""
    result = both[kind]
    assert (result["second"]["plan"]["changes"], result["second"]["plan"]["tasks"]) == (0, 0)
    written = result["first"]["apply"]
    assert written["written_cells"] > 0
    assert result["undone"]["restored_cells"] == written["written_cells"]
    assert (result["undone"]["left"], result["undone"]["tasks_left"]) == ([], [])
    assert result["undone"]["tasks_closed"] == written["tasks"]
