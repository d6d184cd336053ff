"""`upswell train`: a model on everything that is known."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.training import TrainReport

BASELINES: Final = {
    "served": "Upswell",
    "scorecard": "rule scorecard",
    "seat_rule": "seats used > 80 %",
    "base_rate": "base rate",
}
STAGES: Final = {
    "scorecard": "Stage 1 of 3, rules: too little history for a model, so the documented scorecard scores.",
    "blend": "Stage 2 of 3, rules and model together, for {expansions} expansions are few.",
    "model": "Stage 3 of 3, the model alone.",
    "no_signal": "No model: every account gets the rate of all, and none is ranked before another.",
}
NO_SIGNAL_TOLD: Final = (
    "these data do not predict expansion better than the base rate does, by more than chance; "
    "don't rank by these scores, and add sources: upswell features shows which are missing"
)
DAY = click.DateTime(formats=["%Y-%m-%d"])


@verb("train", examples=("upswell train", "upswell train --as-of 2026-09-30 --seed 7"))
@click.option("--as-of", type=DAY, help="Know nothing after this day.  [default: the CRM server's today]")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of CatBoost's own chance."
)
@click.option(
    "--promote", is_flag=True, help="Make it current whatever the comparison with the one in use says."
)
def command(app: App, as_of: datetime | None, seed: int, promote: bool) -> None:
    """Train and keep a model, compare it with the one in use, and show how good it is on a later window."""
    with open_loop(app.settings(), app.screen) as loop, loop.run("train") as run:
        app.answer.run_id = run.id
        day = loop.today() if as_of is None else as_of.date()
        report = loop.train(run, day, seed=seed, promote=promote)
    app.answer.data = train_facts(report)
    show_decision(app, report)
    show_model(app, report)


def train_facts(report: TrainReport) -> dict[str, Any]:
    """What a training found, as data."""
    return {
        "model_version": report.version,
        "data_hash": report.panel.data_hash,
        "rows": report.panel.table.num_rows,
        "features": len(report.panel.features),
        "suspects": report.trained.facts["suspects"],
        "allowed": list(report.trained.facts["allowed"]),
        "target": report.trained.target.fingerprint,
        "metrics": report.trained.metrics,
        "promoted": report.decision.promote,
        "why": report.decision.why,
        "champion": report.champion,
        "verdict": None if report.verdict is None else report.verdict.facts(),
    }


def show_decision(app: App, report: TrainReport) -> None:
    """Which model scores from now on, and why."""
    state = "current" if report.decision.promote else f"kept beside {report.champion}, which stays in use"
    app.screen.head(f"Model {report.version} is trained and {state}")
    if report.champion is not None:
        app.screen.say(f"That is because {report.decision.why}.")
    if report.verdict is not None:
        app.screen.say(report.verdict.sentence())
    if not report.decision.promote:
        app.screen.say(f"To use it all the same: upswell promote {report.version}")


def suspicions(report: TrainReport) -> list[str]:
    """One sentence for each feature that was left out as written after the fact, with what to do about it."""
    from connectors.canonical import CRM_TABLES
    from model.features.families import CATALOGUE

    told = []
    for name, why in report.trained.facts["suspicions"].items():
        source = CATALOGUE[name].source
        where = f"[mapping.{source}]" if source in CRM_TABLES else f"the columns of the {source} export"
        told.append(
            f"{name} is left out of the model: {why}, so it looks filled in after the expansion. "
            f"Name a field in {where} that people fill in before they know, or vouch for it: "
            f'[model] allow_suspects = ["{name}"].'
        )
    return told


def show_model(app: App, report: TrainReport) -> None:
    """The model's figures on a later window beside the simple baselines."""
    facts, metrics = report.trained.facts, report.trained.metrics
    rows = f"{facts['rows']:,} rows of {len(report.panel.features)} features"
    known = f"{facts['expansions']:,} expansions in {facts['history_days']} days of history"
    app.screen.say(f"{rows}, {known}; scored by the {report.trained.basis}.")
    app.screen.say(STAGES[report.trained.basis].format(**facts))
    for name, why in facts["allowed"].items():
        app.warn(f"{name} is used because you vouch for it, though {why}.")
    for warning in suspicions(report):
        app.warn(warning)
    if facts.get("has_signal") is False:
        app.warn(NO_SIGNAL_TOLD)
    judged = [(name, metrics[key]) for key, name in BASELINES.items() if key in metrics]
    if not judged:
        app.screen.say("How good it is can't be said yet: no outcomes on a later date.")
        return
    app.screen.say(
        f"On the latest {judged[0][1]['rows']:,.0f} rows whose outcome is known, never trained on:"
    )
    app.screen.table(
        ("", "AUC", "PR-AUC", "Log loss", "Calibration error", "Lift at 20 %"),
        [
            (name, *(f"{m[key]:.3f}" for key in ("auc", "pr_auc", "log_loss", "ece", "lift_20")))
            for name, m in judged
        ],
        right=("AUC", "PR-AUC", "Log loss", "Calibration error", "Lift at 20 %"),
    )
