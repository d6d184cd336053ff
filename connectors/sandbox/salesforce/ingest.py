"""Bulk API 2.0 over HTTP, the way in: the addresses below /jobs/ingest.

Sources: "Create a Job", "Upload Job Data", "Upload Complete", "Abort a Job", "Get Information About an Ingest
Job" and "Get Job Successful / Failed / Unprocessed Record Results", Bulk API 2.0 Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sandbox.salesforce.call import Call
from connectors.sandbox.salesforce.describe import find
from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.ingest_jobs import FAILED, SUCCESSFUL, UNPROCESSED, IngestJobs
from connectors.sandbox.store import Cell
from connectors.sandbox.wire import Response

OPERATIONS = frozenset({"insert", "update", "delete"})  # those that the sandbox knows
ENDINGS = ("LF", "CRLF")
LARGEST = 150_000_000  # bytes of a job's data once they are base64
_GIVEN = frozenset({"object", "operation", "contentType", "lineEnding", "columnDelimiter"})


def create(call: Call) -> Response:
    """POST /jobs/ingest."""
    body = call.json()
    unknown = sorted(body.keys() - _GIVEN)
    if unknown:
        raise RefusalError(400, "JSON_PARSER_ERROR", f"Unrecognized field {unknown[0]!r}")
    sobject = find(call.view, str(body.get("object") or ""))
    operation = body.get("operation")
    if operation not in OPERATIONS:
        raise RefusalError(400, "INVALIDJOB", f"Unsupported operation {operation!r} for an ingest job")
    if body.get("contentType", "CSV") != "CSV" or body.get("columnDelimiter", "COMMA") != "COMMA":
        raise RefusalError(400, "INVALIDJOB", "the sandbox knows CSV with commas only")
    ending = body.get("lineEnding", "LF")
    if ending not in ENDINGS:
        raise RefusalError(400, "INVALIDJOB", f"Unsupported line ending {ending!r}")
    job = _jobs(call).create(
        object_name=sobject.name, operation=str(operation), ending=str(ending), user_id=call.view.user_id
    )
    return Response.of(
        200, _info(job, call) | {"contentUrl": f"{call.base[1:]}/jobs/ingest/{job['id']}/batches"}
    )


def upload(call: Call) -> Response:
    """PUT /jobs/ingest/{job}/batches: the data, once, as a whole."""
    if call.request.headers.get("content-type", "").partition(";")[0].strip() != "text/csv":
        raise RefusalError(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be text/csv")
    if len(call.request.body) * 4 // 3 > LARGEST:
        raise RefusalError(413, "REQUEST_TOO_LARGE", "Job data exceeds 150 MB of base64 encoded content")
    _jobs(call).upload(call.parts["job"], call.view.user_id, call.request.body)
    return Response(status=201)


def change(call: Call) -> Response:
    """PATCH /jobs/ingest/{job}: close it, which sets it to work, or abort it."""
    state = call.json().get("state")
    if state == "UploadComplete":
        job = _jobs(call).close(call.parts["job"], call)
    elif state == "Aborted":
        job = _jobs(call).abort(call.parts["job"], call.view.user_id)
    else:
        raise RefusalError(400, "INVALIDJOBSTATE", f"A job can't be set to state {state!r}")
    return Response.of(200, _info(job, call))


def info(call: Call) -> Response:
    """GET /jobs/ingest/{job}."""
    job = _jobs(call).look(call.parts["job"], call.view.user_id)
    told = _info(job, call) | {"jobType": "V2Ingest", "retries": 0, "totalProcessingTime": 1}
    told |= {"numberRecordsProcessed": job["processed"], "numberRecordsFailed": job["failed"]}
    return Response.of(200, told | ({"errorMessage": job["error"]} if job["error"] else {}))


def delete(call: Call) -> Response:
    """DELETE /jobs/ingest/{job}."""
    _jobs(call).delete(call.parts["job"], call.view.user_id)
    return Response(status=204)


def successful(call: Call) -> Response:
    """GET /jobs/ingest/{job}/successfulResults."""
    return _results(call, SUCCESSFUL)


def failed(call: Call) -> Response:
    """GET /jobs/ingest/{job}/failedResults."""
    return _results(call, FAILED)


def unprocessed(call: Call) -> Response:
    """GET /jobs/ingest/{job}/unprocessedrecords."""
    return _results(call, UNPROCESSED)


def _results(call: Call, which: str) -> Response:
    text = _jobs(call).results(call.parts["job"], call.view.user_id, which)
    headers = {"Content-Type": "text/csv; charset=UTF-8"}
    return Response(status=200, body=text.encode(), headers=headers)


def _info(job: Mapping[str, Cell], call: Call) -> dict[str, object]:
    return {
        "id": job["id"],
        "operation": job["operation"],
        "object": job["object"],
        "createdById": job["user"],
        "createdDate": job["created"],
        "systemModstamp": job["created"],
        "state": job["state"],
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(call.version),
        "lineEnding": job["ending"],
        "columnDelimiter": "COMMA",
    }


def _jobs(call: Call) -> IngestJobs:
    return IngestJobs(call.org.store, call.org.clock)
