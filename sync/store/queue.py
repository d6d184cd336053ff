"""Runs as a queue: their steps are rows, claimed in order by whichever process comes, each under a lease.

A step is planned, running (one process holds it until its lease ends), sharing (open to any number of
processes, which claim its pieces elsewhere), done or failed. What a killed process held is claimed by
another once the lease has run out. Every look and the write that follows from it are one transaction, and
a result is taken only from the process that still holds the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from connectors.errors import StateError
from sync.store.engine import Store
from sync.store.tables import RunRow, StepRow

QUEUED, RUNNING, PAUSED = "queued", "running", "paused"
OPEN: Final = (QUEUED, RUNNING, PAUSED)
MAX_ATTEMPTS: Final = 5  # claims of one step that end without a result: a step may kill its process

ONE_AT_A_TIME: Final = frozenset({"pull", "exports", "train"})  # steps that two runs must not do at once


@dataclass(frozen=True, slots=True, kw_only=True)
class StepClaim:
    """A step as one process sees it: its own until the lease ends, or shared with others."""

    run_id: str
    verb: str
    position: int
    name: str
    owner: str
    shared: bool
    attempts: int
    asked: Mapping[str, Any]
    created_by: str
    as_of: date | None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A run on which somebody should work now; `shared` when its next step is open to many."""

    run_id: str
    step: str
    shared: bool


def queue_run(
    session: Session,
    verb: str,
    steps: Sequence[str],
    *,
    config_hash: str,
    asked: Mapping[str, Any],
    created_by: str,
    now: datetime,
    hold_until: datetime | None = None,
) -> str:
    """The id of a new run with its planned steps, in the caller's transaction.

    Until `hold_until` nobody works on it but the process that made it."""
    run_id = f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
    session.add(
        RunRow(
            id=run_id,
            verb=verb,
            started_at=now,
            status=QUEUED,
            config_hash=config_hash,
            asked=dict(asked),
            created_by=created_by,
            due_at=hold_until,
        )
    )
    session.flush()
    session.add_all(
        StepRow(run_id=run_id, position=position, name=name, status="planned", started_at=now)
        for position, name in enumerate(steps, start=1)
    )
    return run_id


def claim_step(
    store: Store,
    run_id: str,
    owner: str,
    *,
    now: datetime,
    lease: timedelta,
    holds: bool = False,
    only_shared: bool = False,
) -> StepClaim | None:
    """The next step of the run, to be worked on by `owner`; None when there is none now.

    `holds` says that the run is held for this process; with `only_shared` no step is taken alone. A step
    that was claimed too often without a result fails, and the run with it."""
    with store.begin() as session:
        run = session.get(RunRow, run_id)
        step = None if run is None or not _is_open(run, now, holds) else _next_step(session, run_id)
        if run is None or step is None or _is_taken(session, step, owner, now=now, lease=lease):
            return None
        if step.status != "sharing":
            if only_shared:
                return None
            if step.attempts >= MAX_ATTEMPTS:
                _fail(run, step, f"the step {step.name} was begun {step.attempts} times and never ended", now)
                return None
            step.started_at = now if step.status == "planned" and not step.attempts else step.started_at
            step.status, step.owner, step.lease_until = "running", owner, now + lease
            step.attempts += 1
        run.status = RUNNING
        run.due_at = run.due_at if holds else None
        return _claim(run, step, owner)


def claim_close(store: Store, claim: StepClaim, *, now: datetime, lease: timedelta) -> StepClaim | None:
    """The shared step for one process alone, to be brought to its end; None when another has it."""
    with store.begin() as session:
        taken = session.execute(
            update(StepRow)
            .where(*_of(claim), StepRow.status == "sharing")
            .values(status="running", owner=claim.owner, lease_until=now + lease)
            .returning(StepRow.position)
        ).first()
        if taken is None:
            return None
        run = session.get_one(RunRow, claim.run_id)
        return _claim(run, session.get_one(StepRow, (claim.run_id, claim.position)), claim.owner)


def renew_step(store: Store, claim: StepClaim, until: datetime) -> bool:
    """Whether the step is still this process's; it is then held until the given time."""
    with store.begin() as session:
        return _update(session, claim, lease_until=until)


def hold_run(store: Store, run_id: str, until: datetime) -> None:
    """Keep others from the run until then; nothing happens to a run that has ended."""
    with store.begin() as session:
        session.execute(
            update(RunRow).where(RunRow.id == run_id, RunRow.status.in_(OPEN)).values(due_at=until)
        )


def share_step(store: Store, claim: StepClaim, detail: Mapping[str, Any]) -> None:
    """Open the step to all processes. Raises StateError when it is another's by now."""
    with store.begin() as session:
        _or_lost(
            claim,
            _update(
                session,
                claim,
                status="sharing",
                owner=None,
                lease_until=None,
                attempts=0,
                detail=dict(detail),
            ),
        )


def release_step(
    store: Store, claim: StepClaim, *, due_at: datetime | None, status: str, counts: bool = True
) -> None:
    """Give the step back unfinished, to be claimed from `due_at` on.

    Nothing happens when it is another's. `counts` False forgets the attempt: it was not the step's fault."""
    attempts = StepRow.attempts if counts else StepRow.attempts - 1
    with store.begin() as session:
        freed = {"status": "planned", "owner": None, "lease_until": None, "attempts": attempts}
        if _update(session, claim, **freed) or claim.shared:
            run = session.get_one(RunRow, claim.run_id)
            if run.status in OPEN:
                run.status, run.due_at = status, due_at


def reopen_step(store: Store, claim: StepClaim, *, due_at: datetime) -> None:
    """Have a shared step opened anew by one process, from `due_at` on; until then the run is paused."""
    with store.begin() as session:
        found = session.execute(
            update(StepRow)
            .where(*_of(claim), StepRow.status == "sharing")
            .values(status="planned")
            .returning(StepRow.position)
        ).first()
        run = session.get_one(RunRow, claim.run_id)
        if found is not None and run.status in OPEN:
            run.status, run.due_at = PAUSED, due_at


def finish_claim(store: Store, claim: StepClaim, *, now: datetime, detail: Mapping[str, Any]) -> None:
    """Note what the step found; with the last step the run ends, `partial` when a row was rejected.

    Raises StateError when the step is another's by now: its result does not count."""
    with store.begin() as session:
        _or_lost(
            claim,
            _update(
                session,
                claim,
                status="done",
                owner=None,
                lease_until=None,
                ended_at=now,
                detail=dict(detail),
            ),
        )
        if _next_step(session, claim.run_id) is None:
            run = session.get_one(RunRow, claim.run_id)
            details = session.scalars(select(StepRow.detail).where(StepRow.run_id == claim.run_id))
            run.status = "partial" if any(found.get("rejected") for found in details) else "done"
            run.ended_at, run.due_at = now, None


def fail_claim(store: Store, claim: StepClaim, error: str, *, now: datetime) -> None:
    """Note that the step can't be done; the run has failed with it. Nothing when it is another's."""
    with store.begin() as session:
        step = session.get_one(StepRow, (claim.run_id, claim.position))
        run = session.get_one(RunRow, claim.run_id)
        if run.status in OPEN and (step.status == "sharing" or step.owner == claim.owner):
            _fail(run, step, error, now)


def bind_asked(store: Store, run_id: str, **found: Any) -> None:
    """Note beside a run's options what it turned out to be about, such as its plan."""
    with store.begin() as session:
        run = session.get_one(RunRow, run_id)
        run.asked = {**(run.asked or {}), **found}


def due_runs(store: Store, now: datetime) -> list[Due]:
    """The runs on which work can be done now, the oldest first."""
    query = (
        select(RunRow)
        .where(RunRow.status.in_(OPEN), RunRow.asked.is_not(None))
        .where(or_(RunRow.due_at.is_(None), RunRow.due_at <= now))
        .order_by(RunRow.started_at, RunRow.id)
    )
    with store.session() as session:
        found = []
        for run in session.scalars(query):
            step = _next_step(session, run.id)
            if step is not None and not _is_held(step, None, now):
                found.append(Due(run_id=run.id, step=step.name, shared=step.status == "sharing"))
        return found


def next_due(store: Store, run_id: str, now: datetime) -> Due | None:
    """What is to be done on the run now; None when it has ended, waits, or is in another's hands."""
    return next((due for due in due_runs(store, now) if due.run_id == run_id), None)


def _next_step(session: Session, run_id: str) -> StepRow | None:
    query = (
        select(StepRow)
        .where(StepRow.run_id == run_id, StepRow.status != "done")
        .order_by(StepRow.position)
        .limit(1)
    )
    return session.scalars(query).first()


def _is_open(run: RunRow, now: datetime, holds: bool) -> bool:
    due = run.due_at is None or run.due_at <= now or holds
    return due and run.asked is not None and run.status in OPEN


def _is_taken(session: Session, step: StepRow, owner: str, *, now: datetime, lease: timedelta) -> bool:
    if step.lease_until is not None:
        # a clock that was set back must not hold it for the time that was
        step.lease_until = min(step.lease_until, now + lease)
    return _is_held(step, owner, now) or _is_busy(session, step, now)


def _is_held(step: StepRow, owner: str | None, now: datetime) -> bool:
    if step.status != "running" or step.lease_until is None:
        return False
    return step.owner != owner and step.lease_until > now


def _is_busy(session: Session, step: StepRow, now: datetime) -> bool:
    """Whether another run is at the same step just now, where that would be in the way."""
    if step.name not in ONE_AT_A_TIME:
        return False
    others = select(StepRow.run_id).where(
        StepRow.name == step.name,
        StepRow.run_id != step.run_id,
        StepRow.status == "running",
        StepRow.lease_until > now,
    )
    return session.scalars(others.limit(1)).first() is not None


def _claim(run: RunRow, step: StepRow, owner: str) -> StepClaim:
    return StepClaim(
        run_id=run.id,
        verb=run.verb,
        position=step.position,
        name=step.name,
        owner=owner,
        shared=step.status == "sharing",
        attempts=step.attempts,
        asked=dict(run.asked or {}),
        created_by=run.created_by,
        as_of=run.as_of,
        detail=dict(step.detail),
    )


def _of(claim: StepClaim) -> tuple[ColumnElement[bool], ...]:
    return (StepRow.run_id == claim.run_id, StepRow.position == claim.position)


def _update(session: Session, claim: StepClaim, **values: Any) -> bool:
    """Whether the step was still the claim's, and is changed now."""
    held = session.execute(
        update(StepRow)
        .where(*_of(claim), StepRow.status == "running", StepRow.owner == claim.owner)
        .values(**values)
        .returning(StepRow.position)
    ).first()
    return held is not None


def _or_lost(claim: StepClaim, held: bool) -> None:
    if not held:
        raise StateError(
            f"the step {claim.name} went to another process, because this one was too slow.",
            record=claim.run_id,
            fix="nothing is lost: the other goes on with it; see: upswell status",
        )


def _fail(run: RunRow, step: StepRow, error: str, now: datetime) -> None:
    step.status, step.ended_at, step.detail = "failed", now, {**step.detail, "error": error}
    step.owner = step.lease_until = None
    run.status, run.error, run.ended_at, run.due_at = "failed", error, now, None
