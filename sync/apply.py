"""Applies a plan: the only writes that reach a CRM, each kept in the ledger before and after.

Refused before the first write: a plan that is expired, applied, rolled back, broken by a guard, made for
another org, or against fields that the org defines otherwise by now. A plan that was interrupted goes on
where it stopped; operations of unknown outcome are settled by reading back first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.crm import Crm
from connectors.errors import StateError
from sync.apply_report import ApplyReport, report
from sync.approvals import refuse_stopped
from sync.delivery import Delivery, Errand
from sync.gateway import CellErrand
from sync.mapping import FieldMap, field_map, refuse_changed_schema
from sync.operations import Operation, of_unknown_outcome, waiting
from sync.plan_ledger import load_terms, set_status, status_of
from sync.planned import PlanTerms
from sync.store import Store
from sync.store.locks import Lease, lease
from sync.task_errands import CloseErrand, TaskErrand

Progress = Callable[[int, int], None]
"""Called with operations done and in all."""


def apply(
    plan_id: str,
    crm: Crm,
    store: Store,
    *,
    now: datetime,
    override: Collection[str] = (),
    timezone: str = "UTC",
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> ApplyReport:
    """Carry out a plan, or the rest of it.

    `override` names guard rules to pass over; `timezone` is the company's, for "no task before".
    Raises StateError or SetupError before the first write; TransientError when the CRM is away, after
    which applying again goes on."""
    plan = load_terms(store, plan_id)
    calls_before = crm.usage().calls
    with org_lease(crm, store, plan.org_id) as held:
        delivery = Delivery(store=store, now=now, sleep=sleep)
        settle(crm, delivery, plan.org_id)
        # read again, now that no other run can move it on
        _refuse(plan, status_of(store, plan_id), now)
        refuse_stopped(store, plan, override)
        fields = planned_fields(crm, plan)
        refuse_changed_schema(plan.fields, fields)
        with store.begin() as session:
            set_status(session, plan_id, "applying")
        cells = CellErrand(crm=crm, fields=fields)
        tasks = TaskErrand(crm=crm, fields=fields, today=_local_date(now, timezone))
        _deliver(
            delivery,
            held,
            plan_id,
            errands=(("write", cells), ("task", tasks)),
            size=crm.capabilities.write_batch,
            progress=progress,
        )
        status = _finish(store, plan_id)
    return report(
        store,
        plan_id,
        status=status,
        api_calls=crm.usage().calls - calls_before,
        drifts=tuple(cells.drifts),
    )


@contextmanager
def org_lease(crm: Crm, store: Store, org_id: str) -> Iterator[Lease]:
    """The right to write to the org, for one run at a time. Raises StateError for another org."""
    connected = crm.org()
    if connected.id != org_id:
        raise StateError(
            f"the plan was made for org {org_id}, and this is {connected.name} ({connected.id})",
            fix="Connect to the org that the plan was made for, or make a new plan here.",
        )
    with lease(store, f"apply:{org_id}") as held:
        yield held


def planned_fields(crm: Crm, plan: PlanTerms) -> FieldMap:
    """The org's fields under the names that the plan froze. Raises SetupError when one can't be written."""
    overrides = {key: str(definition["name"]) for key, definition in plan.fields.items()}
    return field_map(crm, overrides, only=frozenset(overrides))


def settle(crm: Crm, delivery: Delivery, org_id: str) -> None:
    """Find out, by reading, what became of operations whose reply was lost, of whatever plan."""
    with delivery.store.session() as session:
        unknown = of_unknown_outcome(session, org_id)
    for plan_id in dict.fromkeys(operation.plan_id for operation in unknown):
        fields = planned_fields(crm, load_terms(delivery.store, plan_id))
        errands: dict[str, Errand] = {
            "write": CellErrand(crm=crm, fields=fields),
            "restore": CellErrand(crm=crm, fields=fields, restoring=True),
            "task": TaskErrand(crm=crm, fields=fields, today=date.min),
            "close": CloseErrand(crm=crm),
        }
        for kind, errand in errands.items():
            operations = [op for op in unknown if (op.plan_id, op.kind) == (plan_id, kind)]
            for batch in batches(operations, crm.capabilities.write_batch):
                delivery.settle(errand, batch)


def batches(operations: Sequence[Operation], size: int) -> Iterator[Sequence[Operation]]:
    """The operations in runs of at most `size`."""
    return (operations[start : start + size] for start in range(0, len(operations), size))


def _deliver(
    delivery: Delivery,
    held: Lease,
    plan_id: str,
    *,
    errands: Sequence[tuple[str, Errand]],
    size: int,
    progress: Progress | None,
) -> None:
    with delivery.store.session() as session:
        queues = [(errand, waiting(session, plan_id, [kind])) for kind, errand in errands]
    done, total = 0, sum(len(queue) for _, queue in queues)
    for errand, queue in queues:
        for batch in batches(queue, size):
            held.renew()
            delivery.deliver(errand, batch)
            done += len(batch)
            if progress is not None:
                progress(done, total)


def _refuse(plan: PlanTerms, status: str | None, now: datetime) -> None:
    new_plan = "Make a new plan: upswell plan."
    if status in ("applied", "rolled_back"):
        was = "applied" if status == "applied" else "rolled back"
        raise StateError(f"the plan was {was} already", record=plan.id, fix=new_plan)
    if now >= plan.expires_at:
        raise StateError(
            f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC", record=plan.id, fix=new_plan
        )


def _finish(store: Store, plan_id: str) -> str:
    with store.begin() as session:
        status = "applying" if waiting(session, plan_id, ["write", "task"]) else "applied"
        set_status(session, plan_id, status)
    return status


def _local_date(now: datetime, timezone: str) -> date:
    return now.astimezone(ZoneInfo(timezone)).date()
