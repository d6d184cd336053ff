"""`upswell panel`: an account's panels as people see them in their CRM, in a local page."""

from __future__ import annotations

from pathlib import Path

import click

from worker.loop_home import open_loop
from worker.verb import App, verb


@verb(
    "panel",
    examples=(
        "upswell panel C-00042",
        'upswell panel "Acme Corp" --open --seen-by no-reasons',
        "upswell panel C-00042 --crm hubspot --out acme.html",
    ),
)
@click.argument("account")
@click.option(
    "--crm",
    type=click.Choice(["both", "salesforce", "hubspot"]),
    default="both",
    show_default=True,
    help="Whose panel to draw; the values are those of your CRM in any case.",
)
@click.option(
    "--seen-by",
    type=click.Choice(["csm", "no-reasons", "scores", "nobody"]),
    default="csm",
    show_default=True,
    help="As whom to look first: everything, without reasons, scores alone, or without any permission.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page's file; otherwise panel-ACCOUNT.html in this folder.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def command(app: App, account: str, crm: str, seen_by: str, out: Path | None, opens: bool) -> None:
    """Draw the panels on an account's record; ACCOUNT is its id, CRM record id, own id or exact name."""
    from connectors.shown import KINDS
    from sync.panel_record import read_panel
    from worker.panel_page import page
    from worker.written_page import open_page, write_page

    kinds = KINDS if crm == "both" else (crm,)
    with open_loop(app.settings(), app.screen) as loop:
        found = read_panel(loop, account)
    named = found.held.account
    file = write_page(page(found, viewer=seen_by, kinds=kinds), out or Path(f"panel-{named.account_id}.html"))
    app.answer.data = {
        "account": named.account_id,
        "record": found.held.record_id,
        "file": str(file),
        "panels": list(kinds),
        "seen_by": seen_by,
        "fields": {key: value for key, value in found.held.values.items() if value not in (None, ())},
    }
    app.screen.say(f"The panels of {named.name} are in {file}")
    if opens and not open_page(file):
        app.warn(f"no browser could be opened here: open {file} yourself")
