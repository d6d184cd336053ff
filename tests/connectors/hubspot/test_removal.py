"""Our properties and groups taken out of an account again."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import SetupError
from connectors.fields import field_specs

SPECS = list(field_specs().values())


def test_an_install_is_taken_back_whole(our_account: Any) -> None:
    """Properties and groups; a second time there is nothing to take back."""
    crm = our_account.connect()
    planned = crm.remove(SPECS, apply=False)
    assert {step.action for step in planned.steps} == {"remove"}
    assert len(planned.steps) == len(SPECS) + 2
    assert "expansion_score" in our_account.connect().describe("companies").fields
    assert crm.remove(SPECS, apply=True).applied
    left = [n for o in ("companies", "tasks") for n in crm.describe(o).fields if n.startswith("expansion_")]
    assert left == []
    assert our_account.connect().remove(SPECS, apply=True).steps == ()


def test_a_removal_leaves_what_is_not_ours(our_account: Any) -> None:
    """A property of somebody's in our group, and one whose description was rewritten, unless we noted it."""
    crm = our_account.connect()
    paths = crm._client.paths
    theirs = {"name": "their_note", "label": "T", "type": "string", "fieldType": "text"}
    theirs["groupName"] = "expansion"
    crm._client.set_up(paths.new_properties("companies"), {"inputs": [theirs]})
    path = f"{paths.properties_of('companies')}/expansion_score"
    crm._client._json("PATCH", path, body={"description": "Ours now."}, safe=False)
    report = our_account.connect().remove(SPECS, apply=True)
    kept = {step.name: step.detail for step in report.steps if step.action == "keep"}
    assert kept == {
        "expansion_score": "not made by Upswell: its description or group is another",
        "expansion": "property group, which holds expansion_score, their_note too",
    }
    fields = our_account.connect().describe("companies").fields
    assert {name for name in fields if name.startswith("expansion_")} == {"expansion_score"}
    again = our_account.connect().remove(SPECS, made={"companies.expansion_score"}, apply=True)
    done = [(step.name, step.action) for step in again.steps]
    assert done == [("expansion_score", "remove"), ("expansion", "keep")]


def test_a_removal_that_the_account_refuses_is_told_in_its_words(our_account: Any) -> None:
    """A workflow or a list may use a property."""
    crm = our_account.connect()
    rule = {"kind": "status", "status": 400, "code": "VALIDATION_ERROR", "message": "In use by 1 workflow"}
    our_account.fault(endpoint="*batch.archive", **rule)
    with pytest.raises(SetupError, match="In use by 1 workflow"):
        crm.remove(SPECS, apply=True)
