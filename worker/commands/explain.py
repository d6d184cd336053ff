"""`upswell explain`: why an account has its score."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from worker.explain_report import show_beside, show_families, show_moves, show_reasons, show_score
from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.explanation import Explanation

BEFORE: Final = ("as_of", "probability", "log_odds", "model_version", "run_id")


@verb(
    "explain",
    examples=(
        "upswell explain C-00042",
        'upswell explain "Acme Corp" --no-moves --json',
        "upswell explain C-00042 --against 2026-09-30",
        "upswell explain C-00042 --assume seats_used=+10,champion=gone",
    ),
)
@click.argument("account")
@click.option("--no-moves", is_flag=True, help="Leave out what moved since the score before.")
@click.option(
    "--against",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Compare with the score as of this day or the last before it.  [default: the score before]",
)
@click.option(
    "--assume",
    metavar="WHAT",
    help="Score it as if this were so, beside how it is; nothing is kept. Features or plain words: "
    "seats_used=+10, nps=9, events_30=-20%, champion=gone, escalation=open.",
)
def command(app: App, account: str, no_moves: bool, against: datetime | None, assume: str | None) -> None:
    """Explain the account's newest score; ACCOUNT is its id, CRM record id, own id or exact name."""
    from sync.explanation import explain_account

    if assume is not None:
        what_if(app, account, assume)
        return
    day = None if against is None else against.date()
    with open_loop(app.settings(), app.screen) as loop:
        found = explain_account(loop, account, moved=not no_moves, against=day)
        currency = loop.settings.company.currency
    app.answer.data = explanation_facts(found)
    show_score(app, found, currency)
    show_reasons(app, found)
    show_beside(app, found)
    show_families(app, found)
    if not no_moves:
        show_moves(app, found)


def what_if(app: App, account: str, assume: str) -> None:
    """The account as it would be, beside how it is."""
    from sync.what_if import assume_of
    from worker.what_if_report import show_what_if, what_if_facts

    with open_loop(app.settings(), app.screen) as loop:
        found = assume_of(loop, account, assume)
    app.answer.data = what_if_facts(found)
    show_what_if(app, found)


def explanation_facts(found: Explanation) -> dict[str, Any]:
    """The explanation as data."""
    from dataclasses import asdict

    return {
        "account": asdict(found.account),
        "score": found.score,
        "families": [asdict(part) for part in found.breakdown.parts],
        "log_odds": found.breakdown.log_odds,
        "base_log_odds": found.breakdown.base,
        "before": None if found.before is None else {name: found.before.get(name) for name in BEFORE},
        "moved": None if found.steps is None else [asdict(step) for step in found.steps],
        "moved_in_words": found.moved,
    }
