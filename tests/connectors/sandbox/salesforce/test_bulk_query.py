"""Query jobs: made, looked at, fetched in sets, refused as the vendor refuses them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.person import person_create, person_delete, person_edit
from connectors.sandbox.server import Sandbox

Http = Callable[..., requests.Response]
STAMP = "2026-01-05T08:00:00.000+0000"


def accounts(sandbox: Sandbox, number: int) -> list[str]:
    """As many accounts; their ids."""
    stamps = {"CreatedDate": STAMP, "LastModifiedDate": STAMP, "SystemModstamp": STAMP, "IsDeleted": False}
    ids = [salesforce_id("001", 10_000 + each) for each in range(number)]
    sandbox.store.bulk_insert("Account", [{"Id": each, "Name": f"A {each}", **stamps} for each in ids])
    return ids


def made(http: Http, soql: str, operation: str = "query") -> str:
    """The id of a new job."""
    reply = http("POST", "/jobs/query", json={"operation": operation, "query": soql})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


def done(http: Http, job: str) -> dict[str, Any]:
    """The job once it is complete, and how often it was looked at."""
    for looks in range(1, 9):
        told = http("GET", f"/jobs/query/{job}").json()
        if told["state"] == "JobComplete":
            return {**told, "looks": looks}
    raise AssertionError(told)


def rows(reply: requests.Response) -> list[list[str]]:
    """A set of results, parsed, with its header."""
    return list(csv.reader(io.StringIO(reply.text, newline="")))


def test_the_real_client_reads_a_job_in_sets(sandbox: Sandbox, sf: Salesforce) -> None:
    """simple-salesforce's own helper gets every record once."""
    ids = accounts(sandbox, 250)
    found = []
    for text in sf.bulk2.Account.query("SELECT Id, Name FROM Account", max_records=100, wait=0):
        head, *lines = csv.reader(io.StringIO(text))
        assert head == ["Id", "Name"]
        found += [line[0] for line in lines]
    assert sorted(found) == sorted(ids)


def test_a_result_stays_as_it_was(sandbox: Sandbox, http: Http) -> None:
    """An edit and a deletion after the job was made change nothing in it."""
    edited = person_create(sandbox.store, "Account", {"Name": "before"})
    gone = person_create(sandbox.store, "Account", {"Name": "gone"})
    job = made(http, "SELECT Id, Name FROM Account")
    person_edit(sandbox.store, "Account", edited, {"Name": "after"})
    person_delete(sandbox.store, "Account", gone)
    done(http, job)
    reply = http("GET", f"/jobs/query/{job}/results")
    assert {row[0]: row[1] for row in rows(reply)[1:]} == {edited: "before", gone: "gone"}
    assert reply.headers["Sforce-Locator"] == "null"
    assert reply.headers["Sforce-NumberOfRecords"] == "2"


def test_cells_are_written_as_the_vendor_writes_them(sandbox: Sandbox, http: Http) -> None:
    """Quotes are doubled, times end in Z, no value is nothing, a parent's field has a dot."""
    person_create(
        sandbox.store,
        "Account",
        {"Name": 'Say "hi",\nMüller', "Seats__c": 12, "AnnualRevenue": 2.5e8, "Industry": None},
    )
    soql = "SELECT Name, Seats__c, AnnualRevenue, Industry, IsDeleted, CreatedDate, Owner.Name FROM Account"
    job = made(http, soql)
    done(http, job)
    reply = http("GET", f"/jobs/query/{job}/results")
    head, row = rows(reply)
    assert head[-1] == "Owner.Name"
    assert row[:5] == ['Say "hi",\nMüller', "12.0", "250000000.0", "", "false"]
    assert row[5].endswith("000Z")
    assert row[6]
    assert reply.headers["Content-Encoding"] == "gzip"


def test_query_all_brings_what_was_deleted(sandbox: Sandbox, http: Http) -> None:
    """And query does not."""
    gone = person_create(sandbox.store, "Account", {"Name": "gone"})
    person_delete(sandbox.store, "Account", gone)
    found = {}
    for operation in ("query", "queryAll"):
        job = made(http, "SELECT Id FROM Account", operation)
        done(http, job)
        found[operation] = [row[0] for row in rows(http("GET", f"/jobs/query/{job}/results"))[1:]]
    assert found == {"query": [], "queryAll": [gone]}


def test_a_large_job_takes_its_time(sandbox: Sandbox, http: Http) -> None:
    """It is found at work first, and has no results until it is complete."""
    accounts(sandbox, 10_001)
    job = made(http, "SELECT Id FROM Account")
    assert http("GET", f"/jobs/query/{job}/results").status_code == 204
    told = done(http, job)
    assert (told["looks"], told["numberRecordsProcessed"]) == (2, 10_001)


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT count() FROM Account", "API_ERROR"),
        ("SELECT Type, count(Id) FROM Account GROUP BY Type", "API_ERROR"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 5", "API_ERROR"),
        ("SELECT FIELDS(STANDARD) FROM Account", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY"),
        ("SELECT TYPEOF Who WHEN Contact THEN Id END FROM Task", "MALFORMED_QUERY"),
        ("SELECT Id FROM TaskStatus", "INVALIDENTITY"),
        ("SELECT Nothing__c FROM Account", "INVALID_FIELD"),
    ],
)
def test_what_a_bulk_query_does_not_take_is_refused(http: Http, soql: str, code: str) -> None:
    """When the job is made."""
    reply = http("POST", "/jobs/query", json={"operation": "query", "query": soql})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, code)


def test_jobs_end_and_are_forgotten(sandbox: Sandbox, http: Http) -> None:
    """Aborted, deleted, or a week old; a locator of nobody leads nowhere."""
    accounts(sandbox, 10_001)
    aborted = made(http, "SELECT Id FROM Account")
    assert http("PATCH", f"/jobs/query/{aborted}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert http("GET", f"/jobs/query/{aborted}").json()["state"] == "Aborted"
    finished = made(http, "SELECT Id FROM Account")
    done(http, finished)
    assert http("GET", f"/jobs/query/{finished}/results?locator=%2B%2B").status_code == 400
    assert http("DELETE", f"/jobs/query/{finished}").status_code == 204
    assert http("GET", f"/jobs/query/{finished}").status_code == 404
    sandbox.advance(timedelta(days=8))
    made(http, "SELECT Id FROM Account")
    assert http("GET", f"/jobs/query/{aborted}").status_code == 404


def test_record_counts_leave_out_what_is_deleted_and_all_history(sandbox: Sandbox, http: Http) -> None:
    """An object that is not there is not counted either."""
    accounts(sandbox, 3)
    person_delete(sandbox.store, "Account", person_create(sandbox.store, "Account", {"Name": "gone"}))
    told = http("GET", "/limits/recordCount?sObjects=Account,AccountHistory,Nothing__c").json()
    assert told == {"sObjects": [{"count": 3, "name": "Account"}]}
