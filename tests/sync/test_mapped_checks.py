"""Doctor on what the settings map: objects, fields, types, each fault with its fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.canonical import MAPPED_KINDS
from connectors.crm import FieldSchema, FieldType, ObjectSchema
from connectors.errors import SetupError
from sync.check import Check, Verdict
from sync.config import load
from sync.mapped_checks import check_mapped

TYPES = {
    "Calls__c": FieldType.NUMBER,
    "Month__c": FieldType.DATE,
    "Words__c": FieldType.TEXT,
    "Text__c": FieldType.LONG_TEXT,
    "Account__c": FieldType.REFERENCE,
}
USAGE = {
    "object": "Usage__c",
    "account_crm_id": "Account__c",
    "metric": "=api_calls",
    "period_start": "Month__c",
    "value": "Calls__c",
}


@dataclass(frozen=True)
class Described:
    """A CRM that describes one object and nothing else."""

    mapping: Mapping[str, Mapping[str, str]]

    def object_name(self, table: str) -> str:
        kind = next((kind for kind, held in MAPPED_KINDS.items() if held == table), table)
        return self.mapping.get(kind, {}).get("object", "Account")

    def describe(self, name: str) -> ObjectSchema:
        if name not in {"Usage__c", "Account"}:
            raise SetupError("The org has no such object.", record=name, fix="Grant it.")
        fields = {key: FieldSchema(name=key, label=key, type=kind) for key, kind in TYPES.items()}
        return ObjectSchema(name=name, label=name, fields=fields, createable=True, updateable=True)


@pytest.fixture
def checks(tmp_path: Path) -> Any:
    """What doctor finds in a mapping."""

    def check(mapping: Mapping[str, Mapping[str, str]]) -> dict[str, Check]:
        lines = [
            line
            for table, columns in mapping.items()
            for line in (f"[mapping.{table}]", *(f'{name} = "{path}"' for name, path in columns.items()))
        ]
        file = tmp_path / "upswell.toml"
        file.write_text("\n".join(["[crm]", 'kind = "salesforce"', *lines]), encoding="utf-8")
        crm: Any = Described(mapping)
        return {found.name: found for found in check_mapped(crm, load(file, {}))}

    return check


def test_an_own_object_and_each_of_its_fields_are_named(checks: Any) -> None:
    """By the table as the settings call it."""
    found = checks({"usage": USAGE})
    assert set(found) == {"usage", "usage.account_crm_id", "usage.period_start", "usage.value"}
    assert all(each.verdict is Verdict.OK for each in found.values())
    assert found["usage"].found == "Usage__c delivers it"


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "said"),
    [
        ({"object": "Nothing__c"}, "usage", Verdict.FAIL, "no such object"),
        ({"value": "Gone__c"}, "usage.value", Verdict.FAIL, "no field Gone__c"),
        ({"value": "Month__c"}, "usage.value", Verdict.FAIL, "can't hold"),
        ({"value": "Text__c"}, "usage.value", Verdict.FAIL, "can't hold"),
        ({"value": "Words__c"}, "usage.value", Verdict.WARN, "may not hold"),
        ({"value": "Account__r.Seats__c"}, "usage.value", Verdict.OK, "checked by the pull"),
        ({"period_days": "=a month"}, "usage", Verdict.FAIL, "is no whole number"),
    ],
)
def test_a_fault_has_its_fix(
    checks: Any, changes: dict[str, str], name: str, verdict: Verdict, said: str
) -> None:
    """What can't be is a fault, what need not fit a warning."""
    found = checks({"usage": USAGE | changes})[name]
    assert (found.verdict, said in found.found) == (verdict, True)
    assert found.fix or verdict is Verdict.OK
