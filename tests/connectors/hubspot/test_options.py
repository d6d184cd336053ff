"""What an administrator did to our properties in an account survives every install, and is written around."""

from __future__ import annotations

from typing import Any

from connectors.crm import Change, RowOutcome
from connectors.fields import field_specs

SPECS = list(field_specs().values())
TIER = field_specs()["tier"]
PATH = "/crm/properties/2026-09/companies/expansion_tier"


def patched(crm: Any, **changes: Any) -> None:
    """An administrator changes the property."""
    crm._client.change(PATH, changes)


def options(crm: Any) -> list[tuple[str, str]]:
    """Value and label of each option, in order."""
    return [(each["value"], each["label"]) for each in crm._client.get(PATH)["options"]]


def test_options_of_a_later_version_come_to_those_of_an_administrator(our_account: Any) -> None:
    """Theirs stay, and so do their labels."""
    crm = our_account.connect()
    old = [{"value": "very_high", "label": "Hot"}, {"value": "theirs", "label": "Theirs"}]
    patched(crm, options=old, label="Readiness", description="Ours, says RevOps.")
    report = our_account.connect().install(SPECS, apply=True)
    (step,) = [step for step in report.steps if step.action != "keep"]
    assert (step.name, step.action) == ("expansion_tier", "update")
    assert "Very high" not in step.detail
    assert options(crm)[:2] == [("very_high", "Hot"), ("theirs", "Theirs")]
    assert {value for value, _ in options(crm)} == {*TIER.options, "theirs"}
    told = crm._client.get(PATH)
    assert (told["label"], told["description"]) == ("Readiness", "Ours, says RevOps.")
    assert {step.action for step in our_account.connect().install(SPECS, apply=True).steps} == {"keep"}


def test_a_renamed_option_is_written_and_read_as_before(our_account: Any) -> None:
    """By its internal value, which no administrator can change."""
    company = our_account.create("companies", name="Acme")
    crm = our_account.connect()
    there = [{"value": value, "label": label.upper()} for value, label in TIER.options.items()]
    patched(crm, options=there)
    crm = our_account.connect()
    assert crm.describe("companies").fields["expansion_tier"].options == tuple(TIER.options.values())
    change = Change(key="a", object="companies", id=company, values={"expansion_tier": "Very high"})
    assert [each.outcome for each in crm.write([change])] == [RowOutcome.APPLIED]
    held = crm.read("companies", [company], ["expansion_tier"])[company]
    assert held.values == {"expansion_tier": "Very high"}
    assert our_account.sandbox.store.row("companies", company)["expansion_tier"] == "very_high"
