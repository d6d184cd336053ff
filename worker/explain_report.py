"""One account's score in words: reasons for and against, others like it, its people, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.report.words import signed

if TYPE_CHECKING:
    from sync.explanation import Explanation
    from worker.verb import App

WHEN: Final = {"now": "now", "d30": "within 30 days", "d90": "within 90 days", "hold": "hold"}
SHOWN_STEPS: Final = 8


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


def show_beside(app: App, found: Explanation) -> None:
    """What became of accounts like it, whom to reach, and the milestones of the products proposed."""
    score, screen = found.score, app.screen
    if score["like_this"]:
        screen.head("Accounts like this")
        screen.say(f"  {score['like_this']['sentence']}")
    if score["whom"]:
        screen.head("Whom to reach")
        for reach in score["whom"]["reach"]:
            screen.say(f"  {found.people.get(reach['contact'], reach['contact'])}: {reach['reason']}")
        if score["whom"]["missing"]:
            screen.say(f"  Missing: {'; '.join(score['whom']['missing'])}")
    for each in score["milestones"] or ():
        own = found.milestones.get(each["product"], ())
        name = found.product_names.get(each["product"], each["product"])
        screen.head(f"Milestones before {name}: {len(each['reached'])} of {each['of']} reached")
        for milestone in own:
            done = "reached" if milestone.feature in each["reached"] else "to come"
            screen.say(
                f"  {done}  {milestone.words()} ({100 * milestone.adopters:.0f} % of those that took it up, "
                f"{100 * milestone.others:.0f} % of others)"
            )
        if each["next"]:
            screen.say(f"  Next: {each['next']}")


def show_families(app: App, found: Explanation) -> None:
    """Every signal family: how it moves the score, and how much of it is known."""
    parts = sorted(found.breakdown.parts, key=lambda part: -abs(part.share))
    app.screen.head("Every signal family: its part in the score, and what is known")
    app.screen.table(
        ("Signal", "Part", "Known", ""),
        [
            (
                part.title,
                f"{signed(100 * part.share, 0)} %",
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
        f"({signed(now - said, 1)} points)"
    )
    shown, rest = found.steps[:SHOWN_STEPS], found.steps[SHOWN_STEPS:]
    rows = [(signed(step.points, 1), step.cause) for step in shown]
    if rest:
        rows.append((signed(sum(step.points for step in rest), 1), f"{len(rest)} smaller ones"))
    screen.table(("Points", "Because of"), rows, right=("Points",))
