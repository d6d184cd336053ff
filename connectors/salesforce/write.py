"""Records changed, with a condition or without, and read back by id.

REST API Developer Guide, "Get Multiple Records with Fewer Round-Trips": 2,000 records by POST, in the order
of the request. "Composite": five such requests in one API call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.crm import Change, FieldType, Record, RowOutcome, RowResult
from connectors.errors import SetupError, TerminalError
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.collections import PARTS, Collections, composed
from connectors.salesforce.conditional import ConditionalWriter
from connectors.salesforce.rows import Row, row
from connectors.salesforce.schema import Described, Schemas
from connectors.salesforce.values import decode, is_id, parse_time

CHUNK: Final = 2000
READ_BATCH: Final = CHUNK * PARTS
_LEADS_NOWHERE: Final = "INVALID_CROSS_REFERENCE_KEY"


class Writer:
    """Writes and reads back records of one org."""

    def __init__(self, client: SalesforceClient, schemas: Schemas) -> None:
        self._client = client
        self._schemas = schemas
        self._conditional = ConditionalWriter(client)
        self.collections = Collections(client)

    def update(self, changes: Sequence[Change]) -> list[RowResult]:
        """A result for each change whose outcome is known; one API call, none if all were refused here."""
        if not changes:
            return []
        objects = {change.object for change in changes}
        if len(objects) > 1:
            raise ValueError(f"one call writes one object, not {sorted(objects)}")
        ids = {change.id[:15] if is_id(change.id) else change.id for change in changes}
        if len(ids) < len(changes):
            raise ValueError("a record may come once in a call: Salesforce refuses the whole call otherwise")
        here = self._schemas[changes[0].object]
        rows = [row(change.key, change.id, change.values, here, creating=False) for change in changes]
        if any(change.unmodified_since is not None for change in changes):
            since = {change.key: change.unmodified_since for change in changes}
            return self._conditional.update(here.schema.name, rows, since)
        return [_gone(each, rows, here) for each in self.collections.send("PATCH", here.schema.name, rows)]

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """The records by the ids given; a deleted one is flagged, with the survivor of a merge."""
        here = self._schemas[object_name]
        missing = [field for field in fields if not here.has(field)]
        if missing:
            raise SetupError(
                f"{object_name} has no field {', '.join(missing)}, or does not show it to our user.",
                record=object_name,
                fix="Run `upswell install`, or correct [mapping.fields].",
            )
        stamp = [name for name in ("SystemModstamp",) if here.has(name)]
        asked = list(dict.fromkeys(["Id", *fields, *stamp]))
        unique = [each for each in dict.fromkeys(ids) if is_id(each)]  # a malformed one refuses the call
        found: dict[str, Record] = {}
        chunks = [unique[start : start + CHUNK] for start in range(0, len(unique), CHUNK)]
        for chunk, answer in self._answers(object_name, chunks, asked):
            self._conditional.note_reads(answer)
            by_id = {str(one["Id"])[:15]: one for one in answer if one is not None}
            for identifier in chunk:
                held = by_id.get(identifier[:15])
                if held is not None:
                    found[identifier] = _record(held, identifier, fields, here)
        lost = [identifier for identifier in unique if identifier not in found]
        if lost and here.has("IsDeleted"):
            found.update(self._deleted(object_name, lost, here))
        return found

    def _answers(
        self, object_name: str, chunks: Sequence[Sequence[str]], fields: Sequence[str]
    ) -> Iterator[tuple[Sequence[str], Sequence[Any]]]:
        """Each chunk of ids with its records, five chunks a call; one that fails there is read by itself."""
        path = f"composite/sobjects/{object_name}"
        for start in range(0, len(chunks), PARTS):
            some = chunks[start : start + PARTS]
            bodies = [{"ids": chunk, "fields": fields} for chunk in some]
            answers = self._together(path, bodies) if len(some) > 1 else [None]
            for chunk, body, answer in zip(some, bodies, answers, strict=True):
                yield chunk, (self._client.ask(path, body) or []) if answer is None else answer

    def _together(self, path: str, bodies: Sequence[Mapping[str, Any]]) -> list[list[Any] | None]:
        """What each part of one call answers; None where it has to be asked by itself."""
        try:
            reply = self._client.ask("composite", composed(self._client, "POST", path, bodies))
        except TerminalError as error:
            if not error.is_about_content:
                raise
            reply = {}
        told = {each["referenceId"]: each for each in reply.get("compositeResponse") or ()}
        parts = (told.get(f"part{position}") or {} for position in range(len(bodies)))
        return [part["body"] if part.get("httpStatusCode") == 200 else None for part in parts]

    def _deleted(self, object_name: str, ids: Sequence[str], here: Described) -> Mapping[str, Record]:
        """Those ids that lie in the recycle bin, with the record they were merged into."""
        wanted = [name for name in ("Id", "IsDeleted", "MasterRecordId") if here.has(name)]
        found = {}
        by_short = {identifier[:15]: identifier for identifier in ids}
        for chunk in soql.in_chunks(ids):
            condition = soql.Condition(field="Id", operator="IN", value=chunk)
            for held in self._client.records(
                soql.select(wanted, object_name, where=[condition]), deleted=True
            ):
                identifier = by_short[str(held["Id"])[:15]]
                found[identifier] = Record(
                    object=object_name,
                    id=identifier,
                    values={},
                    is_deleted=True,
                    merged_into=held.get("MasterRecordId"),
                )
        return found


def _gone(result: RowResult, rows: Sequence[Row], here: Described) -> RowResult:
    """The result; a reference that leads nowhere is the record's own id where no other was written, since
    Salesforce knows no other code for a record that left the recycle bin."""
    if result.vendor_code != _LEADS_NOWHERE:
        return result
    written = next((each.body or {} for each in rows if each.key == result.key), {})
    if any(here.schema.fields[name].type is FieldType.REFERENCE for name in written):
        return result
    return replace(result, outcome=RowOutcome.GONE, fix=None)


def _record(held: Mapping[str, Any], identifier: str, fields: Sequence[str], here: Described) -> Record:
    stamp = held.get("SystemModstamp")
    return Record(
        object=here.schema.name,
        id=identifier,
        values={name: decode(held.get(name), here.schema.fields[name]) for name in fields},
        modified_at=parse_time(stamp) if stamp else None,
    )
