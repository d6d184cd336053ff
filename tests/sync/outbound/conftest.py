"""A strict CRM in memory, scores, canonical tables, and settings for the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest

from connectors.canonical import schema_of
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
from connectors.errors import AmbiguousError, TransientError
from connectors.fields import FieldSpec, field_specs
from sync.apply import ApplyReport, apply
from sync.approvals import approve_created
from sync.lineage import Lineage
from sync.plan import make_plan
from sync.planned import Plan
from sync.rollback import RollbackReport, rollback
from sync.settings import CrmLogin, Owners, ProductSettings, Settings
from sync.store import Store
from sync.store.scores import SCORES

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
AS_OF = date(2026, 11, 22)


def account_schema() -> ObjectSchema:
    """Account with our fields as `upswell install` creates them, and one field of a RevOps team."""
    fields = {
        spec.salesforce: FieldSchema(
            name=spec.salesforce,
            label=spec.label,
            type=FieldType(spec.type),
            length=spec.length,
            precision=spec.precision,
            scale=spec.scale,
            options=tuple(spec.options),
            restricted=bool(spec.options),
            createable=True,
            updateable=True,
        )
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
        return {"accounts": "Account"}[table]

    def field_name(self, spec: FieldSpec) -> str:
        return spec.salesforce

    def describe(self, object_name: str) -> ObjectSchema:
        assert object_name == "Account"
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
        self, keys: Iterable[str], *, sent_to: Mapping[str, str] | None = None
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
            assert value == value
            assert abs(value) != float("inf")

    def _run_once(self, hooks: list[Callable[[], None]]) -> None:
        if hooks:
            hooks.pop(0)()


def lose_reply() -> None:
    """The reply to a write is lost."""
    raise AmbiguousError("the connection was reset")


def be_away() -> None:
    """The CRM answers 503."""
    raise TransientError("the server is not available", status=503)


def crash() -> None:
    """The worker is killed."""
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def faults() -> Mapping[str, Callable[[], None]]:
    """Faults to hang before or after a write: `lost`, `away`, `crash`."""
    return {"lost": lose_reply, "away": be_away, "crash": crash}


def score_row(number: int, **cells: Any) -> dict[str, Any]:
    """A score of account `a<number>` with CRM id `001<number>`; later numbers rank lower."""
    reason = {
        "code": "seats_high", "family": "seats", "share": 41.0,
        "sentence": f"Seats {99 - number} % used, above 90 % for 6 weeks (usage, 20 Nov)",
    }  # fmt: skip
    against = {
        "code": "no_meeting", "family": "relationship", "share": 9.0,
        "sentence": "No meeting for 74 days (CRM, 20 Nov)",
    }  # fmt: skip
    row: dict[str, Any] = {
        "account_id": f"a{number}", "crm_id": f"001{number}", "as_of": AS_OF,
        "probability": 0.7123456 - number / 100,
        "tier": "high", "arr_if_expands": 30000.0, "arr_low": 12000.004, "arr_high": 51000.0,
        "expected_arr": 21000.555, "product": "seats", "product_2": None, "timing": "now", "health": "green",
        "health_reasons": [], "priority": number, "reasons": [reason], "against": [against],
        "reason_codes": ["seats_high"], "data_completeness": 0.9, "basis": "model", "is_pipeline": False,
        "model_version": "2026.11.20-1",
    }  # fmt: skip
    return row | cells


@pytest.fixture(scope="session")
def score() -> Callable[..., dict[str, Any]]:
    """Make one score row; cells by name."""
    return score_row


def scores_of(*rows: Mapping[str, Any]) -> pa.Table:
    """Scores as the model delivers them."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=SCORES)


def canonical(**tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Canonical tables after identity resolution, on DuckDB."""
    found = {}
    for name, rows in tables.items():
        schema = schema_of(name)
        types = {
            f.name.replace("account_crm_id", "account_id").replace("account_key", "account_id"): f.type
            for f in schema
        }
        full = pa.schema(
            [("account_id", pa.string()), *((n, t) for n, t in types.items() if n != "account_id")]
        )
        blank = dict.fromkeys(full.names)
        found[name] = ibis.memtable(pa.Table.from_pylist([blank | dict(row) for row in rows], schema=full))
    return found


def company_tables(count: int) -> dict[str, Any]:
    """Accounts a0, a1 … with an owner, a champion, a contract, events and a goal each."""
    numbers = range(count)
    at = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
    return canonical(
        accounts=[
            {
                "account_id": f"a{n}",
                "crm_id": f"001{n}",
                "name": f"Company {chr(65 + n % 26)}",
                "owner_id": f"U{n % 2}",
                "renewal_date": date(2027, 3, 31),
            }
            for n in numbers
        ],
        owners=[{"crm_id": "U0", "is_active": True}, {"crm_id": "U1", "is_active": True}],
        contacts=[
            {
                "account_id": f"a{n}",
                "crm_id": f"C{n}",
                "name": "Dana Ortiz",
                "title": "VP Operations",
                "role": "champion",
            }
            for n in numbers
        ],
        activities=[
            {"account_id": f"a{n}", "contact_crm_id": f"C{n}", "kind": "meeting", "occurred_at": at}
            for n in numbers
        ],
        billing=[
            {
                "account_id": f"a{n}",
                "period_start": date(2026, 11, 1),
                "seats": 100.0,
                "arr": 84000.0,
                "overage": 1250.0,
                "known_from": at,
            }
            for n in numbers
        ],
        events=[
            {"account_id": f"a{n}", "user_id": f"u{u}", "at": at + timedelta(hours=u)}
            for n in numbers
            for u in range(7)
        ],
        notes=[
            {
                "account_id": f"a{n}",
                "kind": "goal",
                "written_at": at,
                "text": "Onboard 3 plants before the summer",
            }
            for n in numbers
        ],
    )


@dataclass
class Machine:
    """The clock of the machine, which may be set back, and true time, which only sleeping moves."""

    now: datetime = NOW
    true: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def tick(self) -> datetime:
        """A moment of true time that is later than every one before."""
        self.true += timedelta(microseconds=1)
        return self.true

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.true += timedelta(seconds=seconds)
        self.now += timedelta(seconds=seconds)

    def set_back(self, seconds: float) -> None:
        """The clock is corrected; no time passes."""
        self.now -= timedelta(seconds=seconds)


@dataclass
class World:
    """A company with its CRM and ledger, and the three verbs of the way out at clocks that tests move."""

    crm: Any
    store: Store
    settings: Settings
    tables: Mapping[str, Any]
    now: datetime = NOW  # the CRM server's
    plans: int = 0
    lineage: Lineage = field(default_factory=Lineage)
    machine: Machine = field(default_factory=Machine)
    installed: bool = (
        True  # whether `upswell install` created our fields, and so had their first fill approved
    )

    def plan(self, *rows: Mapping[str, Any], **options: Any) -> Plan:
        self.plans += 1
        if self.installed:
            names = [spec.salesforce for spec in field_specs().values() if spec.object == "accounts"]
            approve_created(self.store, self.crm.org().id, names, operator="os:revops", now=self.now)
        return make_plan(
            scores_of(*rows), self.crm, self.store, self.tables, self.settings,
            run_id=f"run-{self.plans}", now=self.now, lineage=self.lineage, **options,
        )  # fmt: skip

    def scores(self, *rows: Mapping[str, Any]) -> pa.Table:
        return scores_of(*rows)

    def apply(self, plan: Plan, **options: Any) -> ApplyReport:
        options = self.clocks() | {"settings": self.settings} | options
        return apply(plan.id, self.crm, self.store, **options)

    def rollback(self, target: str, **options: Any) -> RollbackReport:
        return rollback(target, self.crm, self.store, **(self.clocks() | options))

    def clocks(self) -> dict[str, Any]:
        """What apply and rollback are given to tell the time, and to let it pass."""
        return {"now": self.now, "clock": self.machine, "sleep": self.machine.sleep}


def company_settings(**sections: Any) -> Settings:
    """Settings with two products and room for many tasks."""
    products = (
        ProductSettings(id="seats", name="More seats", type="seat", price=840.0, unit="seat"),
        ProductSettings(id="analytics", name="Analytics module", type="module", price=12000.0),
    )
    plain: dict[str, Any] = {
        "crm": CrmLogin(kind="salesforce"),
        "products": products,
        "owners": Owners(slots_per_week=5),
    }
    return Settings(**(plain | sections))


@pytest.fixture(scope="session")
def make_settings() -> Callable[..., Settings]:
    """Make settings; sections by name replace the plain ones."""
    return company_settings


@pytest.fixture(scope="session")
def make_tables() -> Callable[..., dict[str, Any]]:
    """Make canonical tables from rows by table name."""
    return canonical


@pytest.fixture(scope="session")
def tables_of_eight() -> Mapping[str, Any]:
    """Canonical tables of eight accounts; nothing changes them."""
    return company_tables(8)


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Make a world around any CRM."""
    return World


@pytest.fixture
def world(ledger: Store, tables_of_eight: Mapping[str, Any]) -> World:
    """Eight accounts in a CRM where nothing of ours was written yet."""
    return World(
        crm=StrictCrm(records={f"001{n}": {} for n in range(8)}),
        store=ledger,
        settings=company_settings(),
        tables=tables_of_eight,
    )
