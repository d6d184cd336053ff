"""docs/fields.md is generated, and docs/install.md says of sets, reports and settings what is so."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.field_dictionary import dictionary
from connectors.fields import field_specs, group_specs, object_specs, permission_specs
from connectors.salesforce.metadata_report_types import report_types
from connectors.salesforce.metadata_reports import REPORTS
from connectors.views import view_specs
from sync.settings import CrmLogin

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "install.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of a section's table, without its head."""
    lines = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def test_the_dictionary_of_fields_is_what_fields_toml_says() -> None:
    """Run `make docs` after a change."""
    page = (DOCS / "fields.md").read_text(encoding="utf-8")
    assert page == dictionary()
    for spec in (*field_specs().values(), *(f for o in object_specs().values() for f in o.fields.values())):
        assert f"| `{spec.key}` | `{spec.salesforce}` | `{spec.hubspot}` |" in page
        assert spec.help in page


def test_the_groups_see_what_the_page_says() -> None:
    """A set that a group has not, nobody sees by it."""
    told = {row[0]: row[1:] for row in rows(SECTIONS["Who sees what in Salesforce"])}
    assert list(told) == [each.label for each in group_specs().values()]
    asked = {"score": "read", "reason_1": "read", "expected_arr": "read", "feedback": "edit"}
    for group in group_specs().values():
        sets = [permission_specs()[name] for name in group.sets]
        cells = []
        for key, how in asked.items():
            is_seen = any(key in (*each.read, *each.edit) for each in sets)
            is_edited = any(key in each.edit for each in sets)
            cells.append(
                "gives" if how == "edit" and is_edited else "sees" if is_seen and how == "read" else "–"
            )
        opened = {key for each in sets for key in each.objects}
        assert opened in (set(), set(object_specs())), group.label
        cells.append("sees" if opened else "–")
        assert told[group.label] == cells, group.label


def test_the_page_lists_every_report_and_report_type() -> None:
    """By the names that people see."""
    assert [row[0] for row in rows(SECTIONS["Reports"])] == [spec.label for spec in REPORTS]
    for part in report_types(field_specs().values(), list(object_specs().values())):
        assert part.root is not None
        assert f"*{part.root.findtext('label')}*" in " ".join(PAGE.split())


def test_the_page_names_settings_that_there_are() -> None:
    """The objects that may be left out, and how many views there are."""
    assert CrmLogin(kind="salesforce").objects == tuple(object_specs())
    assert 'objects = ["forecasts"]' in PAGE
    assert len(view_specs()) == 5
    assert "five list views of Account" in PAGE
