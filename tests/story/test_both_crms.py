"""The same company gives the same scores and the same tasks, whichever CRM it keeps its records in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.sandbox.hubspot.schema import Schema
from connectors.sandbox.server import Sandbox
from worker.cli import upswell
from worker.sandbox_folder import open_sandbox

BASES = {"Closed won": "closed_won", "Open opportunity": "open_opportunity", "Model only": "model_only"}
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


def rows_of(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Every row of a forecast in HubSpot."""
    kinds = Schema(sandbox.store).types().values()
    (kind,) = (each for each in kinds if each.name.endswith("_expansion_forecast"))
    columns = list(sandbox.store.columns(kind.name))
    live = f'SELECT {", ".join(columns)} FROM "{kind.name}" WHERE _archived = 0'
    found = sandbox.store.select(live)
    return [dict(zip(columns, row, strict=True)) for row in found]


def cents(amount: Any) -> int:
    """A figure in cents."""
    return round(100 * float(amount))


@pytest.fixture(scope="module")
def in_hubspot(tmp_path_factory: pytest.TempPathFactory, make_hubspot: Any) -> dict[str, Any]:
    """What the loop gives in HubSpot, of the company that `home` is in Salesforce: run, plan, rollback."""
    folder = tmp_path_factory.mktemp("both") / "hubspot"
    make_hubspot(folder)
    with open_sandbox(folder, enterprise=1) as sandbox:
        call(folder, "install", "--apply")
        first = call(folder, "run")
        forecast = call(folder, "forecast", "--by", "product,owner,segment")
        rows = rows_of(sandbox)
        call(folder, "pull")
        second = call(folder, "plan")
        scores = scores_of(folder)
        undone = call(folder, "rollback")
    told = {"scores": scores, "first": first, "second": second, "undone": undone, "tasks": tasks_of(folder)}
    return told | {"forecast": forecast, "rows": rows}


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


def test_in_hubspot_too_the_rows_sum_to_the_forecast(in_hubspot: dict[str, Any]) -> None:
    """Expected ARR by quarter, product, owner, segment and basis, and the bridge, to the cent."""
    rows, told = in_hubspot["rows"], in_hubspot["forecast"]
    assert in_hubspot["first"]["apply"]["row_outcomes"] == {"applied": len(rows) + 1}
    lines: dict[tuple[str, ...], int] = {}
    parts: dict[tuple[str, ...], int] = {}
    by = ("product", "owner_name", "segment", "fiscal_quarter", "basis")
    for row in rows:
        amount = cents(row["expansion_amount"])
        place = (row["expansion_fiscal_quarter"], row["expansion_component"])
        parts[place] = parts.get(place, 0) + amount
        if place[1] in ("expansion", "expansion_new"):
            line = tuple(row[f"expansion_{name}"] or "(none)" for name in by)
            lines[line] = lines.get(line, 0) + amount
    shown = {
        (*line["group"].split(" · "), line["quarter"], BASES[line["basis"]]): cents(line["arr"])
        for line in told["lines"]
    }
    assert lines == {line: amount for line, amount in shown.items() if amount}
    coming = [each for each in told["retention"] if not each["actual"]]
    for each in coming:
        for part in ("opening", "expansion", "contraction", "churn"):
            assert parts.get((each["quarter"], part), 0) == cents(each[part])
