"""The panel in Salesforce names exactly the fields, options and permission sets that fields.toml has."""

from __future__ import annotations

import re

from connectors.fields import field_specs, permission_specs
from connectors.salesforce.panel_fields import MODULE, SHOWN, keys, source

COMPONENTS = MODULE.parents[1]


def code() -> str:
    """All JavaScript and HTML that ships, without what is generated and without tests."""
    return "\n".join(
        file.read_text(encoding="utf-8")
        for file in sorted(COMPONENTS.glob("*/*.*"))
        if file.suffix in {".js", ".html"} and file != MODULE
    )


def keys_in(constant: str) -> list[str]:
    """Keys of an object of texts in labels."""
    labels = (COMPONENTS / "expansionLabels" / "expansionLabels.js").read_text(encoding="utf-8")
    body = labels.split(f"export const {constant} = Object.freeze({{", 1)[1].split("});", 1)[0]
    return re.findall(r"(\w+): '", body)


def test_the_module_is_what_fields_toml_makes_of_it() -> None:
    """Run `python -m connectors.salesforce.panel_fields` after a change of fields.toml."""
    assert source() == MODULE.read_text(encoding="utf-8")


def test_no_other_file_names_a_field_of_ours() -> None:
    """Else a field that is renamed would be missed there."""
    assert re.findall(r"Expansion_\w+__c", code()) == []


def test_the_panel_shows_what_upswell_writes_and_asks_what_people_write() -> None:
    """All people's fields of an account; of ours all but figures for reports and lists."""
    specs = field_specs()
    assert {specs[key].owner for key in SHOWN} == {"machine"}
    machine = {key for key, spec in specs.items() if spec.object == "accounts" and spec.owner == "machine"}
    left_out = {"probability", "reason_codes", *(f"arr_quarter_{quarter}" for quarter in (1, 2, 3, 4))}
    assert machine - set(SHOWN) == left_out
    assert set(keys()) - set(SHOWN) == {
        key for key, spec in specs.items() if spec.object == "accounts" and spec.owner == "person"
    }


def test_the_code_uses_each_field_that_it_reads() -> None:
    """By its key, in quotes or as a property."""
    text = code()
    assert [key for key in keys() if not re.search(rf"'{key}'|\b{key}\b[:,]|FIELDS\.{key}\b", text)] == []


def test_buttons_and_words_stand_for_the_options_of_their_fields() -> None:
    """In the order of fields.toml for what a person picks."""
    specs = field_specs()
    assert keys_in("FEEDBACK") == list(specs["feedback"].options)
    assert keys_in("CALLS") == list(specs["csm_call"].options)
    assert keys_in("PLAY_HINTS") == list(specs["play"].options)
    assert keys_in("TIMINGS") == list(specs["timing"].options)
    labels = code()
    assert all(f"'{label}'" in labels for key, label in specs["feedback"].options.items() if key != "not_now")


def test_a_reader_of_scores_alone_reads_what_the_panel_needs_for_them() -> None:
    """So that its state for them is the one that is tested."""
    scores = permission_specs()["Upswell_Read_Scores"]
    assert {"score", "tier", "change", "play", "product", "timing", "health", "opt_out"} <= set(scores.read)
    reasons = permission_specs()["Upswell_Read_Reasons"]
    assert {"reason_1", "against_1", "why_moved", "brief", "whom_to_reach"} <= set(reasons.read)
    assert not set(reasons.read) & set(scores.read)
