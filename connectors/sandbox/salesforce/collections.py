"""sObject Collections: up to 200 records in one write, 2,000 in one read, results in the order sent.

Sources: "sObject Collections", "Create Multiple Records", "Update Multiple Records", "Upsert Multiple
Records", "Delete Multiple Records", "Get Multiple Records", REST API Developer Guide.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from connectors.sandbox.salesforce.call import Call
from connectors.sandbox.salesforce.describe import find
from connectors.sandbox.salesforce.errors import RefusalError, RowError
from connectors.sandbox.salesforce.ids import normal_id
from connectors.sandbox.salesforce.records import records_json
from connectors.sandbox.salesforce.rows import RowRefusedError, Writer
from connectors.sandbox.salesforce.schema import SObject
from connectors.sandbox.wire import Response

MAX_RECORDS = 200
MAX_READ_IN_URL, MAX_READ_IN_BODY = 800, 2_000
MAX_CHUNKS = 10

_ROLLED_BACK = RowError(
    code="ALL_OR_NONE_OPERATION_ROLLED_BACK",
    message=(
        "Record rolled back because not all records were valid and the request was using AllOrNone header"
    ),
)
Record = Mapping[str, object]
_One = Callable[[Writer, int, Record], tuple[str, bool]]


class _RolledBackError(Exception):
    """Leaves the transaction of an all-or-none call."""


def create(call: Call) -> Response:
    """POST /composite/sobjects."""

    def one(writer: Writer, _index: int, record: Record) -> tuple[str, bool]:
        return writer.create(_type(call, record), record), True

    return _write(call, one)


def update(call: Call) -> Response:
    """PATCH /composite/sobjects."""
    seen: set[str] = set()

    def one(writer: Writer, index: int, record: Record) -> tuple[str, bool]:
        sobject = _type(call, record)
        record_id = _id(record)
        full = normal_id(record_id) or record_id
        if full in seen:
            message = f"duplicate id in list: {full}. A record may be updated once in this call."
            raise RowRefusedError(RowError(code="DUPLICATE_VALUE", message=message, fields=("Id",)))
        seen.add(full)
        writer.update(sobject, record_id, record, index=index)
        return full, False

    return _write(call, one)


def upsert(call: Call) -> Response:
    """PATCH /composite/sobjects/X/Field."""
    sobject = find(call.view, call.parts["object"])
    field = sobject.field(call.parts["field"])
    if field is None or not (field.external_id or field.type == "id"):
        raise RefusalError(
            404, "NOT_FOUND", f"Provided external ID field does not exist: {call.parts['field']}"
        )

    def one(writer: Writer, index: int, record: Record) -> tuple[str, bool]:
        if _type(call, record).name != sobject.name:
            raise RowRefusedError(
                RowError(code="INVALID_TYPE", message=f"every record must be of type {sobject.name}")
            )
        value = next((v for k, v in record.items() if k.lower() == field.name.lower()), None)
        if not isinstance(value, str | int | float):
            message = f"{field.name} not specified"
            raise RowRefusedError(RowError(code="MISSING_ARGUMENT", message=message, fields=(field.name,)))
        keys = writer.having(sobject, field, value)
        if len(keys) > 1:
            message = f"{field.name}: more than one record found for external id field: {keys}"
            raise RowRefusedError(
                RowError(code="DUPLICATE_EXTERNAL_ID", message=message, fields=(field.name,))
            )
        if keys:
            writer.update(sobject, keys[0], record, index=index)
            return keys[0], False
        return writer.create(sobject, record), True

    return _write(call, one, with_created=True)


def delete(call: Call) -> Response:
    """DELETE /composite/sobjects?ids=a,b."""
    ids = [part for part in call.request.query.get("ids", "").split(",") if part]
    _check_number(len(ids))
    records = [{"id": record_id} for record_id in ids]

    def one(writer: Writer, index: int, record: Record) -> tuple[str, bool]:
        record_id = _id(record)
        sobject = call.view.by_prefix(record_id)
        if sobject is None or normal_id(record_id) is None:
            raise RowRefusedError(RowError(code="MALFORMED_ID", message=f"malformed id {record_id}"))
        writer.delete(sobject, record_id, index=index)
        return record_id, False

    all_or_none = call.request.query.get("allOrNone", "false").lower() == "true"
    return _run(call, records, one, all_or_none=all_or_none, with_created=False)


def read(call: Call) -> Response:
    """GET or POST /composite/sobjects/X: the records in order, null where there is none."""
    sobject = find(call.view, call.parts["object"])
    if call.request.method == "GET":
        ids = [part for part in call.request.query.get("ids", "").split(",") if part]
        names = [part for part in call.request.query.get("fields", "").split(",") if part]
        most = MAX_READ_IN_URL
    else:
        body = call.json()
        ids, names = _strings(body, "ids"), _strings(body, "fields")
        most = MAX_READ_IN_BODY
    if not ids or not names:
        raise RefusalError(400, "MISSING_ARGUMENT", "Both ids and fields must be given.")
    if len(ids) > most:
        raise RefusalError(
            400,
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {most} records into this call",
        )
    full = []
    for record_id in ids:
        normal = normal_id(record_id)
        if normal is None:
            raise RefusalError(400, "MALFORMED_ID", f"malformed id {record_id}")
        full.append(normal)
    rows = call.org.store.rows(sobject.name, full)
    alive = [key for key in full if key in rows and not rows[key].get("IsDeleted")]
    texts = dict(zip(alive, records_json(call, sobject, alive, names), strict=True))
    text = "[" + ",".join(texts.get(key, "null") for key in full) + "]"
    return Response(
        status=200, body=text.encode(), headers={"Content-Type": "application/json;charset=UTF-8"}
    )


def _write(call: Call, one: _One, *, with_created: bool = False) -> Response:
    body = call.json()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise RefusalError(400, "JSON_PARSER_ERROR", "The body must hold a list of records.")
    _check_number(len(records))
    types = [_type_name(record) for record in records]
    chunks = sum(1 for i, name in enumerate(types) if i == 0 or name != types[i - 1])
    if chunks > MAX_CHUNKS:
        message = (
            "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce"
            " chunking."
        )
        raise RefusalError(400, "LIMIT_EXCEEDED", message)
    return _run(call, records, one, all_or_none=body.get("allOrNone") is True, with_created=with_created)


def _run(
    call: Call, records: Sequence[Record], one: _One, *, all_or_none: bool, with_created: bool
) -> Response:
    writer = call.writer()
    results: list[dict[str, object]] = []
    try:
        with call.org.store.transaction():
            for i, record in enumerate(records):
                try:
                    record_id, created = one(writer, i, record)
                except RowRefusedError as refused:
                    results.append(_failed(record, refused.errors))
                    continue
                result: dict[str, object] = {"id": record_id, "success": True, "errors": []}
                results.append(result | {"created": created} if with_created else result)
            if all_or_none and not all(result["success"] for result in results):
                raise _RolledBackError
    except _RolledBackError:
        writer.discard()
        results = [
            _failed(record, (_ROLLED_BACK,)) if result["success"] else result
            for record, result in zip(records, results, strict=True)
        ]
    writer.flush()
    return Response.of(200, results)


def _failed(record: Record, errors: Sequence[RowError]) -> dict[str, object]:
    result: dict[str, object] = {"success": False, "errors": [error.as_row() for error in errors]}
    given = next((value for name, value in record.items() if name.lower() == "id"), None)
    full = normal_id(given) if isinstance(given, str) else None
    return {"id": full, **result} if full is not None else result


def _check_number(number: int) -> None:
    if number > MAX_RECORDS:
        message = f"record limit reached. cannot submit more than {MAX_RECORDS} records into this call"
        raise RefusalError(400, "EXCEEDED_ID_LIMIT", message)
    if number == 0:
        raise RefusalError(400, "REQUIRED_FIELD_MISSING", "The call holds no records.")


def _type_name(record: Record) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise RefusalError(
            400, "INVALID_INPUT", f"A record has no attributes.type: {json.dumps(record)[:100]}"
        )
    return name


def _type(call: Call, record: Record) -> SObject:
    name = _type_name(record)
    sobject = call.view.find(name)
    if sobject is None:
        raise RowRefusedError(
            RowError(code="INVALID_TYPE", message=f"sObject type '{name}' is not supported.")
        )
    return sobject


def _id(record: Record) -> str:
    given = next((value for name, value in record.items() if name.lower() == "id"), None)
    if not isinstance(given, str) or not given:
        raise RowRefusedError(
            RowError(code="MISSING_ARGUMENT", message="Id not specified in an update call", fields=("Id",))
        )
    return given


def _strings(body: Mapping[str, object], name: str) -> list[str]:
    values = body.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RefusalError(400, "JSON_PARSER_ERROR", f"{name} must be a list of strings.")
    return values
