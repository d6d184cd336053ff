"""Starts what schedules say: each slot that is due becomes a row, claimed once, with its run beside it.

Slots and their claims go by the machine's clock. Noting a slot, claiming it and queueing its run are one
transaction under the ledger's write lock, so any number of dispatchers may race.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from sync.schedules import queue_job, timetable
from sync.settings import Settings
from sync.store import Store
from sync.store.queue import OPEN
from sync.store.tables import RunRow
from sync.store.work import ScheduleRow, SlotRow

DUE, STARTED, MISSED, SKIPPED = "due", "started", "missed", "skipped"
BACK: Final = timedelta(days=90)  # how far slots are looked back for
MOST: Final = 100  # slots in one look: after a month away, each minute that was missed is no news
KEPT: Final = 2000  # slots of a schedule that are remembered; by count, since the clock may be wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFound:
    """A slot that was found due, and what became of it: started (a run), missed or skipped, and why."""

    schedule: str
    slot: datetime
    status: str
    run_id: str | None = None
    why: str = ""

    @property
    def is_started(self) -> bool:
        """Whether a run came of it."""
        return self.status == STARTED

    def __str__(self) -> str:
        told = f"schedule {self.schedule}, slot {self.slot:%Y-%m-%d %H:%M} UTC: {self.status}"
        return f"{told}, run {self.run_id}" if self.run_id else f"{told}, {self.why}"


def dispatch(store: Store, settings: Settings, *, now: datetime, by: str) -> list[SlotFound]:
    """Claim every slot that is due, and queue the run of each that is on time; what became of each.

    A slot older than the grace of [worker] is missed. One is skipped when a run of the schedule still goes
    on, or when a later slot is due as well. A slot that has its row is never started again, whatever the
    clock does; one that was taken for missed, while the clock was ahead, is started in its time."""
    with store.session() as session:
        names = list(session.scalars(select(ScheduleRow.name).where(ScheduleRow.enabled)))
    found: list[SlotFound] = []
    for name in sorted(names):
        with store.begin() as session:
            row = session.get(ScheduleRow, name)
            if row is not None and row.enabled:
                found += _Dispatch(session, row, settings, now, by).work()
    return found


@dataclass(frozen=True, slots=True)
class _Dispatch:
    """One schedule, looked at in one transaction."""

    session: Session
    row: ScheduleRow
    settings: Settings
    now: datetime
    by: str

    def work(self) -> Iterator[SlotFound]:
        """Settle the schedule's slots up to now."""
        grace = timedelta(minutes=self.settings.worker.slot_grace_minutes)
        since = self._since(grace)
        held = dict(
            self.session.execute(
                select(SlotRow.slot, SlotRow.status).where(
                    SlotRow.schedule == self.row.name, SlotRow.slot > since, SlotRow.slot <= self.now
                )
            ).all()
        )
        slots = list(timetable(self.row).between(since, self.now))[-MOST:]
        for slot in slots:
            status = held.get(slot)
            is_late = self.now - slot > grace
            if status is None:
                self.session.add(SlotRow(schedule=self.row.name, slot=slot, status=DUE))
                self.session.flush()
            if is_late and status in (None, DUE):
                yield self._settle(slot, MISSED, why="found too late")
            elif not is_late and status in (None, DUE, MISSED):
                yield self._start(slot, is_last=slot == slots[-1])
        self._forget()

    def _since(self, grace: timedelta) -> datetime:
        """After this moment slots are looked for: those within the grace always, one as old as it may be too,
        since it may have been called missed while the clock was ahead."""
        newest = select(func.max(SlotRow.slot)).where(
            SlotRow.schedule == self.row.name, SlotRow.slot <= self.now
        )
        settled = self.session.scalar(newest) or self.row.updated_at
        return max(
            self.row.updated_at, self.now - BACK, min(settled, self.now - grace - timedelta.resolution)
        )

    def _forget(self) -> None:
        of_this = select(SlotRow.slot).where(SlotRow.schedule == self.row.name)
        oldest = self.session.scalar(of_this.order_by(SlotRow.slot.desc()).offset(KEPT).limit(1))
        if oldest is not None:
            self.session.execute(
                delete(SlotRow).where(SlotRow.schedule == self.row.name, SlotRow.slot <= oldest)
            )

    def _start(self, slot: datetime, *, is_last: bool) -> SlotFound:
        if not is_last:
            return self._settle(slot, SKIPPED, why="a later slot is due as well")
        going_on = self._run_under_way()
        if going_on is not None:
            return self._settle(slot, SKIPPED, why=f"run {going_on} of this schedule still goes on")
        run_id = queue_job(
            self.session, self.row, self.settings, by=f"schedule:{self.row.name}", now=self.now
        )
        return self._settle(slot, STARTED, run_id=run_id)

    def _run_under_way(self) -> str | None:
        query = (
            select(RunRow.id)
            .join(SlotRow, SlotRow.run_id == RunRow.id)
            .where(SlotRow.schedule == self.row.name, RunRow.status.in_(OPEN))
        )
        return self.session.scalars(query.limit(1)).first()

    def _settle(self, slot: datetime, status: str, *, run_id: str | None = None, why: str = "") -> SlotFound:
        claimed = self.session.execute(
            update(SlotRow)
            .where(SlotRow.schedule == self.row.name, SlotRow.slot == slot, SlotRow.status.in_((DUE, MISSED)))
            .values(status=status, run_id=run_id, claimed_by=self.by, claimed_at=self.now)
            .returning(SlotRow.slot)
        ).first()
        assert claimed is not None, "a slot moved under the ledger's write lock"
        return SlotFound(schedule=self.row.name, slot=slot, status=status, run_id=run_id, why=why)
