"""`upswell outcomes`: what was said, and what happened."""

from __future__ import annotations

from worker.learning_report import show_learning
from worker.loop_home import open_loop
from worker.task_report import show_tasks
from worker.verb import App, verb


@verb("outcomes", examples=("upswell outcomes", "upswell outcomes --json"))
def command(app: App) -> None:
    """Join expansions that happened to the scores and tasks before them, and compare; what came of the
    tasks, by play and style of brief; then month by month."""
    from sync.learning import learning
    from sync.task_outcomes import task_outcomes

    with open_loop(app.settings(), app.screen) as loop, loop.run("outcomes") as run:
        app.answer.run_id = run.id
        report = loop.outcomes(run)
        found = learning(loop, loop.today())
        tasks = task_outcomes(loop.store)
        currency = loop.settings.company.currency
    app.answer.data = report.facts() | {
        "learning": found.facts(),
        "by_play": [each.facts() for each in tasks],
    }
    for line in report.lines():
        app.screen.say(line)
    show_tasks(app.screen, tasks, currency)
    show_learning(app.screen, found, currency)
