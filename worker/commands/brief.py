"""`upswell brief`: talking points for one account, with the evidence behind each number."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.briefs.facts import Fact
    from sync.settings_briefs import Provider


@verb("brief", examples=("upswell brief C-00042", 'upswell brief "Acme Corp" --language ru --show-evidence'))
@click.argument("account")
@click.option(
    "--length",
    type=click.Choice(["field", "task", "full"]),
    default="full",
    show_default=True,
    help="For a field (255 characters), for a task's body, or everything.",
)
@click.option("--language", metavar="TAG", help="Such as ru or de; otherwise that of the settings.")
@click.option("--style", metavar="NAME", help="plain or question-led; otherwise the account's own.")
@click.option(
    "--briefs",
    type=click.Choice(["template", "anthropic"]),
    help="Who writes it, in place of [briefs] provider; template sends nothing.",
)
@click.option("--show-evidence", is_flag=True, help="The facts that it may be made of, with their source.")
def command(
    app: App,
    account: str,
    length: str,
    language: str | None,
    style: str | None,
    briefs: Provider | None,
    show_evidence: bool,
) -> None:
    """Write the brief; ACCOUNT is its id, CRM record id, own id or exact name."""
    from sync.account_brief import brief_account
    from sync.brief_desk import by_provider
    from sync.briefs.languages import speak
    from sync.briefs.slots import say_fact
    from sync.briefs.styles import check_styles
    from worker.brief_page import WHY_NOT, show_brief

    check_styles([style] if style else [])
    with open_loop(by_provider(app.settings(), briefs), app.screen) as loop:
        found = brief_account(loop, account, language=language or "", style=style or "")
    request, brief = found.request, found.written.brief
    spoken = speak(request.language)
    said = {fact.id: say_fact(fact, spoken, request.currency) for fact in found.facts}
    text = {"field": brief.field, "task": brief.task, "full": brief.full}[length]
    app.answer.data = {
        "account": asdict(found.account),
        "as_of": found.score["as_of"],
        "play": request.play,
        "no_task": found.no_task,
        "length": length,
        "language": found.written.language,
        "style": found.written.style,
        "writer": found.written.writer,
        "fault": found.written.fault or None,
        "evidence_hash": found.written.evidence_hash,
        "subject": brief.subject,
        "brief": text,
        "evidence": [_told(fact, said[fact.id]) for fact in found.facts],
    }
    show_brief(app.screen, brief.subject, text)
    if show_evidence:
        app.screen.head(f"Evidence, as of {found.score['as_of']}")
        app.screen.table(
            ("Fact", "Source", "Row", "Day", "Value"),
            [(fact.id, fact.source, fact.row, str(fact.day or ""), said[fact.id]) for fact in found.facts],
        )
    if found.written.fault:
        app.warn(f"the template wrote this, not Claude: {WHY_NOT[found.written.fault]}")
    if found.no_task is not None:
        app.warn(f"no task would be made for this account now: {found.no_task}")


def _told(fact: Fact, text: str) -> dict[str, Any]:
    kept = ("id", "value", "unit", "source", "row", "day", "direction")
    return {name: getattr(fact, name) for name in kept} | {"text": text}
