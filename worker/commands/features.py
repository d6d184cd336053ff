"""`upswell features`: what the model looks at, an account's values on a day, and what they were made of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from worker.features_report import Shown, show_limits, show_moves, show_peers, show_values
from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from model.features.feature import Family
    from model.source_rows import SourceRows

LISTED: Final = 3  # source rows of each kind in the JSON, and on the screen where a family is asked for
DAY = click.DateTime(formats=["%Y-%m-%d"])


@verb(
    "features",
    examples=(
        "upswell features --family seats",
        "upswell features C-00042 --as-of 2026-09-30 --family support",
        "upswell features C-00042 --compare 2026-08-31",
    ),
)
@click.argument("account", required=False)
@click.option(
    "--as-of",
    type=DAY,
    help="What was known on this day.  [default: the day of the newest scoring]",
)
@click.option("--compare", type=DAY, help="Show what moved since this day, the largest move first.")
@click.option("--family", help="Only this signal family, such as seats.")
@click.option(
    "--rows",
    type=click.IntRange(0, 1000),
    help=f"List so many source rows of each kind.  [default: {LISTED} with --family or --json, else counts]",
)
def command(
    app: App,
    account: str | None,
    as_of: datetime | None,
    compare: datetime | None,
    family: str | None,
    rows: int | None,
) -> None:
    """List the features with unit, source and meaning; with an account, its values and their source rows."""
    families = _families(family)
    if account is None:
        _refuse_without_account(as_of=as_of, compare=compare, rows=rows)
        app.answer.data = {"families": [_family_facts(each, None) for each in families]}
        show_catalogue(app, families)
        return
    from sync.account_features import limits_of, moves_between, products_of_peers, rows_behind
    from sync.find_account import find_account, read_names
    from sync.snapshot_rows import newest_day, rows_of_days

    with open_loop(app.settings(), app.screen) as loop:
        tables = loop.tables().tables
        found = find_account(read_names(tables), account)
        day = newest_day(loop) if as_of is None else as_of.date()
        built = rows_of_days(loop, {day} if compare is None else {day, compare.date()})
        now = built[day]
        completeness = now.row(found.account_id)["data_completeness"][0].as_py()
        app.answer.data = {
            "account_id": found.account_id,
            "crm_id": found.crm_id,
            "name": found.name,
            "as_of": day,
            "data_completeness": completeness,
            "absent_columns": now.rows.absent,
        }
        app.screen.head(
            f"{found.name} ({found.account_id}) as known on {day}; data completeness {completeness:.0%}"
        )
        for each in families:
            if absent := now.rows.absent.get(each.name):
                app.screen.say(f"Nobody delivers, of what {each.title} needs: {', '.join(absent)}.", "yellow")
        if compare is not None:
            before = built[compare.date()]
            moves = moves_between(before, now, found.account_id)
            wanted = {feature.name for each in families for feature in each.features}
            show_moves(app, [each for each in moves if each.feature.name in wanted], before.day)
            return
        listed = LISTED if rows is None else rows
        behind = rows_behind(tables, now, found.account_id, families, limit=listed, products=loop.products)
        shown = Shown(values=now.values(found.account_id), rows=behind, day=day)
        names = {each.name for each in families}
        limits = limits_of(tables, now, found.account_id) if "limits" in names else None
        peers = None
        if "peers" in names:
            peers = products_of_peers(
                tables, now, found.account_id, target=loop.target, products=loop.products
            )
    app.answer.data["families"] = [_family_facts(each, shown) for each in families]
    show_values(app, families, shown, list_rows=bool(listed) and (rows is not None or family is not None))
    if limits is not None:
        app.answer.data["limits"] = limits
        show_limits(app, limits)
    if peers is not None:
        app.answer.data["products_of_peers"] = peers
        show_peers(app, peers)


def show_catalogue(app: App, families: tuple[Family, ...]) -> None:
    """Each family as a table of its features."""
    for each in families:
        app.screen.head(f"{each.title} ({each.name}), from {', '.join(each.needs)}")
        app.screen.table(
            ("Feature", "Unit", "Source", "Favours", "What it is"),
            [(f.name, f.unit, f.source, f.favours, f.about) for f in each.features],
        )


def _families(wanted: str | None) -> tuple[Family, ...]:
    """The families asked for. Raises UsageError for a name that no family has."""
    from connectors.errors import UsageError
    from model.features.families import FAMILIES

    if wanted is None:
        return FAMILIES
    found = tuple(each for each in FAMILIES if each.name == wanted)
    if not found:
        names = ", ".join(each.name for each in FAMILIES)
        raise UsageError("there is no such signal family.", record=wanted, fix=f"Use one of: {names}.")
    return found


def _refuse_without_account(**options: Any) -> None:
    """Raises UsageError for an option that means nothing without an account."""
    from connectors.errors import UsageError

    for name, value in options.items():
        if value is not None:
            raise UsageError(
                "this needs an account.",
                record=f"--{name.replace('_', '-')}",
                fix="Name one: upswell features ACCOUNT; without one the catalogue is listed.",
            )


def _family_facts(family: Family, shown: Shown | None) -> dict[str, Any]:
    features = []
    for f in family.features:
        fact: dict[str, Any] = {
            "name": f.name,
            "unit": f.unit,
            "source": f.source,
            "favours": f.favours,
            "about": f.about,
        }
        if shown is not None:
            behind = [_rows_facts(each) for each in shown.rows[f.name]]
            fact |= {"value": shown.values.get(f.name), "made_of": behind}
        features.append(fact)
    return {"name": family.name, "title": family.title, "features": features}


def _rows_facts(found: SourceRows) -> dict[str, Any]:
    facts = asdict(found)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return {name: facts[name] for name in ("table", "total", "first", "last")} | {"newest": rows}
