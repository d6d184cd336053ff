"""Which value goes to which field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from connectors.crm import FieldType
from connectors.errors import SettingError, SetupError
from sync.mapping import field_map, said_by, values_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Score = Callable[..., dict[str, Any]]


def redefine(crm: Any, name: str, **definition: Any) -> None:
    """The org defines a field another way."""
    fields = dict(crm.schema.fields) | {name: replace(crm.schema.fields[name], **definition)}
    crm.schema = replace(crm.schema, fields=MappingProxyType(fields))


def values(crm: Any, score: dict[str, Any], overrides: dict[str, str] | None = None) -> dict[str, Any]:
    """What the CRM should hold for a score."""
    return values_of(
        score,
        field_map(crm, overrides),
        product_names={"seats": "More seats"},
        whom_to_reach=None,
        scored_at=NOW,
    )


def test_every_machine_field_gets_a_value_and_no_field_of_people_does(world: Any, score: Score) -> None:
    """The two groups of fields.toml never meet."""
    fields = field_map(world.crm)
    assert set(values(world.crm, score(1))) == set(fields.written)
    assert set(fields.read) == {"status", "not_before", "csm_call", "opt_out", "feedback"}
    assert not {f.name for f in fields.read.values()} & set(fields.schemas)


def test_revops_own_field_takes_the_place_of_ours(world: Any, score: Score) -> None:
    """It is written at its own scale, and ours is not."""
    fields = field_map(world.crm, {"score": "Our_Score__c"})
    assert fields.written["score"].name == "Our_Score__c"
    assert "Expansion_Score__c" not in fields.schemas
    assert values(world.crm, score(0), {"score": "Our_Score__c"})["score"] == 71.2


def test_an_empty_name_leaves_a_field_out(world: Any) -> None:
    """A team that does not want a field does not get it."""
    assert "play" not in field_map(world.crm, {"play": ""}).written


def test_a_picklist_that_knows_only_labels_gets_the_label(world: Any, score: Score) -> None:
    """RevOps' own picklist keeps its words, and what a person picks there is understood."""
    labels = ("Very high", "High", "Medium", "Low", "Not enough data")
    redefine(world.crm, "Expansion_Tier__c", options=labels)
    redefine(world.crm, "Expansion_Status__c", options=("Open", "Already in talks", "Not now", "Done"))
    fields = field_map(world.crm)

    assert values(world.crm, score(1))["tier"] == "High"
    assert said_by(fields.read["status"], "Already in talks") == "in_talks"
    assert said_by(fields.read["status"], "in_talks") == "in_talks"


def test_a_restricted_picklist_without_our_values_is_refused(world: Any) -> None:
    """The error lists what is missing."""
    redefine(world.crm, "Expansion_Tier__c", options=("very_high", "high", "medium"))
    with pytest.raises(SetupError, match="lacks the values low, not_enough_data"):
        field_map(world.crm)


def test_a_field_of_another_kind_is_refused(world: Any) -> None:
    """A probability must not land in a text."""
    redefine(world.crm, "Expansion_Probability__c", type=FieldType.TEXT)
    with pytest.raises(SetupError, match=r"Expansion_Probability__c: .* needs a field of type percent"):
        field_map(world.crm)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"scoer": "Our_Score__c"}, r"mapping\.fields\.scoer: no field of ours"),
        ({"score": "Our_Score__c", "priority": "Our_Score__c"}, "used for two of our fields"),
    ],
)
def test_a_wrong_mapping_names_its_setting(world: Any, overrides: dict[str, str], message: str) -> None:
    """Before anything is read or written."""
    with pytest.raises(SettingError, match=message):
        field_map(world.crm, overrides)


def test_missing_values_are_empty_cells(world: Any, score: Score) -> None:
    """An account that the model knows little about gets no invented text."""
    blank = values(
        world.crm, score(1, probability=None, reasons=None, against=[], product=None, arr_low=None)
    )
    empty = {"score", "probability", "reason_1", "reason_2", "against_1", "product", "arr_low"}
    assert {key for key in empty if blank[key] is None} == empty
