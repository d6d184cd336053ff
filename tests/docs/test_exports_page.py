"""docs/exports.md names exactly the columns that are read, and which of them must be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.canonical import schema_of
from connectors.exports.spec import REQUIRED

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"
TABLES = {"tickets": "helpdesk_tickets"}


@pytest.mark.parametrize("kind", REQUIRED)
def test_the_page_names_each_column_of_a_kind_and_marks_the_required_ones(kind: str) -> None:
    """A column that is added, dropped or required without a word in the docs fails here."""
    (row,) = re.findall(rf"^\| `{kind}` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    columns = schema_of(TABLES.get(kind, kind)).names
    said = set(re.findall(r"`([a-z_]+)`", row))
    assert [name for name in columns if name != "account_key" and name not in said] == []
    bold = set(re.findall(r"\*\*`([a-z_]+)`\*\*", row))
    assert bold == set(REQUIRED[kind]) - {"account_key"}
