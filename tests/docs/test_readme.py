"""The README's tables say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from worker.cli import VERBS

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_every_verb_with_its_own_sentence() -> None:
    """A verb that is added, renamed or described anew must be so in the README."""
    listed = re.findall(r"^\| `([a-z]+)` \| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(listed) == dict(VERBS)


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """No page that was moved or never written."""
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
