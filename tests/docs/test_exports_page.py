"""docs/exports.md names exactly the columns that are read, and which of them must be there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from connectors.canonical import schema_of
from connectors.exports.formats import VENDORS
from connectors.exports.spec import REQUIRED, ExportSpec

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


@pytest.mark.parametrize("name", VENDORS)
def test_the_page_shows_a_block_for_each_kind_that_a_vendor_delivers(name: str) -> None:
    """The blocks can be pasted; a vendor, or a kind of one, that is added without a word fails."""
    page = PAGE.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {name}$(.*?)^## ", page, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    (block,) = re.findall(r"^```toml$(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    specs = [ExportSpec(**entry) for entry in tomllib.loads(block)["exports"]]
    assert {spec.format for spec in specs} == {name}
    said = {spec.kind for spec in specs} | set(re.findall(r"`(events|users)`", section))
    assert said == set(VENDORS[name].kinds)
