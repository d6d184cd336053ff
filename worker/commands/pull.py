"""`upswell pull`: what is new in the CRM and in the exports, into the lake."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.export_report import ExportReport
    from sync.pull import PullReport


@verb("pull", examples=("upswell pull", "upswell --config acme.toml pull --full"))
@click.option("--full", is_flag=True, help="Read every record again, not only what changed.")
@click.option("--no-exports", is_flag=True, help="Leave the exports alone.")
def command(app: App, full: bool, no_exports: bool) -> None:
    """Pull, and show what came."""
    from connectors.mappings import kind_of

    with open_loop(app.settings(), app.screen) as loop, loop.run("pull") as run:
        app.answer.run_id = run.id
        pulled = loop.pull(run, full=full)
        read = None if no_exports else loop.exports(run)
    app.answer.data = pull_facts(pulled, read)
    for warning in pull_warnings(pulled, read):
        app.warn(warning)
    app.screen.head(f"Pulled from {pulled.org.name} ({pulled.org.kind}, {pulled.api_calls} API calls)")
    app.screen.table(
        ("Table", "Rows", "Deleted", "Since"),
        [
            (
                kind_of(t.table),
                f"{t.rows:,}",
                f"{t.deleted:,}",
                "the beginning" if t.since is None else f"{t.since:%Y-%m-%d %H:%M} UTC",
            )
            for t in pulled.tables
        ],
        right=("Rows", "Deleted"),
    )
    if read is not None:
        app.screen.head(f"Exports: {export_sentence(read)}")
        if read.rows:
            app.screen.table(
                ("Kind", "Rows"), [(kind, f"{rows:,}") for kind, rows in read.rows.items()], right=("Rows",)
            )


def pull_facts(pulled: PullReport, read: ExportReport | None) -> dict[str, Any]:
    """What a pull found, as data."""
    return {
        "org": pulled.org.id,
        "server_time": pulled.server_time,
        "api_calls": pulled.api_calls,
        "pulled": {table.table: table.rows for table in pulled.tables},
        "invisible": dict(pulled.invisible),
        "absent": dict(pulled.absent),
        "exports": {} if read is None else dict(read.rows),
        "files_read": 0 if read is None else len(read.read) + len(read.replaced),
        "files_unchanged": 0 if read is None else len(read.unchanged),
        "files_quarantined": [] if read is None else [asdict(each) for each in read.quarantined],
    }


def pull_warnings(pulled: PullReport, read: ExportReport | None) -> list[str]:
    """What people should know of a pull: tables that the user can't see, exports that are gone or bad."""
    from connectors.mappings import kind_of

    unseen = [f"{kind_of(table)} was not pulled: {why}" for table, why in pulled.invisible.items()]
    return [*unseen, *(() if read is None else read.warnings)]


def export_sentence(read: ExportReport) -> str:
    """How many files were read, in words."""
    parts = [f"{len(read.read)} read"]
    parts += [f"{len(read.replaced)} replaced"] if read.replaced else []
    parts += [f"{len(read.unchanged)} unchanged"] if read.unchanged else []
    parts += [f"{len(read.quarantined)} quarantined"] if read.quarantined else []
    return ", ".join(parts)
