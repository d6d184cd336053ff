"""`upswell features`: what the model looks at, an account's values on a day, and what they were made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from model.features.feature import Family
    from model.source_rows import SourceRows
    from sync.account_features import Move
    from sync.snapshot_rows import DayRows

ONE_AND_MANY: Final = {
    "accounts": ("account record", "account records"),
    "contacts": ("contact", "contacts"),
    "opportunities": ("opportunity", "opportunities"),
    "account_history": ("change", "changes"),
    "activities": ("activity", "activities"),
    "tickets": ("ticket", "tickets"),
    "events": ("event", "events"),
    "users": ("user", "users"),
    "usage": ("usage figure", "usage figures"),
    "billing": ("invoice", "invoices"),
    "entitlements": ("entitlement", "entitlements"),
    "surveys": ("answer", "answers"),
    "triggers": ("trigger event", "trigger events"),
    "notes": ("note", "notes"),
}
LISTED: Final = 3  # source rows of each kind in the JSON, and on the screen where a family is asked for
DAY = click.DateTime(formats=["%Y-%m-%d"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One account's features on a day: the values and the source rows by feature."""

    values: Mapping[str, Any]
    rows: Mapping[str, Sequence[SourceRows]]
    day: date


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
    from sync.account_features import moves_between, products_of_peers, rows_behind
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
            _compare(app, [each for each in moves if each.feature.name in wanted], before)
            return
        listed = LISTED if rows is None else rows
        behind = rows_behind(tables, now, found.account_id, families, limit=listed, products=loop.products)
        shown = Shown(values=now.values(found.account_id), rows=behind, day=day)
        peers = None
        if any(each.name == "peers" for each in families):
            peers = products_of_peers(
                tables, now, found.account_id, target=loop.target, products=loop.products
            )
    app.answer.data["families"] = [_family_facts(each, shown) for each in families]
    show_values(app, families, shown, list_rows=bool(listed) and (rows is not None or family is not None))
    if peers is not None:
        app.answer.data["products_of_peers"] = peers
        _show_peers(app, peers)


def show_catalogue(app: App, families: tuple[Family, ...]) -> None:
    """Each family as a table of its features."""
    for each in families:
        app.screen.head(f"{each.title} ({each.name}), from {', '.join(each.needs)}")
        app.screen.table(
            ("Feature", "Unit", "Source", "Favours", "What it is"),
            [(f.name, f.unit, f.source, f.favours, f.about) for f in each.features],
        )


def show_values(app: App, families: tuple[Family, ...], shown: Shown, *, list_rows: bool) -> None:
    """The known features of each family with value and source rows, and what nothing was known about."""
    unknown, missing = [], []
    for each in families:
        known = [f for f in each.features if shown.values.get(f.name) is not None]
        if not known:
            unknown.append(each.title)
            continue
        missing += [f.name for f in each.features if shown.values.get(f.name) is None]
        app.screen.head(f"{each.title}: {len(known)} of {len(each.features)} features known")
        app.screen.table(
            ("Feature", "Value", "Made of", "What it is"),
            [
                (f.name, _written(shown.values[f.name], f.unit), _made_of(shown.rows[f.name]), f.about)
                for f in known
            ],
            right=("Value",),
        )
        if list_rows:
            _list_rows(app, {f.name: shown.rows[f.name] for f in known})
    if unknown:
        app.screen.say(f"Nothing was known on {shown.day} about: {', '.join(unknown)}.")
    if missing:
        app.screen.say(f"Not known of the families above: {', '.join(missing)}.")


def _list_rows(app: App, behind: Mapping[str, Sequence[SourceRows]]) -> None:
    """The newest source rows, those that are the same for several features once."""
    kinds: dict[tuple[Any, ...], dict[str, None]] = {}
    for name, found in behind.items():
        for each in found:
            if each.rows:
                kinds.setdefault((each.table, each.columns, each.rows), {})[name] = None
    for (table, columns, rows), names in kinds.items():
        app.screen.say()
        app.screen.say(f"Newest {ONE_AND_MANY[table][1]} behind {', '.join(names)}", "dim")
        app.screen.table(columns, [tuple(map(_cell, row)) for row in rows])


def _show_peers(app: App, peers: list[dict[str, Any]]) -> None:
    """What accounts of the same segment and industry own and took up, by product."""
    if not peers:
        return
    app.screen.head(f"Products among the {peers[0]['peers']} other accounts of the same segment and industry")
    app.screen.table(
        ("Product", "Owned", "Peers own", "Took up in 90 days", "in 180 days"),
        [
            (
                line["product"],
                "yes" if line["owns"] else "no",
                f"{line['peers_own']}",
                f"{line['peers_taken_90']}",
                f"{line['peers_taken_180']}",
            )
            for line in peers
        ],
        right=("Peers own", "Took up in 90 days", "in 180 days"),
    )


def _compare(app: App, moves: list[Move], before: DayRows) -> None:
    """What moved, as a table and as data."""
    app.answer.data |= {
        "compared_with": before.day,
        "moves": [
            {
                "name": each.feature.name,
                "unit": each.feature.unit,
                "before": each.before,
                "after": each.after,
                "size": each.size,
            }
            for each in moves
        ],
    }
    if not moves:
        app.screen.say(f"Nothing moved since {before.day}.")
        return
    app.screen.say(
        f"{len(moves)} features moved since {before.day}. "
        "Moves are in standard deviations over all accounts of the later day."
    )
    app.screen.table(
        ("Feature", "Before", "Now", "Move", "What it is"),
        [
            (
                each.feature.name,
                _written(each.before, each.feature.unit),
                _written(each.after, each.feature.unit),
                "" if each.size is None else f"{each.size:.1f}",
                each.feature.about,
            )
            for each in moves
        ],
        right=("Before", "Now", "Move"),
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


def _made_of(found: Iterable[SourceRows]) -> str:
    """How many rows of which table, and of which days."""
    return "; ".join(dict.fromkeys(map(_counted, found))) or "the calendar"


def _counted(found: SourceRows) -> str:
    text = f"{found.total:,} {ONE_AND_MANY[found.table][found.total != 1]}"
    if found.first is None or found.last is None:
        return text
    days = f"{found.first}" if found.first == found.last else f"{found.first} to {found.last}"
    return f"{text}, {days}"


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _written(value: Any, unit: str) -> str:
    from model.wordsmith import write_value

    if value is None:
        return "unknown"
    return value if isinstance(value, str) else write_value(value, unit)
