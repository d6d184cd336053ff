"""`upswell models`: the saved models side by side, or one of them in full."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.model_list import SavedModel

FIGURES: Final = ("Target", "Rows", "Expansions", "AUC", "Log loss", "Base rate's", "Scorings")


@verb("models", examples=("upswell models", "upswell models 2026.11.02-1"))
@click.argument("version", required=False)
def command(app: App, version: str | None) -> None:
    """List the models, or show the card of VERSION."""
    from sync.model_list import list_models

    with open_loop(app.settings(), app.screen) as loop:
        if version is not None:
            card, report = loop.registry.card(version), loop.registry.report(version)
            app.answer.data = {
                "version": version,
                "card": card,
                "report": None if report is None else str(report),
            }
            app.screen.say(card.rstrip())
            if report is not None:
                app.screen.say(f"Its report: {report}")
            return
        found = list_models(loop)
    app.answer.data = {"models": [asdict(model) for model in found]}
    if not found:
        app.screen.say("No model is trained yet. Train one with: upswell train")
        return
    app.screen.table(
        ("", "Version", "By", *FIGURES, "Against the one in use then"),
        [model_row(model) for model in found],
        right=FIGURES,
    )
    app.screen.say(
        "* scores. AUC and log loss are of each one's own latest window, so they compare years too;"
    )
    app.screen.say("which of two is better on the same rows stands in the last column.")


def model_row(model: SavedModel) -> tuple[str, ...]:
    """One model as the list shows it."""
    mark = "*" if model.current else ""
    if model.fault is not None:
        return (mark, model.version, *[""] * 8, model.fault)
    figures = ("" if f is None else f"{f:.3f}" for f in (model.auc, model.log_loss, model.log_loss_base))
    against = ""
    if model.verdict is not None:
        gain = f"{model.verdict['gain']:+.4f}".replace("-", "−")
        words = {"better": "better than", "worse": "worse than", "same": "no different from"}
        against = f"{words[model.verdict['outcome']]} {model.verdict['champion']} ({gain})"
    return (
        mark,
        model.version,
        model.basis,
        str(model.target),
        f"{model.rows:,}",
        f"{model.expansions:,}",
        *figures,
        f"{model.scorings:,}",
        against,
    )
