"""`upswell demo`: the whole loop on a synthetic company, with no account anywhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.demo_report import draw_panels, show_account, show_next, show_tasks, show_verdict
from worker.loop_home import Stopwatch, open_loop
from worker.verb import App, ExitCode, verb
from worker.written_page import open_page

if TYPE_CHECKING:
    from connectors.crm import Usage
    from worker.referee import Verdict


NAMES = {"salesforce": "Salesforce", "hubspot": "HubSpot"}


@verb(
    "demo",
    examples=(
        "upswell demo",
        "upswell demo --open",
        "upswell demo --crm hubspot --accounts 500 --keep play --json",
    ),
    exit_codes=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX, ExitCode.REJECTED_ROWS),
)
@click.option(
    "--crm",
    type=click.Choice(["salesforce", "hubspot"]),
    default="salesforce",
    show_default=True,
    help="Which CRM the sandbox speaks.",
)
@click.option(
    "--accounts", type=click.IntRange(1, 200_000), default=2000, show_default=True, help="Accounts to make."
)
@click.option(
    "--months", type=click.IntRange(1, 60), default=24, show_default=True, help="Months of history to make."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which company to make.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in this folder, to go on from; otherwise a temporary one is used.",
)
@click.option(
    "--open",
    "opens",
    is_flag=True,
    help="Draw the panels of the best account as people see them in their CRM, and open the page.",
)
def command(
    app: App, crm: str, accounts: int, months: int, seed: int, keep: Path | None, opens: bool
) -> None:
    """Start the sandbox, make the company, run the loop, and judge the scores by the truth."""
    from sync.config import load
    from sync.installation import install
    from worker.commands.run import whole_loop
    from worker.referee import judge, seats_used
    from worker.sandbox_folder import make_company, open_sandbox

    screen = app.screen
    watch = Stopwatch()
    screen.say(
        f"Upswell on a synthetic company: {accounts:,} accounts, {months} months, seed {seed}.", "bold"
    )
    drawn: Path | None = None
    with _folder(keep) as folder:
        with watch.measure("company"), screen.progress("Make the company") as advance:
            made = make_company(
                folder, kind=crm, accounts=accounts, months=months, seed=seed, advance=advance
            )
        screen.say(
            f"The company left {made['events']:,} usage events and other exports in {folder / 'exports'}."
        )
        with open_sandbox(folder) as sandbox:
            screen.say(f"Its {NAMES[crm]} answers at {sandbox.url}, without Upswell's fields.")
            settings = load(folder / "upswell.toml", {})
            with open_loop(settings, screen) as loop:
                with watch.measure("install"):
                    installed = install(
                        loop.crm, loop.store, apply=True, operator=loop.who(), now=datetime.now(UTC)
                    )
                created = sum(step.action == "create" for step in installed.report.steps)
                screen.say(f"Installed: {created} fields and permissions created in the CRM.")
                done = whole_loop(app, loop, "demo", {})
                facts, scored = done.facts, done.scored
                assert scored is not None
                show_account(app, loop, facts["plan"]["plan"])
                show_tasks(app, loop, facts["plan"]["plan"])
                if opens:
                    with watch.measure("panels"):
                        drawn = draw_panels(app, loop, facts["plan"]["plan"], keep)
                with watch.measure("referee"):
                    verdict = judge(folder, scored.scores, seats_used(scored))
                seconds = watch.seconds | facts["seconds"]
                usage = loop.crm.usage()
        app.answer.data = demo_facts(facts, made, verdict, seconds, usage)
        show_verdict(app, verdict)
        show_next(app, crm, keep, seconds, usage)
        if drawn is not None:
            app.answer.data["panels"] = str(drawn)
            screen.say(f"The panels, as people see them in their CRM: {drawn}")
            if not open_page(drawn):
                app.warn(f"no browser could be opened here: open {drawn} yourself")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to work in: the kept one, which must be new or empty, or one that goes away."""
    from connectors.errors import InputError

    if keep is None:
        with tempfile.TemporaryDirectory(prefix="upswell-demo-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    if keep.exists() and any(keep.iterdir()):
        raise InputError("this folder is not empty.", record=str(keep), fix="name a new one with --keep")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def demo_facts(
    facts: dict[str, Any],
    made: dict[str, Any],
    verdict: Verdict | None,
    seconds: dict[str, float],
    usage: Usage,
) -> dict[str, Any]:
    """The demo's answer in the contract's names, and what each step found."""
    judged = {} if verdict is None else asdict(verdict)
    return {
        "accounts": made["accounts"],
        "events": made["events"],
        "pulled": sum(facts["pull"]["pulled"].values()),
        "auc": judged.get("auc"),
        "auc_truth": judged.get("auc_truth"),
        "auc_seat_rule": judged.get("auc_seat_rule"),
        "log_loss": judged.get("log_loss"),
        "changes": facts["plan"]["changes"],
        "api_calls": usage.calls,
        "waited": round(usage.waited, 2),
        "tasks": facts["plan"]["tasks"],
        "seconds": seconds | {"total": round(sum(seconds.values()), 2)},
        "verdict": judged,
        "loop": facts,
    }
