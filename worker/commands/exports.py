"""`upswell exports`: the export files, checked without being used, and what was read of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from worker.cli import VERBS
from worker.commands.exports_match import command as match
from worker.loop_home import open_loop
from worker.verb import App, ExitCode, epilog, verb

if TYPE_CHECKING:
    from sync.export_check import FileCheck
    from sync.export_status import KindStatus

CODES = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX)


@click.group(
    name="exports",
    help=VERBS["exports"],
    epilog=epilog(("upswell exports check", "upswell exports status --json"), CODES),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def command() -> None:
    """Group the exports' verbs."""


@verb(
    "exports check",
    summary="Read every configured export file to its end, and say what is wrong with it; nothing is used.",
    examples=("upswell exports check", "upswell exports check --kind billing --json"),
    exit_codes=CODES,
)
@click.option("--kind", help="Only exports of this kind, such as billing.")
def check(app: App, kind: str | None) -> None:
    """Check the files; exit 2 when one can't be used."""
    from connectors.errors import UsageError
    from sync.export_check import check_exports

    settings = app.settings()
    kinds = sorted({entry.kind for entry in settings.exports})
    if not kinds:
        raise UsageError(
            "no export is configured.", record="[[exports]]", fix="Name the files there: see upswell init."
        )
    if kind is not None and kind not in kinds:
        raise UsageError(
            f"there is no [[exports]] of kind {kind}.",
            record="--kind",
            fix=f"Use one of: {', '.join(kinds)}.",
        )
    with open_loop(settings, app.screen) as loop, app.screen.progress("Check exports") as advance:
        found = check_exports(settings, loop.store, now=loop.clock(), kind=kind, progress=advance)
    bad = [each for each in found if each.error is not None]
    app.answer.data = {
        "files": [asdict(each) for each in found],
        "rows": sum(each.rows or 0 for each in found),
        "bad": len(bad),
    }
    show_kinds(app, found)
    for each in found:
        if each.warning is not None:
            app.warn(each.warning)
    for each in bad:
        app.answer.errors.append(
            {"code": "input", "message": each.error, "record": each.where, "fix": each.fix}
        )
        app.screen.say(f"{each.where}: {each.error} Fix: {each.fix}", "red")
    if bad:
        app.answer.exit_code = ExitCode.USER_MUST_FIX
    else:
        app.screen.say(f"{len(found)} files can be read. Read the new ones with: upswell pull")


def show_kinds(app: App, found: list[FileCheck]) -> None:
    """One line a kind, format and state; `--json` lists every file."""
    groups: dict[tuple[str, str, str], list[FileCheck]] = {}
    for each in found:
        groups.setdefault((each.kind, each.format or "", each.state), []).append(each)
    app.screen.table(
        ("Kind", "Format", "State", "Files", "Rows", "From", "To"),
        [
            (
                kind,
                form,
                state,
                f"{len(files):,}",
                f"{sum(each.rows or 0 for each in files):,}",
                _day(min((each.first_at for each in files if each.first_at), default=None)),
                _day(max((each.last_at for each in files if each.last_at), default=None)),
            )
            for (kind, form, state), files in groups.items()
        ],
        right=("Files", "Rows"),
    )


@verb(
    "exports status",
    summary="Show which exports were read, up to which day, which days are missing, and which files are bad.",
    examples=("upswell exports status", "upswell exports status --files", "upswell exports status --json"),
    exit_codes=CODES,
)
@click.option("--files", is_flag=True, help="List every file too.")
def status(app: App, files: bool) -> None:
    """Show what was read, by kind; a kind that is configured and was never read is named."""
    from sync.export_overlaps import overlaps, sampled_files
    from sync.export_status import status_of_exports

    settings = app.settings()
    with open_loop(settings, app.screen) as loop:
        found = status_of_exports(loop.store)
        shared = overlaps(sampled_files(loop.store))
    never = sorted({entry.kind for entry in settings.exports} - {each.kind for each in found if each.files})
    app.answer.data = {
        "kinds": [kind_facts(each) for each in found],
        "overlaps": [asdict(each) for each in shared],
        "never_read": never,
    }
    if found:
        show_status(app, found)
    if files and found:
        show_files(app, found)
    for kind in found:
        for each in kind.quarantined:
            app.warn(str(each))
    for overlap in shared:
        app.warn(str(overlap))
    if never:
        app.warn(f"configured, but never read: {', '.join(never)}; read them with: upswell pull")
    if not found and not never:
        app.screen.say("No export is configured. Name the files in [[exports]] of the settings.")


def kind_facts(status: KindStatus) -> dict[str, Any]:
    """What was read of a kind, as data."""
    return {
        "kind": status.kind,
        "formats": list(status.formats),
        "files": [asdict(each) for each in status.files],
        "missing": status.missing,
        "rows": status.rows,
        "first_at": status.first_at,
        "last_at": status.last_at,
        "read_at": status.read_at,
        "gaps": [asdict(each) for each in status.gaps],
        "quarantined": [asdict(each) for each in status.quarantined],
    }


def show_status(app: App, found: list[KindStatus]) -> None:
    """One line a kind."""
    from sync.export_status import gap_words

    app.screen.table(
        ("Kind", "Format", "Files", "Gone", "Bad", "Rows", "From", "To", "Last read (UTC)", "No rows on"),
        [
            (
                each.kind,
                ", ".join(each.formats),
                f"{len(each.files):,}",
                f"{each.missing:,}",
                f"{len(each.quarantined):,}",
                f"{each.rows:,}",
                _day(each.first_at),
                _day(each.last_at),
                "" if each.read_at is None else f"{each.read_at:%Y-%m-%d %H:%M}",
                gap_words(each.gaps),
            )
            for each in found
        ],
        right=("Files", "Gone", "Bad", "Rows"),
    )


def show_files(app: App, found: list[KindStatus]) -> None:
    """One line a file."""
    app.screen.head("Files")
    app.screen.table(
        ("Kind", "Format", "State", "Rows", "From", "To", "File"),
        [
            (
                kind.kind,
                file.format,
                file.status,
                f"{file.rows:,}",
                _day(file.first_at),
                _day(file.last_at),
                file.path,
            )
            for kind in found
            for file in kind.files
        ],
        right=("Rows",),
    )


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d}"


command.add_command(check)
command.add_command(status)
command.add_command(match)
