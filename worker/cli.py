"""The `upswell` command: a list of verbs, each imported only when it is called.

Importing every verb would import CatBoost, DuckDB and Ibis: seconds of start-up for `--help`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

import click

VERBS: Final = MappingProxyType(
    {
        "demo": "Run the whole loop on a synthetic company, with no account anywhere.",
        "init": "Write an upswell.toml to fill in.",
        "sandbox": "Run a stand-in CRM on a loopback port, or move its company on in time.",
        "install": "Create Upswell's fields and permission sets in the CRM, or take them away with --remove.",
        "pull": "Fetch what is new from the CRM and from the exports into the lake.",
        "target": "Say what counts as an expansion, how many that gives, and what is wrong with it.",
        "train": "Train a model on the account history in the lake and make it the current one.",
        "models": "List the models that were trained: what each is made of, how good, and which is in use.",
        "promote": "Make a saved model the one that scores, a newer or an older one.",
        "score": "Score every customer account with the current model.",
        "plan": "Show what would be written to the CRM, cell by cell, and keep it as a frozen plan.",
        "approve": "Approve a plan of someone else that is past the size guard, or fills new fields.",
        "apply": "Write a plan to the CRM: changed values, tasks to make and to close.",
        "rollback": "Restore every cell that still holds what a run wrote.",
        "outcomes": "Compare what was said with what happened since.",
        "run": "Do the whole loop once: pull, train when due, score, plan, apply, outcomes.",
        "operator": "Add, list or disable the people who may act here, or give one of them a new token.",
        "worker": "Do the runs that are queued, and start what schedules say, until interrupted.",
        "schedule": "List, add, pause, resume, remove or start the schedules that `worker` follows.",
        "doctor": "Check login, fields, permissions, quota, exports, lake and model; say how to fix each.",
        "exports": "Check the configured export files without using them, or show what was read of them.",
        "evaluate": "Judge a model on later outcomes against simple baselines, and write the report on it.",
        "explain": "Say why an account has its score: for, against, what is missing, and what moved.",
        "brief": "Write the talking points for an account, with the evidence behind each number.",
        "forecast": "Forecast expansion ARR, NRR and GRR by fiscal quarter, or backtest the forecast.",
        "panel": "Draw the panels on an account's record as people see them in their CRM.",
        "pipeline": "Rank the accounts worth a conversation in a period, within each owner's slots.",
        "features": "List what the model looks at, or an account's values on a day.",
        "history": "Show what was written to the CRM, before and after, by which run.",
        "audit": "Verify that the journal is what was written, export it, erase a person from it.",
        "status": "Show the last runs, the current model, the lake and what waits to be applied.",
    }
)


class LazyVerbs(click.Group):
    """A click group that knows its verbs' names and sentences without importing them."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The verbs, in the order in which a new user meets them."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now; None for an unknown name."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"worker.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest verbs named when there is no such verb."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"There is no verb '{args[0]}'.{hint} See: upswell --help")
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs with their sentences, without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(
    cls=LazyVerbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: upswell demo",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; otherwise $UPSWELL_CONFIG, then ./upswell.toml.",
)
@click.version_option(package_name="upswell", message="upswell %(version)s")
@click.pass_context
def upswell(ctx: click.Context, config: Path | None) -> None:
    """Find the customer accounts that are ready to expand, and put that into your CRM."""
    ctx.obj = config


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(upswell(prog_name="upswell"))
