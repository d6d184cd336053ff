"""`upswell promote`: another saved model scores from now on."""

from __future__ import annotations

import click

from worker.loop_home import open_loop
from worker.verb import App, verb


@verb("promote", examples=("upswell promote 2026.11.02-2", "upswell promote 2026.10.05-1 --json"))
@click.argument("version")
def command(app: App, version: str) -> None:
    """Make VERSION the current model; every file of it is checked first."""
    with open_loop(app.settings(), app.screen) as loop, loop.run("promote") as run:
        app.answer.run_id = run.id
        before = loop.promote(run, version)
        verdict = loop.registry.verdict(version)
    app.answer.data = {"version": version, "before": before, "verdict": verdict}
    if before == version:
        app.screen.say(f"Model {version} was current already.")
        return
    app.screen.say(f"Model {version} is current; {before} stays, and can be made current again the same way.")
    app.screen.say("It scores from the next: upswell score")
