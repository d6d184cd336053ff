"""The panel's project speaks our version of the API, offers admins two components, and names no registry."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

from connectors.salesforce.settings import SalesforceSettings

PROJECT = Path(__file__).parents[3] / "connectors" / "salesforce" / "package"
COMPONENTS = sorted((PROJECT / "force-app/main/default/lwc").glob("*/*.js-meta.xml"))
NAMES = {"m": "http://soap.sforce.com/2006/04/metadata"}
VERSION = next(each.default for each in fields(SalesforceSettings) if each.name == "api_version")


def told(file: Path, path: str) -> list[str | None]:
    """Texts of the elements at this path of a component's settings."""
    return [each.text for each in ElementTree.parse(file).findall(path, NAMES)]


def test_every_component_and_the_project_speak_the_connectors_version_of_the_api() -> None:
    """One that the connector moves on from would be deployed by rules that it no longer knows."""
    assert json.loads((PROJECT / "sfdx-project.json").read_text())["sourceApiVersion"] == VERSION
    assert [file.name for file in COMPONENTS if told(file, "m:apiVersion") != [VERSION]] == []


def test_every_folder_is_a_component_that_says_what_it_is_for() -> None:
    """A folder without settings would not be deployed."""
    folders = sorted(
        each.name for each in (PROJECT / "force-app/main/default/lwc").iterdir() if each.is_dir()
    )
    assert [file.parent.name for file in COMPONENTS] == folders
    assert all(told(file, "m:description") for file in COMPONENTS)


def test_admins_may_place_the_panel_on_accounts_and_the_list_on_home_pages() -> None:
    """And nothing else: the other components are parts of these."""
    exposed = {file.parent.name: file for file in COMPONENTS if told(file, "m:isExposed") == ["true"]}
    assert set(exposed) == {"expansionPanel", "expansionList"}
    assert told(exposed["expansionPanel"], "m:targets/m:target") == ["lightning__RecordPage"]
    assert told(exposed["expansionPanel"], ".//m:object") == ["Account"]
    assert told(exposed["expansionList"], "m:targets/m:target") == [
        "lightning__HomePage",
        "lightning__AppPage",
    ]
    sizes = ElementTree.parse(exposed["expansionPanel"]).findall(".//m:supportedFormFactor", NAMES)
    assert [each.get("type") for each in sizes] == ["Large", "Small"]


def test_packages_are_pinned_and_no_registry_is_named() -> None:
    """Exact versions in package.json, hashes and no address in the lock."""
    wanted = json.loads((PROJECT / "package.json").read_text())["devDependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    locked = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    assert [name for name, each in locked.items() if "resolved" in each] == []
    assert [name for name, each in locked.items() if name and "integrity" not in each] == []
