"""Ingest jobs: states, strict data, results that account for every line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from connectors.sandbox.clock import advance
from connectors.sandbox.server import Sandbox

Http = Callable[..., requests.Response]
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def ids(http: Http) -> list[str]:
    """Three accounts."""
    return [http("POST", "/sobjects/Account", json={"Name": name}).json()["id"] for name in "abc"]


def create(http: Http, **facts: Any) -> requests.Response:
    """A new job of updates."""
    body = {"object": "Account", "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
    return http("POST", "/jobs/ingest", json=body | facts)


def upload(http: Http, job: str, text: str, **options: Any) -> requests.Response:
    """The job's data."""
    return http("PUT", f"/jobs/ingest/{job}/batches", data=text.encode(), headers=options or CSV)


def state(http: Http, job: str, to: str) -> requests.Response:
    """Close or abort it."""
    return http("PATCH", f"/jobs/ingest/{job}", json={"state": to})


def done(http: Http, text: str, **facts: Any) -> tuple[str, dict[str, Any]]:
    """A job with these data that was set to work, and what it says of itself afterwards."""
    job = create(http, **facts).json()["id"]
    assert upload(http, job, text).status_code == 201
    assert state(http, job, "UploadComplete").json()["state"] == "UploadComplete"
    told: dict[str, Any] = http("GET", f"/jobs/ingest/{job}").json()
    return job, told


def results(http: Http, job: str, kind: str) -> list[dict[str, str]]:
    """The lines of one kind of results."""
    reply = http("GET", f"/jobs/ingest/{job}/{kind}/")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/csv; charset=UTF-8")
    return list(csv.DictReader(io.StringIO(reply.text)))


def test_a_job_accounts_for_every_line(sandbox: Sandbox, http: Http, ids: list[str]) -> None:
    """Successful and failed ones with what was sent; an empty cell is left alone, #N/A clears."""
    http("PATCH", f"/sobjects/Account/{ids[0]}", json={"Phone": "1", "Website": "w"})
    text = f'Id,Name,Phone,Website\n{ids[0]},"A, ""B""",#N/A,\n{ids[1]},{"x" * 300},,\n'
    job, told = done(http, text)
    assert (told["state"], told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (
        "JobComplete",
        2,
        1,
    )
    (good,) = results(http, job, "successfulResults")
    assert (good["sf__Id"], good["sf__Created"], good["Name"]) == (ids[0], "false", 'A, "B"')
    (bad,) = results(http, job, "failedResults")
    assert bad["Id"] == ids[1]
    assert bad["sf__Error"].startswith("STRING_TOO_LONG:")
    assert bad["sf__Error"].endswith(":Name --")
    assert results(http, job, "unprocessedrecords") == []
    held = sandbox.store.row("Account", ids[0]) or {}
    assert (held["Name"], held["Phone"], held["Website"]) == ('A, "B"', None, "w")
    assert [each.id for each in sandbox.audit.rows()][-2:] == ids[:2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Id,Nmae\n{0},x\n", "Field name not found : Nmae"),
        ("Name\nx\n", "Field name not found : Id"),
        ("Id,Name\r\n{0},x\r\n", "LineEnding is invalid"),
        ('Id,Name\n{0},"x" y\n', "no CSV"),
        ("Id,Name\n{0}\n", "another number of cells"),
    ],
)
def test_data_that_are_not_as_told_fail_the_whole_job(
    http: Http, ids: list[str], text: str, why: str
) -> None:
    """Nothing was processed."""
    job = create(http).json()["id"]
    upload(http, job, text.format(*ids))
    state(http, job, "UploadComplete")
    told = http("GET", f"/jobs/ingest/{job}").json()
    assert (told["state"], told["numberRecordsProcessed"]) == ("Failed", 0)
    assert why in told["errorMessage"]


def test_a_job_goes_through_its_states_in_order_only(http: Http, ids: list[str]) -> None:
    """No data twice, none after closing, no closing without data, no results before the end."""
    job = create(http).json()["id"]
    assert state(http, job, "UploadComplete").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert http("GET", f"/jobs/ingest/{job}/failedResults").status_code == 400
    assert http("DELETE", f"/jobs/ingest/{job}").status_code == 400
    assert upload(http, job, "Id,Name\n", **{"Content-Type": "application/json"}).status_code == 415
    assert upload(http, job, f"Id,Name\n{ids[0]},x\n").status_code == 201
    assert upload(http, job, f"Id,Name\n{ids[0]},y\n").status_code == 400
    assert state(http, job, "Aborted").json()["state"] == "Aborted"
    assert state(http, job, "UploadComplete").status_code == 400
    assert state(http, job, "Aborted").status_code == 400
    assert http("DELETE", f"/jobs/ingest/{job}").status_code == 204
    assert http("GET", f"/jobs/ingest/{job}").status_code == 404


def test_a_job_must_be_one_that_the_org_knows(http: Http) -> None:
    """Object, operation, line ending, and no field of its own."""
    assert create(http, object="Nothing__c").status_code == 404
    assert create(http, operation="merge").json()[0]["errorCode"] == "INVALIDJOB"
    assert create(http, lineEnding="CR").status_code == 400
    assert create(http, colour="red").json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert http("GET", "/jobs/ingest/750000000000000AAA").status_code == 404


def test_inserts_and_deletes_are_jobs_too(http: Http, ids: list[str]) -> None:
    """With CRLF where that was told."""
    job, told = done(http, "Name\r\nnew\r\n", operation="insert", lineEnding="CRLF")
    (made,) = results(http, job, "successfulResults")
    assert (told["numberRecordsFailed"], made["sf__Created"]) == (0, "true")
    assert http("GET", f"/sobjects/Account/{made['sf__Id']}").json()["Name"] == "new"
    done(http, f"Id\n{ids[0]}\n", operation="delete")
    assert http("GET", f"/sobjects/Account/{ids[0]}").status_code == 404


def test_a_record_may_come_once_in_a_job(http: Http, ids: list[str]) -> None:
    """The second line is refused."""
    job, told = done(http, f"Id,Name\n{ids[0]},x\n{ids[0]},y\n")
    assert told["numberRecordsFailed"] == 1
    assert results(http, job, "failedResults")[0]["sf__Error"].startswith("DUPLICATE_VALUE:")


def test_a_week_later_the_job_is_forgotten(sandbox: Sandbox, http: Http, ids: list[str]) -> None:
    """With its results."""
    job, _ = done(http, f"Id,Name\n{ids[0]},x\n")
    advance(sandbox.store, timedelta(days=7, minutes=1))
    assert http("GET", f"/jobs/ingest/{job}/successfulResults").status_code == 404
