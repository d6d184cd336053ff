"""What an administrator did to our fields in an org survives every install."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fields import FieldSpec, field_specs, object_specs
from connectors.salesforce.picklists import with_values
from connectors.sandbox.salesforce.schema import Field, Schema

SPECS = list(field_specs().values())
CODES = field_specs()["reason_codes"]
TIER = object_specs()["forecasts"].fields["tier"]


def field_of(org: Any, spec: FieldSpec, home: str = "Account") -> Field:
    """The field as the org has it now."""
    return Schema(org.sandbox.store).objects()[home.lower()].fields[spec.salesforce.lower()]


def edited(org: Any, spec: FieldSpec, home: str = "Account", **changes: Any) -> None:
    """An administrator changes a field."""
    Schema(org.sandbox.store).add_fields(home, [replace(field_of(org, spec, home), **changes)])


def test_values_of_a_later_version_come_to_those_of_an_administrator(our_org: Any) -> None:
    """Theirs stay, and so do their labels, their label of the field and their help."""
    held = field_of(our_org, CODES)
    old, labels = held.values[:-2], ("Plein à craquer", *held.value_labels[1:-2])
    names = {"label": "Codes", "help_text": "Ours, says RevOps."}
    edited(our_org, CODES, values=(*old, "THEIRS"), value_labels=(*labels, "Theirs"), **names)
    report = our_org.connect().install(SPECS, apply=True)
    (step,) = [step for step in report.steps if step.action != "keep"]
    assert (step.name, step.action) == ("Expansion_Reason_Codes__c", "update")
    assert step.detail == f"with the values {', '.join(held.values[-2:])}"
    now = field_of(our_org, CODES)
    assert now.values == (*old, "THEIRS", *held.values[-2:])
    assert now.value_labels == (*labels, "Theirs", *held.value_labels[-2:])
    assert (now.label, now.help_text, now.restricted) == ("Codes", "Ours, says RevOps.", True)
    assert {step.action for step in our_org.connect().install(SPECS, apply=True).steps} == {"keep"}


def test_values_come_to_a_field_of_an_object_of_our_own(full_org: Any) -> None:
    """Which the Tooling API knows by the object's id alone."""
    objects = [object_specs()["forecasts"]]
    home = objects[0].salesforce
    held = field_of(full_org, TIER, home)
    edited(full_org, TIER, home, values=held.values[1:], value_labels=held.value_labels[1:])
    report = full_org.connect().install(SPECS, objects, apply=True)
    assert [(step.object, step.name, step.action) for step in report.steps if step.action != "keep"] == [
        (home, "Tier__c", "update")
    ]
    assert set(field_of(full_org, TIER, home).values) == set(held.values)


def test_a_renamed_field_or_value_is_no_difference(our_org: Any) -> None:
    """Labels are the company's; a removal takes the field all the same, since its name and help are ours."""
    held = field_of(our_org, field_specs()["tier"])
    edited(our_org, field_specs()["tier"], label="Readiness", value_labels=("Hot", *held.value_labels[1:]))
    crm = our_org.connect()
    assert {step.action for step in crm.install(SPECS, apply=True).steps} == {"keep"}
    assert field_of(our_org, field_specs()["tier"]).value_labels[0] == "Hot"
    assert crm.describe("Account").fields["Expansion_Tier__c"].label == "Readiness"
    assert {step.action for step in crm.remove(SPECS, apply=False).steps} == {"remove"}


def held(*values: tuple[str, bool | None]) -> dict[str, Any]:
    """A definition of the Tooling API with these values, active or not."""
    there = [{"valueName": value, "label": value, "isActive": active} for value, active in values]
    return {"label": "X", "valueSet": {"restricted": True, "valueSetDefinition": {"value": there}}}


@pytest.mark.parametrize(
    "definition",
    [
        held(("OLD", None), ("NEW", False)),
        {"valueSet": {"valueSetName": "Theirs", "valueSetDefinition": None}},
        {"valueSet": None},
    ],
)
def test_a_value_that_somebody_switched_off_is_not_forced_on_them(definition: dict[str, Any]) -> None:
    """Nor are values put into a global value set, which other fields use."""
    assert with_values(definition, {"new": "New"}) is None


@given(
    st.lists(st.text("abc", min_size=1, max_size=3), unique=True),
    st.sets(st.text("XYZ", min_size=1, max_size=3)),
)
def test_what_is_there_stays_where_it_is(there: list[str], new: set[str]) -> None:
    """New values come after it, whatever they are."""
    before = held(*((value, None) for value in there))
    merged = with_values(before, {value: value for value in sorted(new)})
    assert merged is not None
    values = merged["valueSet"]["valueSetDefinition"]["value"]
    assert values[: len(there)] == before["valueSet"]["valueSetDefinition"]["value"]
    assert [each["valueName"] for each in values[len(there) :]] == sorted(new)
    assert {**merged, "valueSet": None} == {**before, "valueSet": None}
