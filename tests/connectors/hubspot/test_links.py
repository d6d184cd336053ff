"""Whom a record belongs to: told by a property or by the list, and asked only where neither can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from connectors.hubspot import schema
from connectors.hubspot.schema import Described, described
from connectors.sandbox.hubspot.associations import Associations, Link

SHOWN = frozenset({"associatedcompanyid", "hs_primary_associated_company", "hs_primary_company_id"})


@pytest.fixture
def family(account: Any) -> dict[str, Any]:
    """Two companies; a contact, a deal, a ticket and a meeting of both, whose primary one is the second."""
    first, second = account.create("companies", name="A"), account.create("companies", name="B")
    made = {
        "contacts": account.create("contacts", firstname="Ann"),
        "deals": account.create("deals", dealname="D", dealstage="prospecting", pipeline="default"),
        "tickets": account.create("tickets", subject="T", hs_pipeline="0", hs_pipeline_stage="1"),
        "meetings": account.create("meetings", hs_timestamp="2026-11-01T10:00:00Z", hs_meeting_title="M"),
    }
    for name, plain, primary in (("contacts", 279, 1), ("deals", 341, 5), ("tickets", 339, 26)):
        account.link(name, made[name], first, plain)
        account.link(name, made[name], second, primary)
    account.link("meetings", made["meetings"], second, 188)
    account.link("meetings", made["meetings"], first, 188)
    return {**made, "first": first, "second": second}


def owners(rows: Callable[[str], list[dict[str, Any]]]) -> list[str | None]:
    """The company of the contact, the deal, the ticket and the meeting."""
    return [
        rows(table)[0]["account_crm_id"] for table in ("contacts", "opportunities", "tickets", "activities")
    ]


def test_properties_and_lists_tell_the_company_without_a_call(
    account: Any, family: Any, pulled: Callable[..., Any]
) -> None:
    """The primary company, or an activity's first one; no association is asked for."""
    crm = account.connect()
    first, second = family["first"], family["second"]
    assert owners(lambda table: pulled(crm, table)) == [second, second, second, first]
    assert not account.requests("/associations/")


def test_an_increment_tells_the_same_company(account: Any, family: Any, pulled: Callable[..., Any]) -> None:
    """A search names no associations: an activity's company is asked for, the rest stands in properties."""
    crm = account.connect()
    until = account.advance(hours=1)
    since = until - timedelta(days=1)
    first, second = family["first"], family["second"]
    assert owners(lambda table: pulled(crm, table, since, until)) == [second, second, second, first]
    assert account.requests("meetings/companies/batch/read")
    assert not account.requests("contacts/companies/batch/read")


def test_where_no_property_shows_it_the_label_tells(
    account: Any, family: Any, pulled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that hides the properties is asked for the associations and their labels."""

    def hiding(name: str, properties: Sequence[Mapping[str, Any]]) -> Described:
        return described(name, [each for each in properties if each["name"] not in SHOWN])

    monkeypatch.setattr(schema, "described", hiding)
    crm = account.connect()
    first, second = family["first"], family["second"]
    assert owners(lambda table: pulled(crm, table)) == [second, second, second, first]
    assert account.requests("contacts/companies/batch/read")


def test_a_record_without_a_primary_company_belongs_to_its_first(
    account: Any, family: Any, pulled: Callable[..., Any]
) -> None:
    """A contact whose primary company was taken away keeps its others."""
    account.edit("contacts", family["contacts"], associatedcompanyid="")
    assert pulled(account.connect(), "contacts")[0]["account_crm_id"] == family["first"]


def test_a_record_of_nobody_has_no_company(account: Any, pulled: Callable[..., Any]) -> None:
    """Nothing is made up for a contact and a meeting without any association, and nothing is asked."""
    account.create("contacts", firstname="Ann")
    account.create("meetings", hs_timestamp="2026-11-01T10:00:00Z", hs_meeting_title="M")
    crm = account.connect()
    assert [pulled(crm, table)[0]["account_crm_id"] for table in ("contacts", "activities")] == [None, None]
    assert not account.requests("/associations/")


def test_a_list_that_can_not_tell_all_is_not_believed(account: Any, pulled: Callable[..., Any]) -> None:
    """A list names at most 100 contacts of a meeting; with a cursor behind them, all are asked for."""
    meeting = account.create("meetings", hs_timestamp="2026-11-01T10:00:00Z", hs_meeting_title="M")
    people = [account.create("contacts", firstname=f"P{n}") for n in range(101)]
    Associations(account.sandbox.store).add(
        Link(from_object="meetings", from_id=meeting, to_object="contacts", to_id=person, type_id=200)
        for person in people
    )
    row = pulled(account.connect(), "activities")[0]
    assert row["contact_crm_id"] == min(people, key=int)
    assert account.requests("meetings/contacts/batch/read")
