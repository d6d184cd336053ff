"""Which value goes to which field."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.crm import FieldType
from connectors.errors import SettingError, SetupError
from sync.beside import Beside
from sync.mapping import (
    canonical_json,
    digest,
    digest_of_list,
    field_map,
    option_for,
    refuse_changed_schema,
    said_by,
    values_of,
)

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
        beside=Beside(),
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


def test_each_field_holds_its_own_part_of_the_score(world: Any, score: Score) -> None:
    """A figure in the wrong field would be believed."""
    row = score(
        0,
        product_2="training",
        expected_arr=21000.0,
        reasons=[{"sentence": f"for {n}"} for n in range(5)],
        against=[{"sentence": f"against {n}"} for n in range(3)],
        as_of=datetime(2026, 11, 22, 23, 59, tzinfo=UTC),
        reason_codes=["SEATS_FULL", "JUST_EXPANDED", "SEATS_FULL", "OF_A_LATER_VERSION"],
        moved={"since": "2026-11-15", "points": 8.5, "sentence": "Up 8 points since 15 Nov", "steps": []},
        like_this={"sentence": "31 of 42 accounts scored 70–80 % expanded within 90 days"},
        milestones=[
            {"product": "training", "of": 2, "reached": ["seats"], "next": None},
            {"product": "seats", "of": 3, "reached": ["seats"], "next": "Departments: 4 or more (now 3)"},
        ],
    )
    found = values_of(
        row,
        field_map(world.crm),
        product_names={"seats": "More seats"},
        beside=Beside(
            whom_to_reach="Talk to Dana Ortiz.",
            brief="First.\n\n- second\n- third",
            quarters=(100.0, 200.5, 0.0, 300.25),
        ),
        scored_at=NOW,
    )
    assert found == {
        "score": 71,
        "tier": "high",
        "probability": 0.7123,
        "expected_arr": 21000.0,
        "arr_low": 12000.0,
        "arr_high": 51000.0,
        "play": "expand",
        "product": "More seats",
        "product_2": "training",
        "timing": "now",
        "health": "green",
        "priority": 0,
        "reason_1": "for 0",
        "reason_2": "for 1",
        "reason_3": "for 2",
        "against_1": "against 0",
        "against_2": "against 1",
        "arr_quarter_1": 100.0,
        "arr_quarter_2": 200.5,
        "arr_quarter_3": 0.0,
        "arr_quarter_4": 300.25,
        "reason_codes": ("JUST_EXPANDED", "SEATS_FULL"),
        "change": 8,
        "why_moved": "Up 8 points since 15 Nov",
        "like_this": "31 of 42 accounts scored 70–80 % expanded within 90 days",
        "next_milestone": "Departments: 4 or more (now 3); 1 of 3 reached before More seats",
        "brief": "First.\n\n- second\n- third",
        "whom_to_reach": "Talk to Dana Ortiz.",
        "model_version": "2026.11.20-1",
        "scored_at": NOW,
        "data_as_of": date(2026, 11, 22),
    }


@pytest.mark.parametrize(
    ("cells", "play"),
    [
        ({"health": "red"}, "retain"),
        ({"health": "yellow"}, "nurture"),
        ({"timing": "d90"}, "prepare"),
        ({"tier": "low"}, "none"),
        ({"is_pipeline": True}, "none"),
        ({"is_pipeline": None}, "expand"),
    ],
)
def test_the_play_follows_health_timing_tier_and_pipeline(
    world: Any, score: Score, cells: dict[str, Any], play: str
) -> None:
    """Each of them is handed on; a score of before pipelines were known counts as none."""
    assert values(world.crm, score(1, **cells))["play"] == play


def test_a_text_field_gets_the_label_of_a_choice(world: Any, score: Score) -> None:
    """People read it there. A picklist that knows neither is written our word, which the CRM may refuse."""
    redefine(world.crm, "Expansion_Tier__c", type=FieldType.TEXT, options=())
    redefine(world.crm, "Expansion_Timing__c", options=(), restricted=False)
    found = values(world.crm, score(1))
    assert (found["tier"], found["timing"]) == ("High", "now")


def test_a_choice_that_is_none_of_ours_is_left_as_it_is(world: Any) -> None:
    """Neither a new word of the model nor an empty cell is translated."""
    tier = field_map(world.crm).written["tier"]
    assert option_for(tier, "stellar") == "stellar"
    assert option_for(tier, None) is None
    assert said_by(tier, "Stellar") == "Stellar"
    assert said_by(tier, None) is None


def test_a_plan_reads_what_it_writes_and_what_people_own(world: Any) -> None:
    """By the vendor's names, each once."""
    fields = field_map(world.crm)
    assert fields.object == "Account"
    assert set(fields.names) == {field.name for field in (*fields.written.values(), *fields.read.values())}
    assert len(fields.names) == len(set(fields.names)) == len(fields.written) + len(fields.read)


def test_only_the_fields_asked_for_are_written(world: Any) -> None:
    """What people own is read all the same; without a wish all are written."""
    fields = field_map(world.crm, only={"tier", "score"})
    assert set(fields.written) == {"tier", "score"}
    assert set(fields.schemas) == {"Expansion_Tier__c", "Expansion_Score__c"}
    assert set(fields.read) == set(field_map(world.crm).read)
    assert field_map(world.crm, only=()).written == {}


def test_a_field_of_people_that_the_org_lacks_is_not_read(world: Any) -> None:
    """It is no reason to stop; one of ours is."""
    lacking = {name: schema for name, schema in world.crm.schema.fields.items() if "CSM" not in name}
    world.crm.schema = replace(world.crm.schema, fields=MappingProxyType(lacking))
    assert "csm_call" not in field_map(world.crm).read

    del lacking["Expansion_Tier__c"]
    with pytest.raises(SetupError) as caught:
        field_map(world.crm)
    assert caught.value.record == "Account.Expansion_Tier__c"
    assert caught.value.message == (
        "the field for Expansion Tier is missing, or the integration user can't see it"
    )
    assert caught.value.fix == "Run `upswell install`, or give the integration user access to the field."


@pytest.mark.parametrize("definition", [{"updateable": False}, {"calculated": True}])
def test_a_field_that_nobody_may_edit_is_refused(world: Any, definition: dict[str, bool]) -> None:
    """By permission, or because a formula fills it."""
    redefine(world.crm, "Expansion_Tier__c", **definition)
    with pytest.raises(SetupError) as caught:
        field_map(world.crm)
    assert caught.value.record == "Account.Expansion_Tier__c"
    assert caught.value.message == "the integration user may not edit the field for Expansion Tier"
    assert caught.value.fix == (
        "Give the integration user edit access to the field (permission set Upswell Integration)."
    )


def test_a_refused_field_is_named_with_what_to_do(world: Any) -> None:
    """Its kind and ours, and the way out."""
    redefine(world.crm, "Expansion_Score__c", type=FieldType.TEXT)
    with pytest.raises(SetupError) as caught:
        field_map(world.crm)
    assert caught.value.record == "Account.Expansion_Score__c"
    assert caught.value.message == "Expansion Score needs a field of type number, and this one is text"
    assert caught.value.fix == "Name another field under [mapping.fields] score, or leave ours in place."

    redefine(world.crm, "Expansion_Score__c", type=FieldType.NUMBER)
    redefine(world.crm, "Expansion_Health__c", options=("green", "Red"))
    with pytest.raises(SetupError) as caught:
        field_map(world.crm)
    assert caught.value.record == "Account.Expansion_Health__c"
    assert caught.value.message == "the picklist for Account Health lacks the values unknown, yellow"
    assert caught.value.fix == "Add the values to the picklist, or run `upswell install` for a field of ours."


def test_a_picklist_that_takes_any_value_may_lack_ours(world: Any) -> None:
    """The CRM adds what it does not know."""
    redefine(world.crm, "Expansion_Tier__c", options=("Gold",), restricted=False)
    assert field_map(world.crm).written["tier"].schema.options == ("Gold",)


def test_our_own_scale_and_length_count_where_the_vendor_has_none(world: Any) -> None:
    """HubSpot's numbers and texts have neither; of two lengths the shorter one counts."""
    redefine(world.crm, "Expansion_Score__c", scale=None)
    redefine(world.crm, "Expansion_Product__c", length=None)
    redefine(world.crm, "Expansion_Product_2__c", length=255)
    redefine(world.crm, "Expansion_Model_Version__c", length=5)
    written = field_map(world.crm).written
    assert written["score"].schema.scale == 0
    assert [written[key].schema.length for key in ("product", "product_2", "model_version")] == [80, 80, 5]
    assert written["score"].schema.length is None


def test_a_wrong_mapping_says_what_to_do(world: Any) -> None:
    """And, for a name that is none of ours, which there are and where they stand."""
    with pytest.raises(SettingError) as unknown:
        field_map(world.crm, {"scoer": "Our_Score__c"})
    assert unknown.value.searched == ("connectors/fields.toml",)
    assert str(unknown.value.fix).startswith("Use one of: score, tier, probability, ")
    with pytest.raises(SettingError) as double:
        field_map(world.crm, {"score": "Our_Score__c", "priority": "Our_Score__c"})
    assert double.value.setting == "mapping.fields.priority"
    assert double.value.message == "the CRM field Our_Score__c is used for two of our fields"
    assert double.value.searched == ()
    assert double.value.fix == "Name a field of its own for each."


def test_the_mapping_hash_follows_the_names_and_the_schema_hash_the_definitions(world: Any) -> None:
    """A plan is bound to both; a field that is only read may be defined anew."""
    at_first = field_map(world.crm)
    redefine(world.crm, "Expansion_Status__c", options=("Open",))
    assert field_map(world.crm).schema_hash == at_first.schema_hash
    redefine(world.crm, "Expansion_Tier__c", label="Our tier", createable=False)
    assert field_map(world.crm).schema_hash == at_first.schema_hash

    redefine(world.crm, "Expansion_Product__c", length=40)
    shorter = field_map(world.crm)
    assert shorter.mapping_hash == at_first.mapping_hash
    assert shorter.schema_hash != at_first.schema_hash
    moved = field_map(world.crm, {"score": "Our_Score__c"})
    assert moved.mapping_hash != at_first.mapping_hash


def test_a_definition_keeps_what_decides_whether_a_value_fits(world: Any) -> None:
    """As JSON gives it back, so that the ledger's copy equals a fresh one."""
    found = field_map(world.crm).definitions()
    assert found["health"] == {
        "name": "Expansion_Health__c",
        "type": "picklist",
        "length": None,
        "precision": None,
        "scale": None,
        "options": ["green", "yellow", "red", "unknown"],
        "restricted": True,
        "updateable": True,
    }
    assert found["status"] == {"name": "Expansion_Status__c"}


def test_a_schema_that_changed_since_the_plan_is_refused_part_by_part(world: Any) -> None:
    """The error names the field and what about it; an unchanged one passes."""
    planned = field_map(world.crm).definitions()
    refuse_changed_schema(planned, field_map(world.crm))

    redefine(world.crm, "Expansion_Product__c", length=40, options=("A",))
    with pytest.raises(SetupError) as caught:
        refuse_changed_schema(planned, field_map(world.crm))
    assert caught.value.record == "Account.Expansion_Product__c"
    assert caught.value.message == (
        "the field is defined differently since the plan was made (length, options)"
    )
    assert caught.value.fix == "Make a new plan: upswell plan."


def test_a_field_that_is_no_longer_mapped_is_refused_whole(world: Any) -> None:
    """Every part of it is another now; fields before it in the plan are well."""
    planned = field_map(world.crm).definitions()
    with pytest.raises(SetupError) as caught:
        refuse_changed_schema(planned, field_map(world.crm, {"tier": ""}))
    assert caught.value.record == "Account.Expansion_Tier__c"
    assert caught.value.message == (
        "the field is defined differently since the plan was made (name, type, length, precision, scale, "
        "options, restricted, updateable)"
    )


CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(derandomize=True, deadline=None)
@given(st.lists(CONTENT, max_size=4))
def test_a_list_has_one_digest_whether_at_once_or_item_by_item(items: list[Any]) -> None:
    """A plan is frozen whole and checked row by row."""
    assert digest_of_list(iter(items)) == digest(items)


def test_a_digest_is_sha_256_of_canonical_json() -> None:
    """So that it can be checked by anyone: keys sorted, no blanks, a date as its text, UTF-8."""
    content = {"b": [1, "ü"], "a": date(2026, 11, 20)}
    written = '{"a":"2026-11-20","b":[1,"ü"]}'
    assert canonical_json(content) == written
    assert digest(content) == hashlib.sha256(written.encode()).hexdigest()
