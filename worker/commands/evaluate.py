"""`upswell evaluate`: a model judged on later outcomes, and the report on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.commands.train import NO_SIGNAL_TOLD
from worker.loop_home import open_loop
from worker.verb import App, verb
from worker.written_page import write_page

if TYPE_CHECKING:
    from sync.evaluation import Evaluation
    from worker.report.summary import Summary

FILE = click.Path(dir_okay=False, path_type=Path)


@verb(
    "evaluate",
    examples=("upswell evaluate", "upswell evaluate --html report.html --cohort industry --cohort owner_id"),
)
@click.option("--model", "version", help="Version to judge.  [default: the current one]")
@click.option(
    "--cohort",
    "cohorts",
    metavar="COLUMN",
    multiple=True,
    help="Also compare groups by this feature or account column; repeat for several.",
)
@click.option("--out", type=FILE, help="Write the report here: Markdown, or JSON for a name in .json.")
@click.option("--html", type=FILE, help="Write the whole report as one page, and keep it beside the model.")
def command(
    app: App, version: str | None, cohorts: tuple[str, ...], out: Path | None, html: Path | None
) -> None:
    """Judge the model out of time against simple baselines; write the report if asked."""
    from sync.evaluation import evaluate_model
    from worker.report.markdown import markdown
    from worker.report.page import page
    from worker.report.summary import summarise

    with open_loop(app.settings(), app.screen) as loop:
        found = evaluate_model(loop, version, cohorts)
        summary = summarise(found)
        app.answer.data = evaluation_facts(found, summary)
        show_evaluation(app, found, summary)
        if out is not None:
            text = app.answer.as_json() + "\n" if out.suffix == ".json" else markdown(found)
            _write(app, out, text)
        if html is not None:
            loop.tell("Draw the report", 0, None)
            drawn = page(found)
            _write(app, html, drawn)
            loop.registry.keep_report(found.version, drawn)


def evaluation_facts(found: Evaluation, summary: Summary) -> dict[str, Any]:
    """The evaluation and what it means, as data."""
    from dataclasses import asdict

    return {"summary": asdict(summary)} | found.facts()


def show_evaluation(app: App, found: Evaluation, summary: Summary) -> None:
    """The summary and the report's tables on the screen."""
    from worker.report.tables import (
        calibration_table,
        cohort_table,
        gains_table,
        headline,
        product_table,
        quality_table,
        signal_table,
        timing_table,
        top_quarter,
        value_table,
    )

    screen = app.screen
    screen.head(f"Model {found.version}: {summary.verdict.title}")
    screen.say(summary.verdict.text)
    screen.say(headline(found))
    for statement in summary.statements:
        screen.say(f"- {statement.lead} {statement.text}")
    screen.head("What to do")
    for action in summary.actions:
        screen.say(f"- {action}")
    if found.basis == "no_signal":
        app.warn(NO_SIGNAL_TOLD)
    if found.data_changed:
        app.warn("what the lake says about the days it was trained on has changed since")
    tables = {
        "Quality": quality_table(found),
        "Calibration": calibration_table(found),
        "Lift": gains_table(found),
        **{f"By {name}": cohort_table(found, name) for name in found.cohorts},
        "Value": value_table(found),
        "Product": product_table(found),
        "Timing": timing_table(found),
        "Signals": signal_table(found),
    }
    for title, (names, rows) in tables.items():
        if not rows:
            continue
        screen.head(title)
        words = ("o said", "Direction", "Family", "What it is")
        screen.table(names, rows, right=[name for name in names[1:] if not name.startswith(words)])
        if title == "Lift":
            screen.say(top_quarter(found))
    said = found.at_training.get("served")
    if said is not None:
        figures = f"AUC {said['auc']:.3f}, log loss {said['log_loss']:.3f}"
        screen.say(f"When it was trained: {figures} on {said['rows']:,.0f} later rows (upswell train).")


def _write(app: App, file: Path, text: str) -> None:
    """Write a report. Raises InputError when the file can't be written."""
    write_page(text, file)
    app.screen.say(f"Wrote {file}.")
