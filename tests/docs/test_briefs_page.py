"""docs/briefs.md says what a brief is made of and in which languages and styles there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from click import Context, Option

from sync.briefs.facts import Unit
from sync.briefs.languages import languages, speak
from sync.briefs.relevance import ALWAYS, ANY_TYPE
from sync.briefs.rendering import FIELD_LENGTH, TASK_LENGTH
from sync.briefs.styles import STYLES
from worker.cli import upswell

PAGE = (Path(__file__).parents[2] / "docs" / "briefs.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[str]:
    """What the first column of a section's table names."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [
        name
        for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w[\w-]*)`", row)
    ]


def test_the_page_tells_every_fact_that_a_brief_may_use() -> None:
    """And every unit that one may have."""
    named = re.compile(r"reason_|against_|account$|product$|contact")
    told = [name for name in rows("Nothing but facts") if not named.match(name)]
    assert sorted(told) == sorted(ALWAYS | ANY_TYPE)
    vocabulary = PAGE.split("closed vocabulary", 1)[1].split(")", 1)[0]
    assert tuple(re.findall(r"`(\w+)`", vocabulary)) == get_args(Unit)


def test_the_page_lists_languages_styles_and_lengths() -> None:
    """Each once, the languages by their own names."""
    assert rows("Languages") == list(languages())
    assert all(speak(tag).texts.name in PAGE for tag in languages())
    assert rows("Styles") == list(STYLES)
    assert rows("Three lengths") == ["field", "task", "full"]
    assert f"{FIELD_LENGTH} characters" in PAGE
    assert f"{TASK_LENGTH:,} characters" in PAGE


def test_the_page_shows_every_option_of_the_verb() -> None:
    """As one would type it."""
    command = upswell.get_command(Context(upswell), "brief")
    assert command is not None
    options = {name for each in command.params if isinstance(each, Option) for name in each.opts}
    assert {name for name in options if name not in PAGE} <= {"--json"}
