"""`upswell install`: our fields in the CRM."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from worker.loop_home import open_loop
from worker.verb import App, verb


@verb("install", examples=("upswell install --plan", "upswell --config acme.toml install"))
@click.option(
    "--apply/--plan",
    "apply_",
    default=True,
    help="Create what is missing, or only show what would be created.  [default: --apply]",
)
def command(app: App, apply_: bool) -> None:
    """Show or create the fields of connectors/fields.toml; never change one that exists."""
    from sync.installation import install

    with open_loop(app.settings(), app.screen) as loop, app.screen.progress("Install"):
        org = loop.crm.org()
        installed = install(
            loop.crm, loop.store, apply=apply_, operator=loop.who() if apply_ else "", now=datetime.now(UTC)
        )
    report = installed.report
    counts: dict[str, int] = {}
    for step in report.steps:
        counts[step.action] = counts.get(step.action, 0) + 1
    app.answer.data = {
        "org": org.id,
        "applied": report.applied,
        "counts": counts,
        "first_fill_approved": installed.approved,
        "steps": [
            {"object": s.object, "name": s.name, "action": s.action, "detail": s.detail} for s in report.steps
        ],
    }
    for warning in report.warnings:
        app.warn(warning)
    app.screen.head(
        f"{'Installed in' if report.applied else 'Would be installed in'} {org.name} ({org.kind})"
    )
    app.screen.table(
        ("Object", "Name", "Action", "Detail"), [(s.object, s.name, s.action, s.detail) for s in report.steps]
    )
    summary = ", ".join(f"{count} to {action}" for action, count in counts.items()) or "nothing to do"
    app.screen.say(summary if not report.applied else f"Done: {summary}.")
    if installed.approved:
        app.screen.say(
            f"The first fill of these {len(installed.approved)} fields is approved, since they were created "
            "for it."
        )
    if not report.applied and counts.get("create"):
        app.screen.say("Create them with: upswell install")
