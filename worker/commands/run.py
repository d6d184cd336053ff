"""`upswell run`: the whole loop, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from worker.commands.apply import apply_facts, show_apply
from worker.commands.pull import pull_facts, pull_warnings
from worker.commands.score import show_scores, tier_counts
from worker.commands.train import show_model, train_facts
from worker.loop_home import open_loop
from worker.plan_report import plan_facts, show_plan
from worker.verb import App, ExitCode, verb

if TYPE_CHECKING:
    from sync.loop import Loop, ScoreReport
    from sync.run import Run

SHOWN = 10


@verb(
    "run",
    examples=("upswell run", "upswell --config acme.toml run --no-apply --json"),
    exit_codes=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX, ExitCode.REJECTED_ROWS),
)
@click.option("--no-apply", is_flag=True, help="Stop after the plan: write nothing to the CRM.")
@click.option("--retrain", is_flag=True, help="Train even where the current model is not yet due.")
@click.option("--override", multiple=True, help="Guard rule to pass over, by name; may be given again.")
def command(app: App, no_apply: bool, retrain: bool, override: tuple[str, ...]) -> None:
    """Pull, train when due, score, plan, apply, read the outcomes."""
    with open_loop(app.settings(), app.screen) as loop, loop.run("run") as run:
        app.answer.run_id = run.id
        app.answer.data, _ = whole_loop(
            app, loop, run, apply=not no_apply, retrain=retrain, override=override
        )
    app.screen.say(f"Run {run.id} took {sum(run.seconds.values()):.0f} s.")


def whole_loop(
    app: App,
    loop: Loop,
    run: Run,
    *,
    apply: bool = True,
    retrain: bool = False,
    override: tuple[str, ...] = (),
) -> tuple[dict[str, Any], ScoreReport]:
    """What each step found, as data, and the scores; shown as it goes."""
    pulled = loop.pull(run)
    read = loop.exports(run)
    for warning in pull_warnings(pulled, read):
        app.warn(warning)
    facts: dict[str, Any] = {"pull": pull_facts(pulled, read)}
    app.screen.say(f"Pulled {pulled.rows:,} records and {sum(read.rows.values()):,} export rows.")
    as_of = loop.today()
    if retrain or loop.training_is_due(as_of):
        trained = loop.train(run, as_of)
        facts["train"] = train_facts(trained)
        app.screen.head(f"Model {trained.version}")
        show_model(app, trained)
    scored = loop.score(run, as_of)
    facts["score"] = {
        "as_of": as_of,
        "model_version": scored.model_version,
        "accounts": scored.scores.num_rows,
        "tiers": tier_counts(scored.scores),
    }
    for warning in scored.identity.warnings:
        app.warn(warning)
    show_scores(app, scored.scores, SHOWN, {p.id: p.name for p in loop.products})
    plan = loop.plan(run, scored, override=override)
    facts["plan"] = plan_facts(plan)
    show_plan(app, plan)
    if apply and plan.is_empty:
        app.screen.say("Nothing to write.")
    elif apply:
        applied = loop.apply(run, plan.id, override=override)
        facts["apply"] = apply_facts(applied)
        show_apply(app, applied)
    facts["outcomes"] = loop.outcomes(run).facts()
    facts["seconds"] = dict(run.seconds)
    facts["api_calls"] = loop.crm.usage().calls
    return facts, scored
