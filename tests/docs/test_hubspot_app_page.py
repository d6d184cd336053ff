"""docs/hubspot-app.md names scopes, properties and objects that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

from connectors.fields import field_specs, object_specs, permission_specs
from connectors.hubspot.app_source import APP
from connectors.hubspot.scopes import SCOPES

PAGE = (Path(__file__).parents[2] / "docs" / "hubspot-app.md").read_text(encoding="utf-8")
OBJECTS = {spec.plural: spec for spec in object_specs().values()}
ACCOUNT_LABELS = {spec.label for spec in field_specs().values() if spec.object == "accounts"}
OF_HUBSPOT = {"Company owner"}


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the section's table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_page_lists_every_scope_once() -> None:
    """In the table those of every account, and below it those of custom objects."""
    text = section("What the app may do")
    named = re.findall(r"`([a-z_.]+)`", "".join(row[0] for row in rows(text)))
    custom = re.findall(r"`(crm\.[a-z]+\.custom\.[a-z]+)`", text)
    assert len(custom) == 4
    scopes = {scope.name for scope in SCOPES}
    assert sorted(named) == sorted(name for name in scopes if ".custom." not in name)
    assert {name for name in scopes if ".custom." in name} <= set(custom)


def test_the_properties_named_by_their_names_exist() -> None:
    """Those that the card writes."""
    names = set(re.findall(r"`(expansion_\w+)`", PAGE))
    assert names
    assert names <= {spec.hubspot for spec in field_specs().values()}


def test_the_page_lists_what_belongs_together() -> None:
    """Every permission set but our own user's."""
    named = [row[0] for row in rows(section("Who sees what"))]
    labels = [spec.label.removeprefix("Upswell ") for spec in permission_specs().values()]
    assert named == [label for label in labels if label != "Integration"]


def test_lists_filter_by_properties_of_companies() -> None:
    """By their labels."""
    for name, filters in rows(section("Lists")):
        assert set(re.findall(r"\*([^*]+)\*", filters)) <= ACCOUNT_LABELS | OF_HUBSPOT, name


def test_reports_choose_fields_of_their_data_source() -> None:
    """By their labels; each of our objects has a report."""
    found = rows(section("Reports that HubSpot lets nobody create by API"))
    assert {source for _, source, _, _ in found} == {*OBJECTS, "Companies"}
    for name, source, values, filters in found:
        labels = {spec.label for spec in OBJECTS[source].fields.values()} if source in OBJECTS else None
        for label in re.findall(r"\*([^*]+)\*", values + filters):
            if labels is not None:
                assert label in labels, name
            else:
                quarter = f"Expansion ARR, {label} Fiscal Quarter"
                assert {label, quarter} & (ACCOUNT_LABELS | OF_HUBSPOT), name


def test_the_page_names_the_versions_that_the_project_has() -> None:
    """Of the platform, and of HubSpot's SDK."""
    project = APP.parents[1]
    assert json.loads((project / "hsproject.json").read_text())["platformVersion"] in PAGE
    pinned = json.loads((project / "package.json").read_text())["devDependencies"]
    assert f"api-client`, {pinned['@hubspot/ui-extensions']})" in PAGE
