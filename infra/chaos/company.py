"""A CRM with accounts and our fields, and a frozen plan of so many writes and tasks: no training needed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.crm import Crm, FieldSchema, Record, TaskDraft, Value
from connectors.fields import field_specs
from connectors.sandbox.audit import AuditedChange
from connectors.sandbox.hubspot import account as hubspot_account
from connectors.sandbox.hubspot import person as hubspot_person
from connectors.sandbox.salesforce import org as salesforce_org
from connectors.sandbox.salesforce import person as salesforce_person
from connectors.sandbox.store import Cell
from connectors.sandbox.store import Store as SandboxStore
from infra.chaos.evidence import Reading
from sync.cells import Cell as PlannedCell
from sync.cells import as_held, same
from sync.config import load
from sync.connect import connect
from sync.mapping import FieldMap, field_map, option_for
from sync.plan_ledger import save
from sync.planned import Plan, PlannedChange, PlannedTask
from sync.settings import Settings
from sync.store import Store
from worker.sandbox_folder import make_company, open_sandbox

WRITTEN: Final = ("score", "tier", "probability", "expected_arr", "timing", "reason_1", "scored_at")
"""The fields that a plan writes here: a number, a percent, money, picklists, text, a time."""
LIFETIME: Final = timedelta(hours=24)

Edit = Callable[[Path | SandboxStore, str, str, Mapping[str, Any]], None]
EDIT: Final[Mapping[str, Edit]] = {
    "salesforce": salesforce_person.person_edit,
    "hubspot": hubspot_person.person_edit,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """A sandbox in a folder, with accounts."""

    folder: Path
    kind: str
    ids: tuple[str, ...]

    @property
    def object(self) -> str:
        """The vendor's name of an account."""
        return {"salesforce": "Account", "hubspot": "companies"}[self.kind]

    @property
    def database(self) -> Path:
        """The sandbox's own file."""
        return self.folder / salesforce_org.DATABASE

    @property
    def settings(self) -> Settings:
        """How to log in to it while it is served."""
        return load(self.folder / "upswell.toml", {})

    def edit(self, record_id: str, values: Mapping[str, Any]) -> None:
        """A person changes an account, by the vendor's field names."""
        EDIT[self.kind](self.folder, self.object, record_id, values)


def make_org(folder: Path, kind: str, *, accounts: int, seed: int) -> Org:
    """A new org with our fields; every other account has been scored before, by hand."""
    make_company(folder, kind=kind, accounts=0, months=1, seed=seed, advance=lambda _done, _total: None)
    specs = field_specs()
    with open_sandbox(folder) as sandbox:
        org = Org(folder=folder, kind=kind, ids=())
        crm = connect(org.settings)
        crm.install(list(specs.values()), apply=True)
        names = {key: crm.field_name(specs[key]) for key in WRITTEN}
        crm.close()
        held = {names["score"]: 40, names["tier"]: "medium", names["reason_1"]: "Scored by hand"}
        with sandbox.store.transaction():
            ids = [
                _create(sandbox.store, kind, f"Company {n}", held if n % 2 else {}) for n in range(accounts)
            ]
    return Org(folder=folder, kind=kind, ids=tuple(ids))


def make_plan(
    org: Org,
    crm: Crm,
    store: Store,
    *,
    name: str,
    writes: int,
    tasks: int,
    seed: int,
    now: datetime,
    first: int = 0,
) -> Plan:
    """A plan, kept in the ledger, that gives `writes` accounts from the `first` on new values by seed, and
    makes a task for each of `tasks` of them."""
    fields = field_map(crm)
    ids = org.ids[first : first + writes]
    records = crm.read(fields.object, ids, fields.names)
    chance = random.Random(seed)
    changes = tuple(
        _change(f"plan-{name}:{position}", records[record_id], _values(chance, fields, now), fields)
        for position, record_id in enumerate(ids)
    )
    plan = Plan(
        id=f"plan-{name}",
        run_id=f"run-{name}",
        org_id=crm.org().id,
        object=fields.object,
        created_at=now,
        expires_at=now + LIFETIME,
        as_of=now.date(),
        model_version="2026.11.01-1",
        mapping_hash=fields.mapping_hash,
        schema_hash=fields.schema_hash,
        fields=fields.definitions(),
        scored=writes,
        changes=changes,
        tasks=tuple(_task(name, record_id, now) for record_id in ids[:tasks]),
        skips=(),
        findings=(),
        api_calls=0,
    )
    save(store, plan)
    return plan


def reading_of(org: Org, crm: Crm) -> Reading:
    """How the evidence reads this org's own store."""
    schemas = crm.describe(org.object).fields
    key_field = crm.field_name(field_specs()["task_key"])
    if org.kind == "hubspot":
        from connectors.hubspot.schema import Choices
        from connectors.hubspot.values import decode

        choices = {
            crm.field_name(spec): Choices(
                label_of=spec.options, value_of={label: key for key, label in spec.options.items()}
            )
            for spec in field_specs().values()
            if spec.options
        }
        return Reading(
            object=org.object,
            task_object="tasks",
            key_field=key_field,
            alive="NOT _archived",
            closed=lambda row: row.get("hs_task_status") == "COMPLETED",
            ours=lambda change: change.by == f"app:{hubspot_account.APP_ID}",
            value=_reader(schemas, lambda cell, schema: decode(cell, schema, choices.get(schema.name))),
        )
    from connectors.salesforce.values import decode as decode_salesforce

    return Reading(
        object=org.object,
        task_object="Task",
        key_field=key_field,
        alive="NOT IsDeleted",
        closed=lambda row: bool(row.get("IsClosed")),
        ours=_by_integration_user,
        value=_reader(schemas, decode_salesforce),
    )


def _by_integration_user(change: AuditedChange) -> bool:
    return change.by == salesforce_org.INTEGRATION_USER_ID


def _reader(
    schemas: Mapping[str, FieldSchema], decode: Callable[[Any, FieldSchema], Value]
) -> Callable[[str, Cell], Any]:
    def value(name: str, cell: Cell) -> Any:
        schema = schemas.get(name)
        return cell if schema is None else as_held(decode(cell, schema), schema)

    return value


def _create(store: SandboxStore, kind: str, name: str, held: Mapping[str, Any]) -> str:
    if kind == "hubspot":
        return hubspot_person.person_create(store, "companies", {"name": name, **held})
    return salesforce_person.person_create(store, "Account", {"Name": name, **held})


def _values(chance: random.Random, fields: FieldMap, now: datetime) -> dict[str, Value]:
    """New values of every written field, as the CRM will hold them."""
    probability = round(chance.uniform(0.01, 0.99), 3)
    wanted: dict[str, Value] = {
        "score": round(100 * probability, 1),
        "tier": chance.choice(("very_high", "high", "medium", "low")),
        "probability": probability,
        "expected_arr": round(chance.uniform(1_000, 90_000), 2),
        "timing": chance.choice(("now", "d30", "d90", "hold")),
        "reason_1": f"Seats are {chance.randint(70, 99)} % used",
        "scored_at": now.replace(microsecond=0),
    }
    fitting = ((key, fields.written[key]) for key in WRITTEN)
    return {key: as_held(option_for(field, wanted[key]), field.schema) for key, field in fitting}


def _change(key: str, record: Record, wanted: Mapping[str, Value], fields: FieldMap) -> PlannedChange:
    cells = tuple(
        PlannedCell(key=ours, name=field.name, before=record.values.get(field.name), after=wanted[ours])
        for ours, field in ((key, fields.written[key]) for key in WRITTEN)
        if not same(record.values.get(field.name), wanted[ours], field.schema)
    )
    return PlannedChange(
        key=f"{key}:{record.id}",
        object=fields.object,
        record_id=record.id,
        account_id=f"account-{record.id}",
        cells=cells,
        why="a story about chaos",
    )


def _task(name: str, record_id: str, now: datetime) -> PlannedTask:
    draft = TaskDraft(
        key=f"{record_id}:expand_seats:{name}",
        subject="Offer more seats",
        body="Seats are nearly used up.",
        due=(now + timedelta(days=5)).date(),
        owner_id=None,
        account_crm_id=record_id,
        contact_crm_id=None,
    )
    return PlannedTask(
        draft=draft,
        account_id=f"account-{record_id}",
        play="expand_seats",
        product=None,
        cycle=name,
        why="a story about chaos",
    )
