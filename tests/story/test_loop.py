"""The whole loop over real HTTP: once, again, a quarter later, and back."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from connectors.fields import field_specs
from connectors.sandbox.salesforce.person import person_edit

STAMPS = {"LastModifiedById", "LastModifiedDate", "SystemModstamp"}  # the CRM sets these itself
MACHINE = {spec.salesforce for spec in field_specs().values() if spec.owner == "machine"}


def test_a_first_run_writes_only_our_fields_and_our_tasks(home: Any) -> None:
    """After install and run, the audit log shows no changed cell outside our fields and tasks."""
    data = home.first_run["data"]
    assert data["apply"]["outcomes"] == {"applied": data["plan"]["changes"]}
    assert data["apply"]["tasks"] == data["plan"]["tasks"] > 0
    changed = home.audit.changes()
    written = {change.field for change in changed if change.object == "Account"}
    assert written <= MACHINE | STAMPS
    assert written & MACHINE
    made = home.sandbox.store.select("SELECT count(*) FROM Task WHERE Expansion_Task_Key__c IS NOT NULL")
    assert made == [(data["apply"]["tasks"],)]


def test_a_second_run_with_nothing_new_writes_nothing(home: Any) -> None:
    """Nothing new in CRM and exports: no cell, no task, no write request."""
    before, changes = home.accounts(), len(home.audit.changes())
    answer = home.upswell("run")
    assert answer.exit_code == 0, answer.errors
    assert (answer.data["plan"]["changes"], answer.data["plan"]["tasks"]) == (0, 0)
    assert "apply" not in answer.data
    assert len(home.audit.changes()) == changes
    assert home.accounts() == before


def test_a_full_pull_right_after_a_write_brings_every_account(home: Any) -> None:
    """Accounts that changed within the last minute are no reason for a full read to leave them out."""
    record = home.sandbox.store.select("SELECT Id FROM Account WHERE IsDeleted = 0 LIMIT 1")[0][0]
    person_edit(home.sandbox.store, "Account", record, {"Website": "https://moved.example"})
    (live,) = home.sandbox.store.select("SELECT count(*) FROM Account WHERE IsDeleted = 0")[0]
    assert home.upswell("pull", "--full").data["pulled"]["accounts"] == live
    assert home.upswell("run").data["plan"]["changes"] == 0


def test_rollback_restores_every_cell_and_closes_untouched_tasks(home: Any) -> None:
    """After a rollback each account holds what it held before the run."""
    run, before = home.first_run, home.first_run["before"]
    assert home.accounts() != before
    answer = home.upswell("rollback", run["run_id"])
    assert answer.exit_code == 0, answer.errors
    assert home.accounts() == before
    assert answer.data["restored_cells"] == run["data"]["apply"]["written_cells"]
    assert answer.data["left"] == []
    assert answer.data["tasks_closed"] == run["data"]["apply"]["tasks"]


def test_rollback_leaves_and_lists_a_cell_that_a_person_changed(home: Any) -> None:
    """A person's value stays, is named, and the other cells of the record are restored."""
    record = home.sandbox.store.select(
        "SELECT Id FROM Account WHERE Expansion_Score__c IS NOT NULL ORDER BY Id LIMIT 1"
    )[0][0]
    person_edit(home.sandbox.store, "Account", record, {"Expansion_Product__c": "What I think"})
    answer = home.upswell("rollback")
    left = [(cell["record"], cell["field"], cell["now"]) for cell in answer.data["left"]]
    assert left == [(record, "Expansion_Product__c", "What I think")]
    row = home.accounts()[record]
    assert row["Expansion_Product__c"] == "What I think"
    assert row["Expansion_Score__c"] is None


def test_a_rollback_done_twice_does_not_reach_for_an_older_run(home: Any) -> None:
    """The second bare rollback restores nothing and says why."""
    home.upswell("rollback")
    after = home.accounts()
    again = home.upswell("rollback")
    assert again.exit_code == 1
    assert again.errors[0]["code"] == "state"
    assert home.accounts() == after


def test_a_quarter_later_the_outcomes_are_compared_and_change_the_training_data(home: Any) -> None:
    """`sandbox advance` matures the first scoring; outcomes judge it, and the next training sees them."""
    first = home.first_run["data"]["train"]["data_hash"]
    home.upswell("sandbox", "advance", "--data", str(home.folder), "--weeks", "14")
    home.upswell("pull")
    report = home.upswell("outcomes").data
    assert report["matured"] is True
    assert report["expanded"] > 0
    assert 0 <= report["auc"] <= 1
    assert home.upswell("train").data["data_hash"] != first
    home.upswell("score")
    plan = home.upswell("plan").data
    assert plan["changes"] > 0
    # a quarter's news at once is more than a week's: that takes someone's yes
    assert "changed_share" in {finding["rule"] for finding in plan["guard"]}


def test_scores_as_csv_have_the_contract_s_columns(home: Any, tmp_path: Path) -> None:
    """One row an account, lower-case header, reasons a JSON array of sentences."""
    out = tmp_path / "scores.csv"
    answer = home.upswell("score", "--out", str(out))
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert answer.data["accounts"] == len(rows) > 0
    contract = (
        "account_id crm_id external_id name owner_id as_of probability tier arr_if_expands arr_low arr_high "
        "expected_arr product product_2 timing health priority reasons model_version data_completeness"
    )
    assert list(rows[0]) == contract.split()
    for row in rows:
        assert 0 < float(row["probability"]) < 1
        assert float(row["arr_low"]) <= float(row["arr_if_expands"])
        product = float(row["probability"]) * float(row["arr_if_expands"])
        assert abs(float(row["expected_arr"]) - product) <= 0.005 + 1e-5 * product
        assert all(isinstance(sentence, str) for sentence in json.loads(row["reasons"]))


def test_plan_exit_code_tells_whether_there_is_something_to_write(home: Any) -> None:
    """10 with changes, 0 without: for a script that only wants to know."""
    home.upswell("score")
    assert home.upswell("plan", "--exit-code").exit_code == 0
    record = home.sandbox.store.select("SELECT Id FROM Account WHERE Expansion_Score__c IS NOT NULL LIMIT 1")[
        0
    ][0]
    person_edit(home.sandbox.store, "Account", record, {"Expansion_Score__c": None})
    assert home.upswell("plan", "--exit-code").exit_code == 10


def test_status_shows_the_runs_the_model_and_the_lake_without_asking_the_crm(home: Any) -> None:
    """Where things stand costs no API call."""
    requests = len(home.audit.requests())
    data = home.upswell("status").data
    assert data["runs"][0]["verb"] == "run"
    assert data["runs"][0]["status"] == "done"
    assert data["lake"]["accounts"]["rows"] > 0
    assert data["model"]
    assert len(home.audit.requests()) == requests
