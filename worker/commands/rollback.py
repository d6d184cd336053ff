"""`upswell rollback`: what a run wrote, taken back."""

from __future__ import annotations

import click

from worker.loop_home import open_loop
from worker.verb import App, ExitCode, verb

SHOWN = 20


@verb(
    "rollback",
    examples=("upswell rollback RUN --plan", "upswell rollback RUN --account C-00042 --field score"),
    exit_codes=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX, ExitCode.REJECTED_ROWS),
)
@click.argument("run_or_plan", metavar="[RUN]", required=False)
@click.option("--account", help="Only this account: its id, or its record id in the CRM.")
@click.option("--field", help="Only this field: our name (score) or the CRM's.")
@click.option(
    "--plan", "--dry-run", "dry_run", is_flag=True, help="Show what would be restored; write nothing."
)
def command(app: App, run_or_plan: str | None, account: str | None, field: str | None, dry_run: bool) -> None:
    """Restore the named run or plan, else the newest applied one; people's later edits stay."""
    with open_loop(app.settings(), app.screen) as loop, loop.run("rollback") as run:
        app.answer.run_id = run.id
        report = loop.rollback(run, run_or_plan, account=account, field=field, dry_run=dry_run)
    found = report.restored_cells or report.tasks_closed or report.left or report.gone or report.failed
    if (account or field) and not found and not report.tasks_left:
        from connectors.errors import InputError

        raise InputError(
            f"{' and '.join(report.plan_ids)} wrote nothing there that could be taken back.",
            record=" ".join(filter(None, (account, field))),
            fix="check the account and field with: upswell history RUN",
        )
    app.answer.data = {
        "plans": report.plan_ids,
        "dry_run": report.dry_run,
        "restored_cells": report.restored_cells,
        "restored_records": report.restored_records,
        "left": [
            {"record": c.record_id, "field": c.field, "ours": c.ours, "now": c.held} for c in report.left
        ],
        "gone": report.gone,
        "failed": report.failed,
        "tasks_closed": report.tasks_closed,
        "tasks_left": report.tasks_left,
        "not_reopened": report.not_reopened,
        "rows_kept": report.rows_kept,
        "api_calls": report.api_calls,
    }
    screen = app.screen
    done = "Would restore" if report.dry_run else "Restored"
    screen.head(
        f"{done} {report.restored_cells:,} cells of {report.restored_records:,} records; "
        f"{report.tasks_closed} tasks closed ({', '.join(report.plan_ids)})"
    )
    if report.left:
        screen.say(f"{len(report.left)} cells were changed by a person since, and are left as they are:")
        screen.table(
            ("Record", "Field", "We wrote", "It holds now"),
            [(c.record_id, c.field, str(c.ours), str(c.held)) for c in report.left[:SHOWN]],
        )
        if len(report.left) > SHOWN:
            screen.say(f"… and {len(report.left) - SHOWN} more; --json lists all.")
    if report.tasks_left:
        screen.say(f"{len(report.tasks_left)} tasks are left: someone worked on them, or they are gone.")
    if report.not_reopened:
        screen.say(
            f"{len(report.not_reopened)} tasks that it closed stay closed: nobody would know why they are "
            "back. Open them in the CRM where they are still wanted."
        )
    if report.rows_kept:
        screen.say(
            f"{report.rows_kept:,} rows of forecasts, feedback and runs stay: what was said was said. "
            "A correction is a new snapshot: upswell plan --snapshot"
        )
    for record in report.gone:
        app.answer.reject(code="gone", message="the record was deleted", record=record)
    for record in report.failed:
        app.answer.reject(
            code="failed", message="this record could not be restored", record=record, fix="roll back again"
        )
