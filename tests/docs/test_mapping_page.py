"""docs/mapping.md names every table of the CRM with exactly the columns that can be mapped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.canonical import CRM_TABLES, MAPPED_KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
STAMPS = {"crm_id", "created_at", "modified_at", "known_from", "is_deleted", "merged_into"}


@pytest.mark.parametrize("table", CRM_TABLES)
def test_the_page_names_each_column_of_a_table(table: str) -> None:
    """A column that is added or dropped without a word in the docs fails here."""
    (cell,) = re.findall(rf"^\| `{table}` \|.*\| ([^|]*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"`([a-z_]+)`", cell) == [n for n in CRM_TABLES[table].names if n not in STAMPS]


def test_the_page_names_each_export_that_an_object_can_deliver() -> None:
    """As the example's comment lists them."""
    (line,) = re.findall(r"^\[mapping\.(\w+)\] +# or (.*)$", PAGE, re.MULTILINE)
    assert {line[0], *line[1].split(", ")} == set(MAPPED_KINDS)
