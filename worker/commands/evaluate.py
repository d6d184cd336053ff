"""`upswell evaluate`: a model judged on later outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.commands.train import NO_SIGNAL_TOLD
from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.evaluation import Evaluation

FILE = click.Path(dir_okay=False, path_type=Path)


@verb("evaluate", examples=("upswell evaluate", "upswell evaluate --out report.md --html report.html"))
@click.option("--model", "version", help="Version to judge.  [default: the current one]")
@click.option("--out", type=FILE, help="Write the report here: Markdown, or JSON for a name in .json.")
@click.option("--html", type=FILE, help="Write a page with the calibration plot and the lift chart.")
def command(app: App, version: str | None, out: Path | None, html: Path | None) -> None:
    """Judge the model out of time against base rate, scorecard and seat rule; write reports if asked."""
    from sync.evaluation import evaluate_model
    from worker.evaluation_page import page
    from worker.evaluation_report import markdown

    with open_loop(app.settings(), app.screen) as loop:
        found = evaluate_model(loop, version)
    app.answer.data = found.facts()
    show_evaluation(app, found)
    if out is not None:
        text = app.answer.as_json() + "\n" if out.suffix == ".json" else markdown(found)
        _write(app, out, text)
    if html is not None:
        _write(app, html, page(found))


def show_evaluation(app: App, found: Evaluation) -> None:
    """The report's tables on the screen."""
    from worker.evaluation_report import (
        calibration_table,
        cohort_table,
        gains_table,
        headline,
        quality_table,
    )

    screen = app.screen
    screen.head(f"Model {found.version}")
    screen.say(headline(found))
    if found.basis == "no_signal":
        app.warn(NO_SIGNAL_TOLD)
    if found.data_changed:
        app.warn("what the lake says about the days it was trained on has changed since")
    tables = {"": quality_table(found), "Calibration": calibration_table(found), "Lift": gains_table(found)}
    tables |= {f"By {name}": cohort_table(found, name) for name in found.cohorts}
    for title, (names, rows) in tables.items():
        if title:
            screen.head(title)
        numbers = [name for name in names[1:] if not name.startswith("o said")]
        screen.table(names, rows, right=numbers)
    said = found.at_training.get("served")
    if said is not None:
        figures = f"AUC {said['auc']:.3f}, log loss {said['log_loss']:.3f}"
        screen.say(f"When it was trained: {figures} on {said['rows']:,.0f} later rows (upswell train).")


def _write(app: App, file: Path, text: str) -> None:
    """Write a report. Raises InputError when the file can't be written."""
    from connectors.errors import InputError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"this file can't be written: {error.strerror}.", record=str(file), fix="name another one"
        ) from None
    app.screen.say(f"Wrote {file}.")
