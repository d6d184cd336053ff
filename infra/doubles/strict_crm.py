"""A strict CRM in memory: for what a CRM on a wire can't be made to do at a test's word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from connectors.crm import (
    Capabilities,
    Change,
    FieldSchema,
    FieldType,
    ObjectSchema,
    OrgInfo,
    Record,
    RowOutcome,
    RowResult,
    TaskDraft,
    TaskState,
    Usage,
    Value,
)
from connectors.errors import SetupError
from connectors.fields import FieldSpec, field_specs, object_specs
from connectors.shown import definition


def account_schema() -> ObjectSchema:
    """Account with our fields as `upswell install` creates them, and one field of a RevOps team."""
    fields = {
        spec.salesforce: definition(spec, "salesforce")
        for spec in field_specs().values()
        if spec.object == "accounts"
    }
    own = FieldSchema(
        name="Our_Score__c",
        label="Our score",
        type=FieldType.NUMBER,
        scale=1,
        createable=True,
        updateable=True,
    )
    return ObjectSchema(
        name="Account", label="Account", fields=fields | {own.name: own}, createable=True, updateable=True
    )


@dataclass
class StrictCrm:
    """A CRM in memory that refuses what a CRM refuses and counts every write. Faults are set by tests."""

    records: dict[str, dict[str, Value]] = field(default_factory=dict)
    deleted: dict[str, str | None] = field(default_factory=dict)  # id -> survivor
    tasks: dict[str, TaskState] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    schema: ObjectSchema = field(default_factory=account_schema)
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(write_batch=3, read_batch=50, page_size=50)
    )
    org_id: str = "00D000000000001EAA"
    writes: list[Change] = field(default_factory=list)
    before_write: list[Callable[[], None]] = field(default_factory=list)  # each runs once
    after_write: list[Callable[[], None]] = field(default_factory=list)
    refuse: dict[str, RowResult] = field(default_factory=dict)  # record id -> its result
    calls: int = 0

    def org(self) -> OrgInfo:
        return OrgInfo(
            id=self.org_id, name="Acme", kind="salesforce", url="https://acme.example", currency="USD",
            timezone="UTC", api_version="68.0",
        )  # fmt: skip

    def object_name(self, table: str) -> str:
        return "Account" if table == "accounts" else object_specs()[table].salesforce

    def field_name(self, spec: FieldSpec) -> str:
        return spec.salesforce

    def describe(self, object_name: str) -> ObjectSchema:
        if object_name != "Account":
            raise SetupError("this org has no objects of ours", record=object_name)
        return self.schema

    def usage(self) -> Usage:
        return Usage(calls=self.calls, org_used=None, org_limit=None)

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        assert object_name == "Account"
        assert set(fields) <= set(self.schema.fields), "a field that the org lacks"
        self.calls += -(-len(ids) // self.capabilities.read_batch)
        found = {}
        for record_id in ids:
            if record_id in self.deleted:
                found[record_id] = Record(
                    object="Account", id=record_id, values={}, is_deleted=True,
                    merged_into=self.deleted[record_id],
                )  # fmt: skip
            elif record_id in self.records:
                held = self.records[record_id]
                found[record_id] = Record(
                    object="Account", id=record_id, values={name: self._cell(held, name) for name in fields}
                )
        return found

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        assert 0 < len(changes) <= self.capabilities.write_batch, "too many records in one call"
        assert len({change.id for change in changes}) == len(changes), "a record twice in one call"
        self._run_once(self.before_write)
        self.calls += 1
        results = [self._write(change) for change in changes]
        self._run_once(self.after_write)
        return results

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> list[RowResult]:
        assert 0 < len(drafts) <= self.capabilities.write_batch
        self._run_once(self.before_write)
        self.calls += 1
        results = []
        for draft in drafts:
            if self.capabilities.unique_task_key and draft.key in self.tasks:
                refused = RowResult(key=draft.key, outcome=RowOutcome.REFUSED, vendor_code="DUPLICATE_VALUE")
                results.append(refused)
                continue
            assert draft.key not in self.tasks, f"a second task for {draft.key}"
            assert len(draft.subject) <= 255
            task_id = f"T{len(self.tasks) + 1}"
            self.tasks[draft.key] = TaskState(
                key=draft.key, id=task_id, account_crm_id=draft.account_crm_id, owner_id=draft.owner_id,
                subject=draft.subject, is_closed=False, touched=False, due=draft.due,
            )  # fmt: skip
            self.bodies[task_id] = draft.body
            results.append(RowResult(key=draft.key, outcome=RowOutcome.APPLIED, id=task_id))
        self._run_once(self.after_write)
        return results

    def find_tasks(
        self,
        keys: Iterable[str],
        *,
        sent_to: Mapping[str, str] | None = None,  # noqa: ARG002  # nothing lags here
    ) -> Mapping[str, TaskState]:
        self.calls += 1
        return {key: self.tasks[key] for key in keys if key in self.tasks}

    def close_tasks(self, tasks: Mapping[str, str]) -> list[RowResult]:
        self.calls += 1
        for state in list(self.tasks.values()):
            if state.id in tasks:
                self.tasks[state.key] = replace(state, is_closed=True)
                self.bodies[state.id] += f"\n{tasks[state.id]}"
        return [RowResult(key=task_id, outcome=RowOutcome.APPLIED, id=task_id) for task_id in tasks]

    def work_on_task(self, key: str, *, closed: bool = False, outcome: str | None = None) -> None:
        """A person changes a task: closes it, or says what came of it."""
        held = self.tasks[key]
        self.tasks[key] = replace(
            held, touched=True, is_closed=closed or held.is_closed, outcome=outcome or held.outcome
        )

    def person(self, record_id: str, **values: Value) -> None:
        """A person edits a record."""
        self.records[record_id].update(values)

    def _cell(self, held: Mapping[str, Value], name: str) -> Value:
        value = held.get(name)
        return bool(value) if self.schema.fields[name].type is FieldType.CHECKBOX else value

    def _write(self, change: Change) -> RowResult:
        if change.id in self.refuse:
            return replace(self.refuse[change.id], key=change.key)
        if change.id in self.deleted or change.id not in self.records:
            return RowResult(key=change.key, outcome=RowOutcome.GONE)
        for name, value in change.values.items():
            self._check(self.schema.fields[name], value)
        self.writes.append(change)
        self.records[change.id].update(change.values)
        return RowResult(key=change.key, outcome=RowOutcome.APPLIED, id=change.id)

    def _check(self, schema: FieldSchema, value: Value) -> None:
        if value is None:
            return
        if schema.type is FieldType.PICKLIST:
            assert value in schema.options, f"{schema.name}: {value!r} is no option"
        if isinstance(value, str) and schema.length is not None:
            assert len(value) <= schema.length, f"{schema.name} is too long"
        if schema.type in (FieldType.NUMBER, FieldType.CURRENCY, FieldType.PERCENT):
            assert isinstance(value, int | float)
            assert isfinite(value)

    def _run_once(self, hooks: list[Callable[[], None]]) -> None:
        if hooks:
            hooks.pop(0)()
