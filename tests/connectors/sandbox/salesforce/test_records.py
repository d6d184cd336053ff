"""Single records: what is refused, what the org does by itself, and conditional writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceResourceNotFound

from connectors.sandbox.clock import advance
from connectors.sandbox.salesforce.org import ADMIN_USER_ID, INTEGRATION_USER_ID
from connectors.sandbox.salesforce.person import person_create, person_delete, person_edit, person_merge
from connectors.sandbox.salesforce.rows import RowRefusedError
from connectors.sandbox.server import Sandbox

Http = Callable[..., requests.Response]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Nmae": "x"}, "INVALID_FIELD"),
        ({"Name": "x" * 256}, "STRING_TOO_LONG"),
        ({"Name": 5}, "JSON_PARSER_ERROR"),
        ({"Name": None}, "REQUIRED_FIELD_MISSING"),
        ({"Plan_Tier__c": "Gold"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Seats__c": "many"}, "JSON_PARSER_ERROR"),
        ({"Seats__c": True}, "JSON_PARSER_ERROR"),
        ({"Seats__c": 1e9}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"NumberOfEmployees": 1.5}, "JSON_PARSER_ERROR"),
        ({"Renewal_Date__c": "2026-02-30"}, "JSON_PARSER_ERROR"),
        ({"Renewal_Date__c": "soon"}, "JSON_PARSER_ERROR"),
        ({"Renewal_Date__c": 20260101}, "JSON_PARSER_ERROR"),
        ({"CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"OwnerId": "nobody"}, "MALFORMED_ID"),
        ({"OwnerId": "005Hs000000ZZZZ"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"OwnerId": "001Hs0000000001IAA"}, "FIELD_INTEGRITY_EXCEPTION"),
    ],
)
def test_a_bad_value_is_refused_and_changes_nothing(http: Http, values: dict[str, Any], code: str) -> None:
    """On create and on update alike, with the vendor's code."""
    made = http("POST", "/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    before = http("GET", f"/sobjects/Account/{made}").json()
    created = http("POST", "/sobjects/Account", json={"Name": "Other", **values})
    updated = http("PATCH", f"/sobjects/Account/{made}", json=values)
    assert [created.status_code, updated.status_code] == [400, 400]
    assert [created.json()[0]["errorCode"], updated.json()[0]["errorCode"]] == [code, code]
    assert http("GET", f"/sobjects/Account/{made}").json() == before


def test_nan_is_no_json(http: Http) -> None:
    """Python's json writes it, the org refuses the whole call."""
    reply = http("POST", "/sobjects/Account", data='{"Name": "Acme", "ARR__c": NaN}')
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_values_are_kept_as_the_field_keeps_them(sf: Salesforce) -> None:
    """Rounded to the scale, trimmed, in the picklist's spelling, empty text as null."""
    values = {"Name": " Acme ", "ARR__c": 10.005, "Seats__c": "12", "Plan_Tier__c": "growth", "Website": ""}
    row = sf.Account.get(sf.Account.create(values)["id"])
    kept = [row[name] for name in ("Name", "ARR__c", "Seats__c", "Plan_Tier__c", "Website")]
    assert kept == ["Acme", 10.01, 12.0, "Growth", None]


def test_a_unique_external_id_refuses_its_second_record(http: Http) -> None:
    """Without regard to case."""
    assert http("POST", "/sobjects/Account", json={"Name": "A", "Customer_Id__c": "C1"}).status_code == 201
    again = http("POST", "/sobjects/Account", json={"Name": "B", "Customer_Id__c": "c1"})
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "DUPLICATE_VALUE")


def test_upsert_creates_then_changes(http: Http) -> None:
    """201, then 200; the external id must not be in the body."""
    first = http("PATCH", "/sobjects/Account/Customer_Id__c/C1", json={"Name": "A"})
    second = http("PATCH", "/sobjects/Account/Customer_Id__c/C1", json={"Name": "B"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (second.status_code, second.json()["created"]) == (200, False)
    assert first.json()["id"] == second.json()["id"]
    assert http("GET", "/sobjects/Account/Customer_Id__c/C1").json()["Name"] == "B"
    twice = http("PATCH", "/sobjects/Account/Customer_Id__c/C1", json={"Customer_Id__c": "C1"})
    assert twice.json()[0]["errorCode"] == "INVALID_FIELD"


def test_the_server_stamps_who_and_when(sandbox: Sandbox, sf: Salesforce) -> None:
    """People and the integration are told apart."""
    key = sf.Account.create({"Name": "Acme"})["id"]
    made = sf.Account.get(key)
    advance(sandbox.store, timedelta(days=1))
    person_edit(sandbox.store, "Account", key, {"Phone": "1"})
    edited = sf.Account.get(key)
    assert (made["LastModifiedById"], edited["LastModifiedById"]) == (INTEGRATION_USER_ID, ADMIN_USER_ID)
    assert edited["SystemModstamp"] > made["SystemModstamp"]
    assert edited["CreatedDate"] == made["CreatedDate"]


def test_a_stage_sets_what_follows_from_it(sf: Salesforce) -> None:
    """Closed, won, probability and expected revenue, and a row in the stage history."""
    deal = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-01", "Amount": 1000}
    key = sf.Opportunity.create(deal)["id"]
    sf.Opportunity.update(key, {"StageName": "Closed Won"})
    sf.Opportunity.update(key, {"NextStep": "none"})
    row = sf.Opportunity.get(key)
    assert [row[n] for n in ("IsClosed", "IsWon", "Probability", "ExpectedRevenue")] == [
        True,
        True,
        100.0,
        1000.0,
    ]
    history = sf.query("SELECT StageName, Probability FROM OpportunityHistory ORDER BY Id")["records"]
    assert [(h["StageName"], h["Probability"]) for h in history] == [
        ("Prospecting", 10.0),
        ("Closed Won", 100.0),
    ]


def test_tracked_fields_leave_history(sf: Salesforce) -> None:
    """With old and new value; untracked ones don't."""
    key = sf.Account.create({"Name": "Acme", "ARR__c": 10})["id"]
    sf.Account.update(key, {"ARR__c": 20, "Website": "https://acme.example"})
    rows = sf.query("SELECT Field, OldValue, NewValue FROM AccountHistory ORDER BY Id")["records"]
    assert [(r["Field"], r["OldValue"], r["NewValue"]) for r in rows] == [
        ("created", None, None),
        ("ARR__c", 10.0, 20.0),
    ]


def test_a_task_knows_its_account_and_when_it_was_completed(sandbox: Sandbox, sf: Salesforce) -> None:
    """Through the opportunity or the contact that it is about."""
    account = sf.Account.create({"Name": "Acme"})["id"]
    contact = sf.Contact.create({"LastName": "Ito", "FirstName": "Yui", "AccountId": account})["id"]
    key = sf.Task.create({"Subject": "Call", "WhoId": contact, "Priority": "High"})["id"]
    open_task = sf.Task.get(key)
    sf.Task.update(key, {"Status": "Completed"})
    done = sf.Task.get(key)
    assert (open_task["AccountId"], open_task["Status"], open_task["IsHighPriority"]) == (
        account,
        "Not Started",
        True,
    )
    assert (open_task["IsClosed"], done["IsClosed"]) == (False, True)
    assert done["CompletedDateTime"] >= open_task["CreatedDate"]
    assert sf.Contact.get(contact)["Name"] == "Yui Ito"


def test_products_add_up_to_the_amount(sandbox: Sandbox, sf: Salesforce) -> None:
    """An opportunity with products has their total."""
    product = sf.Product2.create({"Name": "Seats", "ProductCode": "SEAT", "IsActive": True})["id"]
    book = sf.Pricebook2.create({"Name": "Standard", "IsActive": True})["id"]
    entry = sf.PricebookEntry.create({"Product2Id": product, "Pricebook2Id": book, "UnitPrice": 10})["id"]
    deal = sf.Opportunity.create({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-01"})["id"]
    sf.OpportunityLineItem.create(
        {"OpportunityId": deal, "PricebookEntryId": entry, "Quantity": 3, "UnitPrice": 9}
    )
    row = sf.query("SELECT Amount, HasOpportunityLineItem FROM Opportunity")["records"][0]
    line = sf.query("SELECT TotalPrice, ListPrice, Product2.ProductCode FROM OpportunityLineItem")["records"][
        0
    ]
    assert (row["Amount"], row["HasOpportunityLineItem"]) == (27.0, True)
    assert (line["TotalPrice"], line["ListPrice"], line["Product2"]["ProductCode"]) == (27.0, 10.0, "SEAT")


def test_a_deleted_record_is_gone_with_its_children(sandbox: Sandbox, sf: Salesforce) -> None:
    """404 ENTITY_IS_DELETED for reads and writes."""
    account = sf.Account.create({"Name": "Acme"})["id"]
    contact = sf.Contact.create({"LastName": "Ito", "AccountId": account})["id"]
    sf.Account.delete(account)
    for key, api in ((account, sf.Account), (contact, sf.Contact)):
        with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
            api.get(key)
    with pytest.raises(RowRefusedError, match="entity is deleted"):
        person_edit(sandbox.store, "Account", account, {"Name": "x"})


def test_a_merged_account_names_its_survivor_and_leaves_it_the_children(
    sandbox: Sandbox, sf: Salesforce
) -> None:
    """queryAll shows MasterRecordId; contacts and tasks move over."""
    survivor, loser = (str(sf.Account.create({"Name": name})["id"]) for name in ("Acme", "ACME Inc"))
    contact = sf.Contact.create({"LastName": "Ito", "AccountId": loser})["id"]
    task = sf.Task.create({"Subject": "Call", "WhatId": loser})["id"]
    person_merge(sandbox.store, "Account", survivor, [loser])
    soql = f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{loser}'"
    row = sf.query(soql, include_deleted=True)["records"][0]
    assert (row["IsDeleted"], row["MasterRecordId"]) == (True, survivor)
    assert sf.Contact.get(contact)["AccountId"] == survivor
    assert sf.Task.get(task)["AccountId"] == survivor
    with pytest.raises(ValueError, match="can't be merged"):
        person_merge(sandbox.store, "Opportunity", survivor, [loser])


def test_a_moved_record_refuses_a_conditional_write(sandbox: Sandbox, http: Http) -> None:
    """412 for If-Match on an account and for If-Unmodified-Since, and nothing is written."""
    key = http("POST", "/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    etag = http("GET", f"/sobjects/Account/{key}").headers["ETag"]
    read_at = format_datetime(sandbox.clock.now(), usegmt=True)
    assert (
        http("PATCH", f"/sobjects/Account/{key}", json={"Name": "B"}, headers={"If-Match": etag}).status_code
        == 204
    )
    advance(sandbox.store, timedelta(minutes=5))
    person_edit(sandbox.store, "Account", key, {"Name": "By hand"})
    for headers in ({"If-Match": etag}, {"If-Unmodified-Since": read_at}):
        refused = http("PATCH", f"/sobjects/Account/{key}", json={"Name": "C"}, headers=headers)
        assert refused.status_code == 412
    assert http("GET", f"/sobjects/Account/{key}").json()["Name"] == "By hand"
    later = {"If-Unmodified-Since": format_datetime(sandbox.clock.now(), usegmt=True)}
    assert http("PATCH", f"/sobjects/Account/{key}", json={"Name": "C"}, headers=later).status_code == 204


def test_the_reply_to_an_accounts_update_carries_its_new_etag(http: Http) -> None:
    """With which the next update can be conditional; other objects have none."""
    key = http("POST", "/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    etag = http("PATCH", f"/sobjects/Account/{key}", json={"Name": "B"}).headers["ETag"]
    assert etag == http("GET", f"/sobjects/Account/{key}").headers["ETag"]
    again = http("PATCH", f"/sobjects/Account/{key}", json={"Name": "C"}, headers={"If-Match": etag})
    assert again.status_code == 204
    contact = http("POST", "/sobjects/Contact", json={"LastName": "Ito"}).json()["id"]
    assert "ETag" not in http("PATCH", f"/sobjects/Contact/{contact}", json={"LastName": "B"}).headers


def test_a_person_meets_the_same_rules(sandbox: Sandbox) -> None:
    """And is named in the audit as the one who changed it."""
    key = person_create(sandbox.store, "Account", {"Name": "Acme"})
    with pytest.raises(RowRefusedError, match="restricted picklist"):
        person_edit(sandbox.store, "Account", key, {"Plan_Tier__c": "Gold"})
    person_edit(sandbox.store, "Account", key, {"Plan_Tier__c": "Growth"})
    changes = [change for change in sandbox.audit.changes() if change.field == "Plan_Tier__c"]
    assert [(c.id, c.before, c.after, c.by, c.request) for c in changes] == [
        (key, None, "Growth", ADMIN_USER_ID, None)
    ]
    person_delete(sandbox.store, "Account", key)


def test_unknown_addresses_and_methods_answer_as_the_vendor_does(http: Http) -> None:
    """404 NOT_FOUND and 405 METHOD_NOT_ALLOWED."""
    answers = [http("GET", "/nothing"), http("GET", "/sobjects/Invoice__c/describe"), http("PUT", "/limits")]
    assert [(a.status_code, a.json()[0]["errorCode"]) for a in answers] == [
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
    ]
