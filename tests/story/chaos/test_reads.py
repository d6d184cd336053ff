"""Pulls through faults, by both ways, end with the org's own deals and tasks in the lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.chaos.reads import WAYS, read_through_faults


@pytest.mark.parametrize("way", WAYS)
def test_a_tenth_of_the_rows_comes_whole_through_faults(tmp_path: Path, way: str) -> None:
    """3,500 rows, so that there are jobs, and increments of more than a page."""
    (tmp_path / "home").mkdir()
    result = read_through_faults(tmp_path / "org", tmp_path / "home", way=way, rows=3_500, seed=2)
    assert result.differences == []
    assert result.faults >= 10
    assert result.deeds >= 50
    assert (result.jobs > 0) == (way == "auto")
