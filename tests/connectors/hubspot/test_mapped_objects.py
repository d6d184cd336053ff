"""A company's own objects and associations deliver canonical tables, as the settings map them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from connectors.canonical import CRM_TABLES, FROM_CRM
from connectors.crm import Window
from connectors.errors import SetupError
from connectors.sandbox.hubspot.associations import plain_type
from connectors.sandbox.hubspot.schema import Property, Schema

EVERYTHING = Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))
PROPERTIES = {"calls": "number", "from": "date", "issued": "datetime", "word": "string", "paid": "bool"}


@pytest.fixture
def metered(account: Any) -> Any:
    """An account that keeps API calls by company and month in a custom object; `account.own` is its name."""
    schema = Schema(account.sandbox.store)
    kind = schema.add_type("usage", singular="Usage", plural="Usages")
    styles = {"bool": "booleancheckbox", "string": "text", "datetime": "date"}
    schema.add(
        kind.name,
        [
            Property(
                name=name,
                label=name,
                type=type_name,
                field_type=styles.get(type_name, type_name),
                group="usages",
                options=(("true", "Yes"), ("false", "No")) if type_name == "bool" else (),
            )
            for name, type_name in PROPERTIES.items()
        ],
    )
    account.own, account.own_id = kind.name, kind.type_id
    return account


def usage(account: Any, **changes: str) -> dict[str, dict[str, str]]:
    """The mapping of usage to the custom object."""
    return {
        "usage": {
            "object": account.own,
            "account_crm_id": "associations.companies",
            "metric": "=api_calls",
            "period_start": "from",
            "period_days": "=30",
            "value": "calls",
            **changes,
        }
    }


def used(account: Any, company: str, **values: Any) -> str:
    """A record of usage of the company."""
    record = account.create(account.own, **values)
    account.link(account.own, record, company, plain_type(account.own, "companies").type_id)
    return str(record)


@pytest.mark.parametrize("name", ["own", "own_id"])
def test_a_custom_object_tells_usage(metered: Any, pulled: Callable[..., Any], name: str) -> None:
    """By its full name or its objectTypeId; the company by association, in lists and in searches."""
    company = metered.create("companies", name="Acme")
    since = metered.advance(hours=1)
    record = used(metered, company, calls="1200", **{"from": "2026-10-01"})
    crm = metered.connect(mapping=usage(metered, object=getattr(metered, name)))
    (row,) = pulled(crm, "crm_usage")
    assert (row["crm_id"], row["account_crm_id"], row["metric"], row["value"]) == (
        record,
        company,
        "api_calls",
        1200.0,
    )
    assert (row["period_start"], row["period_days"]) == (date(2026, 10, 1), 30)
    assert row["known_from"] == row["created_at"]
    assert pulled(crm, "crm_usage", since, since + timedelta(hours=1)) == [row]


def test_an_own_object_takes_the_place_of_the_usual_one(metered: Any, pulled: Callable[..., Any]) -> None:
    """Contracts, of which HubSpot has none, and tickets, of which it has."""
    company = metered.create("companies", name="Acme")
    metered.create("tickets", subject="of the usual object", hs_pipeline="0", hs_pipeline_stage="1")
    record = used(metered, company, word="C-1", **{"from": "2026-10-01"})
    owned = {"object": metered.own, "account_crm_id": "associations.companies"}
    mapping = {
        "contracts": {**owned, "number": "word", "start_date": "from"},
        "tickets": {**owned, "subject": "word", "is_closed": "paid"},
    }
    crm = metered.connect(mapping=mapping)
    (contract,), (ticket,) = pulled(crm, "contracts"), pulled(crm, "tickets")
    assert (contract["crm_id"], contract["account_crm_id"], contract["number"], contract["start_date"]) == (
        record,
        company,
        "C-1",
        date(2026, 10, 1),
    )
    assert (ticket["crm_id"], ticket["subject"], ticket["priority"]) == (record, "C-1", None)


def test_an_own_object_that_changes_hands_is_found(metered: Any, pulled: Callable[..., Any]) -> None:
    """Its association moves no stamp, as an engagement's does not."""
    first, second = (metered.create("companies", name=name) for name in ("A", "B"))
    record = used(metered, first, calls="1", **{"from": "2026-10-01"})
    crm = metered.connect(mapping=usage(metered))
    held = pa.Table.from_pylist(pulled(crm, "crm_usage"), schema=FROM_CRM["crm_usage"])
    assert not list(crm.moved("crm_usage", lambda table, columns: held.select(columns)))
    metered.unlink(metered.own, record, "companies", first)
    metered.link(metered.own, record, second, plain_type(metered.own, "companies").type_id)
    (page,) = crm.moved("crm_usage", lambda table, columns: held.select(columns))
    assert page.to_pylist() == [{"crm_id": record, "account_crm_id": second}]


def test_a_label_says_which_association_is_meant(account: Any, pulled: Callable[..., Any]) -> None:
    """A deal's decision maker, mapped to a column for an id."""
    deal = account.create("deals", dealname="D", pipeline="default", dealstage="prospecting")
    user, decides = (account.create("contacts", firstname=name) for name in "ab")
    account.link("deals", deal, user, 3)
    account.link("deals", deal, decides, 10_001)
    crm = account.connect(mapping={"opportunities": {"owner_id": "associations.contacts:Decision Maker"}})
    assert [row["owner_id"] for row in pulled(crm, "opportunities")] == [decides]
    account.unlink("deals", deal, "contacts", decides)
    assert [row["owner_id"] for row in pulled(crm, "opportunities")] == [None]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": "missing"}, "have no property missing"),
        ({"value": "from"}, r"from is date, which is no number"),
        ({"value": "paid"}, r"paid is checkbox, which is no number"),
        ({"period_start": "calls"}, r"calls is number, which is no date"),
        ({"value": "associations.companies"}, "is the id of another record"),
        ({"account_crm_id": "associations.nothing"}, "are not associated with nothing"),
        ({"account_crm_id": "associations.../owners"}, "no object name"),
        ({"account_crm_id": "associations.companies:Landlord"}, "there is no label Landlord"),
        ({"period_days": "=a month"}, "'a month' is no whole number"),
        ({"object": "p1_nothing"}, "no such object|Unable to infer"),
        ({"object": "../owners"}, "no object name"),
    ],
)
def test_a_mapping_that_can_not_be_is_refused_before_anything_is_read(
    metered: Any, changes: dict[str, str], said: str
) -> None:
    """With the setting's place and a fix."""
    used(metered, metered.create("companies", name="A"), calls="1", **{"from": "2026-10-01"})
    crm = metered.connect(mapping=usage(metered, **changes))
    with pytest.raises(SetupError, match=said) as caught:
        list(crm.pull("crm_usage", EVERYTHING))
    assert caught.value.fix
    if "object" not in changes:
        assert str(caught.value.record) == f"[mapping.usage] {next(iter(changes))}"
    assert not metered.requests("/objects/")


def test_what_comes_along_with_deals_does_not_stand_for_an_own_object(
    metered: Any, pulled: Callable[..., Any]
) -> None:
    """Roles, lines and histories that the settings take from elsewhere are read from there."""
    deal = metered.create("deals", dealname="D", pipeline="default", dealstage="prospecting")
    metered.link("deals", deal, metered.create("contacts", firstname="Ann"), 10_001)
    line = metered.create("line_items", name="L", price="5", quantity="1")
    metered.link("deals", deal, line, 19)
    record = used(metered, metered.create("companies", name="A"), word="of our own")
    own = ("contact_roles", "opportunity_lines", "opportunity_history")
    columns = {"contact_roles": "role", "opportunity_lines": "product_name", "opportunity_history": "stage"}
    mapping = {table: {"object": metered.own, columns[table]: "word"} for table in own}
    crm = metered.connect(mapping=mapping)
    assert list(crm.pull("opportunities", EVERYTHING, also=own))
    for table in own:
        assert [(row["crm_id"], row[columns[table]]) for row in pulled(crm, table)] == [
            (record, "of our own")
        ]


def test_the_usual_tables_are_as_they_were(metered: Any, pulled: Callable[..., Any]) -> None:
    """A mapped object changes no other table."""
    metered.create("companies", name="Acme")
    plain, mapped = metered.connect(), metered.connect(mapping=usage(metered))
    for table in ("accounts", "contacts", "opportunities", "tickets"):
        assert pulled(plain, table) == pulled(mapped, table)
    assert set(mapped.tables()) - set(plain.tables()) == {"crm_usage"}
    assert list(plain.tables()) == list(CRM_TABLES)
