"""What the demo shows at its end: one account as a CSM sees it, the tasks, the verdict, what to try next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from worker.screen import printable

if TYPE_CHECKING:
    from connectors.crm import Usage
    from sync.loop import Loop
    from sync.planned import Plan
    from worker.referee import Verdict
    from worker.verb import App

SHOWN_TASKS: Final = 6
PANEL: Final = (
    *("score", "tier", "expected_arr", "arr_low", "arr_high", "product", "product_2", "timing", "health"),
    *("priority", "whom_to_reach", "reason_1", "reason_2", "reason_3", "against_1", "against_2"),
)


def show_account(app: App, loop: Loop, plan_id: str) -> None:
    """The first account with a task, as its CSM sees it in the CRM: the fields, then the brief."""
    from sync.plan_ledger import load

    plan: Plan = load(loop.store, plan_id)
    if not plan.tasks:
        return
    task = plan.tasks[0]
    change = next((c for c in plan.changes if c.account_id == task.account_id), None)
    app.screen.head("What its CSM sees on the account, and in the task")
    if change is not None:
        cells = {cell.key: cell.after for cell in change.cells}
        rows = [(name.replace("_", " "), _text(cells[name])) for name in PANEL if cells.get(name) is not None]
        app.screen.table((task.account_id, "written"), rows)
    app.screen.say(
        f"Task: {task.draft.subject}  (due {task.draft.due:%d %b %Y}, priority {task.draft.priority})"
    )
    app.screen.say()
    for line in task.draft.body.splitlines():
        app.screen.say(f"  {printable(line)}")


def draw_panels(app: App, loop: Loop, plan_id: str, keep: Path | None) -> Path | None:
    """The page with the panels of the first account that has a task; None where nobody has one."""
    from sync.panel_record import read_panel
    from sync.plan_ledger import load
    from worker.panel_page import page
    from worker.written_page import write_page

    tasks = load(loop.store, plan_id).tasks
    if not tasks:
        app.warn("no account has a task, so no panel is drawn: make more accounts with --accounts")
        return None
    found = read_panel(loop, tasks[0].account_id)
    return write_page(page(found), (keep or Path()) / f"panel-{found.held.account.account_id}.html")


def show_tasks(app: App, loop: Loop, plan_id: str) -> None:
    """The first tasks that were made."""
    from sync.plan_ledger import load

    tasks = load(loop.store, plan_id).tasks
    app.screen.head(f"{len(tasks)} tasks, best first")
    app.screen.table(
        ("Due", "Play", "Subject"),
        [(f"{t.draft.due:%d %b}", t.play, t.draft.subject) for t in tasks[:SHOWN_TASKS]],
    )


def show_verdict(app: App, verdict: Verdict | None) -> None:
    """How good the scores are, against the truth and the seat rule."""
    screen = app.screen
    screen.head("How good are these scores? The referee knows the truth")
    if verdict is None:
        screen.say("Nothing to judge: no account expanded, or every one did.")
        return
    screen.say(
        f"{verdict.accounts:,} customers without an open expansion deal; "
        f"{verdict.expanded} of them expand within the 90 days that follow."
    )
    screen.table(
        ("", "AUC", "Log loss"),
        [
            ("Upswell", f"{verdict.auc:.3f}", f"{verdict.log_loss:.3f}"),
            ("the truth (nobody can do better)", f"{verdict.auc_truth:.3f}", f"{verdict.log_loss_truth:.3f}"),
            ("seats used, the usual rule", f"{verdict.auc_seat_rule:.3f}", ""),
            ("everyone at the base rate", "0.500", f"{verdict.log_loss_base_rate:.3f}"),
        ],
        right=("AUC", "Log loss"),
    )
    if verdict.picked:
        screen.say(
            f"The rule 'more than 80 % of seats used' picks {verdict.picked} accounts, and "
            f"{verdict.hits_seat_rule} expand. Of Upswell's best {verdict.picked}, {verdict.hits_upswell} do."
        )
    screen.table(
        ("Scored", "Accounts", "Said", "Expanded"),
        [
            (
                f"{100 * b.low:.0f}–{100 * b.high:.0f}",
                f"{b.accounts:,}",
                f"{100 * b.predicted:.0f} %",
                f"{b.expanded} ({100 * b.expanded / b.accounts:.0f} %)",
            )
            for b in verdict.bands
        ],
        right=("Accounts", "Said", "Expanded"),
    )


def show_next(app: App, crm: str, keep: Path | None, seconds: dict[str, float], usage: Usage) -> None:
    """Where the time went, and what to try now."""
    screen = app.screen
    spent = ", ".join(f"{name} {took:.0f}" for name, took in seconds.items() if took >= 1)
    held = f", {usage.waited:.0f} s of it waiting for the CRM's rate limits" if usage.waited >= 1 else ""
    screen.head(f"Done in {sum(seconds.values()):.0f} s ({spent}) with {usage.calls} API calls{held}")
    if keep is None:
        screen.say("Nothing was kept. To go on from here: upswell demo --keep play")
        return
    settings = keep / "upswell.toml"
    screen.say(f"Everything is kept in {keep}. Serve it again with: upswell sandbox {crm} --data {keep}")
    screen.say("and in another terminal:")
    for what in (
        f"upswell --config {settings} run                 # nothing new: nothing is written",
        f"upswell sandbox advance --data {keep} --weeks 13     # a quarter passes",
        f"upswell --config {settings} run                 # what changed is written",
        f"upswell --config {settings} outcomes            # what was said, and what happened",
        f"upswell --config {settings} rollback --dry-run  # what an undo would restore",
    ):
        screen.say(f"  {what}")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}"
    return f"{value}"
