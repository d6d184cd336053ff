"""A brief on the terminal: headings stand out, and lines are as long as one likes to read."""

from __future__ import annotations

import textwrap
from typing import Final

from worker.screen import Screen, printable

WHY_NOT: Final = {
    "busy": "the service was busy",
    "away": "the service was away",
    "late": "no answer came in time",
    "broken": "the connection broke",
    "denied": "the API key was refused: see [briefs] api_key_file",
    "rejected": "the service rejected the question: see [briefs] model and effort",
    "too_long": "the model's window was full",
    "declined": "the model declined",
    "cut": "its answer was longer than [briefs] max_tokens",
    "not_json": "its answer was not of the form that was asked for",
    "cap": "the caps of [briefs] leave no money or tokens for it",
    "gave_up": "the service failed several times in a row",
    "waiting": "its batch is not ready",
    "unsound": "the check refused what it wrote",
    "language": "the check does not know the language",
}
"""Why Claude wrote no brief, by fault."""

WIDEST: Final = 96
MARK: Final = "- "


def show_brief(screen: Screen, subject: str, text: str) -> None:
    """Print the subject and the brief; a heading is the first line of a part, ending with a colon."""
    width = min(WIDEST, screen.out.width)
    screen.head(subject)
    for part in text.split("\n\n"):
        first, *rest = part.splitlines()
        screen.say()
        if rest and first.endswith(":"):
            screen.say(printable(first), style="bold")
        else:
            rest = [first, *rest]
        for line in rest:
            indent = " " * len(MARK) if line.startswith(MARK) else ""
            for piece in textwrap.wrap(printable(line), width, subsequent_indent=indent):
                screen.say(piece)
