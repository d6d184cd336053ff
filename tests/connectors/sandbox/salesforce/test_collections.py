"""sObject Collections: partial results, all-or-none, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from connectors.sandbox.faults import FaultRule
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.server import Sandbox

Http = Callable[..., requests.Response]
URL = "/composite/sobjects"


def account(**values: Any) -> dict[str, Any]:
    """One record of a Collections call."""
    return {"attributes": {"type": "Account"}, **values}


@pytest.fixture
def ids(http: Http) -> list[str]:
    """Three accounts."""
    made = http("POST", URL, json={"records": [account(Name=f"A{n}") for n in range(3)]}).json()
    return [row["id"] for row in made]


@pytest.fixture
def names(http: Http) -> Callable[[list[str]], list[str | None]]:
    """The accounts' names now."""

    def read(keys: list[str]) -> list[str | None]:
        rows = http("POST", f"{URL}/Account", json={"ids": keys, "fields": ["Name"]}).json()
        return [None if row is None else row["Name"] for row in rows]

    return read


def test_a_refused_row_does_not_stop_the_others(
    http: Http, ids: list[str], names: Callable[..., Any]
) -> None:
    """Results come in the order sent, each with its reason."""
    records = [
        account(id=ids[2], Name="C"),
        account(id=ids[0], Plan_Tier__c="Gold"),
        account(id=ids[1], Nmae="x"),
        account(id=salesforce_id("001", 77), Name="nobody"),
    ]
    results = http("PATCH", URL, json={"records": records}).json()
    assert [result["success"] for result in results] == [True, False, False, False]
    assert [result["errors"][0]["statusCode"] for result in results[1:]] == [
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_FIELD",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    assert names(ids) == ["A0", "A1", "C"]


def test_all_or_none_takes_everything_back(
    sandbox: Sandbox, http: Http, ids: list[str], names: Callable[..., Any]
) -> None:
    """The good rows say why they were rolled back, and the audit shows no change."""
    before = len(sandbox.audit.changes())
    body = {"allOrNone": True, "records": [account(id=ids[0], Name="B"), account(id=ids[1], Seats__c="many")]}
    results = http("PATCH", URL, json=body).json()
    assert [result["errors"][0]["statusCode"] for result in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "JSON_PARSER_ERROR",
    ]
    assert names(ids) == ["A0", "A1", "A2"]
    assert len(sandbox.audit.changes()) == before


def test_two_hundred_records_are_the_limit(http: Http, ids: list[str]) -> None:
    """201 are refused whole."""
    allowed = http("POST", URL, json={"records": [account(Name="x")] * 200})
    refused = http("POST", URL, json={"records": [account(Name="y")] * 201})
    assert (allowed.status_code, len(allowed.json())) == (200, 200)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    count = http("GET", "/query", params={"q": "SELECT COUNT() FROM Account WHERE Name = 'y'"}).json()
    assert count["totalSize"] == 0


def test_types_may_change_ten_times(http: Http) -> None:
    """Eleven chunks are refused."""
    contact = {"attributes": {"type": "Contact"}, "LastName": "Ito"}
    mixed = [account(Name="x"), contact] * 5
    assert http("POST", URL, json={"records": mixed}).status_code == 200
    refused = http("POST", URL, json={"records": [*mixed, account(Name="x")]})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_a_record_may_be_updated_once_in_a_call(
    http: Http, ids: list[str], names: Callable[..., Any]
) -> None:
    """The second time is refused, in either length of the id."""
    records = [account(id=ids[0], Name="first"), account(id=ids[0][:15], Name="second")]
    results = http("PATCH", URL, json={"records": records}).json()
    assert [result["success"] for result in results] == [True, False]
    assert results[1]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert names(ids[:1]) == ["first"]


def test_reading_by_ids_keeps_the_order_and_shows_gaps(
    http: Http, ids: list[str], names: Callable[..., Any]
) -> None:
    """A deleted or unknown record is null; 2,000 ids are the limit."""
    deleted = http("DELETE", URL, params={"ids": ids[1]}).json()
    assert deleted == [{"id": ids[1], "success": True, "errors": []}]
    assert names([ids[2], ids[1], ids[0]]) == ["A2", None, "A0"]
    many = [salesforce_id("001", n) for n in range(2_001)]
    refused = http("POST", f"{URL}/Account", json={"ids": many, "fields": ["Name"]})
    assert refused.status_code == 400
    assert (
        http("POST", f"{URL}/Account", json={"ids": ids, "fields": ["Nmae"]}).json()[0]["errorCode"]
        == "INVALID_FIELD"
    )


def test_upsert_by_external_id_tells_created_from_changed(http: Http) -> None:
    """Row by row."""
    url = f"{URL}/Account/Customer_Id__c"
    http("PATCH", url, json={"records": [account(Customer_Id__c="C1", Name="A")]})
    records = [
        account(Customer_Id__c="C1", Name="B"),
        account(Customer_Id__c="C2", Name="C"),
        account(Name="D"),
    ]
    results = http("PATCH", url, json={"records": records}).json()
    assert [result.get("created") for result in results] == [False, True, None]
    assert results[2]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"


def test_a_locked_row_is_refused_and_written_on_the_next_try(
    sandbox: Sandbox, http: Http, ids: list[str], names: Callable[..., Any]
) -> None:
    """UNABLE_TO_LOCK_ROW for that row only."""
    sandbox.faults.replace([FaultRule(kind="lock", endpoint="collections.update", ids=(ids[1],), times=1)])
    body = {"records": [account(id=key, Name="new") for key in ids]}
    first = http("PATCH", URL, json=body).json()
    assert [result["success"] for result in first] == [True, False, True]
    assert first[1]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert all(result["success"] for result in http("PATCH", URL, json=body).json())
    assert names(ids) == ["new"] * 3


def test_a_call_without_types_or_records_is_refused(http: Http) -> None:
    """As a whole."""
    for body in ({"records": [{"Name": "x"}]}, {"records": []}, {}, {"records": ["x"]}):
        assert http("POST", URL, json=body).status_code == 400
