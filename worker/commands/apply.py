"""`upswell apply`: a plan, written to the CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, ExitCode, verb

if TYPE_CHECKING:
    from sync.apply_report import ApplyReport

SHOWN = 10


@verb(
    "apply",
    examples=("upswell apply", "upswell apply PLAN --override changed_share", "upswell apply --resume"),
    exit_codes=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX, ExitCode.REJECTED_ROWS),
)
@click.argument("plan", required=False)
@click.option("--resume", is_flag=True, help="Go on with a plan that was stopped, paused or cut short.")
@click.option("--override", multiple=True, help="Guard rule to pass over, by name; may be given again.")
def command(app: App, plan: str | None, resume: bool, override: tuple[str, ...]) -> None:
    """Apply the named plan, else the newest one; a plan cut short goes on where it stopped."""
    with open_loop(app.settings(), app.screen) as loop, loop.run("apply") as run:
        app.answer.run_id = run.id
        report = loop.apply(run, plan, override=override, resume=resume)
    app.answer.data = apply_facts(report)
    show_apply(app, report)


def apply_facts(report: ApplyReport) -> dict[str, Any]:
    """What became of a plan, as data."""
    return {
        "plan": report.plan_id,
        "status": report.status,
        "outcomes": report.outcomes,
        "task_outcomes": report.task_outcomes,
        "written_cells": report.written_cells,
        "closing_outcomes": report.closing_outcomes,
        "row_outcomes": report.row_outcomes,
        "tasks": report.tasks_made,
        "tasks_closed": report.tasks_closed,
        "api_calls": report.api_calls,
    }


def show_apply(app: App, report: ApplyReport) -> None:
    """Counts by outcome, and each rejected row with its reason and fix."""
    screen = app.screen
    screen.head(f"Plan {report.plan_id}: {report.status}")
    rows = [("records", *pair) for pair in report.outcomes.items()]
    rows += [("tasks", *pair) for pair in report.task_outcomes.items()]
    rows += [("tasks to close", *pair) for pair in report.closing_outcomes.items()]
    rows += [("rows of our objects", *pair) for pair in report.row_outcomes.items()]
    if rows:
        screen.table(("What", "Outcome", "Count"), [(a, b, f"{c:,}") for a, b, c in rows], right=("Count",))
    written, made = f"{report.written_cells:,} cells written", f"{report.tasks_made} tasks made"
    if report.tasks_closed:
        made += f", {report.tasks_closed} closed"
    screen.say(f"{written}, {made}, {report.api_calls} API calls.")
    for row in report.rejected:
        app.answer.reject(
            code=row.vendor_code or row.outcome.value,
            message=row.message or row.outcome.value,
            record=row.record_id,
            fix=row.fix,
        )
    if report.rejected:
        screen.head(f"{len(report.rejected)} rows were rejected")
        screen.table(
            ("Record", "Outcome", "Why", "Fix"),
            [(r.record_id, r.outcome.value, r.message or "", r.fix or "") for r in report.rejected[:SHOWN]],
        )
        if len(report.rejected) > SHOWN:
            screen.say(f"… and {len(report.rejected) - SHOWN} more; --json lists all.")
    show_what_is_next(app, report)
    for drift in report.drifts:
        app.warn(
            f"{drift.record_id}: {drift.field} holds {drift.held!r} just after {drift.written!r} was written"
        )


def show_what_is_next(app: App, report: ApplyReport) -> None:
    """Of a plan that is not through: why, and how to go on; the verb then ends with exit code 1."""
    resume = f"upswell apply {report.plan_id} --resume"
    if report.status == "stopped":
        message = f"{report.reason}; the plan was stopped, and {report.left:,} operations were not sent"
        fix = f"mend what the reasons above name, then: {resume}; or take it back: upswell rollback"
    elif report.status == "applying":
        message = f"{report.left:,} operations are left; the CRM does not take them for now"
        fix = f"go on later with: {resume}"
    else:
        return
    app.answer.errors.append({"code": "state", "message": message, "record": report.plan_id, "fix": fix})
    app.answer.exit_code = ExitCode.FAILED
    app.screen.head(f"Not done: {message}.")
    app.screen.say(f"Next: {fix}")
