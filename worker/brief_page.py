"""A brief on the terminal: headings stand out, and lines are as long as one likes to read."""

from __future__ import annotations

import textwrap
from typing import Final

from worker.screen import Screen, printable

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
