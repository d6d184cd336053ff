"""Tasks that Upswell makes: created once a key, found by it, closed with a note.

Where the account takes a unique property on tasks, HubSpot itself refuses a second one and a key is
looked up in the records. Elsewhere keys are searched for, and the index lags by seconds to minutes: tasks
that this connection sent are then looked for among their company's, whose associations do not lag.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.crm import RowOutcome, RowResult, TaskDraft, TaskState, Value
from connectors.errors import SetupError
from connectors.fields import field_specs
from connectors.hubspot.cells import day, moment_of
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.links import Links
from connectors.hubspot.new_records import create, link
from connectors.hubspot.objects import SEARCH_PAGE, Objects, Records
from connectors.hubspot.rich_text import rich_text
from connectors.hubspot.schema import Described, Schemas
from connectors.hubspot.values import is_id
from connectors.hubspot.write import WRITE_BATCH, Row, Writer, row

_OBJECT: Final = "tasks"
_OUTCOME: Final = field_specs()["task_outcome"]
_PRIORITIES: Final = {"low": "LOW", "normal": "MEDIUM", "high": "HIGH"}
_DONE: Final = "COMPLETED"
_WATCHED: Final = ("hs_task_subject", "hs_task_status", "hs_task_body", "hs_timestamp", "hubspot_owner_id")
_KEY_LENGTH: Final = field_specs()["task_key"].length or 120
_LIST_VALUES: Final = 100
_LIST_CHARACTERS: Final = 2_500  # leaves room for the rest of the search
_MORNING: Final = time(9)  # HubSpot's tasks are due at a time, ours on a day


class Tasks:
    """Our tasks in one account; `key_field` is the property that holds the key, `outcome_field` the one in
    which people say what came of a task."""

    def __init__(
        self,
        *,
        client: HubspotClient,
        schemas: Schemas,
        objects: Objects,
        links: Links,
        writer: Writer,
        key_field: str,
        outcome_field: str,
        zone: Callable[[], ZoneInfo],
    ) -> None:
        self._client = client
        self._schemas = schemas
        self._objects = objects
        self._links = links
        self._writer = writer
        self._key_field = key_field
        self._outcome_field = outcome_field
        self._zone = zone
        self._sent: dict[str, str] = {}  # key -> company, of the tasks that this connection sent

    @property
    def unique(self) -> bool:
        """Whether HubSpot itself refuses a second task with our key."""
        held = self._schemas[_OBJECT].schema.fields.get(self._key_field)
        return held is not None and held.unique

    def create(self, drafts: Sequence[TaskDraft]) -> list[RowResult]:
        """One result a draft, in order; one API call unless HubSpot refuses a value."""
        if len({draft.key for draft in drafts}) < len(drafts):
            raise ValueError("two drafts in one call bear the same key")
        here = self._described()
        rows = [self._row(draft, here) for draft in drafts]
        self._sent |= {draft.key: draft.account_crm_id for draft in drafts}
        send = partial(create, self._client, self._writer, _OBJECT, self._key_field)
        return self._already_there(self._writer.submit(rows, send))

    def remember(self, sent_to: Mapping[str, str]) -> None:
        """Look for these keys among their companies' tasks too: another process may have just sent them."""
        self._sent |= sent_to

    def find(self, keys: Iterable[str]) -> Mapping[str, TaskState]:
        """Our tasks by key; of two with one key the older. Archived ones are left out."""
        here = self._described()
        wanted = [key for key in dict.fromkeys(keys) if _fits(key)]
        asked = [*_WATCHED, self._key_field]
        if here.has(self._outcome_field):  # an account that was set up by an older version has none yet
            asked.append(self._outcome_field)
        if self.unique:
            records = self._objects.by_id(_OBJECT, wanted, asked, history=asked, key=self._key_field)
        else:
            records = self._objects.by_id(_OBJECT, self._ids_of(wanted), asked, history=asked)
        ours = [r for r in records if r["properties"].get(self._key_field) in set(wanted)]
        accounts = self._links.first(_OBJECT, "companies", [str(r["id"]) for r in ours])
        found: dict[str, TaskState] = {}
        for record in sorted(ours, key=lambda r: (str(r["createdAt"]), int(r["id"]))):
            key = str(record["properties"][self._key_field])
            found.setdefault(key, self._state(key, record, accounts.get(str(record["id"]))))
        return found

    def close(self, tasks: Mapping[str, str]) -> list[RowResult]:
        """Close tasks (id -> note); a note is appended to the body."""
        here = self._described()
        results: list[RowResult] = []
        ids = list(tasks)
        for start in range(0, len(ids), WRITE_BATCH):
            chunk = ids[start : start + WRITE_BATCH]
            held = self._writer.read(_OBJECT, chunk, ["hs_task_body"])
            rows, gone = [], {}
            for identifier in chunk:
                if identifier not in held or held[identifier].is_deleted:
                    gone[identifier] = RowResult(key=identifier, outcome=RowOutcome.GONE, id=identifier)
                    continue
                values: dict[str, Value] = {"hs_task_status": _DONE}
                if tasks[identifier]:
                    body = held[identifier].values["hs_task_body"]
                    values["hs_task_body"] = "<br><br>".join(
                        part for part in (str(body or ""), rich_text(tasks[identifier])) if part
                    )
                rows.append(row(identifier, identifier, values, here, creating=False))
            update = self._writer.updater(_OBJECT)
            done = {result.key: result for result in self._writer.submit(rows, update)}
            results += [gone.get(identifier) or done[identifier] for identifier in chunk]
        return results

    def _described(self) -> Described:
        here = self._schemas[_OBJECT]
        if not here.has(self._key_field):
            raise SetupError(
                f"tasks have no property {self._key_field}.",
                record=_OBJECT,
                fix="Run `upswell install`: without the property a task could be made twice.",
            )
        return here

    def _row(self, draft: TaskDraft, here: Described) -> Row:
        """The new task with its associations; without an owner nobody has it, which the caller avoids."""
        values: dict[str, Value] = {
            "hs_task_subject": draft.subject,
            "hs_task_body": rich_text(draft.body),
            "hs_task_status": "NOT_STARTED",
            "hs_task_priority": _PRIORITIES[draft.priority],
            "hs_task_type": "TODO",
            "hs_timestamp": datetime.combine(draft.due, _MORNING, tzinfo=self._zone()),
            self._key_field: draft.key,
        }
        if draft.owner_id is not None:
            values["hubspot_owner_id"] = draft.owner_id
        to = [("companies", draft.account_crm_id)]
        if draft.contact_crm_id is not None:
            to.append(("contacts", draft.contact_crm_id))
        bad = next((f"{each[:40]!r} is no record id" for _, each in to if not is_id(each)), None)
        if not _fits(draft.key):
            bad = f"the key has more than {_KEY_LENGTH} characters, or some that nobody can read"
        if bad is not None:
            refusal = RowResult(
                key=draft.key, outcome=RowOutcome.REFUSED, vendor_code="VALIDATION_ERROR", message=bad
            )
            return Row(key=draft.key, id=None, properties=None, refusal=refusal)
        made = row(draft.key, None, values, here, creating=True)
        links = tuple(link(each, self._links.plain(_OBJECT, target)) for target, each in to)
        return replace(made, links=links)

    def _already_there(self, results: list[RowResult]) -> list[RowResult]:
        """A task refused because its key exists was made before: unchanged, with its id."""
        refused = [each.key for each in results if each.outcome in {RowOutcome.REFUSED, RowOutcome.FAILED}]
        if not refused or not self.unique:
            return results
        found = self.find(refused)
        return [
            RowResult(key=each.key, outcome=RowOutcome.UNCHANGED, id=found[each.key].id)
            if each.key in found
            else each
            for each in results
        ]

    def _ids_of(self, keys: Sequence[str]) -> list[str]:
        """Ids of tasks that may bear these keys: searched, and of our own unsearchable ones by company."""
        ids: dict[str, str] = {}
        for chunk in _in_chunks(keys):
            for record in self._searched(chunk):
                ids[str(record["id"])] = str(record["properties"].get(self._key_field))
        lost = {self._sent[key] for key in keys if key in self._sent and key not in ids.values()}
        if lost:
            for linked in self._links.all("companies", _OBJECT, sorted(lost)).values():
                ids.update({each.id: "" for each in linked})
        return list(ids)

    def _searched(self, keys: Sequence[str]) -> Records:
        """What the index finds; "Search the CRM": IN compares strings with values in lower case only."""
        values = list(dict.fromkeys(key.lower() for key in keys))
        body = {
            "filterGroups": [
                {"filters": [{"propertyName": self._key_field, "operator": "IN", "values": values}]}
            ],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [self._key_field],
            "limit": SEARCH_PAGE,
        }
        found: Records = self._client.search(_OBJECT, body)["results"]
        return found

    def _state(self, key: str, held: Mapping[str, Any], account: str | None) -> TaskState:
        cells = held["properties"]
        due = cells.get("hs_timestamp")
        return TaskState(
            key=key,
            id=str(held["id"]),
            account_crm_id=account,
            owner_id=cells.get("hubspot_owner_id") or None,
            subject=str(cells.get("hs_task_subject") or ""),
            is_closed=cells.get("hs_task_status") == _DONE,
            touched=_touched(held, self._key_field, self._outcome_field),
            due=self._day(due) if due else None,
            **self._outcome(held),
        )

    def _outcome(self, held: Mapping[str, Any]) -> dict[str, Any]:
        """What came of the task, and when that was said; of a closed one without one, when it was closed."""
        cells, history = held["properties"], held.get("propertiesWithHistory") or {}
        outcome = _OUTCOME.key_of(cells.get(self._outcome_field))
        is_closed = cells.get("hs_task_status") == _DONE
        told_by = self._outcome_field if outcome is not None else "hs_task_status" if is_closed else ""
        moments = [moment_of(version.get("timestamp")) for version in history.get(told_by) or ()]
        newest = max((moment for moment in moments if moment is not None), default=None)
        return {"outcome": outcome, "outcome_at": newest}

    def _day(self, due: str) -> date:
        return day(due, self._zone())


def _fits(key: str) -> bool:
    """Whether it can be a key of ours; anything else would refuse a whole call."""
    return 0 < len(key) <= _KEY_LENGTH and key.isprintable()  # so half a character is none either


def _in_chunks(keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys in lists that fit into a search: at most 100 values, in a body of 3,000 characters."""
    chunk: list[str] = []
    size = 0
    for key in keys:
        cost = len(json.dumps(key, ensure_ascii=False)) + 1  # the comma
        if chunk and (size + cost > _LIST_CHARACTERS or len(chunk) == _LIST_VALUES):
            yield chunk
            chunk, size = [], 0
        chunk.append(key)
        size += cost
    if chunk:
        yield chunk


def _touched(held: Mapping[str, Any], key_field: str, outcome_field: str) -> bool:
    """Whether a watched property was last set by another source than the key, which only we set."""
    history = held.get("propertiesWithHistory") or {}
    ours = {_source(version) for version in history.get(key_field) or ()}
    if not ours:
        return True
    watched = (*_WATCHED, outcome_field)
    return any(_source(version) not in ours for name in watched for version in history.get(name) or ())


def _source(version: Mapping[str, Any]) -> tuple[str, str, str]:
    return tuple(str(version.get(name) or "") for name in ("sourceType", "sourceId", "updatedByUserId"))  # type: ignore[return-value]  # three names
