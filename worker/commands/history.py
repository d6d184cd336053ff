"""`upswell history`: what was written to the CRM, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.history import RunWrites, Write

CELL_WIDTH: Final = 44


@verb("history", examples=("upswell history", "upswell history RUN --record C-00042"))
@click.argument("run", required=False)
@click.option("--record", metavar="ID", help="Only this account or CRM record, over all runs unless named.")
@click.option("--rejected", is_flag=True, help="Only rows that the CRM did not take, with reason and fix.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many rows to show."
)
def command(app: App, run: str | None, record: str | None, rejected: bool, limit: int) -> None:
    """List the runs that wrote; with a run or plan, a record or --rejected, each write with its cells."""
    from sync.history import runs_that_wrote, writes

    with open_loop(app.settings(), app.screen) as loop:
        if run is None and record is None and not rejected:
            runs = runs_that_wrote(loop.store, limit)
            app.answer.data = {"runs": [_run_facts(each) for each in runs]}
            show_runs(app, runs)
            return
        found = writes(loop.store, run=run, record=record, rejected=rejected, limit=limit)
    app.answer.data = {"run": run, "record": record, "writes": [_write_facts(each) for each in found]}
    show_writes(app, found, limit)


def show_runs(app: App, runs: list[RunWrites]) -> None:
    """One line a run, newest first."""
    if not runs:
        app.screen.say("Nothing was written yet. Write something with: upswell run")
        return
    app.screen.table(
        ("Run", "Verb", "When (UTC)", "As of", "Plan", "Status", "Applied", "Rejected", "Waiting"),
        [
            (
                each.run_id,
                each.verb,
                f"{each.at:%Y-%m-%d %H:%M}",
                str(each.as_of),
                each.plan_id,
                each.status,
                f"{each.applied:,}",
                f"{each.rejected:,}",
                f"{each.waiting:,}",
            )
            for each in runs
        ],
        right=("Applied", "Rejected", "Waiting"),
    )
    app.screen.say(f"Its writes: upswell history {runs[0].run_id}")


def show_writes(app: App, found: list[Write], limit: int) -> None:
    """Each write with its cells before and after."""
    if not found:
        app.screen.say("No such write is in the ledger.")
    for each in found:
        became = each.outcome or "waits to be sent"
        app.screen.head(
            f"{each.at:%Y-%m-%d %H:%M} UTC  {each.kind} {each.account_id} ({each.object} {each.record_id}): "
            f"{became}, by {each.plan_id}"
        )
        if each.subject:
            app.screen.say(f"Task {each.task_id or 'not made'}: {each.subject}")
        if each.message:
            app.screen.say(f"{each.message}{f' Fix: {each.fix}' if each.fix else ''}")
        if each.is_erased:
            app.screen.say("Content of this was erased; `upswell audit verify` shows that the chain says so.")
        if each.entries is not None:
            app.screen.say(f"Journal: {_numbers(*each.entries)}")
        if each.cells:
            rows = [(cell.key, _shown(cell.before), _shown(cell.after)) for cell in each.cells]
            app.screen.table(("Field", "Before", "After"), rows)
    if len(found) == limit:
        app.screen.say(f"These are the newest {limit}; see more with --limit.")


def _run_facts(each: RunWrites) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(each)


def _write_facts(each: Write) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(each)


def _numbers(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first}–{last}"


def _shown(value: object) -> str:
    text = "—" if value is None else str(value)
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"
