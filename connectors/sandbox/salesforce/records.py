"""Calls about one record: create, read, change, delete, upsert by an external id.

Sources: "sObject Basic Information", "sObject Rows", "sObject Rows by External ID" and "Conditional
Requests", REST API Developer Guide.
"""

from __future__ import annotations

import hashlib
import json
from email.utils import parsedate_to_datetime

from connectors.sandbox.salesforce.automation import Row
from connectors.sandbox.salesforce.call import Call
from connectors.sandbox.salesforce.cells import CellError, cell
from connectors.sandbox.salesforce.describe import find
from connectors.sandbox.salesforce.errors import RefusalError, row_refusal
from connectors.sandbox.salesforce.ids import normal_id
from connectors.sandbox.salesforce.record_json import Selection, record_json
from connectors.sandbox.salesforce.rows import RowRefusedError
from connectors.sandbox.salesforce.schema import Field, SObject
from connectors.sandbox.store import moment
from connectors.sandbox.wire import Response

_JSON = {"Content-Type": "application/json;charset=UTF-8"}


def create(call: Call) -> Response:
    """POST /sobjects/X: 201 with the id."""
    sobject = find(call.view, call.parts["object"])
    writer = call.writer()
    try:
        record_id = writer.create(sobject, call.json())
    except RowRefusedError as refused:
        return row_refusal(refused.errors)
    writer.flush()
    where = f"/services/data/v{call.version}/sobjects/{sobject.name}/{record_id}"
    return Response.of(201, {"id": record_id, "success": True, "errors": []}, headers={"Location": where})


def read(call: Call) -> Response:
    """GET /sobjects/X/id?fields=."""
    sobject = find(call.view, call.parts["object"])
    row = _stored(call, sobject, call.parts["id"])
    headers = dict(_JSON)
    if sobject.name == "Account":
        headers["ETag"] = _etag(row)
        if call.request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status=304, headers=headers)
    names = [name.strip() for name in call.request.query.get("fields", "").split(",") if name.strip()]
    text = records_json(call, sobject, [str(row["Id"])], names)[0]
    return Response(status=200, body=text.encode(), headers=headers)


def update(call: Call) -> Response:
    """PATCH /sobjects/X/id: 204, or 412 when the record moved since the caller read it."""
    sobject = find(call.view, call.parts["object"])
    values = call.json()
    _check_unmoved(call, sobject, _stored(call, sobject, call.parts["id"]))
    writer = call.writer()
    try:
        writer.update(sobject, call.parts["id"], values)
    except RowRefusedError as refused:
        return row_refusal(refused.errors)
    writer.flush()
    # "Update Records Using sObject Rows": the reply to an account's update carries its new ETag
    after = _stored(call, sobject, call.parts["id"])
    return Response(status=204, headers={"ETag": _etag(after)} if sobject.name == "Account" else {})


def delete(call: Call) -> Response:
    """DELETE /sobjects/X/id: 204."""
    sobject = find(call.view, call.parts["object"])
    writer = call.writer()
    try:
        writer.delete(sobject, call.parts["id"])
    except RowRefusedError as refused:
        return row_refusal(refused.errors)
    writer.flush()
    return Response(status=204)


def read_external(call: Call) -> Response:
    """GET /sobjects/X/Field/value."""
    sobject, field = _external(call)
    keys = _having(call, sobject, field)
    if not keys:
        raise RefusalError(404, "NOT_FOUND", "The requested resource does not exist")
    if len(keys) > 1:
        return _choices(call, sobject, keys)
    return Response(status=200, body=records_json(call, sobject, keys, [])[0].encode(), headers=_JSON)


def upsert(call: Call) -> Response:
    """PATCH /sobjects/X/Field/value: 201 created, 200 changed, 300 when several records have the value."""
    sobject, field = _external(call)
    values = call.json()
    if any(name.lower() == field.name.lower() for name in values):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise RefusalError(400, "INVALID_FIELD", message, fields=(field.name,))
    keys = _having(call, sobject, field)
    if len(keys) > 1:
        return _choices(call, sobject, keys)
    writer = call.writer()
    try:
        if keys:
            writer.update(sobject, keys[0], values)
            record_id = keys[0]
        else:
            record_id = writer.create(sobject, {**values, field.name: call.parts["value"]})
    except RowRefusedError as refused:
        return row_refusal(refused.errors)
    writer.flush()
    body = {"id": record_id, "success": True, "errors": [], "created": not keys}
    return Response.of(200 if keys else 201, body)


def records_json(call: Call, sobject: SObject, ids: list[str], names: list[str]) -> list[str]:
    """The records as JSON texts in the order of their ids; every field when none is named."""
    wanted: dict[str, Field | Selection | str] = {}
    for name in names or [f.name for f in sobject.fields.values()]:
        field = sobject.field(name)
        if field is None:
            message = (
                f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom"
                " field, be sure to append the '__c' after the custom field name. Please reference your WSDL"
                " or the describe call for the appropriate names."
            )
            raise RefusalError(400, "INVALID_FIELD", message)
        wanted[field.name] = field
    wanted.setdefault("Id", sobject.fields["id"])
    selection = Selection(sobject=sobject, alias="t0", fields=wanted)
    statement = (
        f"SELECT {record_json(selection, call.base)} FROM json_each(?) AS wanted"  # noqa: S608  # names of the schema
        f' CROSS JOIN "{sobject.name}" AS t0 ON t0.Id = wanted.value ORDER BY wanted.key'
    )
    return [str(row[0]) for row in call.org.store.select(statement, (json.dumps(ids),))]


def _stored(call: Call, sobject: SObject, record_id: str) -> Row:
    full = normal_id(record_id)
    if full is None or full[:3] != sobject.prefix:
        raise RefusalError(
            400,
            "MALFORMED_ID",
            f"{sobject.label} ID: id value of incorrect type: {record_id}",
            fields=("Id",),
        )
    row = call.org.store.row(sobject.name, full)
    if row is None:
        raise RefusalError(
            404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {record_id}"
        )
    if row.get("IsDeleted"):
        raise RefusalError(404, "ENTITY_IS_DELETED", "entity is deleted")
    return row


def _check_unmoved(call: Call, sobject: SObject, row: Row) -> None:
    headers = call.request.headers
    if "if-match" in headers and sobject.name == "Account" and headers["if-match"] != _etag(row):
        raise RefusalError(
            412, "PRECONDITION_FAILED", "The record has changed: its ETag does not match If-Match."
        )
    since = headers.get("if-unmodified-since")
    # "Conditional Request Headers": compared with the record's last modified date, a second being the finest
    modified = row.get("LastModifiedDate") or row.get("SystemModstamp")
    if since is not None and modified is not None:
        try:
            limit = parsedate_to_datetime(since)
        except ValueError:
            raise RefusalError(
                400, "INVALID_HEADER", f"If-Unmodified-Since is no HTTP date: {since}"
            ) from None
        if moment(str(modified)) > limit:
            raise RefusalError(412, "PRECONDITION_FAILED", f"The record was modified after {since}.")


def _etag(row: Row) -> str:
    digest = hashlib.blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=12)
    return f'"{digest.hexdigest()}"'


def _external(call: Call) -> tuple[SObject, Field]:
    sobject = find(call.view, call.parts["object"])
    field = sobject.field(call.parts["field"])
    if field is None or not (field.external_id or field.type == "id"):
        message = f"Provided external ID field does not exist or is not accessible: {call.parts['field']}"
        raise RefusalError(404, "NOT_FOUND", message)
    return sobject, field


def _having(call: Call, sobject: SObject, field: Field) -> list[str]:
    try:
        value = cell(field, call.parts["value"])
    except CellError as refused:
        raise RefusalError(400, refused.error.code, refused.error.message) from None
    return call.writer().having(sobject, field, value)


def _choices(call: Call, sobject: SObject, keys: list[str]) -> Response:
    return Response.of(300, [f"/services/data/v{call.version}/sobjects/{sobject.name}/{key}" for key in keys])
