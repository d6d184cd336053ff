"""Claims: which worker holds which operations, for how long, and what may still move them.

A claim is a guarded UPDATE: state, worker and fence must be as they were when the worker took the row. A row
that was taken away meanwhile, because its lease ran out, is dropped; what the late worker found out about it
is not kept. Everything here goes by the machine's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isqrt
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, null, or_, select, tuple_, update
from sqlalchemy.orm import Session

from connectors.crm import RowResult
from sync.first_batch import Verdict, try_first
from sync.operations import CLAIMED, COLUMNS, DONE, PLANNED, SENDING, UNKNOWN, Operation
from sync.planned_rows import FILLS, ROWS
from sync.recovery import blame, recover
from sync.store import Store
from sync.store.locks import LEASE as LOCK
from sync.store.locks import extend
from sync.store.writeback import OperationRow, PlanRow

FEW: Final = 14  # the root of 200: fewer at a time save nothing
FREE: Final[dict[str, Any]] = {"owner": None, "lease_until": None}
CELLS: Final = ("write", "restore")
ALL_KINDS: Final = ("write", "retire", "task", *ROWS.values(), *FILLS.values(), "restore", "close")
COUNTERS: Final = ("fence", "attempts", "requests", "crashes", "looks", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One operation as a worker holds it, with what is known of its attempts so far."""

    operation: Operation
    fence: int
    attempts: int
    requests: int
    crashes: int
    looks: int

    @property
    def key(self) -> str:
        """The operation's key."""
        return self.operation.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Operations of one plan and kind that a worker holds: to be sent, or (`is_unknown`) to be looked for.

    `by_job`: a job of the CRM is to bear them; `job` is the one that does, with all of its rows."""

    plan_id: str
    kind: str
    is_unknown: bool
    rows: tuple[Held, ...]
    by_job: bool = False
    job: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a worker asks for: operations of a plan that is in `status`, at most `batch` of the first of
    these kinds that is due.

    Operations of unknown outcome come first, also of `others`, which are plans of earlier runs. Where
    `job_least` of a kind of cells wait for their first attempt, a job is to bear up to `job_batch`."""

    plan_id: str
    org_id: str
    status: str
    kinds: Sequence[str]
    batch: int
    first_is_small: bool = False
    others: Collection[str] = ()
    job_batch: int = 0
    job_least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an operation; with `due_at` it is tried again then."""

    held: Held
    result: RowResult
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """One worker's claims. `holder` holds the org's apply lock `lock`; `now` is the CRM server's clock."""

    store: Store
    worker: str
    lock: str
    holder: str
    lease: timedelta
    clock: Callable[[], datetime]
    now: datetime

    def take(self, wanted: Wanted) -> Claim | None:
        """The next operations for this worker, None when nothing is to be had now.

        Renews the org's lock. Raises StateError when another run holds it by now."""
        at = self.clock()
        with self.store.begin() as session:
            extend(session, self.lock, self.holder, at + LOCK)
            recover(session, wanted.org_id, at, now=self.now)
            plan = session.get_one(PlanRow, wanted.plan_id)
            if plan.status != wanted.status or (plan.paused_until or at) > at:
                return None
            batch = wanted.batch
            plans = OperationRow.plan_id.in_((wanted.plan_id, *wanted.others))
            unknown = [plans, OperationRow.state == UNKNOWN, OperationRow.owner.is_(None)]
            for kind in ALL_KINDS:
                if (claim := self._take(session, at, batch, kind, unknown)) is not None:
                    return claim
            planned = [OperationRow.plan_id == wanted.plan_id, OperationRow.state == PLANNED]
            if wanted.first_is_small and plan.tried_at is None:
                trial = try_first(session, plan, at)
                if trial.verdict is Verdict.STOP:
                    return None
                batch = min(batch, trial.size)
                if trial.verdict is Verdict.WAIT:
                    planned.append(OperationRow.attempts > 0)
                if trial.verdict is not Verdict.GO:
                    wanted = replace(wanted, job_least=None)
            for kind in wanted.kinds:
                claim = self._take_job(session, at, wanted, kind, planned)
                claim = claim or self._take(session, at, batch, kind, planned)
                if claim is not None:
                    return claim
            return None

    def send(self, rows: Sequence[Held], *, job: str | None = None) -> list[Held]:
        """Those that are still ours, `sending` from now on, with a whole lease ahead, and borne by `job`."""
        held = self._move(
            rows,
            CLAIMED,
            state=SENDING,
            job=job,
            requests=OperationRow.requests + 1,
            lease_until=self.clock() + self.lease,
        )
        return [replace(row, requests=row.requests + 1) for row in rows if row.key in held]

    def keep(
        self, outcomes: Sequence[Outcome], state: str, note: Callable[[Session, Sequence[Any]], None]
    ) -> None:
        """Keep what became of operations that are still ours, and note it down in the same transaction."""
        if not outcomes:
            return
        with self.store.begin() as session:
            held = self._moved(session, [outcome.held for outcome in outcomes], state, updated_at=self.now)
            kept = [outcome for outcome in outcomes if outcome.held.key in held]
            if kept:
                session.execute(update(OperationRow), [_as_row(outcome) for outcome in kept])
                final = [outcome for outcome in kept if outcome.due_at is None]
                note(session, [(outcome.held.operation, outcome.result) for outcome in final])

    def give_back(
        self, rows: Sequence[Held], state: str, *, due_at: datetime | None = None, unsent: bool = False
    ) -> None:
        """Let others have operations that the CRM certainly did not take, not before `due_at`.

        With `unsent` the call that was about to be made is not counted."""
        requests = OperationRow.requests - int(unsent)
        self._move(rows, state, state=PLANNED, due_at=due_at, requests=requests, job=None, **FREE)

    def renew(self, rows: Sequence[Held], state: str) -> list[Held]:
        """Those of them that are still ours, with a whole lease ahead."""
        held = self._move(rows, state, lease_until=self.clock() + self.lease)
        return [row for row in rows if row.key in held]

    def wait(self, rows: Sequence[Held], *, due_at: datetime) -> None:
        """Let anybody look at the job that bears them, not before `due_at`."""
        self._move(rows, SENDING, state=UNKNOWN, looks=0, due_at=due_at, **FREE)

    def drop_job(self, rows: Sequence[Held]) -> list[Held]:
        """Note that their job does not tell what became of them; they stay ours, to be looked for."""
        return self._lost(rows, UNKNOWN)

    def hold_on(self, rows: Sequence[Held]) -> None:
        """Keep the claim on operations that were refused as a whole, to send them in smaller parts."""
        self._move(rows, SENDING, state=CLAIMED, lease_until=self.clock() + self.lease)

    def lose(self, rows: Sequence[Held]) -> list[Held]:
        """Note that nobody knows what became of them; they stay ours, to be looked for."""
        return self._lost(rows, SENDING)

    def look_again(self, rows: Sequence[Held], *, due_at: datetime, counts: bool) -> None:
        """Let others look for them, not before `due_at`; `counts` when we looked and they were not there."""
        self._move(rows, UNKNOWN, looks=OperationRow.looks + int(counts), due_at=due_at, **FREE)

    def abandon(self, rows: Sequence[Held]) -> None:
        """Leave the claim at once, as a worker that is told to end does: nothing of it counts as a crash."""
        self.give_back(rows, CLAIMED)
        # where a job bears them it is looked at, else they are looked for
        lost = OperationRow.lost + case((OperationRow.job.is_(None), 1), else_=0)
        self._move(rows, SENDING, state=UNKNOWN, looks=0, lost=lost)
        self.look_again(rows, due_at=self.clock(), counts=False)

    def blame(self, rows: Sequence[Held]) -> None:
        """Leave the claim because our own code failed at it, which the operations may be the cause of."""
        with self.store.begin() as session:
            blame(session, self._ours(rows), now=self.now)

    def _take(
        self, session: Session, at: datetime, batch: int, kind: str, conditions: Sequence[ColumnElement[bool]]
    ) -> Claim | None:
        """As many rows of one plan, kind and number of crashes as the claim may hold, the healthy first."""
        due = (OperationRow.kind == kind, or_(OperationRow.due_at.is_(None), OperationRow.due_at <= at))
        first = session.execute(
            select(OperationRow.plan_id, OperationRow.crashes, OperationRow.state, OperationRow.job)
            .where(*conditions, *due)
            .order_by(OperationRow.crashes, OperationRow.plan_id, OperationRow.position)
            .limit(1)
        ).first()
        if first is None:
            return None
        sizes = (batch, smaller(batch), 1)
        most: int | None = sizes[min(first.crashes, len(sizes) - 1)]
        together = [OperationRow.crashes == first.crashes, OperationRow.job.is_(None)]
        if first.job is not None:
            most, together = None, [OperationRow.job == first.job]  # a job is looked at once for all its rows
        columns = (getattr(OperationRow, name) for name in (*COLUMNS, *COUNTERS))
        found = session.execute(
            select(*columns)
            .where(*conditions, *due)
            .where(OperationRow.plan_id == first.plan_id, *together)
            .order_by(OperationRow.position)
            .limit(most)
        ).all()
        is_unknown = first.state == UNKNOWN
        attempts = 0 if is_unknown else 1
        session.execute(
            update(OperationRow)
            .where(OperationRow.key.in_([row.key for row in found]), OperationRow.state == first.state)
            .values(
                state=UNKNOWN if is_unknown else CLAIMED,
                owner=self.worker,
                fence=OperationRow.fence + 1,
                attempts=OperationRow.attempts + attempts,
                lease_until=at + self.lease,
                due_at=null(),
                updated_at=self.now,
            ),
            execution_options={"synchronize_session": False},
        )
        rows = [
            Held(
                operation=Operation(**{name: row._mapping[name] for name in COLUMNS}, lost=row.lost),
                fence=row.fence + 1,
                attempts=row.attempts + attempts,
                requests=row.requests,
                crashes=row.crashes,
                looks=row.looks,
            )
            for row in found
        ]
        return Claim(plan_id=first.plan_id, kind=kind, is_unknown=is_unknown, rows=tuple(rows), job=first.job)

    def _take_job(
        self,
        session: Session,
        at: datetime,
        wanted: Wanted,
        kind: str,
        conditions: Sequence[ColumnElement[bool]],
    ) -> Claim | None:
        """As many rows as a job may bear, where enough were never tried to make it worth its calls."""
        if wanted.job_least is None or kind not in CELLS:
            return None
        untried = [*conditions, OperationRow.attempts == 0]
        waiting = select(OperationRow.key).where(*untried, OperationRow.kind == kind)
        found = session.scalar(select(func.count()).select_from(waiting.limit(wanted.job_least).subquery()))
        if not found or found < wanted.job_least:
            return None
        claim = self._take(session, at, wanted.job_batch, kind, untried)
        return None if claim is None else replace(claim, by_job=True)

    def _lost(self, rows: Sequence[Held], was: str) -> list[Held]:
        held = self._move(
            rows,
            was,
            state=UNKNOWN,
            job=None,
            lost=OperationRow.lost + 1,
            looks=0,
            lease_until=self.clock() + self.lease,
        )
        return [
            replace(row, looks=0, operation=replace(row.operation, lost=row.operation.lost + 1))
            for row in rows
            if row.key in held
        ]

    def _move(self, rows: Sequence[Held], was: str, /, **values: Any) -> Collection[str]:
        if not rows:
            return ()
        with self.store.begin() as session:
            return self._moved(session, rows, was, updated_at=self.now, **values)

    def _moved(self, session: Session, rows: Sequence[Held], was: str, /, **values: Any) -> Collection[str]:
        """Keys of the rows that were still ours, in this state and under this fence, and were moved."""
        moved = session.scalars(
            update(OperationRow)
            .where(*self._ours(rows), OperationRow.state == was)
            .values(**values)
            .returning(OperationRow.key),
            execution_options={"synchronize_session": False},
        )
        return set(moved)

    def _ours(self, rows: Sequence[Held]) -> tuple[ColumnElement[bool], ...]:
        """The rows as far as nobody took them away since."""
        fences = [(row.key, row.fence) for row in rows]
        return (
            OperationRow.owner == self.worker,
            tuple_(OperationRow.key, OperationRow.fence).in_(fences),
        )


def smaller(batch: int) -> int:
    """Rows of a claim or call after one of `batch` rows came to grief; after that each is alone.

    The root (31 of 1,000) finds the row that is to blame with the fewest calls by which each of the others is
    borne three times at most: one that kills its worker is alone at its third attempt."""
    return min(batch, max(isqrt(batch), FEW))


def _as_row(outcome: Outcome) -> dict[str, Any]:
    result = outcome.result
    return {
        "key": outcome.held.key,
        "state": DONE if outcome.due_at is None else PLANNED,
        "outcome": result.outcome.value,
        "vendor_code": result.vendor_code,
        "message": result.message,
        "fix": result.fix,
        "due_at": outcome.due_at,
        "job": None,
        **FREE,
    }
