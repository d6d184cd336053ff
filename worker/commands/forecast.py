"""`upswell forecast`: expected expansion ARR by fiscal quarter."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.forecasting import Forecast


@verb("forecast", examples=("upswell forecast", "upswell forecast --by product --json"))
@click.option(
    "--by", type=click.Choice(["product", "owner", "segment"]), help="Show each of these by itself as well."
)
def command(app: App, by: str | None) -> None:
    """Forecast this fiscal quarter and the next three from the newest scoring, the deals and the wins."""
    from sync.forecasting import make_forecast

    with open_loop(app.settings(), app.screen) as loop:
        found = make_forecast(loop, by=by)
    app.answer.data = forecast_facts(found, by)
    for warning in found.warnings:
        app.warn(warning)
    app.screen.head(
        f"Expansion ARR in {found.currency} by fiscal quarter, scored as of {found.scored_on} "
        f"({found.model_version}), deals as of {found.today}"
    )
    show_quarters(app, found)
    if by is not None:
        show_groups(app, found, by)
    app.screen.head("What this assumes")
    for sentence in found.assumptions:
        app.screen.say(f"- {sentence}")


def forecast_facts(found: Forecast, by: str | None) -> dict[str, Any]:
    """The forecast as data: every line, and totals by quarter and basis."""
    from sync.forecasting import BASES

    return {
        "scored_on": found.scored_on,
        "today": found.today,
        "model_version": found.model_version,
        "currency": found.currency,
        "by": by,
        "quarters": [asdict(quarter) for quarter in found.quarters],
        "lines": [asdict(line) for line in found.lines],
        "totals": {
            quarter.label: {basis: found.total(basis=basis, quarter=quarter.label) for basis in BASES}
            | {"total": found.total(quarter=quarter.label)}
            for quarter in found.quarters
        },
        "total": found.total(),
        "assumptions": list(found.assumptions),
    }


def show_quarters(app: App, found: Forecast) -> None:
    """A row a basis, a column a quarter, and the totals."""
    from sync.forecasting import BASES, MODEL

    labels = [quarter.label for quarter in found.quarters]
    rows = [
        (
            basis,
            *(_money(found.total(basis=basis, quarter=label)) for label in labels),
            _money(found.total(basis=basis)),
        )
        for basis in BASES
    ]
    rows.append(("Total", *(_money(found.total(quarter=label)) for label in labels), _money(found.total())))
    beyond = {
        label: sum(
            line.beyond_horizon for line in found.lines if line.basis == MODEL and line.quarter == label
        )
        for label in labels
    }
    rows.append(
        ("of which run rate", *(_money(beyond[label]) for label in labels), _money(sum(beyond.values())))
    )
    app.screen.table(("Basis", *labels, "All"), rows, right=(*labels, "All"))


def show_groups(app: App, found: Forecast, by: str) -> None:
    """A row a group, the largest first."""
    labels = [quarter.label for quarter in found.quarters]
    groups = sorted(
        {line.group for line in found.lines}, key=lambda group: (-found.total(group=group), group)
    )
    app.screen.table(
        (by.capitalize(), *labels, "All"),
        [
            (
                group,
                *(_money(found.total(group=group, quarter=label)) for label in labels),
                _money(found.total(group=group)),
            )
            for group in groups
        ],
        right=(*labels, "All"),
    )


def _money(arr: float) -> str:
    return f"{arr:,.0f}" if arr else "—"
