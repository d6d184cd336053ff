"""The ledger's tables of work to be shared out: schedules and their slots, ranges of accounts, workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.base import Base


class ScheduleRow(Base):
    """When a job runs: five cron fields or an interval, in an IANA time zone."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(primary_key=True)
    job: Mapped[str]  # the verb that it starts
    asked: Mapped[dict[str, Any]] = mapped_column(default=dict)  # its options
    cron: Mapped[str | None]
    every_seconds: Mapped[int | None]
    timezone: Mapped[str]
    quiet: Mapped[list[Any]] = mapped_column(default=list)
    enabled: Mapped[bool] = mapped_column(default=True)
    source: Mapped[str]  # settings, or the operator who added it
    created_at: Mapped[datetime]  # no slot before it is ever due
    updated_at: Mapped[datetime]


class SlotRow(Base):
    """One time at which a schedule was due. The key makes it unique, so that it is claimed once."""

    __tablename__ = "schedule_slots"

    schedule: Mapped[str] = mapped_column(ForeignKey("schedules.name"), primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    # due, started, missed (too old when it was found), skipped (the one before still ran)
    status: Mapped[str]


class ScoreRangeRow(Base):
    """A range of a scoring's rows, scored by one process; `process` keeps which."""

    __tablename__ = "score_ranges"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[int]  # offset of its first row
    rows: Mapped[int]
    state: Mapped[str]  # planned, claimed, done
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    process: Mapped[str | None]
    result: Mapped[str | None]  # the file with its predictions, below the lake
    sha256: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class WorkerRow(Base):
    """A worker process. Its health is the time of its last finished tick, not that it lives."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    last_tick: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
