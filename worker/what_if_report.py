"""What an account would score if something were so, beside what it scores; marked, and nothing is written."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from worker.report.words import signed

if TYPE_CHECKING:
    from sync.what_if import WhatIf
    from worker.verb import App

MARK: Final = "WHAT IF"
SHOWN_STEPS: Final = 6
COMPARED: Final = (
    *("probability", "tier", "arr_if_expands", "expected_arr", "product", "product_2", "timing", "health"),
)


def what_if_facts(found: WhatIf) -> dict[str, Any]:
    """The what-if as data."""
    return {
        "what_if": True,
        "account": asdict(found.account),
        "as_of": found.as_of,
        "changes": [asdict(change) for change in found.changes],
        "actual": found.actual,
        "assumed": found.assumed,
        "moved": [asdict(step) for step in found.steps],
        "unused": list(found.unused),
    }


def show_what_if(app: App, found: WhatIf) -> None:
    """The assumptions, both scores side by side, why they differ, and the reasons under the assumptions."""
    screen = app.screen
    screen.head(f"{MARK}: {found.account.name} ({found.account.account_id}), as of {found.as_of}")
    screen.say("Nothing of this is kept or written anywhere.")
    screen.table(
        ("Assumed", "Is", "Would be", ""),
        [
            (
                change.feature,
                _value(change.before),
                _value(change.after),
                "" if change.assumed else "moves along",
            )
            for change in found.changes
        ],
        right=("Is", "Would be"),
    )
    if not found.changes:
        screen.say("That is how it is already.")
    if found.unused:
        screen.warn(f"The model does not look at {', '.join(found.unused)}.")
    screen.table(
        ("", "Is", "Would be"),
        [
            (name.replace("_", " "), *(_cell(side, name, found.product_names) for side in _sides(found)))
            for name in COMPARED
        ],
        right=("Is", "Would be"),
    )
    if found.steps:
        screen.head("Because of")
        rows = [(signed(step.points, 1), step.cause) for step in found.steps[:SHOWN_STEPS]]
        screen.table(("Points", ""), rows, right=("Points",))
    for title, reasons in ((f"{MARK}, for", "reasons"), (f"{MARK}, against", "against")):
        screen.head(title)
        for reason in found.assumed[reasons]:
            screen.say(f"  {100 * reason['share']:3.0f} %  {reason['sentence']}")


def _sides(found: WhatIf) -> tuple[dict[str, Any], dict[str, Any]]:
    return found.actual, found.assumed


def _cell(score: dict[str, Any], name: str, products: dict[str, str]) -> str:
    value = score[name]
    if value is None:
        return ""
    match name:
        case "probability":
            return f"{100 * value:.1f} %"
        case "arr_if_expands" | "expected_arr":
            return f"{value:,.0f}"
        case "product" | "product_2":
            return products.get(str(value), str(value))
        case _:
            return str(value).replace("_", " ")


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else f"{value:,.2f}".rstrip("0").rstrip(".")
