"""What a plan may write and whose yes it needs, over real HTTP: edits, first fills, sizes, operators."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.sandbox.salesforce.person import person_edit

SCORED = "SELECT Id FROM Account WHERE Expansion_Score__c IS NOT NULL ORDER BY Id LIMIT 3"


def acting(token: str) -> dict[str, str]:
    """The environment of someone with this token."""
    return {"UPSWELL_OPERATOR_TOKEN": token}


@pytest.fixture
def staff(home: Any) -> dict[str, dict[str, str]]:
    """The environments of an admin, an approver and an operator, added on the command line."""
    ada = acting(home.upswell("operator", "add", "ada").data["token"])
    roles = {"dana": "approver", "sam": "operator"}
    added = {
        name: home.upswell("operator", "add", name, "--role", role, env=ada) for name, role in roles.items()
    }
    return {"ada": ada} | {name: acting(answer.data["token"]) for name, answer in added.items()}


def test_a_persons_edit_is_left_alone_and_shown_until_they_empty_it(home: Any) -> None:
    """No plan writes over it; emptied, it is filled again; released by name, it is written."""
    first, second, _ = [row[0] for row in home.sandbox.store.select(SCORED)]
    ours = home.accounts()[first]["Expansion_Tier__c"], home.accounts()[second]["Expansion_Product__c"]
    theirs = "low" if ours[0] != "low" else "high"
    person_edit(home.sandbox.store, "Account", first, {"Expansion_Tier__c": theirs})
    person_edit(home.sandbox.store, "Account", second, {"Expansion_Product__c": "=What I think"})

    home.upswell("pull", "--no-exports")
    plan = home.upswell("plan")
    assert (plan.exit_code, plan.data["changes"]) == (0, 0)
    assert plan.data["cells_left"] == {"person_edit": 2}

    person_edit(home.sandbox.store, "Account", second, {"Expansion_Product__c": None})
    plan = home.upswell("plan", "--account", first, "--override", "person_edit", "--explain")
    assert plan.exit_code == 0, plan.errors
    assert plan.data["cells_by_field"]["tier"] == 1
    assert f"in: tier {theirs} → {ours[0]}" in [each["words"] for each in plan.data["explained"]]
    assert home.upswell("apply").data["outcomes"] == {"applied": 1}
    assert home.upswell("run").data["apply"]["outcomes"] == {"applied": 1}
    held = home.accounts()
    assert (held[first]["Expansion_Tier__c"], held[second]["Expansion_Product__c"]) == ours


def test_a_quarters_news_is_approved_by_someone_else(home: Any, staff: dict[str, dict[str, str]]) -> None:
    """Refused to its maker whatever they override, approved by another, then applied."""
    home.upswell("sandbox", "advance", "--data", str(home.folder), "--weeks", "14")
    changes = len(home.audit.changes())
    run = home.upswell("run", "--override", "changed_share", "--override", "stale_inputs", env=staff["sam"])
    assert (run.exit_code, run.errors[0]["code"]) == (1, "state")
    plan = home.upswell("status").data["plan"]["plan"]
    assert f"upswell approve {plan}" in run.errors[0]["fix"]
    assert len(home.audit.changes()) == changes

    for env, code in ((staff["sam"], 2), ({}, 2)):
        assert home.upswell("approve", plan, env=env).exit_code == code
    approved = home.upswell("approve", plan, "--note", "a quarter late", env=staff["dana"])
    assert approved.data["approvals"] == [{"kind": "size", "fields": [], "by": "dana"}]
    shown = home.upswell("plan", "--show", plan).data
    assert (shown["created_by"], shown["status"]) == ("sam", "planned")
    applied = home.upswell("apply", plan)
    assert applied.exit_code == 0, applied.errors
    assert applied.data["outcomes"] == {"applied": shown["changes"]}


def test_a_plan_that_a_worker_made_is_its_askers(home: Any, staff: dict[str, dict[str, str]]) -> None:
    """Whoever queued the run made the plan, whichever process carried it out, and can't approve it."""
    queued = home.upswell("run", "--detach", "--no-apply", env=staff["dana"])
    assert home.upswell("worker", "--once", env=staff["ada"]).data["worked"] == [queued.data["queued"]]
    plan = home.upswell("status").data["plan"]["plan"]
    assert home.upswell("plan", "--show", plan).data["created_by"] == "dana"
    refused = home.upswell("approve", plan, env=staff["dana"])
    assert (refused.exit_code, "you made this plan" in refused.errors[0]["message"]) == (1, True)


def test_a_field_that_people_filled_is_approved_before_its_first_fill(home: Any) -> None:
    """RevOps maps our score to a number of theirs: the plan says how many cells it would replace."""
    (record, *_), *_ = home.sandbox.store.select(SCORED)
    with home.config.open("a", encoding="utf-8") as file:
        file.write('\n[mapping.fields]\nscore = "Seats__c"\n')
    plan = home.upswell("plan", "--account", record, "--only", "score")
    assert (plan.data["cells_by_field"], plan.data["tasks"]) == ({"score": 1}, 0)
    assert [finding["rule"] for finding in plan.data["guard"]] == ["first_fill"]
    assert "1 of their cells hold something already" in plan.warnings[0]
    refused = home.upswell("apply", plan.data["plan"])
    assert (refused.exit_code, refused.errors[0]["code"]) == (1, "state")
    assert "operator add" in refused.errors[0]["fix"]
    assert home.upswell("apply", plan.data["plan"], "--override", "first_fill").exit_code == 0


def test_install_says_whose_first_fill_it_approved(fresh: Any) -> None:
    """The fields that it created, and none that was there."""
    assert home_fields(fresh.upswell("install", "--plan")) == []
    created = home_fields(fresh.upswell("install"))
    assert "Expansion_Score__c" in created
    assert not {"Expansion_Opt_Out__c", "Expansion_Task_Key__c"} & set(created)
    assert home_fields(fresh.upswell("install")) == []


def home_fields(answer: Any) -> list[str]:
    """The fields whose first fill an install approved."""
    assert answer.exit_code == 0
    return list(answer.data["first_fill_approved"])


def test_a_whole_plan_goes_into_a_file_that_no_spreadsheet_runs(home: Any, tmp_path: Path) -> None:
    """CSV, JSON and Parquet hold the same rows; in CSV a person's formula is neutral."""
    (record, *_), *_ = home.sandbox.store.select(SCORED)
    person_edit(
        home.sandbox.store, "Account", record, {"Expansion_Product__c": None, "Expansion_Tier__c": None}
    )
    plan = home.upswell("plan", "--explain", "--out", str(tmp_path / "plan.csv")).data
    for name in ("plan.json", "plan.parquet"):
        assert home.upswell("plan", "--show", plan["plan"], "--out", str(tmp_path / name)).exit_code == 0
    with (tmp_path / "plan.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    written = [row for row in rows if row["what"] == "write"]
    assert {row["field"] for row in written} >= {"product", "tier"}
    assert {row["record_id"] for row in written} == {record}
    assert len(rows) == plan["cells"] + plan["tasks"] + sum(plan["skipped"].values()) + sum(
        plan["tasks_skipped"].values()
    )
    held = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert held["plan"]["plan"] == plan["plan"]
    table = pq.read_table(tmp_path / "plan.parquet")
    assert len(held["rows"]) == table.num_rows == len(rows)
    assert table.column_names == list(rows[0])
    rules = {each["rule"] for each in plan["explained"]}
    assert {"news", "no_change", "changed_share", "first_fill", "quota"} <= rules


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan", "--out", "plan.xlsx"), "plan.xlsx"),
        (("plan", "--only", "tear"), "tear"),
        (("plan", "--account", "Nobody Ltd"), "Nobody Ltd"),
        (("plan", "--show", "plan-0"), "plan-0"),
        (("plan", "--show", "plan-0", "--only", "score"), "--only"),
        (("approve", "plan-0"), "operators"),
        (("operator", "disable", "nobody"), "token"),
        (("operator", "add", "lee", "--role", "viewer"), "admin"),
    ],
)
def test_what_can_t_be_is_answered_with_the_fix(home: Any, arguments: tuple[str, ...], said: str) -> None:
    """No plan is made, nobody is added, nothing is written."""
    plans, changes = home.upswell("status").data["plan"], len(home.audit.changes())
    answer = home.upswell(*arguments)
    assert answer.exit_code in (1, 2)
    assert said in json.dumps(answer.errors[0])
    assert answer.errors[0]["fix"]
    assert home.upswell("status").data["plan"] == plans
    assert len(home.audit.changes()) == changes


def test_operators_are_listed_disabled_and_given_new_tokens(
    home: Any, staff: dict[str, dict[str, str]]
) -> None:
    """A token is shown once and never again; a disabled operator's counts no longer."""
    listed = home.upswell("operator", "list").data["operators"]
    assert [(each["name"], each["role"]) for each in listed] == [
        ("ada", "admin"), ("dana", "approver"), ("sam", "operator"),
    ]  # fmt: skip
    assert "upswell_" not in json.dumps(listed)
    assert home.upswell("operator", "disable", "dana", env=staff["sam"]).exit_code == 2
    assert home.upswell("operator", "disable", "dana", env=staff["ada"]).exit_code == 0
    renewed = home.upswell("operator", "rotate", "sam", env=staff["sam"])
    assert home.upswell("plan", env=staff["sam"]).exit_code == 2
    assert home.upswell("plan", env=acting(renewed.data["token"])).data["created_by"] == "sam"
