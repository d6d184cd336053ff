"""Applies a plan: the only writes that reach a CRM, each kept in the ledger before and after.

`start_apply` refuses what must not be written; `apply_some` works off what is due, in any number of
processes; `finish_apply` says when it is over. `apply` does all three in one process. Nothing here sleeps,
save `apply` through the function that it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import update
from sqlalchemy.orm import Session

from connectors.crm import Crm
from connectors.errors import QuotaError, TransientError, UpswellError
from sync.apply_report import ApplyReport, report
from sync.approvals import refuse_stopped
from sync.delivery import Delivered
from sync.first_batch import try_again
from sync.operations import PLANNED
from sync.plan_ledger import load_terms
from sync.planned_rows import FILLS, ROWS
from sync.progress import Progress, standing, work_until_done
from sync.recovery import LONGEST_WAIT
from sync.refusals import refuse_changed_fields, refuse_other_org, refuse_state
from sync.settings import Settings
from sync.store import Store
from sync.store.locks import Lease, machine_clock
from sync.store.writeback import OperationRow, PlanRow
from sync.workbench import Workbench, lock_name, org_of

__all__ = ["Progress", "apply", "apply_some", "finish_apply", "start_apply"]

Clock = Callable[[], datetime]
Tell = Callable[[int, int], None]
"""Called with operations done and in all."""

KINDS: Final = ("write", "retire", "task", *ROWS.values(), *FILLS.values())
QUOTA_PAUSE: Final = timedelta(hours=1)  # where the CRM does not say how long: its window is a rolling day


def start_apply(
    plan_id: str,
    crm: Crm,
    store: Store,
    *,
    settings: Settings | None,
    now: datetime,
    holder: str,
    override: Collection[str] = (),
    resume: bool = False,
    clock: Clock = machine_clock,
) -> None:
    """Begin to apply a plan, or go on with it; `holder` (a run id) then holds the org, in all its processes.

    Raises StateError or SetupError before the first write: another org, another run at work, a plan that is
    expired, applied, rolled back, stopped, paused or broken by a guard, fields mapped or defined otherwise.
    Without `settings`, the mapping is taken to be the plan's."""
    plan = load_terms(store, plan_id)
    refuse_other_org(crm, plan.org_id)
    lock = Lease(store, lock_name(plan.org_id), clock=clock, owner=holder)
    is_new = lock.take()
    try:
        with store.session() as session:  # read again, now that no other run can move it on
            row = session.get_one(PlanRow, plan_id)
        refuse_state(row, now=now, at=clock(), resume=resume)
        refuse_changed_fields(crm, plan, row.mapping_hash, settings)
        if row.status == "planned":
            refuse_stopped(store, plan, override)
        with store.begin() as session:
            _begin(session, session.get_one(PlanRow, plan_id), clock(), is_new=is_new)
    except BaseException:
        if is_new:  # other processes of this run may be at work
            with suppress(UpswellError):
                lock.release()
        raise


def apply_some(
    plan_id: str,
    crm: Crm,
    store: Store,
    *,
    now: datetime,
    worker: str,
    holder: str,
    timezone: str,
    clock: Clock = machine_clock,
    limit: int | None = None,
    progress: Tell | None = None,
) -> Progress:
    """Work off what can be claimed now, at most `limit` batches; never sleeps.

    `worker` names this process or thread, and no other; `timezone` is the company's, for "no task before".
    Raises StateError when another run holds the org; TerminalError and SetupError, which won't pass."""
    bench = Workbench.set_up(
        plan_id,
        crm,
        store,
        kinds=KINDS,
        worker=worker,
        holder=holder,
        now=now,
        timezone=timezone,
        clock=clock,
    )
    refuse_other_org(crm, bench.org_id)
    found = _work_off(bench, limit=limit, progress=progress)
    if found.trouble is None:
        bench.verify_rest()
    return found


def finish_apply(plan_id: str, store: Store, *, holder: str, clock: Clock = machine_clock) -> str:
    """The plan's status: applied once nothing is left. The org is free again unless it is still applying."""
    left = standing(store, plan_id, KINDS).left
    with store.begin() as session:
        row = session.get_one(PlanRow, plan_id)
        if row.status == "applying" and not left:
            row.status = "applied"
            row.paused_until = row.pause_reason = None
        status, org_id = row.status, row.org_id
    if status != "applying":
        Lease(store, lock_name(org_id), clock=clock, owner=holder).release()
    return status


def apply(
    plan_id: str,
    crm: Crm,
    store: Store,
    *,
    now: datetime,
    settings: Settings | None = None,
    override: Collection[str] = (),
    resume: bool = False,
    timezone: str = "UTC",
    holder: str | None = None,
    progress: Tell | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Clock = machine_clock,
) -> ApplyReport:
    """Carry out a plan, or the rest of it, in this process; waits through `sleep` for what is due later.

    Raises what `start_apply` raises; QuotaError when the API calls are used up, and TransientError when the
    CRM is away, after both of which applying again goes on; TerminalError and SetupError."""
    calls_before = crm.usage().calls
    run = holder or uuid4().hex
    start_apply(
        plan_id,
        crm,
        store,
        settings=settings,
        now=now,
        holder=run,
        override=override,
        resume=resume,
        clock=clock,
    )
    try:
        bench = Workbench.set_up(
            plan_id, crm, store, kinds=KINDS, worker=run, holder=run, now=now, timezone=timezone, clock=clock
        )
        found = work_until_done(
            lambda: _work_off(bench, limit=None, progress=progress),
            status="applying",
            clock=clock,
            sleep=sleep,
        )
        if found.trouble is None:
            bench.verify_rest()
        status = finish_apply(plan_id, store, holder=run, clock=clock)
    finally:
        with suppress(UpswellError):  # when the ledger is away the lock ends by itself
            Lease(store, lock_name(org_of(store, plan_id)), clock=clock, owner=run).release()
    if found.trouble is not None:
        raise _cut_short(plan_id, found, found.trouble)
    return report(
        store,
        plan_id,
        status=status,
        api_calls=crm.usage().calls - calls_before,
        drifts=tuple(bench.drifts),
    )


def _begin(session: Session, plan: PlanRow, at: datetime, *, is_new: bool) -> None:
    """Let the plan's operations be claimed; whoever asks anew does not wait for what was put off."""
    if plan.status == "stopped":
        try_again(session, plan)
    if is_new or plan.status != "applying":
        plan.paused_until = plan.pause_reason = None
        session.execute(
            update(OperationRow)
            .where(OperationRow.plan_id == plan.id, OperationRow.state == PLANNED)
            .where(OperationRow.due_at.is_not(None))
            .values(due_at=None),
            execution_options={"synchronize_session": False},
        )
    plan.status = "applying"
    plan.started_at = plan.started_at or at


def _work_off(bench: Workbench, *, limit: int | None, progress: Tell | None) -> Progress:
    before = bench.standing()

    def tell(done: Delivered) -> None:
        if progress is not None:
            progress(before.done + done.done, before.done + before.left)

    work = bench.work(status="applying", first_is_small=True, limit=limit, tell=tell)
    if work.trouble is not None:
        _hold(bench, work.trouble, work.hold)
    after = bench.standing()
    return replace(after, put_off=work.delivered.put_off, trouble=work.trouble)


def _hold(bench: Workbench, trouble: TransientError, hold: timedelta) -> None:
    """Leave the CRM alone for a while; for as long as the quota takes, the plan is paused."""
    is_long = isinstance(trouble, QuotaError) or (trouble.retry_after or 0.0) > LONGEST_WAIT.total_seconds()
    if is_long:
        hold = QUOTA_PAUSE if trouble.retry_after is None else timedelta(seconds=trouble.retry_after)
    with bench.store.begin() as session:
        plan = session.get_one(PlanRow, bench.plan_id)
        if plan.status == "applying":
            plan.status = "paused" if is_long else plan.status
            plan.paused_until, plan.pause_reason = bench.claims.clock() + hold, trouble.message


def _cut_short(plan_id: str, found: Progress, trouble: TransientError) -> TransientError:
    """The error that ended the rounds, with how far the plan has come and how to go on."""
    why = f"{trouble.message.rstrip('.')}; {found.done:,} of {found.total:,} operations are done"
    fix = f"Nothing is lost; go on with: upswell apply {plan_id} --resume"
    if found.status != "paused" or found.paused_until is None:
        return TransientError(f"{why}.", record=plan_id, fix=fix, status=trouble.status)
    until = f"{found.paused_until:%Y-%m-%d %H:%M} UTC"
    return QuotaError(
        f"{why}, and the plan is paused until {until}.",
        record=plan_id,
        fix=f"Nothing is lost; from then on: upswell apply {plan_id} --resume",
    )
