"""`upswell brief`: talking points for one account, with the evidence behind each number."""

from __future__ import annotations

from dataclasses import asdict

import click

from worker.loop_home import open_loop
from worker.screen import printable
from worker.verb import App, verb


@verb("brief", examples=("upswell brief C-00042", 'upswell brief "Acme Corp" --length field --json'))
@click.argument("account")
@click.option(
    "--length",
    type=click.Choice(["field", "task", "full"]),
    default="full",
    show_default=True,
    help="For a field (255 characters), for a task's body, or everything.",
)
def command(app: App, account: str, length: str) -> None:
    """Write the brief; ACCOUNT is its id, CRM record id, own id or exact name."""
    from sync.account_brief import brief_account
    from sync.briefs.slots import render

    with open_loop(app.settings(), app.screen) as loop:
        found = brief_account(loop, account)
        currency = loop.settings.company.currency
    text = {"field": found.brief.field, "task": found.brief.task, "full": found.brief.full}[length]
    app.answer.data = {
        "account": asdict(found.account),
        "as_of": found.score["as_of"],
        "play": found.play.value,
        "no_task": found.no_task,
        "length": length,
        "subject": found.brief.subject,
        "brief": text,
        "evidence": [asdict(fact) | {"text": render(fact, currency)} for fact in found.facts],
    }
    screen = app.screen
    screen.head(found.brief.subject)
    screen.say()
    for line in text.splitlines():
        screen.say(printable(line))
    screen.head(f"Evidence, as of {found.score['as_of']}")
    screen.table(
        ("Fact", "Source", "Day", "Value"),
        [(fact.id, fact.source, str(fact.day or ""), render(fact, currency)) for fact in found.facts],
    )
    if found.no_task is not None:
        app.warn(f"no task would be made for this account now: {found.no_task}")
