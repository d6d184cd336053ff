"""`upswell explain`: why an account has its score."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    from sync.explanation import Explanation

WHEN: Final = {"now": "now", "d30": "within 30 days", "d90": "within 90 days", "hold": "hold"}
BEFORE: Final = ("as_of", "probability", "log_odds", "model_version", "run_id")
SHOWN_STEPS: Final = 8


@verb(
    "explain",
    examples=(
        "upswell explain C-00042",
        'upswell explain "Acme Corp" --no-moves --json',
        "upswell explain C-00042 --against 2026-09-30",
    ),
)
@click.argument("account")
@click.option("--no-moves", is_flag=True, help="Leave out what moved since the score before.")
@click.option(
    "--against",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Compare with the score as of this day or the last before it.  [default: the score before]",
)
def command(app: App, account: str, no_moves: bool, against: datetime | None) -> None:
    """Explain the account's newest score; ACCOUNT is its id, CRM record id, own id or exact name."""
    from sync.explanation import explain_account

    day = None if against is None else against.date()
    with open_loop(app.settings(), app.screen) as loop:
        found = explain_account(loop, account, moved=not no_moves, against=day)
        currency = loop.settings.company.currency
    app.answer.data = explanation_facts(found)
    show_score(app, found, currency)
    show_reasons(app, found)
    show_families(app, found)
    if not no_moves:
        show_moves(app, found)


def explanation_facts(found: Explanation) -> dict[str, Any]:
    """The explanation as data."""
    from dataclasses import asdict

    return {
        "account": asdict(found.account),
        "score": found.score,
        "families": [asdict(part) for part in found.breakdown.parts],
        "log_odds": found.breakdown.log_odds,
        "base_log_odds": found.breakdown.base,
        "before": None if found.before is None else {name: found.before.get(name) for name in BEFORE},
        "moved": None if found.steps is None else [asdict(step) for step in found.steps],
        "moved_in_words": found.moved,
    }


def show_score(app: App, found: Explanation, currency: str) -> None:
    """What was said about the account."""
    score, screen = found.score, app.screen
    screen.head(f"{found.account.name} ({found.account.account_id}), as of {score['as_of']}")
    if score["probability"] is None:
        screen.say("It has no probability: not enough is known about it.")
        return
    tier = score["tier"].replace("_", " ")
    screen.say(
        f"Score {100 * score['probability']:.0f} of 100 ({tier}), rank {score['priority']}, "
        f"by the {score['basis']} {score['model_version']}"
    )
    if score["arr_if_expands"] is not None:
        money = f"{currency} {score['arr_if_expands']:,.0f}"
        low, high = f"{score['arr_low']:,.0f}", f"{score['arr_high']:,.0f}"
        screen.say(f"If it expands, it adds about {money} a year, 8 of 10 times between {low} and {high}")
    named = [found.product_names.get(p, p) for p in (score["product"], score["product_2"]) if p]
    if named:
        screen.say(f"Product: {', else '.join(named)}")
    screen.say(f"When to talk: {WHEN.get(score['timing'], score['timing'] or 'unknown')}")
    why = f": {'; '.join(map(str, score['health_reasons']))}" if score["health_reasons"] else ""
    screen.say(f"Health: {score['health']}{why}")
    if score["data_completeness"] is not None:
        screen.say(f"Data completeness: {score['data_completeness']:.0%}")
    if score["is_pipeline"]:
        screen.say("An expansion opportunity is open: it gets no task, and the forecast counts its deal.")


def show_reasons(app: App, found: Explanation) -> None:
    """The sentences for and against, with each one's share of what moves the score."""
    for title, reasons in (("For", found.score["reasons"]), ("Against", found.score["against"])):
        app.screen.head(title)
        for reason in reasons or ():
            app.screen.say(f"  {100 * reason['share']:3.0f} %  {reason['sentence']}")
        if not reasons:
            app.screen.say("  nothing that can be said in a sentence")


def show_families(app: App, found: Explanation) -> None:
    """Every signal family: how it moves the score, and how much of it is known."""
    parts = sorted(found.breakdown.parts, key=lambda part: -abs(part.share))
    app.screen.head("Every signal family: its part in the score, and what is known")
    app.screen.table(
        ("Signal", "Part", "Known", ""),
        [
            (
                part.title,
                f"{100 * part.share:+.0f} %".replace("-", "−"),
                f"{part.known} of {part.features}",
                "missing" if part.known == 0 else "",
            )
            for part in parts
        ],
        right=("Part", "Known"),
    )
    missing = [part.title for part in parts if part.known == 0]
    if missing:
        app.screen.say(f"Nothing is known about: {', '.join(missing)}. Give it by an export or a mapping.")


def show_moves(app: App, found: Explanation) -> None:
    """Why the score moved since the one before; the points sum to the change."""
    screen = app.screen
    screen.head("What moved since last time")
    if found.before is None or found.steps is None:
        screen.say(
            "The ledger holds no score of an earlier day for this account, so nothing can be compared."
        )
        return
    if found.moved is not None:
        screen.say(f"{found.moved}.")
    said, now = 100 * found.before["probability"], 100 * found.score["probability"]
    screen.say(
        f"{said:.1f} as of {found.before['as_of']} → {now:.1f} as of {found.score['as_of']} "
        f"({_signed(now - said)} points)"
    )
    shown, rest = found.steps[:SHOWN_STEPS], found.steps[SHOWN_STEPS:]
    rows = [(_signed(step.points), step.cause) for step in shown]
    if rest:
        rows.append((_signed(sum(step.points for step in rest)), f"{len(rest)} smaller ones"))
    screen.table(("Points", "Because of"), rows, right=("Points",))


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")
