"""Schedules: rows that say when a verb is queued by itself, from the settings or from an operator.

The settings' [schedules] are taken in when a worker starts. A row that an operator added or changed is the
operator's from then on, and the settings leave it alone until it is removed. `sync.dispatch` starts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from connectors.errors import UsageError
from sync.config import config_hash
from sync.jobs import JOBS, steps_of
from sync.settings import Schedule, Settings
from sync.settings_checks import did_you_mean, seconds_of
from sync.slots import Timetable
from sync.store import Store
from sync.store.queue import queue_run
from sync.store.work import ScheduleRow, SlotRow

SETTINGS: Final = "settings"  # the source of a schedule that nobody changed


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """A schedule as it stands, with its newest slot and the next one."""

    name: str
    job: str
    asked: Mapping[str, Any]
    cron: str | None
    every_seconds: int | None
    timezone: str
    quiet: tuple[str, ...]
    enabled: bool
    source: str
    last_slot: datetime | None
    last_status: str | None
    last_run: str | None
    next_slot: datetime | None


def seed(store: Store, settings: Settings, *, now: datetime) -> None:
    """Take in what [schedules] says: new ones, changed ones, and those that stand there no more.

    Raises UsageError for a job that is no verb to be scheduled."""
    wanted = {
        name: _columns(name, given, settings.company.timezone) for name, given in settings.schedules.items()
    }
    with store.begin() as session:
        for row in session.scalars(select(ScheduleRow).where(ScheduleRow.source == SETTINGS)):
            if row.name not in wanted:
                _remove(session, row)
        for name, columns in wanted.items():
            held = session.get(ScheduleRow, name)
            if held is None:
                session.add(
                    ScheduleRow(name=name, source=SETTINGS, created_at=now, updated_at=now, **columns)
                )
            elif held.source == SETTINGS and any(
                getattr(held, key) != value for key, value in columns.items()
            ):
                _change(held, now, **columns)


def given_schedule(*, cron: str, every: str, timezone: str, job: str) -> Schedule:
    """A schedule as an operator gives it, held to what the settings allow. Raises UsageError."""
    try:
        return TypeAdapter(Schedule).validate_python(
            {"cron": cron, "every": every, "timezone": timezone, "job": job}
        )
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        named = fault["loc"][0] if fault["loc"] else ""
        raise UsageError(
            f"{fault['msg'].removeprefix('Value error, ')}.",
            record=f"--{named}" if named else "--cron, --every",
            fix='give --cron "0 5 * * 1-5" or --every 15m, and an IANA zone',
        ) from None


def put(
    store: Store,
    name: str,
    given: Schedule,
    *,
    asked: Mapping[str, Any],
    home_zone: str,
    by: str,
    now: datetime,
) -> None:
    """Add a schedule, or give the one of that name another time; it is the operator's from then on.

    Raises UsageError for a job that is no verb to be scheduled."""
    columns = _columns(name, given, home_zone) | {"asked": dict(asked)}
    with store.begin() as session:
        held = session.get(ScheduleRow, name)
        if held is None:
            session.add(ScheduleRow(name=name, source=by, created_at=now, updated_at=now, **columns))
        else:
            _change(held, now, source=by, **columns)


def switch(store: Store, name: str, *, enabled: bool, by: str, now: datetime) -> None:
    """Pause a schedule, or let it go on from now; slots of the pause are not made up for."""
    with store.begin() as session:
        row = _known(session, name)
        if row.enabled != enabled:
            _change(row, now, source=by, enabled=enabled)


def remove(store: Store, name: str, settings: Settings, *, now: datetime) -> bool:
    """Whether the schedule is gone: one of the settings stands again as they have it.

    Raises UsageError where nobody changed it, since it would come back."""
    with store.begin() as session:
        row = _known(session, name)
        if row.source == SETTINGS:
            raise UsageError(
                "this schedule stands in the settings.",
                record=name,
                fix=f"take it out of [schedules], or: upswell schedule pause {name}",
            )
        given = settings.schedules.get(name)
        if given is not None:
            _change(row, now, source=SETTINGS, **_columns(name, given, settings.company.timezone))
            return False
        _remove(session, row)
        return True


def start_now(store: Store, name: str, settings: Settings, *, by: str, now: datetime) -> str:
    """The id of a run that is queued now, whatever the time; no slot is used up."""
    with store.begin() as session:
        return queue_job(session, _known(session, name), settings, by=by, now=now)


def states(store: Store, *, now: datetime) -> list[ScheduleState]:
    """Every schedule by name, with its newest slot up to now and its next one."""
    with store.session() as session:
        rows = session.scalars(select(ScheduleRow).order_by(ScheduleRow.name))
        return [_state(session, row, now) for row in rows]


def state_of(store: Store, name: str, *, now: datetime) -> ScheduleState:
    """One schedule. Raises UsageError for an unknown one."""
    with store.session() as session:
        return _state(session, _known(session, name), now)


def timetable(row: ScheduleRow | ScheduleState) -> Timetable:
    """When the schedule is due."""
    return Timetable(
        cron=row.cron, every_seconds=row.every_seconds, zone=ZoneInfo(row.timezone), quiet=tuple(row.quiet)
    )


def queue_job(session: Session, row: ScheduleRow, settings: Settings, *, by: str, now: datetime) -> str:
    """The id of a new run of the schedule's job, in the caller's transaction."""
    return queue_run(
        session,
        row.job,
        steps_of(row.job, row.asked),
        config_hash=config_hash(settings),
        asked=row.asked,
        created_by=by,
        now=now,
    )


def _columns(name: str, given: Schedule, home_zone: str) -> dict[str, Any]:
    """What a schedule's row holds of what was given."""
    job = given.job or name
    if job not in JOBS:
        raise UsageError(
            f"{job} is no job that can be scheduled.{did_you_mean(job, JOBS)}",
            record=f"schedule {name}",
            fix="name a verb as its job, or give the schedule a verb's name",
        )
    return {
        "job": job,
        "asked": {},
        "cron": given.cron or None,
        "every_seconds": seconds_of(given.every) if given.every else None,
        "timezone": given.timezone or home_zone,
        "quiet": list(given.quiet),
        "enabled": given.enabled,
    }


def _change(row: ScheduleRow, now: datetime, **columns: Any) -> None:
    """New columns; no slot from before this change is ever due."""
    for key, value in columns.items():
        setattr(row, key, value)
    row.updated_at = now


def _remove(session: Session, row: ScheduleRow) -> None:
    session.execute(delete(SlotRow).where(SlotRow.schedule == row.name))
    session.delete(row)


def _known(session: Session, name: str) -> ScheduleRow:
    row = session.get(ScheduleRow, name)
    if row is None:
        names = list(session.scalars(select(ScheduleRow.name)))
        raise UsageError(
            f"there is no such schedule.{did_you_mean(name, names)}",
            record=name,
            fix="add it: upswell schedule add, or in [schedules]",
        )
    return row


def _state(session: Session, row: ScheduleRow, now: datetime) -> ScheduleState:
    newest = (
        select(SlotRow)
        .where(SlotRow.schedule == row.name, SlotRow.slot <= now)
        .order_by(SlotRow.slot.desc())
        .limit(1)
    )
    last = session.scalars(newest).first()
    coming = next(timetable(row).after(max(now, row.updated_at)), None) if row.enabled else None
    return ScheduleState(
        name=row.name,
        job=row.job,
        asked=dict(row.asked),
        cron=row.cron,
        every_seconds=row.every_seconds,
        timezone=row.timezone,
        quiet=tuple(row.quiet),
        enabled=row.enabled,
        source=row.source,
        last_slot=None if last is None else last.slot,
        last_status=None if last is None else last.status,
        last_run=None if last is None else last.run_id,
        next_slot=coming,
    )
