"""The install of our properties into a HubSpot account on a real port."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.crm import FieldType
from connectors.errors import SetupError
from connectors.fields import field_specs

SPECS = list(field_specs().values())


def test_a_plan_creates_nothing(account: Any) -> None:
    """Without apply, every missing property is listed and none is made."""
    report = account.connect().install(SPECS, apply=False)
    assert {"create"} == {step.action for step in report.steps}
    assert len(SPECS) + 2 == len(report.steps)
    assert {"GET"} == {request.method for request in account.requests()}


def test_a_second_install_creates_nothing(account: Any) -> None:
    """What was created is kept, by a few calls."""
    crm = account.connect()
    crm.install(SPECS, apply=True)
    made = len([r for r in account.requests() if r.method == "POST"])
    report = account.connect().install(SPECS, apply=True)
    assert {"keep"} == {step.action for step in report.steps}
    assert made == len([r for r in account.requests() if r.method == "POST"])
    assert made <= 5


def test_each_property_is_what_fields_toml_says(our_account: Any) -> None:
    """Type, label, options and writability of each of our properties as described afterwards."""
    crm = our_account.connect()
    for spec in SPECS:
        held = crm.describe(crm.object_name(spec.object)).fields[crm.field_name(spec)]
        assert FieldType(spec.type) is held.type, spec.key
        assert spec.label == held.label
        assert set(spec.options.values()) <= set(held.options)
        assert held.updateable
    assert crm.describe("tasks").fields["expansion_task_key"].unique


def test_a_property_of_another_kind_is_left_and_named(account: Any) -> None:
    """A property that exists with another type differs, and is not touched."""
    crm = account.connect()
    crm._client.send(
        "/crm/properties/2026-09/companies/batch/create",
        {
            "inputs": [
                {
                    "name": "expansion_score",
                    "label": "Mine",
                    "type": "string",
                    "fieldType": "text",
                    "groupName": "companiesinformation",
                }
            ]
        },
    )
    report = crm.install(SPECS, apply=True)
    differs = [step for step in report.steps if step.action == "differs"]
    assert [(s.name, s.detail) for s in differs] == [("expansion_score", "is text, ours is number")]
    assert account.connect().describe("companies").fields["expansion_score"].label == "Mine"


def test_an_account_without_unique_task_properties_is_served_all_the_same(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    """The task key is then an ordinary property, and the report says what that means."""
    crm = opened(tmp_path / "plain", unique_on_tasks=0).connect()
    report = crm.install(SPECS, apply=True)
    assert crm.describe("tasks").fields["expansion_task_key"].unique is False
    assert ["search" in warning for warning in report.warnings] == [True]


def test_a_mapped_property_must_exist(account: Any) -> None:
    """RevOps' own property in place of ours is checked, and ours is then not made."""
    crm = account.connect(mapping={"fields": {"score": "their_score"}})
    with pytest.raises(SetupError, match="their_score"):
        crm.install(SPECS, apply=True)
    crm = account.connect(mapping={"fields": {"score": "seats"}})
    crm.install(SPECS, apply=True)
    assert "expansion_score" not in account.connect().describe("companies").fields


def test_missing_scopes_are_named(account: Any) -> None:
    """An app that may not change properties is told which scope it lacks."""
    account.grant("oauth", "crm.objects.companies.read", "crm.schemas.companies.read")
    with pytest.raises(SetupError, match=r"crm\.schemas\.companies\.write"):
        account.connect().install([field_specs()["score"]], apply=True)
