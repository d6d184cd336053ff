"""`upswell audit`: whether the journal is what was written, its export, and what must be forgotten."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from worker.cli import VERBS
from worker.loop_home import open_loop
from worker.verb import App, ExitCode, epilog, verb

if TYPE_CHECKING:
    from sync.audit import Verdict
    from sync.erasure import Found
    from sync.loop import Loop

CODES: Final = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX)
SHOWN: Final = 20
CONTACT: Final = ("crm_id", "name", "email", "account_crm_id", "is_deleted")
DAY: Final = click.DateTime(formats=["%Y-%m-%d"])


@click.group(
    name="audit",
    help=VERBS["audit"],
    epilog=epilog(("upswell audit verify", "upswell audit export --out journal.csv"), CODES),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def command() -> None:
    """Group the audit's verbs."""


@verb(
    "audit verify",
    summary="Look at every row of the journal and its chain; name each that was changed, removed or put in.",
    examples=("upswell audit verify", "upswell audit verify --head 42:9f86d081884c7d65"),
    exit_codes=CODES,
)
@click.option(
    "--head", metavar="SEQ:MAC", help="An end of the chain that was printed before and kept elsewhere."
)
def verify(app: App, head: str | None) -> None:
    """Verify; exit 1 when the chain is broken."""
    from sync.audit import verify as verify_journal

    with open_loop(app.settings(), app.screen) as loop, app.screen.progress("Verify the journal") as advance:
        found = verify_journal(loop.store, head=head, progress=advance)
    app.answer.data = asdict(found) | {"broken": len(found.faults)}
    for fault in found.faults:
        app.answer.errors.append(
            {"code": fault.code, "message": fault.message, "record": fault.record, "fix": fault.fix}
        )
    show_verdict(app, found)
    if found.faults:
        app.answer.exit_code = ExitCode.FAILED


def show_verdict(app: App, found: Verdict) -> None:
    """What was looked at, what is wrong, and the head to keep."""
    screen = app.screen
    if found.faults:
        screen.head(f"The journal is broken: {len(found.faults):,} faults")
        screen.table(("Row", "What is wrong"), [(each.record, each.message) for each in found.faults[:SHOWN]])
        if len(found.faults) > SHOWN:
            screen.say(f"… and {len(found.faults) - SHOWN:,} more; --json lists all.")
        screen.say(found.faults[0].fix, "red")
    elif found.head is None and not found.entries:
        screen.say("Nothing was written yet, so there is nothing to verify.")
        return
    else:
        screen.head(f"The journal is whole: {found.entries:,} entries in {found.links:,} links")
    if found.erased:
        screen.say(f"{found.erased:,} entries were erased, each by a link that says so.")
    if found.sealed and found.opened_at is not None:
        app.warn(
            f"{found.sealed:,} entries are older than the chain, which was begun on "
            f"{found.opened_at:%Y-%m-%d %H:%M} UTC; what befell them before nobody can prove."
        )
    if found.unsealed:
        app.warn(f"{found.unsealed:,} entries are older than the chain; the next write seals them.")
    if found.head is not None and not found.faults:
        screen.say(f"Keep this elsewhere, and give it back with --head: {found.head}")


@verb(
    "audit export",
    summary="Write the journal to a file: CSV, where no text can be run as a formula, or Parquet.",
    examples=(
        "upswell audit export --out journal.csv",
        "upswell audit export --out q3.parquet --since 2026-07-01 --until 2026-09-30",
    ),
    exit_codes=CODES,
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File ending in .csv or .parquet.",
)
@click.option("--since", type=DAY, help="Nothing before this day, in the company's time zone.")
@click.option("--until", type=DAY, help="Nothing after this day.")
def export(app: App, out: Path, since: datetime | None, until: datetime | None) -> None:
    """Export the entries of some days, or all."""
    from sync.audit_export import export as export_journal

    settings = app.settings()
    with open_loop(settings, app.screen) as loop:
        count = export_journal(
            loop.store,
            out,
            since=None if since is None else since.date(),
            until=None if until is None else until.date(),
            timezone=settings.company.timezone,
        )
    app.answer.data = {"file": out, "entries": count}
    app.screen.say(f"Wrote {count:,} entries to {out}.")


@verb(
    "audit erase",
    summary="Erase what the ledger keeps of a person or an account; the chain stays whole.",
    examples=(
        "upswell audit erase 003Dn00000QwErTIA0 --dry-run",
        'upswell audit erase dana@example.com --reason "request 17"',
    ),
    exit_codes=CODES,
)
@click.argument("who", metavar="PERSON|RECORD")
@click.option(
    "--reason", default="request of the person", show_default=True, help="Kept in the chain for good."
)
@click.option("--dry-run", is_flag=True, help="Show what would be erased; change nothing.")
def erase(app: App, who: str, reason: str, dry_run: bool) -> None:
    """Erase a contact (by CRM id, e-mail or name), or everything of an account (by id).

    It reaches the journal, the operations behind it, tasks and what plans left out. The CRM and the lake are
    other places: delete the contact in the CRM, and the next pull follows."""
    from sync.erasure import erase as erase_person
    from sync.erasure import find, names_record
    from sync.mentions import seek

    with open_loop(app.settings(), app.screen) as loop:
        records = [who.strip()] if names_record(loop.store, who.strip()) else []
        sought = seek([] if records else contacts_of(loop), who, records=records)
        if dry_run:
            found = find(loop.store, sought)
        else:
            found = erase_person(loop.store, sought, reason=reason, at=loop.clock())
    app.answer.data = _facts(found, dry_run) | {"in_crm": sought.in_crm}
    show_erasure(app, found, dry_run=dry_run)
    if sought.in_crm:
        app.warn(
            "The CRM still had this contact at the last pull: delete it there, or it is written of again."
        )
    if sought.names:
        app.warn("Other contacts bear this name too, so it was looked for on this person's accounts only.")


@verb(
    "audit retain",
    summary="Erase the journal's content that is older than [state] journal_days; links and digests stay.",
    examples=("upswell audit retain --dry-run", "upswell audit retain --days 730"),
    exit_codes=CODES,
)
@click.option("--days", type=click.IntRange(1), help="Keep this many days.  [default: [state] journal_days]")
@click.option("--dry-run", is_flag=True, help="Show what would be erased; change nothing.")
def retain(app: App, days: int | None, dry_run: bool) -> None:
    """Erase what is older; it can't be rolled back afterwards."""
    from connectors.errors import SettingError
    from sync.erasure import erase_old, find_old

    settings = app.settings()
    kept = days or settings.state.journal_days
    if not kept:
        raise SettingError(
            "nothing says how long the journal's content is kept.",
            setting="state.journal_days",
            searched=(),
            fix="Set it, or give --days.",
        )
    with open_loop(settings, app.screen) as loop:
        now = loop.clock()
        before = now - timedelta(days=kept)
        found = find_old(loop.store, before) if dry_run else erase_old(loop.store, before, at=now)
    app.answer.data = _facts(found, dry_run) | {"before": before}
    show_erasure(app, found, dry_run=dry_run)


def contacts_of(loop: Loop) -> list[dict[str, Any]]:
    """The lake's contacts, deleted ones included; none before the first pull."""
    table = loop.lake.tables()["contacts"]
    rows: list[dict[str, Any]] = table.select(*CONTACT).to_pyarrow().to_pylist()
    return rows


def show_erasure(app: App, found: Found, *, dry_run: bool) -> None:
    """How many rows of which table, and which plans can't be applied any more."""
    if not found:
        app.screen.say("The ledger keeps nothing of that.")
        return
    app.screen.head("Would be erased" if dry_run else "Erased")
    app.screen.table(
        ("Where", "Rows"),
        [
            ("journal entries", f"{len(found.entries):,}"),
            ("operations", f"{len(found.operations):,}"),
            ("tasks", f"{len(found.tasks):,}"),
            ("accounts left out of plans", f"{len(found.skips):,}"),
            ("scores that say whom to reach", f"{len(found.people):,}"),
        ],
        right=("Rows",),
    )
    if found.has_traces:
        app.warn("Another process had the ledger's file open, which may hold traces; erase again later.")
    for plan in found.plans:
        app.warn(f"{plan} can't be applied any more; make a new plan with: upswell plan")


def _facts(found: Found, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "entries": len(found.entries),
        "operations": len(found.operations),
        "tasks": len(found.tasks),
        "skips": len(found.skips),
        "scores": len(found.people),
        "plans": found.plans,
    }


for each in (verify, export, erase, retain):
    command.add_command(each)
