"""Tasks that Upswell makes: created once a key, found by it, closed with a note."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from connectors.crm import FieldSchema, RowOutcome, RowResult, TaskDraft, TaskState, Value
from connectors.errors import SetupError
from connectors.fields import field_specs
from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.rows import row
from connectors.salesforce.schema import Described, Schemas
from connectors.salesforce.values import UnfitValueError, encode, parse_time
from connectors.salesforce.write import Writer

_OUTCOME: Final = field_specs()["task_outcome"]
_PRIORITIES: Final = {"low": "Low", "normal": "Normal", "high": "High"}
_STATE: Final = (
    "Id",
    "WhatId",
    "OwnerId",
    "Subject",
    "IsClosed",
    "ActivityDate",
    "LastModifiedById",
)
_WHEN: Final = ("CompletedDateTime", "LastModifiedDate")  # the first that the org shows and that is set
_CUT: Final = "…"


class Tasks:
    """Our tasks in one org; `key_field` is the custom field of Activity that holds the key, `outcome_field`
    the one in which people say what came of a task."""

    def __init__(
        self,
        client: SalesforceClient,
        schemas: Schemas,
        writer: Writer,
        key_field: str,
        outcome_field: str,
    ) -> None:
        self._client = client
        self._schemas = schemas
        self._writer = writer
        self._key_field = key_field
        self._outcome_field = outcome_field

    @property
    def unique(self) -> bool:
        """Whether the org itself refuses a second task with our key, as describe says of its field."""
        return self._described().schema.fields[self._key_field].unique

    def create(self, drafts: Sequence[TaskDraft]) -> list[RowResult]:
        """A result for each draft whose outcome is known; one API call.

        Tasks of one account lie side by side, since each locks its account for a moment."""
        if len({draft.key for draft in drafts}) < len(drafts):
            raise ValueError("two drafts in one call bear the same key")
        here = self._described()
        by_account = sorted(drafts, key=lambda draft: draft.account_crm_id)
        rows = [row(draft.key, None, self._values(draft, here), here, creating=True) for draft in by_account]
        told = {result.key: result for result in self._writer.collections.send("POST", "Task", rows)}
        return [told[draft.key] for draft in drafts if draft.key in told]

    def find(self, keys: Iterable[str]) -> Mapping[str, TaskState]:
        """Our tasks by key, archived ones too; of two with one key the older. Deleted ones are left out."""
        here = self._described()
        field = here.schema.fields[self._key_field]
        # an org that was set up by an older version has no outcome yet
        told = [name for name in (self._outcome_field, *_WHEN) if here.has(name)]
        wanted = [key for key in dict.fromkeys(keys) if _can_hold(field, key)]
        statements = [
            soql.select(
                [*_STATE, self._key_field, *told],
                "Task",
                where=[
                    soql.Condition(field=self._key_field, operator="IN", value=chunk),
                    soql.Condition(field="IsDeleted", operator="=", value=False),
                ],
                order=("CreatedDate", "Id"),
            )
            for chunk in soql.in_chunks(wanted)
        ]
        known = set(wanted)  # = ignores case in Salesforce, a key does not
        found: dict[str, TaskState] = {}
        for held in self._client.records_of(statements, deleted=True):
            key = str(held[self._key_field])
            if key in known:
                found.setdefault(key, self._state(key, held))
        return found

    def close(self, tasks: Mapping[str, str]) -> list[RowResult]:
        """Close tasks (id -> note); a note is appended to the body, whose end gives way if it is full."""
        here = self._described()
        status = self._closed_status(here)
        held = self._writer.read("Task", list(tasks), ["Description", "Status"])
        results = {
            identifier: RowResult(key=identifier, outcome=RowOutcome.GONE, id=identifier)
            for identifier in tasks
            if identifier not in held or held[identifier].is_deleted
        }
        rows = []
        for identifier in (each for each in tasks if each not in results):
            values: dict[str, Value] = {"Status": status}
            if tasks[identifier]:
                body = held[identifier].values["Description"]
                limit = here.schema.fields["Description"].length or 32_000
                values["Description"] = _append(str(body or ""), tasks[identifier], limit)
            rows.append(row(identifier, identifier, values, here, creating=False))
        results |= {result.key: result for result in self._writer.collections.send("PATCH", "Task", rows)}
        return [results[identifier] for identifier in tasks if identifier in results]

    def _described(self) -> Described:
        here = self._schemas["Task"]
        if not here.has(self._key_field):
            raise SetupError(
                f"Task has no field {self._key_field}, or does not show it to our user.",
                record="Task",
                fix="Run `upswell install`: without the field a task could be made twice.",
            )
        return here

    def _values(self, draft: TaskDraft, here: Described) -> Mapping[str, Value]:
        """The task's fields; without an owner it is our user's, which the caller avoids."""
        values: dict[str, Value] = {
            "Subject": draft.subject,
            "Description": draft.body,
            "ActivityDate": draft.due,
            "WhatId": draft.account_crm_id,
            "Priority": _priority(draft.priority, here),
            self._key_field: draft.key,
        }
        if draft.owner_id is not None:
            values["OwnerId"] = draft.owner_id
        if draft.contact_crm_id is not None:
            values["WhoId"] = draft.contact_crm_id
        return values

    def _state(self, key: str, held: Mapping[str, Any]) -> TaskState:
        changed_by = held.get("LastModifiedById")
        ours = self._client.user_id
        outcome = _OUTCOME.key_of(held.get(self._outcome_field))
        is_closed = bool(held.get("IsClosed"))
        moment = next((held[name] for name in _WHEN if held.get(name)), None)
        return TaskState(
            key=key,
            id=str(held["Id"]),
            account_crm_id=held.get("WhatId"),
            owner_id=held.get("OwnerId"),
            subject=str(held.get("Subject") or ""),
            is_closed=is_closed,
            touched=ours is None or str(changed_by)[:15] != ours[:15],
            due=date.fromisoformat(held["ActivityDate"]) if held.get("ActivityDate") else None,
            outcome=outcome,
            outcome_at=parse_time(moment) if moment and (is_closed or outcome) else None,
        )

    def _closed_status(self, here: Described) -> str:
        """The org's first closed task status; "Completed" where TaskStatus isn't visible."""
        try:
            self._schemas["TaskStatus"]
        except SetupError:
            if "Completed" in here.schema.fields["Status"].options:
                return "Completed"
            raise
        statement = soql.select(
            ["ApiName"],
            "TaskStatus",
            where=[soql.Condition(field="IsClosed", operator="=", value=True)],
            order=("SortOrder",),
            limit=1,
        )
        first = next(iter(self._client.records(statement)), None)
        if first is None:
            raise SetupError(
                "The org has no closed task status.", record="TaskStatus", fix="Add one in Setup."
            )
        return str(first["ApiName"])


def _can_hold(field: FieldSchema, key: str) -> bool:
    """Whether a task can bear this key at all; a longer one would make the whole query too long."""
    try:
        return encode(key, field) is not None
    except UnfitValueError:
        return False


def _priority(wanted: str, here: Described) -> str | None:
    """The org's word for a priority; an org with other words gets its default."""
    word = _PRIORITIES[wanted]
    options = here.schema.fields["Priority"].options
    return word if word in options else next(iter(options), None)


def _append(body: str, note: str, limit: int) -> str:
    """Body and note, with the body's end cut off where both don't fit."""
    room = limit - len(note) - 2
    if len(body) > room:
        body = body[: max(0, room - len(_CUT))] + _CUT
    return f"{body}\n\n{note}".strip()[:limit]
