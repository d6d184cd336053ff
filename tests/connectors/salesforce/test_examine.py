"""A check-up of an org: what it finds, with what to do, and that it changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.checkup import Remark
from connectors.errors import LoginError
from connectors.fields import field_specs
from connectors.sandbox.salesforce.tooling import add_validation_rule

SPECS = list(field_specs().values())


def examined(crm: Any) -> dict[str, Remark]:
    """The remarks by name."""
    return {remark.name: remark for remark in crm.examine(SPECS)}


def flow(org: Any, number: int, **facts: Any) -> None:
    """An administrator activates a flow."""
    row = {"Id": f"4Vd00000000000{number}AAA", "ApiName": f"Flow_{number}", "Label": f"Flow {number}"}
    given = {"TriggerType": "RecordAfterSave", "TriggerObjectOrEventId": "Account", "IsActive": True, **facts}
    org.sandbox.store.bulk_insert("FlowDefinitionView", [row | given])


def test_a_healthy_org_has_nothing_to_mend(our_org: Any) -> None:
    """Every object that is read is looked at, and nothing is written."""
    before = len(our_org.sandbox.audit.changes())
    found = examined(our_org.connect())
    assert not [remark for remark in found.values() if remark.is_fault]
    assert found["API version"].found == "68.0, of 31.0 to 68.0"
    assert found["scopes"].found == "api"
    assert found["Account"].found == "accounts: 9 of 9 fields"
    assert {"Opportunity", "Task", "Event", "Case", "User", "Product2"} <= set(found)
    assert found["flows"].found == "none starts with Account or Task"
    assert len(our_org.sandbox.audit.changes()) == before


def test_what_fires_when_we_write_is_named(our_org: Any) -> None:
    """Active rules and flows of the objects that we write; not those of others, and none that is off."""
    store = our_org.sandbox.store
    add_validation_rule(store, "Account", "Needs_Industry", message="Fill in the industry.")
    add_validation_rule(store, "Account", "Old_Rule", message="No more.", active=False)
    add_validation_rule(store, "Opportunity", "Needs_Amount", message="Fill in the amount.")
    flow(our_org, 1)
    flow(our_org, 2, TriggerObjectOrEventId="Lead")
    flow(our_org, 3, IsActive=False)
    flow(our_org, 4, TriggerType="Scheduled")
    flow(our_org, 5, TriggerObjectOrEventId="Task", TriggerType="RecordBeforeSave")
    found = examined(our_org.connect())
    rules = found["validation rules of Account"]
    assert rules.found == "1 active: Needs_Industry (Fill in the industry.)"
    assert "Exempt our user" in str(rules.fix)
    assert found["validation rules of Task"].fix is None
    assert found["flows"].found == "2 active: Flow 1 (Account), Flow 5 (Task)"


def test_many_rules_are_counted_and_some_are_named(our_org: Any) -> None:
    """A screen is no list of fifty rules."""
    for number in range(8):
        add_validation_rule(our_org.sandbox.store, "Account", f"Rule_{number}", message="No.")
    told = examined(our_org.connect())["validation rules of Account"].found
    assert told.startswith("8 active: Rule_0 (No.)")
    assert told.endswith("Rule_4 (No.) and 3 more")


def test_what_our_user_may_not_look_at_is_told_and_the_rest_is_examined(our_org: Any) -> None:
    """The Tooling API takes a permission that an integration user may lack."""
    our_org.fault(kind="status", endpoint="tooling.query", status=403, code="INSUFFICIENT_ACCESS")
    found = examined(our_org.connect())
    assert "can't be seen" in found["validation rules of Account"].found
    assert not found["validation rules of Account"].is_fault
    assert "Product2" in found


@pytest.mark.parametrize(("name", "is_fault"), [("Case", False), ("Account", True)])
def test_a_hidden_object_is_a_fault_only_where_nothing_works_without_it(
    our_org: Any, name: str, is_fault: bool
) -> None:
    """Accounts are scored; tickets may be missing."""
    crm = our_org.connect()
    crm._schemas._known[name] = None  # as the org's describe says of what it does not show
    found = examined(crm)[name]
    assert found.is_fault is is_fault
    assert "are not read: The org has no such object" in found.found


def test_one_of_several_objects_leaves_the_others(our_org: Any) -> None:
    """Activities come without events."""
    our_org.hide("Event")
    assert "activities come without it" in examined(our_org.connect())["Event"].found


def test_an_object_that_the_settings_replace_is_not_looked_for(our_org: Any) -> None:
    """Contracts come from elsewhere; that is for the mapping's checks to say."""
    mapping = {"contracts": {"object": "Order__c", "account_crm_id": "Account__c"}}
    assert "Contract" in examined(our_org.connect())
    assert "Contract" not in examined(our_org.connect(mapping=mapping))


def test_a_login_that_ends_ends_the_check_up(our_org: Any) -> None:
    """Not one refused login a check."""
    before = len(our_org.requests("/oauth2/token"))
    crm = our_org.connect()
    our_org.fault(kind="expire_session", endpoint="tooling.query")
    with pytest.raises(LoginError):
        examined(crm)
    assert len(our_org.requests("/oauth2/token")) == before + 2


def test_an_app_without_the_right_scope_is_told(our_org: Any) -> None:
    """It can log in and then do nothing."""
    crm = our_org.connect()
    crm._client.scopes = frozenset({"id", "refresh_token"})
    found = examined(crm)["scopes"]
    assert (found.is_fault, found.found) == (True, "id, refresh_token")
