"""`upswell approve`: another person's yes to a plan."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from worker.acting import login, operator_token
from worker.loop_home import open_loop
from worker.verb import App, verb


@verb(
    "approve",
    examples=("upswell approve PLAN", 'upswell approve PLAN --note "New model, looked at the largest moves"'),
)
@click.argument("plan")
@click.option("--note", default="", help="Why, for whoever looks at the approval later.")
def command(app: App, plan: str, note: str) -> None:
    """Approve what stops a plan: its size, or the first fill of its fields. The approver's token comes from
    the environment, and the plan must be someone else's."""
    from sync.approvals import approve

    with open_loop(app.settings(), app.screen) as loop:
        made = approve(
            loop.store, plan, token=operator_token(), login=login(), note=note, now=datetime.now(UTC)
        )
    app.answer.data = {
        "plan": plan,
        "approvals": [{"kind": each.kind, "fields": each.fields, "by": each.operator} for each in made],
    }
    words: dict[str, Any] = {
        "size": "its size",
        "first_fill": "the first fill of its fields, once and for all",
    }
    said = " and ".join(words[each.kind] for each in made)
    app.screen.say(f"Approved by {made[0].operator}: {said}.")
    app.screen.say(f"Write it with: upswell apply {plan}")
