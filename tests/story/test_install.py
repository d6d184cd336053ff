"""What is ours in a company's CRM, taken away again by whoever put it there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.sandbox.salesforce.person import person_create
from connectors.sandbox.salesforce.schema import Schema
from connectors.sandbox.salesforce.tooling import add_validation_rule


def ours(home: Any) -> set[str]:
    """Our fields of Account that the org has."""
    fields = Schema(home.sandbox.store).objects()["account"].fields.values()
    return {field.name for field in fields if field.name.startswith("Expansion_")}


def test_a_removal_shows_what_it_would_take_and_takes_nothing_unasked(fresh: Any) -> None:
    """It asks a person; where there is none to ask, the yes must be given."""
    assert fresh.upswell("install").exit_code == 0
    planned = fresh.upswell("install", "--remove", "--plan")
    assert (planned.exit_code, planned.data["applied"]) == (0, False)
    assert set(planned.data["counts"]) == {"remove"}
    unasked = fresh.upswell("install", "--remove")
    assert unasked.exit_code == 2
    assert "--yes" in unasked.errors[0]["fix"]
    assert "Expansion_Score__c" in ours(fresh)
    removed = fresh.upswell("install", "--remove", "--yes")
    assert (removed.exit_code, removed.data["applied"]) == (0, True)
    assert ours(fresh) == set()


def test_what_an_install_made_is_ours_whatever_became_of_it(fresh: Any) -> None:
    """The ledger notes it; what the company had is nobody's to take."""
    assert fresh.upswell("install").exit_code == 0
    schema = Schema(fresh.sandbox.store)
    score = schema.objects()["account"].fields["expansion_score__c"]
    schema.add_fields("Account", [replace(score, help_text="Ours, says RevOps.")])
    schema.add_fields("Account", [replace(score, name="Expansion_Hopes__c", help_text=None)])
    assert fresh.upswell("install", "--remove", "--yes").exit_code == 0
    assert ours(fresh) == {"Expansion_Hopes__c"}
    nothing = fresh.upswell("install", "--remove", "--yes")
    assert (nothing.exit_code, nothing.data["steps"]) == (0, [])


def test_a_company_says_which_objects_it_wants(fresh: Any) -> None:
    """[crm] objects; doctor asks for no others, and a removal takes what there is with its rows."""
    env = {"UPSWELL_CRM__OBJECTS": '["forecasts"]'}
    made = fresh.upswell("install", env=env)
    objects = [step["name"] for step in made.data["steps"] if step["object"] == "CustomObject"]
    assert objects == ["Expansion_Forecast__c"]
    checks = fresh.upswell("doctor", env=env).data["checks"]
    (ours,) = [check for check in checks if (check["area"], check["name"]) == ("Objects", "ours")]
    assert ours["found"] == "1 of 1 can be written"
    person_create(fresh.sandbox.store, "Expansion_Forecast__c", {"Key__c": "a"})
    planned = fresh.upswell("install", "--remove", "--plan").data["steps"]
    (step,) = [each for each in planned if each["object"] == "CustomObject"]
    assert step["detail"] == "with its one row"
    assert fresh.upswell("install", "--remove").exit_code == 2
    assert Schema(fresh.sandbox.store).find("Expansion_Forecast__c") is not None
    assert fresh.upswell("install", "--remove", "--yes").exit_code == 0
    assert Schema(fresh.sandbox.store).find("Expansion_Forecast__c") is None


def test_reports_are_made_when_they_are_asked_for(fresh: Any) -> None:
    """Not with everything else; what is asked for twice is made once."""
    kinds = {step["object"] for step in fresh.upswell("install").data["steps"]}
    assert {"ListView", "ReportType", "PermissionSetGroup", "LightningComponentBundle"} <= kinds
    assert "Report" not in kinds
    made = fresh.upswell("install", "--reports")
    created = {step["object"] for step in made.data["steps"] if step["action"] == "create"}
    assert created == {"ReportFolder", "Report", "DashboardFolder", "Dashboard"}
    assert set(fresh.upswell("install", "--reports").data["counts"]) == {"keep"}


def test_doctor_tells_a_new_org_from_one_that_lacks_a_field(fresh: Any) -> None:
    """One fault for all fields before the install; afterwards what fires when we write, and the quota."""
    before = fresh.upswell("doctor")
    faults = {error["record"]: error for error in before.errors}
    assert [record for record in faults if record.startswith("Fields")] == ["Fields: ours"]
    assert "upswell install" in faults["Fields: ours"]["fix"]
    objects = next(
        check for check in before.data["checks"] if check["area"] == "Objects" and check["name"] == "ours"
    )
    assert (objects["verdict"], objects["found"].count("is missing")) == ("warn", 3)
    assert "upswell install" in objects["fix"]
    assert fresh.upswell("install").exit_code == 0
    add_validation_rule(fresh.sandbox.store, "Account", "Needs_Industry", message="Fill in the industry.")
    found = {(check["area"], check["name"]): check for check in fresh.upswell("doctor").data["checks"]}
    assert found["Fields", "ours"]["verdict"] == "ok"
    assert (found["Objects", "ours"]["verdict"], found["Objects", "ours"]["found"]) == (
        "ok",
        "3 of 3 can be written",
    )
    rules = found["Writes", "validation rules of Account"]
    assert (rules["verdict"], rules["found"]) == ("warn", "1 active: Needs_Industry (Fill in the industry.)")
    assert "of them ours, of at most 20,000 (20,000 a run)" in found["CRM", "quota"]["found"]
    assert found["Ledger", "last run"]["found"] == "there was none yet"
