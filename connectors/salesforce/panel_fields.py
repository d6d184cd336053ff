"""The fields that the panel in Salesforce shows and writes, as the JavaScript module that it imports.

`python -m connectors.salesforce.panel_fields` writes it anew from fields.toml; a test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from connectors.fields import field_specs, permission_specs

MODULE: Final = (
    Path(__file__).parent / "package/force-app/main/default/lwc/expansionFields/expansionFields.js"
)
SHOWN: Final = (
    *("score", "tier", "change", "why_moved", "expected_arr", "arr_low", "arr_high"),
    *("play", "product", "product_2", "timing", "health", "priority"),
    *("reason_1", "reason_2", "reason_3", "against_1", "against_2", "like_this"),
    *("next_milestone", "whom_to_reach", "brief", "scored_at", "data_as_of", "model_version"),
)
"""Keys of what Upswell writes and the panel shows, in the panel's order; `priority` sorts the list."""
PERMISSION_SETS: Final = {
    "scores": "Upswell_Read_Scores",
    "reasons": "Upswell_Read_Reasons",
    "forecast": "Upswell_Read_Amounts",
    "feedback": "Upswell_Give_Feedback",
}
"""Which permission set the panel tells people to ask for."""
_HEAD: Final = """\
// Written by `python -m connectors.salesforce.panel_fields` from connectors/fields.toml: edit that.
// Names as text, not by @salesforce/schema: an import of a field that an org lacks, or that a person may not
// see, would keep the whole component from loading.
"""


def keys() -> tuple[str, ...]:
    """What the panel reads: all that it shows, and all that people fill in on an account."""
    people = (
        key for key, spec in field_specs().items() if spec.object == "accounts" and spec.owner == "person"
    )
    return (*SHOWN, *people)


def source(own: Mapping[str, str] = MappingProxyType({})) -> str:
    """The module's text: names of fields by our key, labels of their options, names of permission sets.

    `own` are the fields that RevOps mapped in place of ours, by our key; one without a name is left out."""
    specs = field_specs()
    labels = {key: permission_specs()[name].label for key, name in PERMISSION_SETS.items()}
    names = {key: name for key in keys() if (name := own.get(key, specs[key].salesforce))}
    options = {key: _record(specs[key].options, 4) for key in keys() if specs[key].options}
    return "\n".join(
        (
            _HEAD,
            "export const OBJECT = 'Account';\n",
            f"export const FIELDS = Object.freeze({_record(names)});\n",
            "export const OPTIONS = Object.freeze({",
            *(f"    {key}: {text}," for key, text in options.items()),
            "});\n",
            f"export const PERMISSION_SETS = Object.freeze({_record(labels)});\n",
        )
    )


def _record(values: Mapping[str, str], indent: int = 0) -> str:
    """A JavaScript object of texts, one a line."""
    lines = (f"{' ' * (indent + 4)}{key}: {_text(value)}," for key, value in values.items())
    return "\n".join(("{", *lines, f"{' ' * indent}}}"))


def _text(value: str) -> str:
    """A JavaScript string in single quotes, in double ones where it holds a single one."""
    quoted = json.dumps(value, ensure_ascii=False)
    return quoted if "'" in value or "\\" in quoted else f"'{value}'"


if __name__ == "__main__":
    MODULE.write_text(source(), encoding="utf-8")
