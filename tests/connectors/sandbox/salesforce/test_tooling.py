"""The Tooling API lists custom fields whoever may see them, and refuses the rest as the data API does."""

from __future__ import annotations

from typing import Any

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from connectors.sandbox.salesforce.schema import Field, Schema
from connectors.sandbox.salesforce.tooling import add_validation_rule
from connectors.sandbox.server import Sandbox


def tooling(sf: Salesforce, soql: str) -> dict[str, Any]:
    """The answer to a Tooling query."""
    answer: dict[str, Any] = sf.toolingexecute("query", params={"q": soql})
    return answer


def places(sf: Salesforce, where: str) -> list[tuple[str, str]]:
    """Object and developer name of the custom fields that a WHERE clause finds."""
    soql = f"SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE {where} ORDER BY TableEnumOrId"
    return [(row["TableEnumOrId"], row["DeveloperName"]) for row in tooling(sf, soql)["records"]]


@pytest.fixture
def schema(sandbox: Sandbox) -> Schema:
    """The running org's schema, as an administrator changes it in Setup."""
    return Schema(sandbox.store)


def test_a_field_without_permission_is_listed(sandbox: Sandbox, sf: Salesforce, schema: Schema) -> None:
    """Describe does not show it; one of Task and Event is one field of Activity."""
    score = Field(name="Score__c", label="Score", type="double", precision=3)
    for name in ("Account", "Task", "Event"):
        schema.add_fields(name, [score])
    assert "Score__c" not in {field["name"] for field in sf.Account.describe()["fields"]}
    assert places(sf, "DeveloperName IN ('Score', 'Nothing')") == [
        ("Account", "Score"),
        ("Activity", "Score"),
    ]


def test_the_companys_own_fields_are_listed_too(sf: Salesforce) -> None:
    """By their name without __c."""
    assert places(sf, "DeveloperName = 'plan_tier'") == [("Account", "Plan_Tier")]


def test_a_field_keeps_its_id_and_a_removed_one_is_gone(sf: Salesforce, schema: Schema) -> None:
    """Each answer shows the org as it is now."""
    ids = "SELECT Id FROM CustomField WHERE DeveloperName IN ('Plan_Tier', 'Score')"
    (before,) = tooling(sf, ids)["records"]
    assert before["attributes"]["url"] == f"/services/data/v68.0/tooling/sobjects/CustomField/{before['Id']}"
    schema.add_fields("Account", [Field(name="Score__c", label="Score", type="double")])
    assert tooling(sf, ids)["totalSize"] == 2
    schema.remove_field("Account", "Score__c")
    assert [row["Id"] for row in tooling(sf, ids)["records"]] == [before["Id"]]


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Colour FROM CustomField", "INVALID_FIELD"),
        ("SELECT Id FROM Account", "INVALID_TYPE"),
        ("SELECT Id FROM CustomField WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM CustomField WHERE DeveloperName IN ()", "MALFORMED_QUERY"),
    ],
)
def test_what_the_data_api_would_refuse_is_refused(sf: Salesforce, soql: str, code: str) -> None:
    """With the same codes; the data API's objects are not the Tooling API's."""
    with pytest.raises(SalesforceMalformedRequest, match=code):
        tooling(sf, soql)


def test_custom_field_is_no_object_of_the_data_api(sf: Salesforce) -> None:
    """Only the Tooling API has it."""
    tooling(sf, "SELECT Id FROM CustomField")
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_TYPE"):
        sf.query("SELECT Id FROM CustomField")


def test_field_definitions_want_a_filter_by_their_object(sf: Salesforce) -> None:
    """As the vendor does; then they tell whose history is tracked."""
    with pytest.raises(SalesforceMalformedRequest, match="a filter on a reified column is required"):
        tooling(sf, "SELECT QualifiedApiName FROM FieldDefinition")
    soql = "SELECT QualifiedApiName, IsFieldHistoryTracked FROM FieldDefinition"
    rows = tooling(sf, f"{soql} WHERE EntityDefinitionId = 'Account'")["records"]
    tracked = {row["QualifiedApiName"]: row["IsFieldHistoryTracked"] for row in rows}
    assert tracked["Name"] in {True, False}
    assert "WhatId" not in tracked


def test_validation_rules_are_listed_by_object(sandbox: Sandbox, sf: Salesforce) -> None:
    """Active or not, with the message that people see."""
    add_validation_rule(sandbox.store, "Account", "Needs_Industry", message="Fill in the industry.")
    soql = "SELECT ValidationName, Active, ErrorMessage FROM ValidationRule WHERE EntityDefinitionId = "
    (row,) = tooling(sf, soql + "'Account'")["records"]
    assert (row["ValidationName"], row["Active"]) == ("Needs_Industry", True)
    assert tooling(sf, soql + "'Contact'")["records"] == []
