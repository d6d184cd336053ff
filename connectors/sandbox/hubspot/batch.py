"""Calls about up to 100 records at once.

Sources: "Objects: batch", HubSpot API reference; "Multi-status errors" in "Error handling": when every input
of a write carries an `objectWriteTraceId`, the good rows are written and the reply is a 207 that names the
others; without it one bad value refuses the whole call. Ids that do not exist are always a 207.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.sandbox.hubspot.automation import Row
from connectors.sandbox.hubspot.call import Call, mapping_of, text_of
from connectors.sandbox.hubspot.errors import NOT_FOUND, Problem, RefusalError, refuse
from connectors.sandbox.hubspot.objects import create, update
from connectors.sandbox.hubspot.record_json import Wanted
from connectors.sandbox.hubspot.schema import ObjectType
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.wire import Response

MAX_INPUTS = 100
_TRACE = "objectWriteTraceId"

Entry = dict[str, object]


def read(call: Call, object_name: str) -> Response:
    """POST batch/read: records by id, or by a unique property."""
    kind, body = call.object_type(object_name), call.body()
    keys = [text_of(row, "id") for row in call.inputs(MAX_INPUTS)]
    id_property = body.get("idProperty")
    named = None if id_property is None else str(id_property)
    rows = call.records.find(kind, keys, id_property=named, archived=call.flag("archived"))
    shown = {str(row["Id"]): row for key in keys if (row := rows.get(key)) is not None}
    results = call.reader.records(kind, list(shown.values()), call.wanted(body))
    missing = [key for key in dict.fromkeys(keys) if key not in rows]
    return _reply(call, 200, results, [_missing(kind, missing)] if missing else [])


def create_all(call: Call, object_name: str) -> Response:
    """POST batch/create."""
    kind, inputs = call.object_type(object_name), call.inputs(MAX_INPUTS)

    def one(_index: int, entry: Entry) -> Row:
        return create(call, kind, entry)

    return _write(call, kind, inputs, one, status=201)


def update_all(call: Call, object_name: str) -> Response:
    """POST batch/update: records by id, or by the unique property that each input names."""
    kind, inputs = call.object_type(object_name), call.inputs(MAX_INPUTS)
    keys = [text_of(entry, "id") for entry in inputs]
    _refuse_twice(kind, keys)
    rows = _find(call, kind, inputs, keys)
    missing = [key for key in keys if key not in rows]
    present = [entry for entry in inputs if str(entry["id"]) in rows]

    def one(index: int, entry: Entry) -> Row:
        return update(call, kind, rows[str(entry["id"])], mapping_of(entry, "properties"), index=index)

    return _write(call, kind, present, one, status=200, errors=[_missing(kind, missing)] if missing else [])


def upsert_all(call: Call, object_name: str) -> Response:
    """POST batch/upsert: by the unique property that each input names."""
    kind, inputs = call.object_type(object_name), call.inputs(MAX_INPUTS)
    keys = [text_of(entry, "id") for entry in inputs]
    names = {text_of(entry, "idProperty") for entry in inputs}
    if len(names) != 1:
        raise refuse("All inputs of an upsert must name the same idProperty")
    _refuse_twice(kind, keys)
    rows = _find(call, kind, inputs, keys)
    made: set[str] = set()

    def one(index: int, entry: Entry) -> Row:
        key, properties = str(entry["id"]), mapping_of(entry, "properties")
        if key in rows:
            return update(call, kind, rows[key], properties, index=index)
        row = create(call, kind, {"properties": {**properties, str(entry["idProperty"]): key}})
        made.add(str(row["Id"]))
        return row

    def shown(record: Entry) -> Entry:
        return {**record, "new": record["id"] in made}

    return _write(call, kind, inputs, one, status=200, shown=shown)


def archive_all(call: Call, object_name: str) -> Response:
    """POST batch/archive; ids that are gone already are no error."""
    kind = call.object_type(object_name)
    keys = [text_of(row, "id") for row in call.inputs(MAX_INPUTS)]
    for index, (key, row) in enumerate(call.records.find(kind, keys).items()):
        call.records.check_lock(index, key)
        call.records.archive(kind, row)
    return Response(status=204)


def _find(call: Call, kind: ObjectType, inputs: Sequence[Entry], keys: Sequence[str]) -> dict[str, Row]:
    named = {str(entry["idProperty"]) for entry in inputs if entry.get("idProperty") is not None}
    if len(named) > 1:
        raise refuse("All inputs must name the same idProperty")
    return call.records.find(kind, keys, id_property=next(iter(named), None))


def _refuse_twice(kind: ObjectType, keys: Sequence[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise refuse(
            f"Duplicate IDs found in batch input: [{', '.join(twice)}] of {kind.plural}", ids=twice[0]
        )


def _write(
    call: Call,
    kind: ObjectType,
    inputs: Sequence[Entry],
    one: Callable[[int, Entry], Row],
    *,
    status: int,
    errors: Sequence[Entry] = (),
    shown: Callable[[Entry], Entry] = lambda record: record,
) -> Response:
    traced = bool(inputs) and all(entry.get(_TRACE) for entry in inputs)
    results: list[Entry] = []
    problems = list(errors)
    for index, entry in enumerate(inputs):
        try:
            with call.store.transaction():
                row = one(index, entry)
        except RefusalError as refused:
            call.records.discard()
            if not traced or refused.problem.status not in (400, 404, 409):
                raise
            problems.append(refused.problem.entry(_which(entry)))
            continue
        call.records.flush()
        record = call.reader.records(kind, [row], Wanted(properties=(*kind.default, *_named(entry))))[0]
        if traced:
            record[_TRACE] = entry[_TRACE]
        results.append(shown(record))
    return _reply(call, status, results, problems)


def _named(entry: Mapping[str, object]) -> list[str]:
    properties = entry.get("properties")
    return list(properties) if isinstance(properties, dict) else []


def _which(entry: Entry) -> dict[str, list[str]]:
    more = {_TRACE: [str(entry[_TRACE])]}
    return more if entry.get("id") is None else more | {"ids": [str(entry["id"])]}


def _missing(kind: ObjectType, ids: Sequence[str]) -> Entry:
    message = (
        f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist."
        " Check that ids are valid."
    )
    return Problem(category=NOT_FOUND, message=message, context={"ids": list(dict.fromkeys(ids))}).entry()


def _reply(call: Call, status: int, results: Sequence[Entry], errors: Sequence[Entry]) -> Response:
    at = iso(call.now)
    body: Entry = {"status": "COMPLETE", "results": list(results), "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": list(errors)}
    return Response.of(207 if errors else status, body)
