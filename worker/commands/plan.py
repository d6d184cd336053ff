"""`upswell plan`: what would be written, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, ExitCode, verb

if TYPE_CHECKING:
    from sync.planned import Plan

SHOWN = 8


@verb(
    "plan",
    examples=("upswell plan", "upswell plan --account C-00042 --exit-code"),
    exit_codes=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX, ExitCode.CHANGES),
)
@click.option("--account", help="Show every cell of this account: its id, or its record id in the CRM.")
@click.option("--exit-code", "exit_code", is_flag=True, help="End with 10 when there is something to write.")
def command(app: App, account: str | None, exit_code: bool) -> None:
    """Compare the newest scores with what the CRM holds, and keep the difference as a plan."""
    with open_loop(app.settings(), app.screen) as loop, loop.run("plan") as run:
        app.answer.run_id = run.id
        plan = loop.plan(run)
    app.answer.data = plan_facts(plan)
    show_plan(app, plan, account=account)
    if not plan.is_empty:
        app.screen.say(f"Write it with: upswell apply {plan.id}   (within 24 hours)")
        if exit_code:
            app.answer.exit_code = ExitCode.CHANGES


def plan_facts(plan: Plan) -> dict[str, Any]:
    """A plan in figures, as data."""
    return {
        "plan": plan.id,
        "org": plan.org_id,
        "as_of": plan.as_of,
        "model_version": plan.model_version,
        "expires_at": plan.expires_at,
        "scored": plan.scored,
        "changes": len(plan.changes),
        "cells": plan.cells,
        "cells_by_field": plan.cells_by_field(),
        "tasks": len(plan.tasks),
        "skipped": plan.skips_by_reason("score"),
        "tasks_skipped": plan.skips_by_reason("task"),
        "api_calls": plan.api_calls,
        "guard": [{"rule": f.rule, "figure": f.figure, "limit": f.limit} for f in plan.findings],
    }


def show_plan(app: App, plan: Plan, *, account: str | None = None) -> None:
    """The plan's counts, its largest moves and some of its cells, or all cells of one account."""
    screen = app.screen
    screen.head(
        f"Plan {plan.id}: {plan.cells:,} cells of {len(plan.changes):,} records change, "
        f"{len(plan.tasks)} tasks; about {plan.api_calls} API calls"
    )
    if account is None:
        if plan.changes:
            fields = ", ".join(f"{key} {count:,}" for key, count in plan.cells_by_field().items())
            screen.say(f"Cells by field: {fields}")
        for subject, what in (("score", "records"), ("task", "tasks")):
            skipped = plan.skips_by_reason(subject)
            if skipped:
                text = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in skipped.items())
                screen.say(f"Left out of {what}: {text}")
        moves = plan.largest_moves(SHOWN)
        if moves:
            text = ", ".join(f"{who} {before:.0f} → {after:.0f}" for who, before, after in moves)
            screen.say(f"Largest moves of the score: {text}")
    show_cells(app, plan, account)
    for finding in plan.findings:
        app.warn(
            f"guard: {finding.message}. Apply stops on this; pass it over with --override {finding.override}"
        )


def show_cells(app: App, plan: Plan, account: str | None) -> None:
    """Cells before and after: of one account, else of the first record."""
    chosen = [c for c in plan.changes if account is None or account in (c.account_id, c.record_id)]
    if account is not None and not chosen:
        reasons = [s for s in plan.skips if account in (s.account_id, s.record_id)]
        why = "; ".join(f"{s.subject}: {s.detail}" for s in reasons) or "it was not scored"
        app.screen.say(f"Nothing is written to {account}: {why}")
    for change in chosen[:1]:
        app.screen.head(f"{change.account_id} ({change.object} {change.record_id})")
        app.screen.table(
            ("Field", "Before", "After"),
            [(cell.key, _shown(cell.before), _shown(cell.after)) for cell in change.cells],
        )


def _shown(value: object) -> str:
    text = "—" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
