"""The same company gives the same scores and the same tasks, whichever CRM it keeps its records in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from worker.cli import upswell
from worker.sandbox_folder import open_sandbox

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


def scores_of(folder: Path) -> dict[str, dict[str, str]]:
    """Every score by the company's own account id."""
    call(folder, "score", "--out", str(folder / "scores.csv"))
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        return {row["external_id"] or row["name"]: row for row in csv.DictReader(file)}


def tasks_of(folder: Path) -> set[tuple[str, str]]:
    """(key, subject) of each task in the ledger."""
    from sqlalchemy import select

    from sync.config import load
    from sync.store import Store
    from sync.store.writeback import TaskRow

    with Store.open(load(folder / "upswell.toml", {}).state.url) as store, store.session() as session:
        return {(row.key, row.subject) for row in session.scalars(select(TaskRow))}


@pytest.fixture(scope="module")
def in_hubspot(tmp_path_factory: pytest.TempPathFactory, make_hubspot: Any) -> dict[str, Any]:
    """What the loop gives in HubSpot, of the company that `home` is in Salesforce: run, plan, rollback."""
    folder = tmp_path_factory.mktemp("both") / "hubspot"
    make_hubspot(folder)
    with open_sandbox(folder):
        call(folder, "install", "--apply")
        first = call(folder, "run")
        call(folder, "pull")
        second = call(folder, "plan")
        scores = scores_of(folder)
        undone = call(folder, "rollback")
    return {"scores": scores, "first": first, "second": second, "undone": undone, "tasks": tasks_of(folder)}


def test_both_crms_give_the_same_scores(home: Any, in_hubspot: dict[str, Any]) -> None:
    """Every figure to 1e-9, every word to the letter."""
    left, right = scores_of(home.folder), in_hubspot["scores"]
    assert left.keys() == right.keys()
    assert len(left) > 100
    for account, row in left.items():
        other = right[account]
        assert [row[name] for name in WORDS] == [other[name] for name in WORDS], account
        for name in NUMBERS:
            assert float(row[name]) == pytest.approx(float(other[name]), abs=1e-9), (account, name)


def test_both_crms_get_the_same_tasks(home: Any, in_hubspot: dict[str, Any]) -> None:
    """The same keys with the same subjects."""
    assert tasks_of(home.folder) == in_hubspot["tasks"] != set()


def test_in_hubspot_too_a_second_plan_is_empty_and_rollback_takes_everything_back(
    in_hubspot: dict[str, Any],
) -> None:
    """The second plan is empty; the rollback restores each written cell and closes each task."""
    assert (in_hubspot["second"]["changes"], in_hubspot["second"]["tasks"]) == (0, 0)
    written = in_hubspot["first"]["apply"]
    assert written["written_cells"] > 0
    assert in_hubspot["undone"]["restored_cells"] == written["written_cells"]
    assert (in_hubspot["undone"]["left"], in_hubspot["undone"]["tasks_left"]) == ([], [])
    assert in_hubspot["undone"]["tasks_closed"] == written["tasks"]
