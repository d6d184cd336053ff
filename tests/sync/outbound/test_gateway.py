"""What never leaves for the CRM, whoever asks."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.crm import Value
from connectors.errors import StateError
from sync.cells import Cell, cell_to_json
from sync.gateway import CellErrand
from sync.mapping import field_map
from sync.operations import Operation


def operation(field: str, after: Value, object_name: str = "Account") -> Operation:
    """A write of one cell of account 0011 that is empty now."""
    cell = Cell(key="any", name=field, before=None, after=after)
    return Operation(
        key="p:0011", plan_id="p", run_id="r", position=0, kind="write", object=object_name,
        record_id="0011", account_id="a1", payload={"cells": [cell_to_json(cell)]},
    )  # fmt: skip


def refusal(world: Any, op: Operation, *, restoring: bool = False) -> str | None:
    """The code with which the gateway refuses the operation, or None when it would send it."""
    errand = CellErrand(crm=world.crm, fields=field_map(world.crm), restoring=restoring)
    result = errand.screen([op]).get(op.key)
    return None if result is None else result.vendor_code


@pytest.mark.parametrize("field", ["Name", "Expansion_Status__c", "Our_Score__c", "Expansion_Opt_Out__c"])
def test_a_field_outside_the_allow_list_is_refused(world: Any, field: str) -> None:
    """Neither the company's fields nor those that people own, even if a plan names them."""
    with pytest.raises(StateError, match=f"0011: not a field that Upswell may write: {field}"):
        refusal(world, operation(field, "x"))


def test_another_object_is_refused(world: Any) -> None:
    """Account fields belong on accounts."""
    with pytest.raises(StateError, match="may write: Contact"):
        refusal(world, operation("Expansion_Tier__c", "high", "Contact"))


def test_a_number_that_is_none_is_refused(world: Any) -> None:
    """JSON has no word for it, and the client would send one all the same."""
    assert refusal(world, operation("Expansion_Score__c", float("nan"))) == "NOT_FINITE"
    assert refusal(world, operation("Expansion_Score__c", 50)) is None


def test_text_that_begins_like_a_formula_is_refused_unless_it_is_given_back(world: Any) -> None:
    """A restore returns the CRM's own text, which is not ours to judge."""
    formula = operation("Expansion_Reason_1__c", "=HYPERLINK(1)")
    assert refusal(world, formula) == "UNSAFE_TEXT"
    assert refusal(world, formula, restoring=True) is None
