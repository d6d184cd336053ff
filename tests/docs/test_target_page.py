"""docs/target.md lists what [target] takes, and its examples are expressions that can be read."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

from model.eligibility_text import parse_eligibility
from model.features.families import CATALOGUE
from sync.settings import TargetSettings

PAGE = (Path(__file__).parents[2] / "docs" / "target.md").read_text(encoding="utf-8")


def test_the_page_lists_every_setting_of_the_target_once() -> None:
    """And no other."""
    listed = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(asdict(TargetSettings()))


def test_the_examples_can_be_read_and_name_features() -> None:
    """In the block of settings, and in the table as far as they are whole."""
    (block,) = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    stated = tomllib.loads(block)
    whole = [stated["target"]["eligible"], *(product["eligible"] for product in stated["products"])]
    table = PAGE.split("| write |", 1)[1].split("\n\n", 1)[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    whole += [text for cell in cells for text in re.findall(r"`([^`]+)`", cell) if "…" not in text]
    assert len(whole) > 8
    for text in whole:
        parse_eligibility(text, what="docs/target.md", names=CATALOGUE)
