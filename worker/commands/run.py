"""`upswell run`: the whole loop, once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from worker.commands.apply import apply_facts, show_apply
from worker.commands.pull import pull_facts, pull_warnings
from worker.commands.score import show_scores, tier_counts
from worker.commands.train import show_decision, show_model, train_facts
from worker.loop_home import open_loop
from worker.plan_report import plan_facts, show_plan
from worker.verb import App, ExitCode, verb

if TYPE_CHECKING:
    from sync.loop import Loop
    from sync.pull import PullReport
    from sync.scoring import ScoreReport

SHOWN = 10
LOOK_EVERY = 1.0  # seconds, while another process has the rest of the run in hand


@verb(
    "run",
    examples=("upswell run", "upswell --config acme.toml run --no-apply --json", "upswell run --detach"),
    exit_codes=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX, ExitCode.REJECTED_ROWS),
)
@click.option("--no-apply", is_flag=True, help="Stop after the plan: write nothing to the CRM.")
@click.option("--retrain", is_flag=True, help="Train even where the current model is not yet due.")
@click.option("--override", multiple=True, help="Guard rule to pass over, by name; may be given again.")
@click.option("--detach", is_flag=True, help="Only queue the run; `upswell worker` processes do it.")
def command(app: App, no_apply: bool, retrain: bool, override: tuple[str, ...], detach: bool) -> None:
    """Pull, train when due, score, plan, apply, read the outcomes."""
    asked = {"apply": not no_apply, "retrain": retrain, "override": list(override)}
    settings = app.settings()
    with open_loop(settings, app.screen) as loop:
        if detach:
            run_id = app.answer.run_id = loop.queue("run", asked)
        else:
            done = whole_loop(app, loop, "run", asked)
            app.answer.data = done.facts
    if detach:
        from worker.bells import ring

        heard = ring(settings, run_id)
        app.answer.data = {"queued": run_id, "rang": heard}
        how = "A worker was told" if heard else "A worker finds it: upswell worker"
        app.screen.say(f"Run {run_id} is queued. {how}; follow it with: upswell status")
    else:
        app.screen.say(f"Run {app.answer.run_id} took {sum(done.facts['seconds'].values()):.0f} s.")


@dataclass(slots=True, kw_only=True)
class WholeLoop:
    """What each step of a run found, as data; shown as it goes. `scored` is None when others scored."""

    app: App
    loop: Loop
    facts: dict[str, Any] = field(default_factory=dict)
    scored: ScoreReport | None = None
    _pulled: PullReport | None = None

    def show(self, name: str, report: Any) -> None:
        """Show a step's report and keep its facts."""
        from sync.steps import Skipped

        if isinstance(report, Skipped):
            if name == "apply":
                self.app.screen.say("Nothing to write.")
            return
        show = getattr(self, f"_{name}", None)
        if show is not None:
            show(report)

    def _pull(self, report: PullReport) -> None:
        self._pulled = report

    def _exports(self, read: Any) -> None:
        pulled = self._pulled
        if pulled is None:  # pulled by a process that was killed since
            return
        for warning in pull_warnings(pulled, read):
            self.app.warn(warning)
        self.facts["pull"] = pull_facts(pulled, read)
        rows = sum(read.rows.values())
        self.app.screen.say(f"Pulled {pulled.rows:,} records and {rows:,} export rows.")

    def _train(self, trained: Any) -> None:
        self.facts["train"] = train_facts(trained)
        show_decision(self.app, trained)
        show_model(self.app, trained)

    def _score(self, scored: ScoreReport) -> None:
        self.scored = scored
        self.facts["score"] = {
            "as_of": scored.as_of,
            "model_version": scored.model_version,
            "accounts": scored.scores.num_rows,
            "tiers": tier_counts(scored.scores),
        }
        for warning in self.loop.tables().report.warnings:
            self.app.warn(warning)
        show_scores(self.app, scored.scores, SHOWN, {p.id: p.name for p in self.loop.products})

    def _plan(self, plan: Any) -> None:
        self.facts["plan"] = plan_facts(plan)
        show_plan(self.app, plan)

    def _apply(self, applied: Any) -> None:
        self.facts["apply"] = apply_facts(applied)
        show_apply(self.app, applied)

    def _outcomes(self, report: Any) -> None:
        self.facts["outcomes"] = report.facts()


def whole_loop(app: App, loop: Loop, verb: str, asked: dict[str, Any]) -> WholeLoop:
    """A run under that verb, queued and worked off by this process; each step shown when it is done."""
    from sync.store.runs import step_seconds
    from sync.turn import Manner, take_turn

    done = WholeLoop(app=app, loop=loop)
    run_id = app.answer.run_id = loop.queue(verb, asked, hold=True)
    manner = Manner(holds=True, told=done.show)
    waited = False
    while not take_turn(loop, run_id, manner).is_over:
        if not waited:
            app.screen.say("Another run is at the same step just now; this one waits for it.")
        waited = True
        time.sleep(LOOK_EVERY)
    done.facts["seconds"] = step_seconds(loop.store, run_id)
    done.facts["api_calls"] = loop.crm.usage().calls
    return done
