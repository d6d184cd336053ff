"""`upswell init`: a first settings file."""

from __future__ import annotations

from pathlib import Path

import click

from worker.verb import App, verb


@verb(
    "init",
    examples=["upswell init", "upswell init --crm salesforce --out acme.toml"],
)
@click.option(
    "--crm",
    type=click.Choice(["salesforce", "hubspot"]),
    default="salesforce",
    show_default=True,
    help="Which CRM the file is for.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("upswell.toml"),
    show_default=True,
    help="Where to write it.",
)
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
def command(app: App, crm: str, out: Path, force: bool) -> None:
    """Write the commented settings file; never replaces one unasked."""
    from connectors.errors import InputError
    from sync.settings_starter import starter_toml

    if out.exists() and not force:
        raise InputError(
            "this file exists already.", record=str(out), fix="name another with --out, or add --force"
        )
    try:
        out.write_text(starter_toml("hubspot" if crm == "hubspot" else "salesforce"), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"this file can't be written: {error.strerror}.", record=str(out), fix="name another with --out"
        ) from None
    app.answer.data = {"file": out, "crm": crm}
    app.screen.say(f"Wrote {out}. Fill in [crm.{crm}], then try: upswell --config {out} install")
