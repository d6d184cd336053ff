"""What the settings say about the CRM's fields."""

from __future__ import annotations

import pytest

from connectors.canonical import REAL
from connectors.errors import SetupError
from connectors.mappings import Mappings

GIVEN = {"accounts": {"arr": "ARR__c"}, "fields": {"score": "Their_Score__c"}}


def test_the_accounts_own_id_is_a_mapped_column() -> None:
    """account_external_id fills external_id of accounts, unless [mapping.accounts] says otherwise."""
    mappings = Mappings.of(GIVEN, "Customer_Id__c")
    assert mappings.columns("accounts") == {"arr": "ARR__c", "external_id": "Customer_Id__c"}
    assert mappings.columns("contacts") == {}
    own = Mappings.of({"accounts": {"external_id": "Theirs__c"}}, "Customer_Id__c")
    assert own.columns("accounts") == {"external_id": "Theirs__c"}


def test_our_fields_under_other_names_are_no_table() -> None:
    """[mapping.fields] names our own fields and no canonical column."""
    mappings = Mappings.of(GIVEN, "")
    assert mappings.own_fields == {"score": "Their_Score__c"}
    assert "fields" not in mappings.tables


def test_a_checked_column_comes_with_the_place_that_maps_it() -> None:
    """The caller checks the field, and can name the setting."""
    assert list(Mappings.of(GIVEN, "").checked("accounts", ["crm_id"])) == [
        ("[mapping.accounts] arr", "ARR__c", REAL)
    ]


@pytest.mark.parametrize("column", ["no_such_column", "crm_id"])
def test_a_column_that_can_not_be_mapped_is_refused(column: str) -> None:
    """Neither an unknown column nor one of the record's own stamps; the fix lists what is free."""
    mappings = Mappings.of({"accounts": {column: "X__c"}}, "")
    with pytest.raises(SetupError, match="no such column") as caught:
        list(mappings.checked("accounts", ["crm_id"]))
    assert caught.value.record == f"[mapping.accounts] {column}"
    assert "renewal_date" in str(caught.value)
    assert " crm_id," not in str(caught.value)
