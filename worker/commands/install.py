"""`upswell install`: our fields and objects in the CRM."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from connectors.errors import UsageError
from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from connectors.crm import OrgInfo
    from sync.installation import Installation

EXAMPLES = (
    "upswell install --plan",
    "upswell --config acme.toml install",
    "upswell install --remove --plan",
)


@verb("install", examples=EXAMPLES)
@click.option(
    "--apply/--plan",
    "apply_",
    default=True,
    help="Create what is missing, or only show what would be created.  [default: --apply]",
)
@click.option("--reports", is_flag=True, help="Create examples of reports and a dashboard too (Salesforce).")
@click.option("--remove", "remove_", is_flag=True, help="Take away what installs made, after asking.")
@click.option("--yes", is_flag=True, help="Take it away without asking.")
def command(app: App, apply_: bool, reports: bool, remove_: bool, yes: bool) -> None:
    """Show, create or take away what is ours in the CRM; never change what is there.

    That is fields, objects ([crm] objects says which), and views of accounts; on Salesforce also permission
    sets and their groups, report types, and the panel, of which an older version is renewed."""
    from sync.installation import install, remove

    settings = app.settings()
    with open_loop(settings, app.screen) as loop:
        org = loop.crm.org()
        if not remove_:
            with app.screen.progress("Install"):
                who = loop.who() if apply_ else ""
                done = install(
                    loop.crm,
                    loop.store,
                    apply=apply_,
                    operator=who,
                    now=datetime.now(UTC),
                    objects=settings.crm.objects,
                    reports=reports,
                )
            show(app, org, done, "Installed in" if apply_ else "Would be installed in")
            return
        if apply_:
            loop.who()  # raises for whoever may not write here
        with app.screen.progress("Look"):
            planned = remove(loop.crm, loop.store, apply=False)
        show(app, org, planned, "Would be removed from")
        if apply_ and any(step.action == "remove" for step in planned.report.steps):
            if not yes:
                ask(org)
            with app.screen.progress("Remove"):
                done = remove(loop.crm, loop.store, apply=True)
            show(app, org, done, "Removed from")


TO_DO = {
    "create": "to create",
    "grant": "to widen",
    "update": "to renew",
    "remove": "to remove",
    "keep": "to keep",
    "differs": "differ",
}
DONE = {
    "create": "created",
    "grant": "widened",
    "update": "renewed",
    "remove": "removed",
    "keep": "kept",
    "differs": "differ",
}


def ask(org: OrgInfo) -> None:
    """Have a person confirm it. Raises UsageError for no, and where nobody can be asked."""
    if not sys.stdin.isatty():
        raise UsageError(
            "a removal deletes fields and objects with everything in them, and there is nobody to ask.",
            record=org.name,
            fix="look at the list with --remove --plan, then add --yes",
        )
    click.echo(f"What is above goes with everything in it, from {org.name}.", err=True)
    if not click.confirm("Remove it?", err=True):
        raise UsageError("nothing was removed.", record=org.name, fix="answer y, or leave it")


def show(app: App, org: OrgInfo, installed: Installation, head: str) -> None:
    """Tell what was found and done."""
    report = installed.report
    counts = Counter(step.action for step in report.steps)
    app.answer.data = {
        "org": org.id,
        "applied": report.applied,
        "counts": dict(counts),
        "first_fill_approved": installed.approved,
        "steps": [
            {"object": s.object, "name": s.name, "action": s.action, "detail": s.detail} for s in report.steps
        ],
    }
    for warning in report.warnings:
        app.warn(warning)
    app.screen.head(f"{head} {org.name} ({org.kind})")
    app.screen.table(
        ("Object", "Name", "Action", "Detail"), [(s.object, s.name, s.action, s.detail) for s in report.steps]
    )
    words = DONE if report.applied else TO_DO
    told = (f"{count} {words.get(action, action)}" for action, count in counts.items())
    app.screen.say(f"{', '.join(told) or 'nothing to do'}.")
    if installed.approved:
        app.screen.say(
            f"The first fill of these {len(installed.approved)} fields is approved, since they were created "
            "for it."
        )
    if not report.applied and counts["create"] + counts["grant"] + counts["update"]:
        app.screen.say("Create them with: upswell install")
    if not report.applied and counts["remove"]:
        app.screen.say("Take them away with: upswell install --remove")
