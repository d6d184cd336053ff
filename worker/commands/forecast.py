"""`upswell forecast`: expected expansion ARR by fiscal quarter, retention beside it, and its own backtest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.loop import Loop


class Groupings(click.ParamType[tuple[str, ...]]):
    """Names separated by commas, each one of quarter, product, owner, segment."""

    name = "quarter,product,owner,segment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names in the order given, each once."""
        known = self.name.split(",")
        asked = tuple(dict.fromkeys(name.strip() for name in str(value).split(",") if name.strip()))
        unknown = [name for name in asked if name not in known]
        if unknown or not asked:
            self.fail(f"{', '.join(unknown) or 'nothing'} is none of {', '.join(known)}", param, ctx)
        return asked


@verb(
    "forecast",
    examples=(
        "upswell forecast",
        "upswell forecast --by owner,product --json",
        "upswell forecast --backtest",
        "upswell forecast --rows forecast.csv",
    ),
)
@click.option(
    "--by", type=Groupings(), help="Split by these; several give a row for each of their combinations."
)
@click.option(
    "--backtest",
    is_flag=True,
    help="Say what it would have said at the start of each past quarter, and what happened; trains a model "
    "for each. Later forecasts take the width of their ranges from it.",
)
@click.option(
    "--rows",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows of all snapshots so far to this file instead: .csv, .json or .parquet.",
)
def command(app: App, by: tuple[str, ...] | None, backtest: bool, rows: Path | None) -> None:
    """Forecast this fiscal quarter and the next three from the newest scoring, the deals and the wins."""
    if backtest and by:
        raise click.UsageError("--backtest is of the whole book: leave out --by.")
    if rows is not None and (backtest or by):
        raise click.UsageError("--rows writes what was forecast before: leave out --by and --backtest.")
    if rows is not None:
        _export(app, rows)
        return
    with open_loop(app.settings(), app.screen) as loop:
        if backtest:
            _backtest(app, loop)
        else:
            _forecast(app, loop, by or ())


def _forecast(app: App, loop: Loop, by: tuple[str, ...]) -> None:
    from sync.forecasting import make_forecast
    from worker.forecast_report import bridge_table, facts, group_table, quarter_table, renewal_table

    found = make_forecast(loop, by=by)
    app.answer.data = facts(found, by)
    for warning in found.warnings:
        app.warn(warning)
    screen, labels = app.screen, [quarter.label for quarter in found.quarters]
    screen.head(
        f"Expansion ARR in {found.currency} by fiscal quarter, scored as of {found.scored_on} "
        f"({found.model_version}), deals as of {found.today}"
    )
    names, rows = quarter_table(found)
    screen.table(names, rows, right=names[1:])
    if [name for name in by if name != "quarter"]:
        names, rows = group_table(found, by)
        screen.head("Split")
        screen.table(names, rows, right=names[1:])
    if found.retention.quarters:
        screen.head(f"ARR of the same customers in {found.currency}: past quarters by billing, then expected")
        names, rows = bridge_table(found.retention)
        screen.table(names, rows, right=names[1:])
        screen.head("Up for renewal")
        names, rows = renewal_table(found.retention, labels)
        screen.table(names, rows, right=names[1:])
    screen.head("What this assumes")
    for sentence in (*found.assumptions, *found.retention.assumptions):
        screen.say(f"- {sentence}")


def _export(app: App, path: Path) -> None:
    """The rows of the ledger, those in the CRM and those kept for want of an object there, as a file."""
    from connectors.fields import object_specs
    from sync.own_rows import rows_for_a_file
    from sync.planned_rows import FORECASTS
    from sync.sheet import check_ending, write_sheet

    check_ending(path)
    with open_loop(app.settings(), app.screen) as loop:
        rows = rows_for_a_file(loop.store, FORECASTS)
    count = write_sheet(path, tuple(object_specs()[FORECASTS].fields), rows, {})
    app.answer.data = {"file": path, "rows": count}
    app.screen.say(f"Wrote {count:,} rows to {path}.")


def _backtest(app: App, loop: Loop) -> None:
    from sync.forecast_backtest import backtest_forecast
    from worker.forecast_report import backtest_facts, backtest_table, verdict

    found = backtest_forecast(loop)
    app.answer.run_id = found.run_id
    app.answer.data = backtest_facts(found)
    app.screen.head(f"What was expected at the start of each quarter, and what came, in {found.currency}")
    names, rows = backtest_table(found)
    app.screen.table(names, rows, right=names[1:])
    app.screen.say(verdict(found))
