"""One worker at the operations of one plan: claims them, delivers them, and says what is left and when.

Apply and rollback differ in the kinds of operation that they work off, and in what they make of trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connectors.crm import Crm
from connectors.errors import SetupError, TransientError, UpswellError
from sync.call_size import CallSize
from sync.claims import Claims, Wanted
from sync.delivery import Delivered, Delivery, Errand, pause
from sync.gateway import CellErrand, Drift
from sync.job_delivery import JobDelivery
from sync.mapping import FieldMap, field_map
from sync.operations import SENDING, UNKNOWN
from sync.planned_rows import FILLS, ROWS
from sync.progress import Progress, standing
from sync.recovery import mend_clock
from sync.row_errands import RowErrand, fill_errand
from sync.store import Store
from sync.store.writeback import OperationRow, PlanRow
from sync.task_errands import CloseErrand, TaskErrand
from sync.write_cost import job_least

SLACK: Final = 5.0
"""Seconds of a lease beside the longest call, which may be half as long again before the lease ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What came of some rounds; `trouble` ended them: the CRM took nothing, and is left alone for `hold`."""

    delivered: Delivered
    trouble: TransientError | None = None
    hold: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What one worker needs for one plan: make it with `set_up`. `today` is the company's date, in
    `timezone`."""

    crm: Crm
    store: Store
    claims: Claims
    plan_id: str
    org_id: str
    kinds: Sequence[str]
    today: date
    timezone: str
    size: CallSize
    drifts: list[Drift] = field(default_factory=list)
    errands: dict[tuple[str, str], Errand] = field(default_factory=dict)  # by plan and kind, as they are used

    @classmethod
    def set_up(
        cls,
        plan_id: str,
        crm: Crm,
        store: Store,
        *,
        kinds: Sequence[str],
        worker: str,
        holder: str,
        now: datetime,
        timezone: str,
        clock: Callable[[], datetime],
    ) -> Workbench:
        """A bench for a plan; its leases are longer than the longest call."""
        lease = timedelta(seconds=1.5 * crm.capabilities.longest_call + SLACK)
        with store.begin() as session:
            org_id = session.get_one(PlanRow, plan_id).org_id
            mend_clock(session, org_id, clock(), lease)
        claims = Claims(
            store=store,
            worker=worker,
            lock=lock_name(org_id),
            holder=holder,
            lease=lease,
            clock=clock,
            now=now,
        )
        return cls(
            crm=crm,
            store=store,
            claims=claims,
            plan_id=plan_id,
            org_id=org_id,
            kinds=kinds,
            today=now.astimezone(ZoneInfo(timezone)).date(),
            timezone=timezone,
            size=CallSize(
                most=crm.capabilities.write_batch,
                longest=timedelta(seconds=crm.capabilities.longest_call),
                rows=crm.capabilities.write_batch,
            ),
        )

    def work(
        self,
        *,
        status: str,
        first_is_small: bool = False,
        limit: int | None = None,
        tell: Callable[[Delivered], None] | None = None,
    ) -> Work:
        """Work off what can be claimed now, at most `limit` batches, while the plan is in `status`.

        Raises StateError when another run holds the org, and what won't pass: TerminalError, SetupError."""
        able = self.crm.capabilities
        delivery = Delivery(claims=self.claims, able=able, size=self.size)
        by_job = JobDelivery(delivery=delivery)
        wanted = Wanted(
            plan_id=self.plan_id,
            org_id=self.org_id,
            status=status,
            kinds=self.kinds,
            batch=able.write_batch,
            job_batch=able.job_batch,
            job_least=job_least(able),
            first_is_small=first_is_small,
            others=self._plans_to_settle(),
        )
        done, batches = Delivered(), 0
        while limit is None or batches < limit:
            least = None if by_job.refused else wanted.job_least
            claim = self.claims.take(replace(wanted, batch=self.size.rows, job_least=least))
            if claim is None:
                break
            batches += 1
            try:
                errand = self._errand(claim.plan_id, claim.kind)
                if isinstance(errand, CellErrand) and (claim.by_job or claim.job is not None):
                    done += by_job.deliver(errand, claim)
                else:
                    done += delivery.deliver(errand, claim)
            except TransientError as error:
                hold = pause(max(row.attempts for row in claim.rows), error.retry_after)
                return Work(delivered=done, trouble=error, hold=hold)
            if tell is not None:
                tell(done)
        return Work(delivered=done)

    def verify_rest(self) -> None:
        """Look again at what was written and not read since; a CRM that is away costs only this look."""
        with suppress(UpswellError):  # what was written is confirmed and kept
            for errand in self.errands.values():
                errand.verify_rest()

    def standing(self) -> Progress:
        """How far the plan's operations of these kinds have come."""
        return standing(self.store, self.plan_id, self.kinds)

    def _plans_to_settle(self) -> tuple[str, ...]:
        """Earlier plans with operations of unknown outcome, where the org still has their fields."""
        query = (
            select(OperationRow.plan_id)
            .join(PlanRow, PlanRow.id == OperationRow.plan_id)
            .where(
                PlanRow.org_id == self.org_id,
                PlanRow.id != self.plan_id,
                OperationRow.state.in_((SENDING, UNKNOWN)),
            )
            .distinct()
        )
        with self.store.session() as session:
            found = session.scalars(query).all()
        return tuple(plan_id for plan_id in found if self._can_settle(plan_id))

    def _can_settle(self, plan_id: str) -> bool:
        try:
            self._errand(plan_id, "write")
        except SetupError:
            return False
        return True

    def _errand(self, plan_id: str, kind: str) -> Errand:
        if (plan_id, kind) not in self.errands:
            with self.store.session() as session:
                frozen = session.get_one(PlanRow, plan_id).fields
            fields = planned_fields(self.crm, frozen)
            made: dict[str, Errand] = {
                "write": CellErrand(crm=self.crm, fields=fields, drifts=self.drifts),
                "restore": CellErrand(crm=self.crm, fields=fields, drifts=self.drifts, restoring=True),
                "task": TaskErrand(
                    crm=self.crm,
                    store=self.store,
                    fields=fields,
                    today=self.today,
                    timezone=self.timezone,
                ),
                "retire": CloseErrand(crm=self.crm),
                "close": CloseErrand(crm=self.crm),
                **dict.fromkeys(ROWS.values(), RowErrand(crm=self.crm, store=self.store, org_id=self.org_id)),
            }
            if kind in FILLS.values():  # their objects are asked for only where something is filled in
                made |= {
                    each: fill_errand(self.crm, self.org_id, table, self.drifts)
                    for table, each in FILLS.items()
                }
            self.errands.update({(plan_id, each): errand for each, errand in made.items()})
        return self.errands[plan_id, kind]


def org_of(store: Store, plan_id: str) -> str:
    """The org that a plan of the ledger was made for."""
    with store.session() as session:
        return session.get_one(PlanRow, plan_id).org_id


def lock_name(org_id: str) -> str:
    """The lock that whoever writes to the org holds."""
    return f"apply:{org_id}"


def planned_fields(crm: Crm, fields: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    """The org's fields under the names that a plan froze. Raises SetupError when one can't be written."""
    overrides = {key: str(definition["name"]) for key, definition in fields.items()}
    return field_map(crm, overrides, only=frozenset(overrides))
