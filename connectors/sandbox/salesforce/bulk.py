"""Bulk API 2.0 over HTTP: the addresses below /jobs/query, and how many records an object has.

Sources: "Query Jobs", Bulk API 2.0 Developer Guide; "Record Count", REST API Developer Guide.
"""

from __future__ import annotations

from connectors.sandbox.salesforce.bulk_query import check
from connectors.sandbox.salesforce.call import Call
from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.soql import parse
from connectors.sandbox.salesforce.soql_sql import compile_query
from connectors.sandbox.store import Cell, identifier
from connectors.sandbox.wire import Response

_OPERATIONS = ("query", "queryAll")
_ONLY = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}


def create(call: Call) -> Response:
    """POST /jobs/query."""
    body = call.json()
    unknown = body.keys() - {"operation", "query", *_ONLY}
    if unknown:
        raise RefusalError(400, "JSON_PARSER_ERROR", f"Unrecognized field {sorted(unknown)[0]!r}")
    for name, value in _ONLY.items():
        if body.get(name, value) != value:
            raise RefusalError(400, "INVALIDJOB", f"the sandbox knows {value} only for {name}")
    operation, soql = body.get("operation"), body.get("query")
    if operation not in _OPERATIONS:
        raise RefusalError(400, "INVALIDJOB", f"Unsupported operation {operation!r} for a query job")
    if not isinstance(soql, str) or not soql:
        raise RefusalError(400, "INVALIDJOB", "A query job needs a query")
    tree = parse(soql)
    check(tree, tree.object)
    compiled = compile_query(
        soql,
        tree,
        find=call.view.find,
        base=call.base,
        today=call.org.clock.now().date(),
        deleted_too=operation == "queryAll",
    )
    job = call.org.bulk.create(compiled, operation=str(operation), user_id=call.view.user_id)
    return Response.of(200, _info(job, call))


def info(call: Call) -> Response:
    """GET /jobs/query/{id}."""
    job = call.org.bulk.look(call.parts["job"], call.view.user_id)
    told = _info(job, call)
    if job["state"] == "JobComplete":
        told |= {
            "jobType": "V2Query",
            "numberRecordsProcessed": job["rows"],
            "retries": 0,
            "totalProcessingTime": 1,
        }
    return Response.of(200, told)


def change(call: Call) -> Response:
    """PATCH /jobs/query/{id}: only to abort it."""
    if call.json() != {"state": "Aborted"}:
        raise RefusalError(400, "INVALIDJOBSTATE", "A query job can only be aborted")
    return Response.of(200, _info(call.org.bulk.abort(call.parts["job"], call.view.user_id), call))


def delete(call: Call) -> Response:
    """DELETE /jobs/query/{id}."""
    call.org.bulk.delete(call.parts["job"], call.view.user_id)
    return Response(status=204)


def results(call: Call) -> Response:
    """GET /jobs/query/{id}/results?locator=&maxRecords=."""
    most = call.request.query.get("maxRecords")
    if most is not None and not (most.isdigit() and int(most)):
        raise RefusalError(400, "INVALIDJOB", f"maxRecords must be a positive number, not {most!r}")
    return call.org.bulk.results(
        call.parts["job"],
        call.view.user_id,
        locator=call.request.query.get("locator"),
        most=None if most is None else int(most),
        compress="gzip" in call.request.headers.get("accept-encoding", ""),
    )


def record_count(call: Call) -> Response:
    """GET /limits/recordCount?sObjects=: without deleted and archived records, and without history objects.

    It needs View Setup and Configuration, which our integration user has: it deploys metadata."""
    asked = call.request.query.get("sObjects", "")
    names = [name for name in asked.split(",") if name] or [each.name for each in call.view.objects()]
    counts = []
    for name in names:
        sobject = call.view.find(name)
        if sobject is None or sobject.name.endswith("History"):
            continue
        gone = [field for field in ("IsDeleted", "IsArchived") if sobject.field(field) is not None]
        there = " AND ".join(f"{identifier(field)} = 0" for field in gone) or "1"
        statement = f"SELECT count(*) FROM {identifier(sobject.name)} WHERE {there}"  # noqa: S608  # names of the schema
        counts.append({"count": call.org.store.select(statement)[0][0], "name": sobject.name})
    return Response.of(200, {"sObjects": counts})


def _info(job: dict[str, Cell], call: Call) -> dict[str, object]:
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
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
