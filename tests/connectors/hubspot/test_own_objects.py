"""Our own objects installed into a HubSpot account, written to, and taken out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import TerminalError
from connectors.fields import field_specs, object_specs
from connectors.hubspot.install import difference
from connectors.installing import Extras
from connectors.sandbox.hubspot.auth import grant
from connectors.sandbox.hubspot.schema import Schema

SPECS = list(field_specs().values())
OBJECTS = list(object_specs().values())
FORECASTS = object_specs()["forecasts"]
SCHEMAS = "/crm-object-schemas/2026-09/schemas"


@pytest.fixture
def big(tmp_path: Path, opened: Callable[..., Any]) -> Any:
    """An account on Enterprise, without our properties."""
    return opened(tmp_path / "big", enterprise=1)


def test_an_enterprise_account_gets_our_objects(big: Any) -> None:
    """With every property, associated with companies, found by their key; a second time nothing is done."""
    crm = big.connect()
    planned = crm.install(SPECS, OBJECTS, apply=False)
    new = {step.name: step.detail for step in planned.steps if step.object == "custom object"}
    assert new == {each.hubspot: f"with {len(each.fields)} properties" for each in OBJECTS}
    assert crm.install(SPECS, OBJECTS, apply=True).warnings == ()
    for spec in OBJECTS:
        held = crm.describe(crm.object_name(spec.key))
        for field in spec.fields.values():
            assert difference(field, held.fields[field.hubspot]) == "", (spec.key, field.key)
        assert held.fields["expansion_key"].unique
    own = Schema(big.sandbox.store).own_types()[crm.object_name("forecasts")]
    assert (own.singular, own.associated, own.primary) == (FORECASTS.label, ("0-2",), "expansion_key")
    posts = len([each for each in big.requests() if each.method == "POST"])
    again = big.connect().install(SPECS, OBJECTS, apply=True)
    assert {step.action for step in again.steps} == {"keep"}
    assert len([each for each in big.requests() if each.method == "POST"]) == posts


@pytest.mark.parametrize("tier", [0, 1])
def test_an_account_that_can_have_none_keeps_its_rows_with_us(
    tmp_path: Path, opened: Callable[..., Any], tier: int
) -> None:
    """By its tier, or because our app may not: a remark, and everything else is installed."""
    account = opened(tmp_path / "small", enterprise=tier)
    if tier:
        held = account.sandbox.store.meta["app.scopes"].split()
        grant(account.sandbox.store, tuple(each for each in held if "schemas.custom" not in each))
    report = account.connect().install(SPECS, OBJECTS, apply=True)
    (warning,) = report.warnings
    assert warning.startswith("forecast rows stay in Upswell: ")
    assert ("this HubSpot tier has no custom objects" in warning) is not tier
    assert not [step for step in report.steps if step.object == "custom object"]
    assert Schema(account.sandbox.store).own_types() == {}
    assert account.connect().describe("companies").fields["expansion_score"]


def test_a_property_of_a_later_version_comes_to_an_object_that_is_there(big: Any) -> None:
    """What an administrator renamed stays renamed."""
    crm = big.connect()
    crm.install([], OBJECTS, apply=True)
    name = crm.object_name("forecasts")
    crm._client.set_up(
        f"/crm/properties/2026-09/{name}/batch/archive", {"inputs": [{"name": "expansion_run"}]}
    )
    report = big.connect().install([], OBJECTS, apply=True)
    assert [(step.name, step.action) for step in report.steps if step.action != "keep"] == [
        ("expansion", "create"),
        ("expansion_run", "create"),
    ]
    assert "expansion_run" in big.connect().describe(name).fields


def test_a_key_is_written_once(big: Any) -> None:
    """A second row of it is refused; an upsert finds the first."""
    crm = big.connect()
    crm.install([], OBJECTS, apply=True)
    name = crm.object_name("forecasts")
    row = {"properties": {"expansion_key": "a|2026", "expansion_amount": "12.50"}}
    create = f"/crm/objects/2026-09/{name}/batch/create"
    assert len(crm._client.send(create, {"inputs": [row]})["results"]) == 1
    with pytest.raises(TerminalError, match="expansion_key"):
        crm._client.send(create, {"inputs": [row]})
    upsert = {
        "inputs": [{"id": "a|2026", "idProperty": "expansion_key", "properties": {"expansion_actual": "3"}}]
    }
    (told,) = crm._client.send(f"/crm/objects/2026-09/{name}/batch/upsert", upsert)["results"]
    assert (told["new"], told["properties"]["expansion_actual"]) == (False, "3")
    with pytest.raises(TerminalError, match="required"):
        crm._client.send(create, {"inputs": [{"properties": {"expansion_amount": "1"}}]})


def test_a_removal_takes_our_objects_with_their_rows(big: Any) -> None:
    """And leaves an object that explains itself otherwise; then the install can come again."""
    crm = big.connect()
    crm.install(SPECS, OBJECTS, apply=True)
    name = crm.object_name("forecasts")
    rows = [{"properties": {"expansion_key": str(number)}} for number in range(3)]
    crm._client.send(f"/crm/objects/2026-09/{name}/batch/create", {"inputs": rows})
    planned = crm.remove(SPECS, OBJECTS, apply=False)
    details = {step.name: step.detail for step in planned.steps if step.object == "custom object"}
    assert details["expansion_forecast"] == "with its 3 rows"
    assert crm.remove(SPECS, OBJECTS, apply=True).applied
    assert Schema(big.sandbox.store).own_types() == {}
    assert big.connect().remove(SPECS, OBJECTS, apply=True).steps == ()
    assert big.connect().install(SPECS, OBJECTS, apply=True).applied


def shown(account: Any) -> dict[str, Any]:
    """Everything of the account's setup that anybody sees: objects, properties, groups and lists."""
    store = account.sandbox.store
    groups = "SELECT object, name, label FROM property_groups WHERE NOT archived ORDER BY object, name"
    lists = "SELECT name FROM lists WHERE NOT gone"
    return {
        "properties": {name: sorted(kind.properties) for name, kind in Schema(store).types().items()},
        "groups": store.select(groups),
        "lists": store.select(lists) if store.columns("lists") else [],
    }


def test_a_removal_leaves_the_account_as_it_was(big: Any) -> None:
    """Objects, properties, groups and lists."""
    before = shown(big)
    crm = big.connect()
    crm.install(SPECS, OBJECTS, extras=Extras(views=True), apply=True)
    assert shown(big) != before
    assert {step.action for step in crm.remove(SPECS, OBJECTS, apply=True).steps} == {"remove"}
    assert shown(big) == before


def test_an_object_that_somebody_else_made_stays(big: Any) -> None:
    """By its description, unless it is noted that we made it."""
    crm = big.connect()
    theirs = {
        "name": FORECASTS.hubspot,
        "labels": {"singular": "Theirs", "plural": "Theirs"},
        "requiredProperties": [],
        "properties": [{"name": "theirs", "label": "Theirs", "type": "string", "fieldType": "text"}],
        "associatedObjects": [],
    }
    crm._client.set_up(SCHEMAS, theirs)
    (step,) = crm.remove([], OBJECTS, apply=True).steps
    assert (step.action, "another" in step.detail) == ("keep", True)
    (step,) = crm.remove([], OBJECTS, made={f"custom object.{FORECASTS.hubspot}"}, apply=False).steps
    assert step.action == "remove"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "1st"}, "must begin with a letter"),
        ({"labels": None}, "labels"),
        ({"requiredProperties": ["other"]}, "not among the properties"),
        ({"primaryDisplayProperty": "other"}, "not among the properties"),
        ({"associatedObjects": ["PLANET"]}, "PLANET"),
        ({"properties": []}, "properties"),
    ],
)
def test_the_sandbox_refuses_an_object_against_the_rules(big: Any, change: dict[str, Any], says: str) -> None:
    """And nothing of it stays."""
    crm = big.connect()
    body = {
        "name": "visit",
        "labels": {"singular": "Visit", "plural": "Visits"},
        "requiredProperties": [],
        "properties": [{"name": "place", "label": "Place", "type": "string", "fieldType": "text"}],
        "associatedObjects": ["COMPANY"],
    }
    with pytest.raises(TerminalError, match=says):
        crm._client.set_up(SCHEMAS, {**body, **change})
    assert Schema(big.sandbox.store).own_types() == {}
    crm._client.set_up(SCHEMAS, body)
    with pytest.raises(TerminalError, match="already exists"):
        crm._client.set_up(SCHEMAS, body)
