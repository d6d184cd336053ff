"""`upswell target`: what the stated target counts, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from worker.cli import VERBS
from worker.loop_home import open_loop
from worker.verb import App, ExitCode, epilog, verb

if TYPE_CHECKING:
    from sync.target_check import Kind, Month, TargetCheck

CODES = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX)
SHOWN_MONTHS: Final = 12
SHOWN_KINDS: Final = 12
WHO: Final = {
    "scorecard": "the rule scorecard would score",
    "blend": "rules and model would score together",
    "model": "the model would score",
}


@click.group(
    name="target",
    help=VERBS["target"],
    epilog=epilog(("upswell target check", "upswell target check --json"), CODES),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def command() -> None:
    """Group the target's verbs."""


@verb(
    "target check",
    summary="Say in one sentence what counts as an expansion, how many that gives, and what is wrong.",
    examples=("upswell target check", "upswell target check --months 36"),
    exit_codes=CODES,
)
@click.option(
    "--months",
    type=click.IntRange(1),
    default=SHOWN_MONTHS,
    show_default=True,
    help="How many of the latest months to show; --json has all.",
)
def check(app: App, months: int) -> None:
    """Check the target; exit 2 when nothing can be learnt from it."""
    from sync.target_check import check_target

    with open_loop(app.settings(), app.screen) as loop:
        found = check_target(loop)
        names = {product.id: product.name for product in loop.products}
        currency = loop.settings.company.currency
    app.answer.data = found.facts()
    screen = app.screen
    screen.say(found.sentence, "bold")
    since = "no model is trained for it yet" if found.since is None else f"since model {found.since}"
    screen.say(f"Target {found.number} ({found.fingerprint}), {since}.")
    show_months(app, found.months[-months:], names, currency)
    show_kinds(app, found.kinds)
    show_eligible(app, found)
    screen.head(
        f"{found.expansions:,} expansions in all, {found.from_billing:,} told by billing alone: "
        f"{WHO[found.basis]}"
    )
    for problem in found.problems:
        if problem.stops:
            app.answer.exit_code = ExitCode.USER_MUST_FIX
            app.answer.errors.append(
                {"code": "target", "message": problem.message, "record": "[target]", "fix": problem.fix}
            )
            screen.say(f"{problem.message} Fix: {problem.fix}", "red")
        else:
            app.warn(f"{problem.message} {problem.fix}")
    if not found.problems:
        screen.say("Nothing is wrong with it that can be told from here.")


def show_months(app: App, months: tuple[Month, ...], names: dict[str, str], currency: str) -> None:
    """Expansions by month, with the products that were bought most first."""
    if not months:
        return
    app.screen.head("Expansions by month")
    app.screen.table(
        ("Month", "Expansions", f"ARR, {currency}", "Products"),
        [
            (
                month.month,
                f"{month.expansions:,}",
                f"{month.arr:,.0f}",
                ", ".join(
                    f"{count} {names.get(product, product)}" for product, count in month.products.items()
                ),
            )
            for month in months
        ],
        right=("Expansions", f"ARR, {currency}"),
    )


def show_kinds(app: App, kinds: tuple[Kind, ...]) -> None:
    """Every type of opportunity there is, and whether it counts."""
    if not kinds:
        return
    app.screen.head("Opportunities by type")
    app.screen.table(
        ("Type", "Pipeline", "All", "Won", "Counts"),
        [
            (
                kind.opportunity_type or "(none)",
                kind.pipeline or "(none)",
                f"{kind.opportunities:,}",
                f"{kind.won:,}",
                "yes" if kind.counted else "no",
            )
            for kind in kinds[:SHOWN_KINDS]
        ],
        right=("All", "Won"),
    )
    if len(kinds) > SHOWN_KINDS:
        app.screen.say(f"and {len(kinds) - SHOWN_KINDS} more; --json has them all")


def show_eligible(app: App, found: TargetCheck) -> None:
    """Who is let in, part by part."""
    if not found.clauses:
        app.screen.say(f"All {found.customers:,} customers are eligible.")
        return
    app.screen.head(f"{found.eligible:,} of {found.customers:,} customers are eligible today")
    app.screen.table(
        ("Lets in", "Part"),
        [(f"{clause.accounts:,}", clause.text) for clause in found.clauses],
        right=("Lets in",),
    )


command.add_command(check)
