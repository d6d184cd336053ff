"""Plain text as HubSpot's rich text: headings in bold, lists as lists, and nothing in it can become markup.

Parts are set apart by an empty line. A first line that ends with a colon is the heading of its part; lines
that begin with a dash are a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Final

MARK: Final = "- "


def rich_text(text: str) -> str:
    """The text as HTML; one part without heading and list stays a line of text."""
    parts = [part.splitlines() for part in text.split("\n\n") if part.strip()]
    if len(parts) == 1 and not any(line.startswith(MARK) for line in parts[0]):
        return "<br>".join(map(_plain, parts[0]))
    return "".join(element for lines in parts for element in _elements(lines))


def _elements(lines: list[str]) -> Iterator[str]:
    """A part's paragraphs and lists: a list cannot stand inside a paragraph."""
    has_heading = len(lines) > 1 and lines[0].endswith(":")
    inline = [f"<strong>{_plain(lines[0])}</strong>"] if has_heading else []
    for is_list, group in groupby(lines[has_heading:], key=lambda line: line.startswith(MARK)):
        if not is_list:
            inline += map(_plain, group)
            continue
        if inline:
            yield f"<p>{'<br>'.join(inline)}</p>"
            inline = []
        yield f"<ul>{''.join(f'<li>{_plain(line.removeprefix(MARK))}</li>' for line in group)}</ul>"
    if inline:
        yield f"<p>{'<br>'.join(inline)}</p>"


def _plain(line: str) -> str:
    return escape(line, quote=False)
