"""The HubSpot app names what fields.toml has, asks for the scopes we use, and is a project HubSpot takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.fields import field_specs
from connectors.hubspot.app_source import API, APP, main, sources
from connectors.hubspot.scopes import SCOPES

PROJECT = APP.parents[1]
PEOPLE = frozenset({"feedback", "status", "not_before", "csm_call"})


def configurations() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each of the project's component files."""
    for file in sorted(APP.rglob("*-hsmeta.json")):
        yield file, json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_is_written_from_our_sources_is_what_is_committed(path: Path) -> None:
    """`python -m connectors.hubspot.app_source` after a change of fields.toml or scopes.py."""
    assert path.read_text(encoding="utf-8") == sources()[path]


def test_writing_the_sources_anew_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes each file whole, and the same."""
    written: dict[Path, str] = {}
    monkeypatch.setattr(Path, "write_text", lambda self, text, **_: written.setdefault(self, text))
    main()
    assert written == sources()


def test_the_card_names_every_field_of_an_account_but_those_for_lists_and_reports() -> None:
    """With the names that `upswell install` creates, and the options' labels."""
    cards = (APP / "cards" / "fields.ts").read_text(encoding="utf-8")
    for spec in field_specs().values():
        if spec.object != "accounts":
            continue
        hidden = spec.key in {"probability", "priority", "reason_codes"} or "quarter" in spec.key
        assert (f'name: "{spec.hubspot}"' in cards) is not hidden
        if not hidden:
            assert all(f'{key}: "{label}"' in cards for key, label in spec.options.items())


def test_no_property_is_named_by_hand() -> None:
    """Names stand in the generated files alone, so that none can be misspelt or left behind."""
    for file in APP.rglob("*.ts*"):
        if file.name != "fields.ts":
            assert not re.search(r"['\"`]expansion_\w+", file.read_text(encoding="utf-8")), file.name


def test_the_card_can_write_only_what_people_own() -> None:
    """The type of an answer names four fields, and each is a person's."""
    writing = (APP / "cards" / "writing.ts").read_text(encoding="utf-8")
    found = re.search(r"export type Answer = Partial<Record<Extract<Key, ([^>]+)>, string>>", writing)
    assert found is not None
    keys = set(re.findall(r"'(\w+)'", found.group(1)))
    assert keys == PEOPLE
    assert {field_specs()[key].owner for key in keys} == {"person"}


def test_the_app_asks_for_the_scopes_that_the_connector_needs_in_every_account_and_no_more() -> None:
    """A static token has required scopes only (Developer documentation, "Scopes"), so none of Enterprise."""
    auth = json.loads((APP / "app-hsmeta.json").read_text(encoding="utf-8"))["config"]["auth"]
    assert auth["type"] == "static"
    assert auth["requiredScopes"] == [scope.name for scope in SCOPES if ".custom." not in scope.name]
    assert auth["optionalScopes"] == auth["conditionallyRequiredScopes"] == []


def test_the_app_reaches_no_server_but_hubspots() -> None:
    """No address may be fetched, framed or shown."""
    config = json.loads((APP / "app-hsmeta.json").read_text(encoding="utf-8"))["config"]
    assert config["permittedUrls"] == {"fetch": [], "iframe": [], "img": []}


def test_the_platform_version_is_that_of_the_api_that_the_card_calls() -> None:
    """Both are dated alike, so that one is not left behind when the other moves on."""
    project = json.loads((PROJECT / "hsproject.json").read_text(encoding="utf-8"))
    assert project["srcDir"] == "src"
    assert project["platformVersion"].replace(".", "-") == API


def test_every_component_has_a_name_of_its_own_and_the_file_that_it_starts_with() -> None:
    """Cards on the company's tab and sidebar, a settings page, and the app around them."""
    found = list(configurations())
    assert sorted(config["type"] for _, config in found) == ["app", "card", "card", "settings"]
    assert len({config["uid"] for _, config in found}) == len(found)
    for file, config in found:
        entry = config["config"].get("entrypoint")
        if entry is not None:
            assert (APP.parent / entry.lstrip("/")).is_file()
            assert (file.parent / "package.json").is_file()
    cards = [config["config"] for _, config in found if config["type"] == "card"]
    assert [card["objectTypes"] for card in cards] == [["companies"], ["companies"]]
    assert {card["location"] for card in cards} == {"crm.record.tab", "crm.record.sidebar"}


def test_what_hubspot_installs_is_what_the_tests_ran_with() -> None:
    """HubSpot's build reads the package.json of each folder, and our kit the one of the project."""
    pinned = json.loads((PROJECT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    for folder in ("cards", "settings"):
        package = json.loads((APP / folder / "package.json").read_text(encoding="utf-8"))
        assert package["dependencies"] == {name: pinned[name] for name in ("@hubspot/ui-extensions", "react")}


def test_the_lock_holds_hashes_and_no_address_of_a_registry() -> None:
    """npm takes each package from whatever registry it is set to, and checks it."""
    lock = json.loads((PROJECT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name
