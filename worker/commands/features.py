"""`upswell features`: what the model looks at, and an account's values on a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from model.features.feature import Family


@verb("features", examples=("upswell features --family seats", "upswell features C-00042 --as-of 2026-09-30"))
@click.argument("account", required=False)
@click.option(
    "--as-of",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="What was known on this day.  [default: the day of the newest scoring]",
)
@click.option("--family", help="Only this signal family, such as seats.")
def command(app: App, account: str | None, as_of: datetime | None, family: str | None) -> None:
    """List the features with unit, source and meaning; with an account, what each is for it."""
    families = _families(family)
    if account is None:
        app.answer.data = {"families": [_family_facts(each, None) for each in families]}
        show_catalogue(app, families)
        return
    from sync.find_account import find_account, read_names
    from sync.snapshot_rows import newest_day, rows_of

    with open_loop(app.settings(), app.screen) as loop:
        found = find_account(read_names(loop.tables().tables), account)
        day = newest_day(loop) if as_of is None else as_of.date()
        rows = rows_of(loop, day)
        values = rows.values(found.account_id)
    app.answer.data = {
        "account_id": found.account_id,
        "crm_id": found.crm_id,
        "name": found.name,
        "as_of": day,
        "families": [_family_facts(each, values) for each in families],
    }
    app.screen.head(f"{found.name} ({found.account_id}) as known on {day}")
    show_values(app, families, values, day)


def show_catalogue(app: App, families: tuple[Family, ...]) -> None:
    """Each family as a table of its features."""
    for each in families:
        app.screen.head(f"{each.title} ({each.name}), from {', '.join(each.needs)}")
        app.screen.table(
            ("Feature", "Unit", "Source", "What it is"),
            [(f.name, f.unit, f.source, f.about) for f in each.features],
        )


def show_values(app: App, families: tuple[Family, ...], values: dict[str, Any], day: date) -> None:
    """The known features of each family with their value, and the families without data."""
    unknown = []
    for each in families:
        known = [f for f in each.features if values.get(f.name) is not None]
        if not known:
            unknown.append(each.title)
            continue
        app.screen.head(f"{each.title}: {len(known)} of {len(each.features)} features known")
        app.screen.table(
            ("Feature", "Value", "What it is"),
            [(f.name, _written(values[f.name], f.unit), f.about) for f in known],
            right=("Value",),
        )
    if unknown:
        app.screen.say(f"Nothing was known on {day} about: {', '.join(unknown)}.")


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


def _family_facts(family: Family, values: dict[str, Any] | None) -> dict[str, Any]:
    features = []
    for f in family.features:
        fact = {"name": f.name, "unit": f.unit, "source": f.source, "about": f.about}
        features.append(fact if values is None else fact | {"value": values.get(f.name)})
    return {"name": family.name, "title": family.title, "features": features}


def _written(value: Any, unit: str) -> str:
    from model.wordsmith import write_value

    return value if isinstance(value, str) else write_value(value, unit)
