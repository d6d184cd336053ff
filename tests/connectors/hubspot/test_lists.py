"""The lists of companies that people work from, in a HubSpot account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from connectors.errors import TerminalError
from connectors.fields import field_specs
from connectors.installing import Extras
from connectors.sandbox.hubspot.auth import grant
from connectors.views import view_specs

SPECS = list(field_specs().values())
VIEWS = Extras(views=True)
PATH = "/crm/lists/2026-09"


def lists(account: Any) -> dict[str, Mapping[str, Any]]:
    """The filters of the account's lists, by name."""
    if not account.sandbox.store.columns("lists"):
        return {}
    rows = account.sandbox.store.select("SELECT name, filters FROM lists WHERE NOT gone")
    return {str(name): json.loads(str(filters)) for name, filters in rows}


def steps(report: Any) -> dict[str, str]:
    """What a report does for lists."""
    return {step.name: step.action for step in report.steps if step.object == "list"}


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_an_account_gets_a_list_of_each_view_once(our_account: Any, version: str) -> None:
    """The sandbox checks each filter against its property; a second time nothing is made."""
    settings = our_account.settings(api_version=version)
    names = [each.hubspot for each in view_specs().values()]
    planned = our_account.connect(settings).install(SPECS, extras=VIEWS, apply=False)
    assert steps(planned) == dict.fromkeys(names, "create")
    assert lists(our_account) == {}
    report = our_account.connect(settings).install(SPECS, extras=VIEWS, apply=True)
    assert (report.warnings, list(lists(our_account))) == ((), names)
    again = our_account.connect(settings).install(SPECS, extras=VIEWS, apply=True)
    assert (again.warnings, steps(again)) == ((), dict.fromkeys(names, "keep"))
    assert {step.action for step in again.steps} == {"keep"}


def test_a_list_asks_what_its_view_says(our_account: Any) -> None:
    """High tiers of accounts that are not left out, by the time zone of the account."""
    our_account.connect().install(SPECS, extras=VIEWS, apply=True)
    held = lists(our_account)
    (branch,) = held["Upswell: Accounts to Expand"]["filterBranches"]
    tier, opt_out = branch["filters"]
    assert tier["operation"]["values"] == ["very_high", "high"]
    assert opt_out["operation"]["value"] is False
    assert opt_out["operation"]["includeObjectsWithNoValueSet"] is True
    (branch,) = held["Upswell: Stale Data"]["filterBranches"]
    (stale,) = branch["filters"]
    assert stale["property"] == "expansion_data_as_of"
    assert stale["operation"]["timePoint"]["offset"] == {"days": -14}
    assert stale["operation"]["timePoint"]["zoneId"] == our_account.connect().org().timezone


def test_a_list_that_somebody_changed_stays_and_one_that_is_theirs_too(our_account: Any) -> None:
    """Ours are known by their names; a removal takes those, and no other."""
    crm = our_account.connect()
    crm.install(SPECS, extras=VIEWS, apply=True)
    theirs = {"name": "Upswell: ours, says Sales", "objectTypeId": "0-2", "processingType": "MANUAL"}
    crm._client.set_up(PATH, theirs)
    with our_account.sandbox.store.transaction() as sql:
        sql.execute("UPDATE lists SET filters = '{}' WHERE name = 'Upswell: Stale Data'")
    crm.install(SPECS, extras=VIEWS, apply=True)
    assert lists(our_account)["Upswell: Stale Data"] == {}
    assert set(steps(crm.remove(SPECS, apply=False)).values()) == {"remove"}
    crm.remove(SPECS, apply=True)
    assert list(lists(our_account)) == ["Upswell: ours, says Sales"]


def test_an_app_that_may_make_no_lists_is_told_and_served_the_rest(account: Any) -> None:
    """A remark, and never an error."""
    held = account.sandbox.store.meta["app.scopes"].split()
    grant(account.sandbox.store, tuple(each for each in held if "lists" not in each))
    report = account.connect().install(SPECS, extras=VIEWS, apply=True)
    (warning,) = report.warnings
    assert warning.startswith("no lists of accounts to work from: ")
    assert account.connect().describe("companies").fields["expansion_score"]


def filtered(**changes: Any) -> dict[str, Any]:
    """A list with one filter, but for the changes."""
    operation = {"operationType": "NUMBER", "operator": "IS_GREATER_THAN", "value": 0}
    operation["includeObjectsWithNoValueSet"] = False
    each = {"filterType": "PROPERTY", "property": "expansion_score", "operation": operation}
    each["operation"] = {**operation, **changes.pop("operation", {})}
    branch = {"filterBranchType": "AND", "filters": [{**each, **changes}]}
    root = {"filterBranchType": "OR", "filters": [], "filterBranches": [branch]}
    return {"name": "A", "objectTypeId": "0-2", "processingType": "DYNAMIC", "filterBranch": root}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (filtered(property="nothing"), "does not exist"),
        (filtered(operation={"operator": "IS_ANY_OF"}), "no operator"),
        (filtered(property="expansion_tier"), "does not go with"),
        (filtered(operation={"value": True}), "no value"),
        (filtered(operation={"includeObjectsWithNoValueSet": None}), "includeObjectsWithNoValueSet"),
        ({**filtered(), "filterBranch": {"filterBranchType": "AND", "filters": []}}, "must be of type OR"),
        ({**filtered(), "processingType": "LIVE"}, "processingType"),
        ({**filtered(), "objectTypeId": "0-999"}, "object type"),
    ],
)
def test_the_sandbox_refuses_a_list_against_the_rules(
    our_account: Any, body: dict[str, Any], says: str
) -> None:
    """Two of one name, too."""
    client = our_account.connect()._client
    with pytest.raises(TerminalError, match=says):
        client.set_up(PATH, body)
    client.set_up(PATH, filtered())
    with pytest.raises(TerminalError, match="already exists"):
        client.set_up(PATH, filtered())


def test_a_list_on_a_property_that_revops_leave_out_is_not_made(account: Any) -> None:
    """An empty name in the mapping: the property is neither made nor looked for."""
    crm = account.connect(mapping={"fields": {"change": ""}})
    report = crm.install(SPECS, extras=VIEWS, apply=True)
    assert "expansion_change" not in {step.name for step in report.steps}
    assert "expansion_change" not in crm.describe("companies").fields
    assert "Upswell: Moved Up This Week" not in lists(account)
