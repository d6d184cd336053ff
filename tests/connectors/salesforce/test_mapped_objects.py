"""A company's own objects deliver canonical tables, as the settings map them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from connectors.canonical import FROM_CRM
from connectors.crm import Window
from connectors.errors import SetupError
from connectors.sandbox.salesforce.custom_object import define_object, lookup
from connectors.sandbox.salesforce.schema import Field

EVERYTHING = Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))
USAGE = {
    "object": "Usage__c",
    "account_crm_id": "Account__c",
    "metric": "=api_calls",
    "period_start": "From__c",
    "period_days": "=30",
    "value": "Calls__c",
}


@pytest.fixture
def metered(org: Any) -> Any:
    """An org that keeps API calls by account and month in an object of its own; the org."""
    fields = [
        lookup("Account__c", "Account", "Account"),
        Field(name="Calls__c", label="Calls", type="double", precision=18),
        Field(name="From__c", label="From", type="date"),
        Field(name="Issued__c", label="Issued", type="datetime"),
        Field(name="Note__c", label="Note", type="textarea", length=32_000),
        Field(name="Level__c", label="Level", type="picklist", values=("1", "2")),
        Field(name="Word__c", label="Word", type="picklist", values=("one", "two")),
    ]
    define_object(org.sandbox.store, "Usage__c", label="Usage", fields=fields)
    return org


def test_an_own_object_tells_usage(metered: Any, pulled: Any) -> None:
    """With the account's record, constants where a column is no field, and known since it was created."""
    account = metered.create("Account", Name="Acme")
    record = metered.create("Usage__c", Name="U", Account__c=account, Calls__c=1200, From__c="2026-10-01")
    crm = metered.connect(mapping={"usage": USAGE})
    assert crm.tables()["crm_usage"] == "Usage__c"
    assert crm.object_name("usage") == "Usage__c"
    (row,) = pulled(crm, "crm_usage")
    assert (row["crm_id"], row["account_crm_id"], row["metric"], row["value"]) == (
        record,
        account,
        "api_calls",
        1200.0,
    )
    assert (row["period_start"], row["period_days"]) == (date(2026, 10, 1), 30)
    assert row["known_from"] == row["created_at"]
    assert row["is_deleted"] is False


def test_an_own_object_is_read_by_increments(metered: Any, pulled: Any) -> None:
    """What changed and what was deleted, no more."""
    kept, changed, gone = (
        metered.create("Usage__c", Name=name, Calls__c=1, From__c="2026-10-01") for name in "abc"
    )
    crm = metered.connect(mapping={"usage": USAGE})
    metered.advance(hours=1)
    since = metered.sandbox.clock.now()
    metered.advance(minutes=1)
    metered.edit("Usage__c", changed, Calls__c=2)
    metered.delete("Usage__c", gone)
    rows = {row["crm_id"]: row for row in pulled(crm, "crm_usage", since)}
    assert {changed: (2.0, False), gone: (1.0, True)} == {
        key: (row["value"], row["is_deleted"]) for key, row in rows.items()
    }
    assert kept not in rows


def test_a_field_can_tell_when_a_row_became_known(metered: Any, pulled: Any) -> None:
    """The moment of its creation where the field is empty."""
    metered.create("Usage__c", Name="a", Calls__c=1, From__c="2026-10-01", Issued__c="2026-10-31T08:00:00Z")
    metered.create("Usage__c", Name="b", Calls__c=2, From__c="2026-10-01")
    crm = metered.connect(mapping={"usage": USAGE | {"known_from": "Issued__c"}})
    rows = {row["value"]: row for row in pulled(crm, "crm_usage")}
    assert rows[1.0]["known_from"] == datetime(2026, 10, 31, 8, tzinfo=UTC)
    assert rows[2.0]["known_from"] == rows[2.0]["created_at"]


def test_what_is_the_same_in_every_row_is_told_as_mapped(metered: Any) -> None:
    """So that another constant is noticed, as another field is."""
    crm = metered.connect(mapping={"usage": USAGE})
    told = {name: path for name, path in USAGE.items() if name != "object"}
    assert crm.mapped("crm_usage") == told


def test_when_a_row_became_known_is_never_read_alone(metered: Any) -> None:
    """A field that is empty leaves the record's creation, which the field alone does not tell."""
    mapping = {"usage": USAGE | {"known_from": "Issued__c", "value": "Calls__c"}}
    crm = metered.connect(mapping=mapping)
    record = metered.create("Usage__c", Name="a", Calls__c=1, From__c="2026-10-01")

    def held(table: str, columns: Sequence[str]) -> pa.Table:
        assert list(columns) == ["crm_id", "value"]
        return pa.table({"crm_id": [record], "value": [0.5]})

    (page,) = crm.reread("crm_usage", ["known_from", "value"], held)
    assert page.to_pylist() == [{"crm_id": record, "value": 1.0}]


def test_an_own_object_takes_the_place_of_the_usual_one(metered: Any, pulled: Any) -> None:
    """Tickets from the company's object, with nothing derived that the settings do not name."""
    account = metered.create("Account", Name="Acme")
    metered.create("Case", Subject="of the usual object", AccountId=account)
    record = metered.create("Usage__c", Name="Down", Account__c=account, From__c="2026-10-01")
    mapping = {"tickets": {"object": "Usage__c", "account_crm_id": "Account__c", "subject": "Name"}}
    crm = metered.connect(mapping=mapping)
    (row,) = pulled(crm, "tickets")
    assert (row["crm_id"], row["account_crm_id"], row["subject"], row["priority"]) == (
        record,
        account,
        "Down",
        None,
    )
    assert pulled(crm, "assets") == []


def test_every_kind_that_can_be_mapped_comes_in_its_schema(metered: Any) -> None:
    """Usage, billing, entitlements, surveys, users, events, triggers, notes."""
    account = metered.create("Account", Name="Acme")
    metered.create("Usage__c", Name="U", Account__c=account, Calls__c=1, From__c="2026-10-01")
    kinds = [table.removeprefix("crm_") for table in FROM_CRM if table.startswith("crm_")]
    named = {"object": "Usage__c", "account_crm_id": "Account__c"}
    crm = metered.connect(mapping=dict.fromkeys(kinds, named))
    for kind in kinds:
        pages = list(crm.pull(f"crm_{kind}", EVERYTHING))
        assert [page.schema for page in pages] == [FROM_CRM[f"crm_{kind}"]]
    assert {"usage", "billing", "entitlements", "surveys"} <= set(kinds)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": "Missing__c"}, r"Usage__c has no field Missing__c"),
        ({"value": "From__c"}, r"Usage__c\.From__c is date, which is no number"),
        ({"value": "Note__c"}, r"is long text, which is no number"),
        ({"value": "Account__c"}, r"is reference, which is no number"),
        ({"value": "Word__c"}, r"is picklist, which is no number"),
        ({"period_start": "Calls__c"}, r"is number, which is no date"),
        ({"period_days": "=a month"}, r"'a month' is no whole number"),
        ({"colour": "Name"}, "no such column"),
        ({"crm_id": "Name"}, "no such column"),
        ({"object": "Nothing__c"}, "no such object"),
        ({"object": "Usage__c FROM User"}, "no object name"),
    ],
)
def test_a_mapping_that_can_not_be_is_refused_before_anything_is_read(
    metered: Any, changes: dict[str, str], said: str
) -> None:
    """With the setting's place and a fix."""
    metered.create("Usage__c", Name="U", Calls__c=1, From__c="2026-10-01")
    crm = metered.connect(mapping={"usage": USAGE | changes})
    with pytest.raises(SetupError, match=said) as caught:
        list(crm.pull("crm_usage", EVERYTHING))
    assert caught.value.fix
    if "object" not in changes:
        assert str(caught.value.record) == f"[mapping.usage] {next(iter(changes))}"
    assert not metered.requests("/query")


def test_a_picklist_of_numbers_is_a_number(metered: Any, pulled: Any) -> None:
    """Its options tell so."""
    metered.create("Usage__c", Name="U", Level__c="2", From__c="2026-10-01")
    crm = metered.connect(mapping={"usage": USAGE | {"value": "Level__c"}})
    assert [row["value"] for row in pulled(crm, "crm_usage")] == [2.0]
