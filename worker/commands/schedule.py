"""`upswell schedule`: when `upswell worker` starts a verb by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from worker.acting import acting
from worker.cli import VERBS
from worker.verb import App, ExitCode, epilog, verb

if TYPE_CHECKING:
    from sync.schedules import ScheduleState
    from sync.settings import Settings
    from sync.store import Store

CODES = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX)


@click.group(
    name="schedule",
    help=VERBS["schedule"],
    epilog=epilog(
        ("upswell schedule list", 'upswell schedule add nightly --job run --cron "0 5 * * 1-5"'), CODES
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def command() -> None:
    """Group the schedules' verbs."""


@verb(
    "schedule list",
    summary="Show every schedule: what it starts, when, its last slot and its next one.",
    examples=("upswell schedule list", "upswell schedule list --json"),
    exit_codes=CODES,
)
def list_(app: App) -> None:
    """Show the schedules, those of the settings included."""
    from sync.schedules import states

    settings = app.settings()
    with _ledger(settings) as store:
        found = states(store, now=datetime.now(UTC))
    app.answer.data = {"schedules": [_facts(each) for each in found]}
    if not found:
        app.screen.say('None yet. Add one: upswell schedule add nightly --job run --cron "0 5 * * 1-5"')
        return
    app.screen.table(
        ("Schedule", "Starts", "When", "Zone", "From", "Last slot", "Became", "Next"),
        [
            (
                each.name,
                each.job,
                _when(each),
                each.timezone,
                each.source,
                _local(each.last_slot, each.timezone),
                each.last_status or "",
                _local(each.next_slot, each.timezone) if each.enabled else "paused",
            )
            for each in found
        ],
    )


@verb(
    "schedule add",
    summary="Add a schedule by cron line or interval, or give the one of that name another time.",
    examples=(
        'upswell schedule add nightly --job run --cron "0 5 * * 1-5" --timezone Europe/Berlin',
        "upswell schedule add fresh --job pull --every 15m",
    ),
    exit_codes=CODES,
)
@click.argument("name")
@click.option("--job", help="The verb to start.  [default: the schedule's name]")
@click.option("--cron", default="", help='Five cron fields, such as "0 5 * * 1-5".')
@click.option("--every", default="", help="An interval instead, such as 90s, 15m, 6h or 1d.")
@click.option("--timezone", default="", help="IANA zone of the cron line.  [default: the company's]")
@click.option("--no-apply", is_flag=True, help="Of a run: stop after the plan, write nothing to the CRM.")
def add(app: App, name: str, job: str | None, cron: str, every: str, timezone: str, no_apply: bool) -> None:
    """Keep the schedule; from now on it is the operator's, whatever the settings say."""
    from sync.schedules import given_schedule, put

    settings = app.settings()
    given = given_schedule(cron=cron, every=every, timezone=timezone, job=job or name)
    with _ledger(settings) as store:
        put(
            store,
            name,
            given,
            asked={"apply": False} if no_apply else {},
            home_zone=settings.company.timezone,
            by=acting(store),
            now=datetime.now(UTC),
        )
    _show_next(app, settings, name, 1)


@verb(
    "schedule pause",
    summary="Keep a schedule from starting anything until it is resumed.",
    examples=("upswell schedule pause nightly", "upswell schedule pause nightly --json"),
    exit_codes=CODES,
)
@click.argument("name")
def pause(app: App, name: str) -> None:
    """Pause; a run under way goes on."""
    _switch(app, name, enabled=False)
    app.screen.say(f"{name} is paused. It goes on with: upswell schedule resume {name}")


@verb(
    "schedule resume",
    summary="Let a paused schedule go on; what was due meanwhile is not made up for.",
    examples=("upswell schedule resume nightly", "upswell schedule resume nightly --json"),
    exit_codes=CODES,
)
@click.argument("name")
def resume(app: App, name: str) -> None:
    """Resume from now on."""
    _switch(app, name, enabled=True)
    _show_next(app, app.settings(), name, 1)


@verb(
    "schedule remove",
    summary="Remove a schedule that was added, or give one of the settings back to them.",
    examples=("upswell schedule remove nightly", "upswell schedule remove nightly --json"),
    exit_codes=CODES,
)
@click.argument("name")
def remove(app: App, name: str) -> None:
    """Remove it with its slots; its runs stay."""
    from sync.schedules import remove as remove_schedule

    settings = app.settings()
    with _ledger(settings) as store:
        is_gone = remove_schedule(store, name, settings, now=datetime.now(UTC))
    app.answer.data = {"removed": is_gone}
    app.screen.say(f"{name} is removed." if is_gone else f"{name} is again as the settings have it.")


@verb(
    "schedule run",
    summary="Queue what a schedule starts now, whatever the time; no slot is used up.",
    examples=("upswell schedule run nightly", "upswell schedule run nightly --json"),
    exit_codes=CODES,
)
@click.argument("name")
def run(app: App, name: str) -> None:
    """Queue it and ring."""
    from sync.schedules import start_now
    from worker.bells import ring

    settings = app.settings()
    with _ledger(settings) as store:
        run_id = app.answer.run_id = start_now(store, name, settings, by=acting(store), now=datetime.now(UTC))
    app.answer.data = {"queued": run_id, "rang": ring(settings, run_id)}
    app.screen.say(f"Run {run_id} is queued; follow it with: upswell status")


@verb(
    "schedule next",
    summary="Show when a schedule is due next.",
    examples=("upswell schedule next nightly", "upswell schedule next nightly --count 20 --json"),
    exit_codes=CODES,
)
@click.argument("name")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many slots.")
def next_(app: App, name: str, count: int) -> None:
    """Show the coming slots."""
    _show_next(app, app.settings(), name, count)


for each in (list_, add, pause, resume, remove, run, next_):
    command.add_command(each)


@contextmanager
def _ledger(settings: Settings) -> Iterator[Store]:
    """The ledger, with what [schedules] says taken in."""
    from sync.schedules import seed
    from sync.store import Store

    with Store.open(settings.state.url) as store:
        seed(store, settings, now=datetime.now(UTC))
        yield store


def _switch(app: App, name: str, *, enabled: bool) -> None:
    from sync.schedules import switch

    with _ledger(app.settings()) as store:
        switch(store, name, enabled=enabled, by=acting(store), now=datetime.now(UTC))
    app.answer.data = {"schedule": name, "enabled": enabled}


def _show_next(app: App, settings: Settings, name: str, count: int) -> None:
    from sync.schedules import state_of, timetable

    now = datetime.now(UTC)
    with _ledger(settings) as store:
        state = state_of(store, name, now=now)
    slots = list(islice(timetable(state).after(now), count)) if state.enabled else []
    app.answer.data = {"schedule": name, "enabled": state.enabled, "next": slots}
    if not slots:
        app.screen.say(f"{name} is paused." if not state.enabled else f"{name} is never due.")
    for slot in slots:
        app.screen.say(f"{_local(slot, state.timezone)} ({slot:%Y-%m-%d %H:%M} UTC)")


def _facts(state: ScheduleState) -> dict[str, Any]:
    return {
        "name": state.name,
        "job": state.job,
        "asked": dict(state.asked),
        "cron": state.cron,
        "every_seconds": state.every_seconds,
        "timezone": state.timezone,
        "quiet": list(state.quiet),
        "enabled": state.enabled,
        "source": state.source,
        "last": None
        if state.last_slot is None
        else {"slot": state.last_slot, "status": state.last_status, "run": state.last_run},
        "next": state.next_slot,
    }


def _when(state: ScheduleState) -> str:
    if state.cron is not None:
        return state.cron + (f", not {', '.join(state.quiet)}" if state.quiet else "")
    seconds = state.every_seconds or 0
    for size, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"every {seconds // size}{name}"
    return f"every {seconds}s"


def _local(moment: datetime | None, zone: str) -> str:
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"
