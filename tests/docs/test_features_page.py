"""docs/features.md is what the catalogue says, and the catalogue says everything about each feature."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.features.dictionary import dictionary
from model.features.families import FAMILIES
from model.features.feature import UNITS, Family, Feature
from model.sources import SOURCES

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
EACH = [(family, feature) for family in FAMILIES for feature in family.features]


def test_the_page_is_what_the_catalogue_says() -> None:
    """`make docs` writes it; a feature that is added, dropped or reworded without it fails here."""
    assert PAGE.read_text(encoding="utf-8") == dictionary()


@pytest.mark.parametrize(("family", "feature"), EACH, ids=[feature.name for _, feature in EACH])
def test_a_feature_says_what_it_is_and_stands_in_one_line(family: Family, feature: Feature) -> None:
    """Meaning, unit, source, direction, and bounds that a reason can be said at."""
    (line,) = [row for row in dictionary().splitlines() if row.startswith(f"| `{feature.name}` |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert len(cells) == 6
    assert feature.unit in UNITS
    assert feature.favours in ("up", "down", "either")
    assert cells[5].startswith(feature.about)
    assert cells[2]
    assert {trace.table for trace in family.traced(feature)} <= set(SOURCES)
    for phrase in feature.phrases:
        assert (phrase.at_least is None) != (phrase.at_most is None)
