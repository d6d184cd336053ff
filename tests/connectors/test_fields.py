"""What fields.toml says, held against what it must agree with."""

from __future__ import annotations

import re

from connectors.crm import FieldType
from connectors.fields import field_specs, object_specs, permission_specs
from model.reason_codes import CODES

HELP_LENGTH = 510  # characters that Salesforce's help text takes
TRACKED = 5
LABEL_LENGTH = 40


def test_a_reason_code_is_an_option_with_its_meaning() -> None:
    """Retired ones too: a record that was not written since still holds them."""
    assert field_specs()["reason_codes"].options == {each.code: each.meaning for each in CODES}


def test_fields_bear_one_prefix_and_say_what_they_are_and_who_writes_them() -> None:
    """Within the lengths that the vendors take."""
    for spec in field_specs().values():
        assert re.fullmatch(r"Expansion_[A-Za-z0-9_]{1,30}__c", spec.salesforce), spec.key
        assert re.fullmatch(r"expansion_[a-z0-9_]{1,90}", spec.hubspot), spec.key
        assert len(spec.label) <= LABEL_LENGTH, spec.key
        writer = "Written by Upswell" if spec.owner == "machine" else "Upswell only reads it."
        assert writer in spec.help, spec.key
        assert len(spec.help) <= HELP_LENGTH, spec.key
        FieldType(spec.type)


def test_at_most_five_fields_keep_their_history() -> None:
    """Salesforce tracks twenty fields of an object, and the company needs its own."""
    assert sum(spec.track_history for spec in field_specs().values()) <= TRACKED


def test_each_object_of_ours_tells_its_rows_apart_by_one_unique_key() -> None:
    """Else a row that was sent twice would stand there twice."""
    for each in object_specs().values():
        assert [key for key, spec in each.fields.items() if spec.unique] == ["key"], each.key
        assert re.fullmatch(r"Expansion_[A-Za-z0-9_]{1,30}__c", each.salesforce)
        names = {spec.salesforce for spec in each.fields.values()}
        assert len(names) == len({spec.hubspot for spec in each.fields.values()}) == len(each.fields)
        assert all(
            spec.help.endswith(".") and len(spec.label) <= LABEL_LENGTH for spec in each.fields.values()
        )


def test_without_read_reasons_nothing_that_names_a_reason_is_shown() -> None:
    """Reasons, codes, moves and briefs name people and their usage: they have a permission of their own."""
    told = {
        "reason_1",
        "reason_2",
        "reason_3",
        "against_1",
        "against_2",
        "reason_codes",
        "why_moved",
        "brief",
    }
    told |= {"whom_to_reach", "next_milestone"}
    sets = permission_specs()
    assert told == set(sets["Upswell_Read_Reasons"].read)
    for name in ("Upswell_Read_Scores", "Upswell_Read_Forecast", "Upswell_Give_Feedback"):
        assert not told & {*sets[name].read, *sets[name].edit}
