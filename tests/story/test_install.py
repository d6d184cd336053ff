"""Our fields in a company's CRM, taken away again by whoever put them there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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


def test_doctor_tells_a_new_org_from_one_that_lacks_a_field(fresh: Any) -> None:
    """One fault for all fields before the install; afterwards what fires when we write, and the quota."""
    before = fresh.upswell("doctor")
    faults = {error["record"]: error for error in before.errors}
    assert [record for record in faults if record.startswith("Fields")] == ["Fields: ours"]
    assert "upswell install" in faults["Fields: ours"]["fix"]
    assert fresh.upswell("install").exit_code == 0
    add_validation_rule(fresh.sandbox.store, "Account", "Needs_Industry", message="Fill in the industry.")
    found = {(check["area"], check["name"]): check for check in fresh.upswell("doctor").data["checks"]}
    assert found["Fields", "ours"]["verdict"] == "ok"
    rules = found["Writes", "validation rules of Account"]
    assert (rules["verdict"], rules["found"]) == ("warn", "1 active: Needs_Industry (Fill in the industry.)")
    assert "of them ours, of at most 20,000 (20,000 a run)" in found["CRM", "quota"]["found"]
    assert found["Ledger", "last run"]["found"] == "there was none yet"
