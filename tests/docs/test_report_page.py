"""docs/report.md says what the report says."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.report.words import TOLD_BY

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
SUMMARY = (Path(__file__).parents[2] / "worker" / "report" / "summary.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for key, name in TOLD_BY.items() if key != "upswell"])
def test_everybody_whom_a_model_is_held_against_is_described(name: str) -> None:
    """By the name that the report gives it."""
    assert f"| {name} |" in PAGE


def test_every_verdict_that_the_page_explains_is_one_that_the_report_gives() -> None:
    """The first column, up to what it leaves out."""
    table = PAGE.partition("## What the words mean")[2].splitlines()
    told = [line.split("|")[1].strip().removeprefix("… ") for line in table if line.startswith("| ")][1:]
    assert len(told) == 5
    assert all(words in SUMMARY for words in told)
