"""`upswell sandbox`: a stand-in CRM on a loopback port, and the company behind it moved on in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from worker.cli import VERBS
from worker.verb import App, ExitCode, epilog, verb

FOLDER = click.Path(file_okay=False, path_type=Path)
CODES = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX)


@click.group(
    name="sandbox",
    help=VERBS["sandbox"],
    epilog=epilog(
        (
            "upswell sandbox salesforce --data play --port 8443",
            "upswell sandbox advance --data play --weeks 13",
        ),
        CODES,
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def command() -> None:
    """Group the sandbox's verbs."""


SERVE = (
    click.option(
        "--data", type=FOLDER, required=True, help="Folder of the company; made when it is not there."
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=None,
        help="Port on 127.0.0.1; 0 takes a free one.  [default: the port it had last, else a free one]",
    ),
    click.option(
        "--accounts",
        type=click.IntRange(0, 200_000),
        default=2000,
        show_default=True,
        help="Accounts to make; 0 makes a CRM without customers.",
    ),
    click.option(
        "--months",
        type=click.IntRange(1, 60),
        default=24,
        show_default=True,
        help="Months of history to make.",
    ),
    click.option(
        "--seed", type=click.IntRange(0), default=1, show_default=True, help="Which company to make."
    ),
    click.option(
        "--faults",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="JSON file of faults to switch on; otherwise DATA/faults.json if there is one.",
    ),
)


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of both CRMs' sandboxes, in their order."""
    for option in reversed(SERVE):
        function = option(function)
    return function


@verb(
    "sandbox salesforce",
    summary="Serve a synthetic company as a Salesforce org on a loopback port, until interrupted.",
    examples=(
        "upswell sandbox salesforce --data play",
        "upswell sandbox salesforce --data play --port 8443 --accounts 500 --months 18 --seed 7",
    ),
)
@_options
def salesforce(app: App, **options: Any) -> None:
    """Make the company if need be, and serve it as Salesforce."""
    _serve(app, "salesforce", **options)


@verb(
    "sandbox hubspot",
    summary="Serve a synthetic company as a HubSpot account on a loopback port, until interrupted.",
    examples=(
        "upswell sandbox hubspot --data play",
        "upswell sandbox hubspot --data play --port 8080 --accounts 500 --months 18 --seed 7",
    ),
)
@_options
def hubspot(app: App, **options: Any) -> None:
    """Make the company if need be, and serve it as HubSpot."""
    _serve(app, "hubspot", **options)


def _serve(
    app: App,
    kind: str,
    *,
    data: Path,
    port: int | None,
    accounts: int,
    months: int,
    seed: int,
    faults: Path | None,
) -> None:
    from connectors.errors import InputError
    from worker.sandbox_folder import is_made, make_company, open_sandbox, read_facts, remembered_port

    if not is_made(data):
        with app.screen.progress(f"Making a company of {accounts:,} accounts × {months} months") as advance:
            made = make_company(data, kind=kind, accounts=accounts, months=months, seed=seed, advance=advance)
        app.screen.say(
            f"Made a company in {data}: {made['customers']:,} customers among {made['accounts']:,} accounts, "
            f"{made['records']:,} CRM records, {made['events']:,} usage events."
        )
    elif (held := read_facts(data)["kind"]) != kind:
        raise InputError(
            f"this folder holds a sandbox of {held}, not of {kind}.",
            record=str(data),
            fix=f"serve it with `upswell sandbox {held}`, or name another folder with --data",
        )
    else:
        app.screen.say(f"Found a company in {data}; --accounts, --months and --seed are not used.")
    with open_sandbox(data, port=remembered_port(data) if port is None else port, faults=faults) as sandbox:
        settings = data / "upswell.toml"
        app.answer.data = {"url": sandbox.url, "settings": settings}
        name = {"salesforce": "Salesforce", "hubspot": "HubSpot"}[kind]
        app.screen.say(f"{name}, as far as anyone can tell, at {sandbox.url}. Ctrl-C stops it.")
        app.screen.say(f"Settings for it: {settings}. In another terminal, try:")
        app.screen.say(f"  upswell --config {settings} install")
        app.screen.say(f"  upswell --config {settings} run")
        sandbox.serve_forever()


@verb(
    "sandbox advance",
    summary="Move the sandbox's company on: weeks pass, accounts expand, shrink, churn and use the product.",
    examples=(
        "upswell sandbox advance --data play --weeks 13",
        "upswell sandbox advance --data play --weeks 1 --json",
    ),
)
@click.option("--data", type=FOLDER, required=True, help="Folder of the company.")
@click.option(
    "--weeks", type=click.IntRange(1, 260), default=13, show_default=True, help="How many weeks pass."
)
def advance(app: App, data: Path, weeks: int) -> None:
    """Move the company and the sandbox's clock; a running server follows at once."""
    from worker.sandbox_folder import advance_company

    with app.screen.progress(f"{weeks} weeks pass"):
        summary = advance_company(data, weeks=weeks)
    app.answer.data = {"weeks": weeks, **summary}
    app.screen.say(
        f"{weeks} weeks have passed in {data}: it is {summary['now']:%A, %d %B %Y} there. "
        f"{summary['customers']:,} customers, {summary['events']:,} new usage events."
    )


command.add_command(salesforce)
command.add_command(hubspot)
command.add_command(advance)
