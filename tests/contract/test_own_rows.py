"""Rows of our own objects: added once a key, found by it, without the account where that is gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from connectors.crm import Change, Crm, RowOutcome
from connectors.fields import object_specs
from connectors.own_rows import RowDraft
from infra.contract.org import Org
from infra.contract.orgs import open_org

FORECASTS = object_specs()["forecasts"]
WHERE = {"salesforce": {}, "hubspot 2026-09": {"enterprise": 1}, "hubspot v3": {"enterprise": 1}}


@pytest.fixture(scope="session")
def with_objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each CRM with our objects, as they are asked for."""
    made = {}
    for name, limits in WHERE.items():
        made[name] = tmp_path_factory.mktemp("objects") / "org"
        org = open_org(name, made[name], **limits)
        org.connect().install([], list(object_specs().values()), apply=True)
        org.close()
    return made


@pytest.fixture(params=WHERE)
def org(request: pytest.FixtureRequest, with_objects: dict[str, Path], tmp_path: Path) -> Iterator[Org]:
    """A CRM with our objects."""
    shutil.copytree(with_objects[request.param], tmp_path / "org")
    opened = open_org(request.param, tmp_path / "org", **WHERE[request.param])
    yield opened
    opened.close()


@pytest.fixture
def crm(org: Org) -> Crm:
    """A connection to it."""
    return org.connect()


def draft(key: str, account: str | None = None, amount: float = 12.34) -> RowDraft:
    """A row of a forecast."""
    option = "Model only"
    values = {
        "key": key,
        "account": account,
        "product": "Seats",
        "quarter": "FY2027Q1",
        "snapshot": date(2026, 11, 2),
        "basis": option,
        "amount": amount,
        "probability": 0.25,
        "owner": "Ana",
    }
    return RowDraft(key=key, values=values)


@pytest.fixture
def in_words(crm: Crm) -> str:
    """How the CRM's picklist calls a basis."""
    schema = crm.describe(crm.object_name("forecasts"))
    options = schema.fields[crm.field_name(FORECASTS.fields["basis"])].options
    return "Model only" if "Model only" in options else "model_only"


def rows(in_words: str, *drafts: RowDraft) -> list[RowDraft]:
    """The rows with the picklist's own word."""
    return [RowDraft(key=each.key, values={**each.values, "basis": in_words}) for each in drafts]


def test_a_row_is_found_by_its_key_and_holds_what_was_said(org: Org, crm: Crm, in_words: str) -> None:
    """With its account, by another connection too, read like any record; what is filled in is written."""
    account = org.create("accounts", name="A")
    (made,) = crm.create_rows("forecasts", rows(in_words, draft("a|b", account)))
    assert (made.key, made.outcome) == ("a|b", RowOutcome.APPLIED)
    assert made.id is not None
    assert org.connect().find_rows("forecasts", ["a|b", "c"]) == {"a|b": made.id}
    name = crm.object_name("forecasts")
    fields = {
        key: crm.field_name(FORECASTS.fields[key]) for key in ("amount", "probability", "snapshot", "actual")
    }
    held = crm.read(name, [made.id], list(fields.values()))[made.id].values
    assert held == dict(zip(fields.values(), (12.34, 0.25, date(2026, 11, 2), None), strict=True))
    (filled,) = crm.write([Change(key="f", object=name, id=made.id, values={fields["actual"]: 5.5})])
    assert filled.outcome is RowOutcome.APPLIED
    assert crm.read(name, [made.id], [fields["actual"]])[made.id].values == {fields["actual"]: 5.5}


def test_a_key_that_is_there_is_never_added_again_and_its_row_stays(crm: Crm, in_words: str) -> None:
    """Unchanged, with the id of the row that is there; new ones beside it are added."""
    (first,) = crm.create_rows("forecasts", rows(in_words, draft("a")))
    again = crm.create_rows("forecasts", rows(in_words, draft("b"), draft("a", amount=99.0)))
    assert [each.outcome for each in again] == [RowOutcome.APPLIED, RowOutcome.UNCHANGED]
    assert again[1].id == first.id
    amount = crm.field_name(FORECASTS.fields["amount"])
    held = crm.read(crm.object_name("forecasts"), [str(first.id)], [amount])
    assert held[str(first.id)].values == {amount: 12.34}


def test_a_row_whose_account_is_gone_is_added_without_it(org: Org, crm: Crm, in_words: str) -> None:
    """So that what rows sum to stays whole."""
    account = org.create("accounts", name="A")
    org.delete("accounts", account)
    made = crm.create_rows("forecasts", rows(in_words, draft("gone", account), draft("whole")))
    assert [each.outcome for each in made] == [RowOutcome.APPLIED] * 2
    assert crm.find_rows("forecasts", ["gone", "whole"]).keys() == {"gone", "whole"}


def test_the_org_says_how_many_rows_it_has_room_for(crm: Crm) -> None:
    """In the vendor's own words."""
    room = crm.room_for_rows()
    assert room is not None
    assert room.rows > 100_000
    assert "storage" in room.said or "custom objects" in room.said
