"""`upswell operator`: the people who may act here, and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from worker.acting import operator_token
from worker.cli import VERBS
from worker.loop_home import open_loop
from worker.verb import App, ExitCode, epilog, verb

if TYPE_CHECKING:
    from sync.operators import Issued, Operator

ROLES = ("viewer", "operator", "approver", "admin")  # sync.operators.Role, whose import costs SQLAlchemy's


@click.group(
    name="operator",
    help=VERBS["operator"],
    epilog=epilog(
        ("upswell operator add dana --role admin", "upswell operator list"),
        (ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX),
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def command() -> None:
    """Group the operators' verbs."""


@verb(
    "operator add",
    summary="Add an operator and show their token, once. The first is an admin, who adds the others.",
    examples=("upswell operator add dana --role admin", "upswell operator add lee --role approver --json"),
)
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    help="What they may do.  [default: operator; admin for the first one]",
)
def add(app: App, name: str, role: str | None) -> None:
    """Add an operator."""
    from sync.operators import Role, add_operator, operators

    with open_loop(app.settings(), app.screen) as loop:
        default = Role.OPERATOR if operators(loop.store) else Role.ADMIN
        chosen = default if role is None else Role(role)
        issued = add_operator(loop.store, name, chosen, token=operator_token(), now=datetime.now(UTC))
    _show_token(app, issued, f"{name} is {issued.operator.role}.")


@verb(
    "operator list",
    summary="List the operators with their roles.",
    examples=("upswell operator list", "upswell operator list --json"),
)
def list_(app: App) -> None:
    """List the operators."""
    from sync.operators import operators

    with open_loop(app.settings(), app.screen) as loop:
        found = operators(loop.store)
    app.answer.data = {"operators": [_facts(each) for each in found]}
    if not found:
        app.screen.say("None yet. Add the first: upswell operator add NAME --role admin")
        return
    app.screen.table(
        ("Operator", "Role", "Since (UTC)", "Disabled (UTC)"),
        [
            (o.name, o.role, _day(o.created_at), "" if o.disabled_at is None else _day(o.disabled_at))
            for o in found
        ],
    )


@verb(
    "operator disable",
    summary="Disable an operator: their token counts no longer, what they approved keeps their name.",
    examples=("upswell operator disable lee", "upswell operator disable lee --json"),
)
@click.argument("name")
def disable(app: App, name: str) -> None:
    """Disable an operator."""
    from sync.operators import disable_operator

    with open_loop(app.settings(), app.screen) as loop:
        found = disable_operator(loop.store, name, token=operator_token(), now=datetime.now(UTC))
    app.answer.data = {"operator": _facts(found)}
    app.screen.say(f"{name} is disabled.")


@verb(
    "operator rotate",
    summary="Give an operator a new token and show it, once; the old one counts no longer.",
    examples=("upswell operator rotate lee", "upswell operator rotate lee --json"),
)
@click.argument("name")
def rotate(app: App, name: str) -> None:
    """Give an operator a new token."""
    from sync.operators import rotate_token

    with open_loop(app.settings(), app.screen) as loop:
        issued = rotate_token(loop.store, name, token=operator_token())
    _show_token(app, issued, f"{name} has a new token; the old one counts no longer.")


def _show_token(app: App, issued: Issued, said: str) -> None:
    """The token, on a line of its own so that it can be copied."""
    app.answer.data = {"operator": _facts(issued.operator), "token": issued.token}
    app.screen.say(said)
    app.screen.say("Their token, shown this once and kept nowhere; they set it as UPSWELL_OPERATOR_TOKEN:")
    app.screen.say(issued.token)


def _facts(operator: Operator) -> dict[str, object]:
    return {
        "name": operator.name,
        "role": operator.role,
        "created_at": operator.created_at,
        "disabled_at": operator.disabled_at,
    }


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


for each in (add, list_, disable, rotate):
    command.add_command(each)
