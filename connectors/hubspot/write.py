"""Rows written in batches of 100, and records read back by id.

CRM API, "Batch update", "Batch read" and "Multi-status errors": with a trace id on every row, a row that
is refused comes back in a 207 whose `errors[].context` names it, and the others are written. Should
HubSpot refuse the whole call with 400 all the same, nothing was changed: it is sent again in calls of ten,
and those in calls of one, so that the row stands alone and none is sent more than three times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.crm import Change, Record, RowOutcome, RowResult, Value
from connectors.errors import AmbiguousError, SetupError, TerminalError
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.errors import NOT_FOUND, Problem, read_problem, row_fix, row_result
from connectors.hubspot.objects import Objects
from connectors.hubspot.schema import Described, Schemas
from connectors.hubspot.tables import MERGED
from connectors.hubspot.values import UnfitValueError, decode, encode, is_id, parse_time
from connectors.redaction import Redactor

WRITE_BATCH: Final = 100
PART: Final = 10
_NO_PROPERTY: Final = "PROPERTY_DOESNT_EXIST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record on its way out: `properties` is None when a value was refused here."""

    key: str
    id: str | None
    properties: Mapping[str, str] | None
    refusal: RowResult | None = None
    links: tuple[Mapping[str, Any], ...] = ()  # associations, of a new record only


Answer = Mapping[str, RowResult]
"""Results by the rows' keys."""


class Writer:
    """Writes and reads back records of one account."""

    def __init__(self, client: HubspotClient, schemas: Schemas, objects: Objects) -> None:
        self._client = client
        self._schemas = schemas
        self._objects = objects

    def update(self, changes: Sequence[Change]) -> list[RowResult]:
        """One result a change, in order; one API call unless HubSpot refuses a value."""
        if not changes:
            return []
        objects = {change.object for change in changes}
        if len(objects) > 1:
            raise ValueError(f"one call writes one object, not {sorted(objects)}")
        if len({change.id for change in changes}) < len(changes):
            raise ValueError("a record may come once in a call: HubSpot refuses the whole call otherwise")
        here = self._schemas[changes[0].object]
        rows = [row(change.key, change.id, change.values, here, creating=False) for change in changes]
        return self.submit(rows, self.updater(here.schema.name))

    def updater(self, object_name: str) -> Callable[[Sequence[Row]], Answer]:
        """How to send rows of this object as an update."""
        return lambda rows: self._update(object_name, rows)

    def submit(self, rows: Sequence[Row], send: Callable[[Sequence[Row]], Answer]) -> list[RowResult]:
        """Send the rows that may leave, in parts where a whole call is refused; results in their order."""
        if len(rows) > WRITE_BATCH:
            raise ValueError(f"{len(rows)} records in one call; HubSpot takes {WRITE_BATCH}")
        leaving = [each for each in rows if each.properties is not None]
        answers = self._in_parts(leaving, send) if leaving else {}
        return [each.refusal or answers[each.key] for each in rows]

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """The records by the ids given; an archived one is flagged, a merged one names its survivor."""
        here = self._schemas[object_name]
        missing = [field for field in fields if not here.has(field)]
        if missing:
            raise SetupError(
                f"{object_name} have no property {', '.join(missing)}.",
                record=object_name,
                fix="Run `upswell install`, or correct [mapping.fields].",
            )
        merges = [MERGED] if here.has(MERGED) else []
        found: dict[str, Record] = {}
        wanted = set(ids)
        records = self._objects.by_id(object_name, ids, [*fields, *merges])
        self._schemas.check_shown(object_name, fields, records)
        for held in records:
            identifier = str(held["id"])
            if identifier in wanted:
                found[identifier] = _record(held, fields, here)
            for loser in str(held["properties"].get(MERGED) or "").split(";"):
                if loser in wanted and loser != identifier:
                    found[loser] = Record(
                        object=object_name, id=loser, values={}, is_deleted=True, merged_into=identifier
                    )
        lost = [identifier for identifier in dict.fromkeys(ids) if identifier not in found]
        for held in self._objects.by_id(object_name, lost, archived=True) if lost else ():
            identifier = str(held["id"])
            found[identifier] = Record(object=object_name, id=identifier, values={}, is_deleted=True)
        return found

    def _update(self, object_name: str, rows: Sequence[Row]) -> Answer:
        inputs = [
            {"id": each.id, "properties": each.properties, "objectWriteTraceId": each.key} for each in rows
        ]
        try:
            reply = self._client.send(self._client.paths.batch(object_name, "update"), {"inputs": inputs})
        except SetupError:
            self._schemas.forget(object_name)  # a property that was described is gone, or the right to it
            raise
        done = {str(each.get("id")): each.get("properties") or {} for each in reply.get("results") or ()}
        by_id, by_trace = problems_of(reply)
        if not done:
            self._check_setup(object_name, reply)
        answers, unknown = {}, []
        for each in rows:
            identifier = str(each.id)
            problem = by_id.get(identifier) or by_trace.get(each.key)
            if identifier in done:
                held = _held(done[identifier], each.properties or {}, self._schemas[object_name])
                answers[each.key] = RowResult(
                    key=each.key, outcome=RowOutcome.APPLIED, id=identifier, held=held
                )
            elif problem is not None:
                answers[each.key] = self.refusal(each, problem)
            else:
                unknown.append(identifier)
        if unknown:
            raise AmbiguousError(
                f"HubSpot's reply says nothing of {len(unknown)} of {len(rows)} records: merged or archived?",
                record=f"{object_name} {unknown[0]}",
                fix="The records are read back before anything is sent again.",
            )
        return answers

    def _check_setup(self, object_name: str, reply: Mapping[str, Any]) -> None:
        """Raise SetupError when nothing was written and a property is gone: no row is at fault, though others
        may have a fate of their own."""
        told = [read_problem(entry) for entry in reply.get("errors") or ()]
        problems = [problem for problem in told if problem.code == _NO_PROPERTY]
        if problems:
            self._schemas.forget(object_name)
            names = ", ".join(dict.fromkeys(name for problem in problems for name in problem.properties))
            raise SetupError(
                f"{object_name} have no property {names} any more; nothing was written.",
                record=object_name,
                fix="Restore the property, or run `upswell install`.",
            )

    def refusal(self, row: Row, problem: Problem) -> RowResult:
        """The result of a row that HubSpot did not take."""
        return row_result(row.key, problem, record_id=row.id, redact=self._client.door.redact)

    def _in_parts(self, rows: Sequence[Row], send: Callable[[Sequence[Row]], Answer]) -> Answer:
        """Send the rows; a call that is refused as a whole changed nothing and is sent in smaller ones."""
        try:
            return send(rows)
        except TerminalError as error:
            if error.status not in {400, 409}:
                raise
            if len(rows) == 1:
                code = error.vendor_code or "VALIDATION_ERROR"
                told = error.message.partition(": ")[2] or error.message
                problem = Problem(code=code, category=code, message=told)
                return {rows[0].key: self.refusal(rows[0], problem)}
        size = PART if len(rows) > PART else 1
        answers: dict[str, RowResult] = {}
        for start in range(0, len(rows), size):
            answers |= self._in_parts(rows[start : start + size], send)
        return answers


def row(
    key: str, record_id: str | None, values: Mapping[str, Value], here: Described, *, creating: bool
) -> Row:
    """The record's properties, or the refusal of its first value that must not leave."""
    properties: dict[str, str] = {}
    if record_id is not None and not is_id(record_id):  # HubSpot would refuse the whole call for it
        problem = Problem(code=NOT_FOUND, category=NOT_FOUND, message=f"{record_id[:40]!r} is no record id")
        refusal = row_result(key, problem, record_id=record_id, redact=Redactor())
        return Row(key=key, id=record_id, properties=None, refusal=refusal)
    for name, value in values.items():
        field = here.schema.fields.get(name)
        try:
            if field is None:
                raise UnfitValueError(_NO_PROPERTY, f"{here.schema.name} have no property {name}")
            if field.calculated or not (field.createable if creating else field.updateable):
                raise UnfitValueError("READ_ONLY_VALUE", f"{name} can't be written")
            properties[name] = encode(value, field, here.choices.get(name))
        except UnfitValueError as error:
            refusal = RowResult(
                key=key,
                outcome=RowOutcome.REFUSED,
                id=record_id,
                vendor_code=error.code,
                message=str(error),
                fix=row_fix(error.code),
            )
            return Row(key=key, id=record_id, properties=None, refusal=refusal)
    return Row(key=key, id=record_id, properties=properties)


def problems_of(reply: Mapping[str, Any]) -> tuple[Mapping[str, Problem], Mapping[str, Problem]]:
    """The refusals of a partial result, by the record's id and by the row's trace id."""
    problems = [read_problem(entry) for entry in reply.get("errors") or ()]
    by_id = {identifier: problem for problem in problems for identifier in problem.ids}
    return by_id, {trace: problem for problem in problems for trace in problem.traces}


def _held(shown: Mapping[str, Any], written: Iterable[str], here: Described) -> Mapping[str, Value] | None:
    """The written properties as the reply shows them; None where it leaves one out."""
    if any(name not in shown for name in written):
        return None
    return {n: decode(shown[n], here.schema.fields[n], here.choices.get(n)) for n in written}


def _record(held: Mapping[str, Any], fields: Sequence[str], here: Described) -> Record:
    stamp = held.get("updatedAt")
    cells = held["properties"]
    return Record(
        object=here.schema.name,
        id=str(held["id"]),
        values={n: decode(cells.get(n), here.schema.fields[n], here.choices.get(n)) for n in fields},
        modified_at=parse_time(str(stamp)) if stamp else None,
        is_deleted=bool(held.get("archived")),
    )
