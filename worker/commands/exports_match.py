"""`upswell exports match`: which account each key of the exports means, and who stays alone on both sides."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.find_account import NamedAccount
    from sync.identity_report import IdentityReport, LoneKey

COLUMNS = ("account_key", "crm_id", "rows", "tables", "why", "may_be")


@verb(
    "exports match",
    summary="Show which accounts the exports' keys mean, by which way, and what a person must decide.",
    examples=("upswell exports match", "upswell exports match --out review.csv"),
)
@click.option(
    "--sample", type=click.IntRange(1), default=10, show_default=True, help="How many of each kind to show."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the keys of no account as CSV: fill in crm_id (or: none), name it in [identity] overrides.",
)
def command(app: App, sample: int, out: Path | None) -> None:
    """Show the report of identity resolution on what the lake holds."""
    from sync.find_account import read_names

    with open_loop(app.settings(), app.screen) as loop:
        resolved = loop.tables()
        named = {account.account_id: account for account in read_names(resolved.tables)}
    report = resolved.report
    app.answer.data = _facts(report, named, sample)
    for warning in report.warnings:
        app.warn(warning)
    show_counts(app, report)
    _show_lone(app, report, named, sample)
    _show_silent(app, report, named, sample)
    if out is not None:
        from sync.sheet import write_sheet

        undecided = [_review(each, named) for each in report.lone]
        write_sheet(out, COLUMNS, undecided, {})
        app.screen.say(f"Wrote {len(undecided):,} keys to {out}. Fill in crm_id, and name it in [identity].")


def show_counts(app: App, report: IdentityReport) -> None:
    """By which way the keys found their account, and why others didn't."""
    whys: dict[str, int] = {}
    for each in report.lone:
        whys[each.why] = whys.get(each.why, 0) + 1
    app.screen.head(
        f"{report.accounts - report.accounts_without_export:,} of {report.accounts:,} accounts are known "
        f"to an export; {sum(report.ways.values()):,} of {report.export_keys:,} keys belong to an account"
    )
    rows = [("found", way, f"{keys:,}") for way, keys in report.ways.items()]
    rows += [("not found", why, f"{keys:,}") for why, keys in whys.items()]
    app.screen.table(("Keys", "By", "How many"), rows, right=("How many",))


def _show_lone(app: App, report: IdentityReport, named: dict[str, NamedAccount], sample: int) -> None:
    if not report.lone:
        return
    app.screen.head(f"Keys of no account, the most rows first ({_of(sample, len(report.lone))})")
    app.screen.table(
        ("Key", "Rows", "In", "Why", "May be"),
        [
            (
                each.key,
                f"{sum(each.rows.values()):,}",
                ", ".join(each.rows),
                each.why,
                ", ".join(_name(account_id, named) for account_id in each.candidates),
            )
            for each in report.lone[:sample]
        ],
        right=("Rows",),
    )


def _show_silent(app: App, report: IdentityReport, named: dict[str, NamedAccount], sample: int) -> None:
    if not report.silent:
        return
    app.screen.head(f"Accounts that no export knows ({_of(sample, len(report.silent))})")
    app.screen.table(
        ("Account", "CRM record", "Own id", "Name"),
        [
            (account_id, each.crm_id or "", each.external_id or "", each.name)
            for account_id in report.silent[:sample]
            if (each := named.get(account_id)) is not None
        ],
    )


def _facts(report: IdentityReport, named: dict[str, NamedAccount], sample: int) -> dict[str, Any]:
    whole = asdict(report)
    shown = [asdict(named[each]) for each in report.silent[:sample] if each in named]
    return whole | {
        "matched_share": report.matched_share,
        "silent": shown,
        "lone": whole["lone"][:sample],
        "lone_keys": len(report.lone),
    }


def _review(each: LoneKey, named: dict[str, NamedAccount]) -> dict[str, Any]:
    return {
        "account_key": each.key,
        "crm_id": None,
        "rows": sum(each.rows.values()),
        "tables": tuple(each.rows),
        "why": each.why,
        "may_be": tuple(_name(account_id, named) for account_id in each.candidates),
    }


def _name(account_id: str, named: dict[str, NamedAccount]) -> str:
    account = named.get(account_id)
    return account_id if account is None else f"{account.name} ({account.crm_id})"


def _of(shown: int, all_of_them: int) -> str:
    return f"{shown:,} of {all_of_them:,}" if shown < all_of_them else f"{all_of_them:,}"
