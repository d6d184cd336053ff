"""`upswell train`: a model on everything that is known."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.loop import TrainReport

DAY = click.DateTime(formats=["%Y-%m-%d"])


@verb("train", examples=("upswell train", "upswell train --as-of 2026-09-30 --seed 7"))
@click.option("--as-of", type=DAY, help="Know nothing after this day.  [default: the CRM server's today]")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of CatBoost's own chance."
)
def command(app: App, as_of: datetime | None, seed: int) -> None:
    """Train, keep and make current; show how good it is on a later window."""
    with open_loop(app.settings(), app.screen) as loop, loop.run("train") as run:
        app.answer.run_id = run.id
        report = loop.train(run, loop.today() if as_of is None else as_of.date(), seed=seed)
    app.answer.data = train_facts(report)
    app.screen.head(f"Model {report.version} is trained and current")
    show_model(app, report)


def train_facts(report: TrainReport) -> dict[str, Any]:
    """What a training found, as data."""
    return {
        "model_version": report.version,
        "data_hash": report.panel.data_hash,
        "rows": report.panel.table.num_rows,
        "features": len(report.panel.features),
        "metrics": report.trained.metrics,
    }


def show_model(app: App, report: TrainReport) -> None:
    """The model's figures on a later window beside the simple baselines."""
    for line in report.trained.card_lines():
        app.screen.say(line)
