"""Our fields and permission sets taken out of an org again."""

# ruff: noqa: E501  # a record in one line reads better

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import SetupError
from connectors.fields import FieldSpec, field_specs, permission_specs
from connectors.salesforce.deploy import ComponentFailure, DeployOutcome

SPECS = list(field_specs().values())
SETS = permission_specs()


def test_an_install_is_taken_back_whole(our_org: Any) -> None:
    """Fields, permission sets and who had them; a second time there is nothing to take back."""
    crm = our_org.connect()
    user = our_org.create(
        "User", LastName="Rep", Username="rep@acme.example", Alias="rep", Email="rep@acme.example"
    )
    (set_id,) = our_org.sandbox.store.select(
        "SELECT Id FROM PermissionSet WHERE Name = 'Upswell_Read_Scores'"
    )[0]
    our_org.create("PermissionSetAssignment", PermissionSetId=set_id, AssigneeId=user)
    planned = crm.remove(SPECS, apply=False)
    assert not planned.applied
    assert {step.action for step in planned.steps} == {"remove"}
    assert len(planned.steps) == len(SPECS) + len(SETS)
    details = {step.name: step.detail for step in planned.steps if step.detail}
    assert details["Upswell_Read_Scores"] == "from the one user who has it"
    assert details["Expansion_Feedback__c"] == "with what people filled in"
    assert "Expansion_Score__c" in crm.describe("Account").fields
    assert crm.remove(SPECS, apply=True).applied
    assert not [name for name in crm.describe("Account").fields if name.startswith("Expansion_")]
    assert our_org.sandbox.store.select("SELECT Name FROM PermissionSet WHERE Name LIKE 'Upswell%'") == []
    assert our_org.connect().remove(SPECS, apply=True).steps == ()
    assert our_org.connect().install(SPECS, apply=True).applied


def test_a_removal_leaves_what_is_not_ours(org: Any) -> None:
    """By its help text, unless it is noted that we made it; a field of RevOps' own is not even looked at."""
    theirs = FieldSpec(key="score", object="accounts", salesforce="Expansion_Score__c", hubspot="x", label="Their own", type="number", precision=3, scale=0, owner="machine", help="Theirs.")  # fmt: skip
    crm = org.connect()
    crm.install([theirs], apply=True)
    crm.install(SPECS, apply=True)
    left = [step for step in crm.remove(SPECS, apply=False).steps if step.action == "keep"]
    assert [(step.name, step.detail) for step in left] == [
        ("Expansion_Score__c", "not made by Upswell: its help text is another's")
    ]
    crm.remove(SPECS, apply=True)
    assert "Expansion_Score__c" in [step.name for step in crm.remove(SPECS, apply=False).steps]
    crm.remove(SPECS, made={"Account.Expansion_Score__c"}, apply=True)
    assert crm.remove(SPECS, apply=False).steps == ()
    mapped = org.connect(mapping={"fields": {"product": "Plan_Tier__c"}})
    mapped.install(SPECS, apply=True)
    assert "Plan_Tier__c" not in [step.name for step in mapped.remove(SPECS, apply=False).steps]


def test_a_removal_that_the_org_refuses_takes_nothing_away(our_org: Any, monkeypatch: Any) -> None:
    """A report or a flow may use a field; then nobody has lost a permission set either."""
    crm = our_org.connect()
    failure = ComponentFailure(file="", problem="Expansion_Score__c is referenced by the flow Renewals.")
    outcome = DeployOutcome(succeeded=False, failures=(failure,))
    monkeypatch.setattr(crm._remover.deployer, "deploy", lambda _: outcome)
    with pytest.raises(SetupError, match=r"nothing was removed.*the flow Renewals"):
        crm.remove(SPECS, apply=True)
    assert {step.action for step in our_org.connect().install(SPECS, apply=False).steps} == {"keep"}
