"""`upswell pipeline`: the ranked expansion pipeline of a month or quarter, within each owner's slots."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.pipeline import Pipeline


@verb("pipeline", examples=("upswell pipeline", "upswell pipeline --period quarter --by owner --json"))
@click.option(
    "--period",
    type=click.Choice(["month", "quarter"]),
    default="month",
    show_default=True,
    help="The calendar month or fiscal quarter that holds the day of the newest scoring.",
)
@click.option("--by", type=click.Choice(["owner"]), help="Show each owner's own list.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Accounts to show; --json has all of them.",
)
def command(app: App, period: str, by: str | None, limit: int) -> None:
    """Rank the accounts worth a conversation in a period, and show who has too many and who too few."""
    from sync.pipeline import plan_pipeline

    with open_loop(app.settings(), app.screen) as loop:
        found = plan_pipeline(loop, period=period)
    app.answer.data = facts(found)
    screen = app.screen
    screen.head(
        f"Expansion pipeline of {found.period.label} in {found.currency}, scored as of {found.scored_on} "
        f"({found.model_version})"
    )
    if not found.prospects:
        screen.say(
            "No account is worth a conversation in this period: none has a play. See why with: upswell score"
        )
    elif by == "owner":
        for load in found.loads:
            if load.prospects:
                screen.say()
                screen.say(f"{load.owner}: {load.prospects} prospects, {load.slots} slots", "bold")
                _show(app, found, limit, owner=load.owner)
    else:
        _show(app, found, limit)
    screen.head("By owner")
    columns = ("Owner", "Prospects", "Slots", "Expected", "With a slot", "Left over", "")
    screen.table(
        columns,
        [
            (
                load.owner,
                f"{load.prospects:,}",
                f"{load.slots:,}",
                *(f"{arr:,.0f}" for arr in (load.expected, load.within, load.left_over)),
                load.standing,
            )
            for load in found.loads
        ],
        right=columns[1:-1],
    )
    screen.say(spread(found))
    screen.head("What this assumes")
    for sentence in found.assumptions:
        screen.say(f"- {sentence}")


def facts(found: Pipeline) -> dict[str, Any]:
    """The pipeline as data."""
    return {
        "scored_on": found.scored_on,
        "model_version": found.model_version,
        "currency": found.currency,
        "period": asdict(found.period),
        "weeks": found.weeks,
        "prospects": [asdict(each) for each in found.prospects],
        "owners": [
            asdict(load) | {"left_over": load.left_over, "standing": load.standing} for load in found.loads
        ],
        "top_fifth": found.top_fifth,
        "assumptions": list(found.assumptions),
    }


def spread(found: Pipeline) -> str:
    """How the potential lies over the owners, in a sentence."""
    over = [load for load in found.loads if load.standing == "overloaded"]
    idle = [load for load in found.loads if load.standing == "idle"]
    free = sum(load.slots - load.prospects for load in found.loads if load.slots > load.prospects)
    within, whole = (sum(getattr(load, part) for load in found.loads) for part in ("within", "expected"))
    said = (
        f"Of {whole:,.0f} expected, {within:,.0f} lies with accounts that get a slot. {len(over)} of "
        f"{len(found.loads)} owners have more prospects than slots, "
        f"{sum(load.left_over for load in over):,.0f} left over; {len(idle)} fill fewer than half, and "
        f"{free:,} slots are free."
    )
    if found.top_fifth is not None:
        said += f" The fifth of owners with most hold {100 * found.top_fifth:.0f} % of it."
    return said


def _show(app: App, found: Pipeline, limit: int, owner: str | None = None) -> None:
    chosen = [each for each in found.prospects if owner in (None, each.owner)]
    columns = ("Rank", "Account", "Owner", "Product", "Timing", "Play", "Chance", "Expected", "Slot")
    app.screen.table(
        columns,
        [
            (
                f"{each.rank}",
                each.name,
                each.owner,
                each.product or "",
                each.timing or "",
                each.play,
                f"{100 * each.chance:.0f} %",
                f"{each.expected:,.0f}",
                "yes" if each.has_slot else "no",
            )
            for each in chosen[:limit]
        ],
        right=("Rank", "Chance", "Expected"),
    )
    if len(chosen) > limit:
        app.screen.say(f"… and {len(chosen) - limit:,} more (--limit).")
