"""`upswell plan`: what would be written, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.loop_home import open_loop
from worker.plan_report import plan_facts, show_explained, show_plan
from worker.verb import App, ExitCode, verb

if TYPE_CHECKING:
    from sync.planned import Plan
    from sync.settings_briefs import Provider

RELEASES = ("person_edit", "locked")  # sync.guard.RELEASES, whose import costs numpy's


@verb(
    "plan",
    examples=(
        "upswell plan",
        "upswell plan --account C-00042 --explain",
        "upswell plan --only score --only tier --out plan.csv",
        "upswell plan --show PLAN --exit-code",
    ),
    exit_codes=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX, ExitCode.CHANGES),
)
@click.option(
    "--account",
    help="Plan this account only, and show every cell: its id, record id in the CRM, own id or exact name.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="FIELD",
    help="Plan this field only, by our name (score) or the CRM's, and no tasks; may be given again.",
)
@click.option(
    "--override",
    multiple=True,
    type=click.Choice(RELEASES),
    help="Write over what people changed, or records that an earlier write holds; may be given again.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the whole plan to this file: .csv, .json or .parquet.",
)
@click.option(
    "--briefs",
    type=click.Choice(["template", "anthropic"]),
    help="Who writes the briefs of the tasks, in place of [briefs] provider; template sends nothing.",
)
@click.option(
    "--snapshot",
    is_flag=True,
    help="Bring rows of today's forecast, also where this week has some; a day has one snapshot.",
)
@click.option("--explain", is_flag=True, help="Say for each rule why records are in or out.")
@click.option("--show", metavar="PLAN", help="Look at a plan that was made before, instead of making one.")
@click.option("--exit-code", "exit_code", is_flag=True, help="End with 10 when there is something to write.")
def command(
    app: App,
    account: str | None,
    only: tuple[str, ...],
    override: tuple[str, ...],
    out: Path | None,
    briefs: Provider | None,
    snapshot: bool,
    explain: bool,
    show: str | None,
    exit_code: bool,
) -> None:
    """Compare the newest scores with what the CRM holds, and keep the difference as a plan."""
    from sync.sheet import check_ending

    if out is not None:
        check_ending(out)
    settings = app.settings()
    if show is None:
        plan = make(app, account, only, override, briefs, snapshot=snapshot)
    else:
        plan = look_up(app, show, narrowed=bool(only or override or briefs or snapshot))
    who = account_of(plan, account)
    app.answer.data = plan_facts(plan)
    show_plan(app, plan, account=who)
    if explain:
        show_explained(app, plan, settings, who)
    if out is not None:
        write(app, plan, out)
    if not plan.is_empty:
        if plan.status == "planned":
            app.screen.say(f"Write it with: upswell apply {plan.id}   (within 24 hours)")
        if exit_code:
            app.answer.exit_code = ExitCode.CHANGES


def make(
    app: App,
    account: str | None,
    only: tuple[str, ...],
    override: tuple[str, ...],
    briefs: Provider | None,
    *,
    snapshot: bool,
) -> Plan:
    """A new plan, kept in the ledger. Raises UsageError for a snapshot of a plan that is narrowed."""
    from connectors.errors import UsageError
    from sync.brief_desk import by_provider

    if snapshot and (account or only):
        raise UsageError(
            "a snapshot is of the whole book.", record="--snapshot", fix="leave out --account and --only"
        )

    with open_loop(by_provider(app.settings(), briefs), app.screen) as loop, loop.run("plan") as run:
        from sync.plan import Narrow

        app.answer.run_id = run.id
        narrow = Narrow(account=account, only=only)
        return loop.plan(run, narrow=narrow, override=override, snapshot=snapshot)


def look_up(app: App, plan_id: str, *, narrowed: bool) -> Plan:
    """A plan as it was frozen; the CRM is not asked. Raises UsageError with options of a new plan."""
    from connectors.errors import UsageError
    from sync.plan_ledger import load

    if narrowed:
        raise UsageError(
            "a plan that was made already can't be narrowed.",
            record="--show",
            fix="leave out --only, --override, --briefs and --snapshot, or --show",
        )
    with open_loop(app.settings(), app.screen) as loop:
        return load(loop.store, plan_id)


def account_of(plan: Plan, wanted: str | None) -> str | None:
    """The account id behind what was asked for: a plan made for one account is about nobody else."""
    if wanted is None:
        return None
    about = {change.account_id for change in plan.changes} | {skip.account_id for skip in plan.skips}
    about |= {task.account_id for task in plan.tasks}
    return about.pop() if len(about) == 1 else wanted


def write(app: App, plan: Plan, out: Path) -> None:
    """The whole plan as a file."""
    from sync.plan_sheet import COLUMNS, rows_of_plan
    from sync.sheet import write_sheet

    rows = write_sheet(out, COLUMNS, rows_of_plan(plan), {"plan": plan_facts(plan)})
    app.answer.data["file"] = out
    app.screen.say(f"Wrote the whole plan, {rows:,} rows, to {out}.")
