"""`upswell status`: where things stand, without asking the CRM."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import func, select

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.loop import Loop


@verb("status", examples=("upswell status", "upswell status --runs 20 --json"))
@click.option(
    "--runs", type=click.IntRange(1, 200), default=8, show_default=True, help="How many runs to show."
)
def command(app: App, runs: int) -> None:
    """Show runs, workers, model, lake and the newest plan."""
    with open_loop(app.settings(), app.screen) as loop:
        facts = status_facts(loop, runs)
    app.answer.data = facts
    screen = app.screen
    screen.head("Runs")
    if facts["runs"]:
        screen.table(
            ("Run", "Verb", "Status", "Started (UTC)", "Seconds", "Error"),
            [
                (
                    r["id"],
                    r["verb"],
                    r["status"],
                    f"{r['started_at']:%Y-%m-%d %H:%M}",
                    "" if r["seconds"] is None else f"{r['seconds']:.0f}",
                    r["error"] or "",
                )
                for r in facts["runs"]
            ],
            right=("Seconds",),
        )
    else:
        screen.say("None yet. Start with: upswell run")
    if facts["workers"]:
        screen.head("Workers")
        screen.table(
            ("Worker", "Health", "Started (UTC)", "Last tick (UTC)"),
            [
                (
                    f"{w['host']}:{w['pid']}",
                    w["health"],
                    f"{w['started_at']:%Y-%m-%d %H:%M}",
                    "" if w["last_tick"] is None else f"{w['last_tick']:%Y-%m-%d %H:%M:%S}",
                )
                for w in facts["workers"]
            ],
        )
    screen.head("Model")
    screen.say(facts["model"] or "None yet. Train one with: upswell train")
    screen.head("Lake")
    if facts["lake"]:
        screen.table(
            ("Table", "Rows", "Files"),
            [(t, f"{v['rows']:,}", str(v["files"])) for t, v in facts["lake"].items()],
            right=("Rows", "Files"),
        )
    else:
        screen.say("Empty. Fill it with: upswell pull")
    if facts["quarantined"]:
        bad = len(facts["quarantined"])
        count = "One export file is" if bad == 1 else f"{bad:,} export files are"
        screen.say(f"{count} quarantined. See: upswell exports status", "yellow")
    screen.head("Newest plan")
    plan = facts["plan"]
    if plan is None:
        screen.say("None yet. Make one with: upswell plan")
    else:
        screen.say(f"{plan['plan']}: {plan['status']}, {plan['cells']:,} cells, {plan['tasks']} tasks")


def status_facts(loop: Loop, runs: int) -> dict[str, Any]:
    """Where things stand, as data; reads the ledger only."""
    from sync.attendance import workers
    from sync.plan_ledger import latest_plan_id, load
    from sync.quarantine import quarantined_files
    from sync.store.tables import RunRow, SegmentRow

    with loop.store.session() as session:
        newest = select(RunRow).order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(runs)
        found = [
            {
                "id": row.id,
                "verb": row.verb,
                "status": row.status,
                "started_at": row.started_at,
                "seconds": None if row.ended_at is None else (row.ended_at - row.started_at).total_seconds(),
                "error": row.error,
            }
            for row in session.scalars(newest)
        ]
        counted = (
            select(SegmentRow.table_name, func.sum(SegmentRow.rows), func.count())
            .where(SegmentRow.active)
            .group_by(SegmentRow.table_name)
            .order_by(SegmentRow.table_name)
        )
        lake = {name: {"rows": int(rows), "files": files} for name, rows, files in session.execute(counted)}
    plan_id = latest_plan_id(loop.store)
    plan = None
    if plan_id is not None:
        held = load(loop.store, plan_id, erased_too=True)
        plan = {"plan": held.id, "status": held.status, "cells": held.cells, "tasks": len(held.tasks)}
    tick = timedelta(seconds=loop.settings.worker.tick_seconds)
    return {
        "runs": found,
        "workers": [asdict(each) for each in workers(loop.store, now=loop.machine_clock(), tick=tick)],
        "model": loop.registry.current,
        "lake": lake,
        "quarantined": [asdict(each) for each in quarantined_files(loop.store)],
        "plan": plan,
    }
