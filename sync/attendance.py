"""Workers in the ledger. A worker's health is the time of its last finished tick, not that it lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update

from sync.store import Store
from sync.store.work import WorkerRow

LATE_AFTER: Final = 3  # ticks
KEPT: Final = timedelta(days=1)  # how long a worker that is gone is still shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker as it stands: healthy, late (no tick for a while) or ended."""

    id: str
    host: str
    pid: int
    started_at: datetime
    last_tick: datetime | None
    health: str


def enlist(store: Store, worker_id: str, *, now: datetime) -> None:
    """Note that this process is a worker; those gone for a day are forgotten."""
    with store.begin() as session:
        session.execute(delete(WorkerRow).where(WorkerRow.ended_at < now - KEPT))
        session.execute(delete(WorkerRow).where(WorkerRow.last_tick < now - KEPT))
        session.add(WorkerRow(id=worker_id, host=socket.gethostname(), pid=os.getpid(), started_at=now))


def note_tick(store: Store, worker_id: str, *, now: datetime) -> None:
    """Note that the worker finished a tick."""
    with store.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == worker_id).values(last_tick=now))


def note_end(store: Store, worker_id: str, *, now: datetime) -> None:
    """Note that the worker ended as it should."""
    with store.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == worker_id).values(ended_at=now))


def workers(store: Store, *, now: datetime, tick: timedelta) -> list[Worker]:
    """The workers of the last day, the newest first."""
    query = select(WorkerRow).order_by(WorkerRow.started_at.desc(), WorkerRow.id)
    with store.session() as session:
        return [
            Worker(
                id=row.id,
                host=row.host,
                pid=row.pid,
                started_at=row.started_at,
                last_tick=row.last_tick,
                health=_health(row, now, tick),
            )
            for row in session.scalars(query)
            if (row.ended_at or row.last_tick or row.started_at) > now - KEPT
        ]


def _health(row: WorkerRow, now: datetime, tick: timedelta) -> str:
    if row.ended_at is not None:
        return "ended"
    return "healthy" if now - (row.last_tick or row.started_at) <= LATE_AFTER * tick else "late"
