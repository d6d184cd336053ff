"""Search: its filters, its limits and its delay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import hubspot
import pytest
import requests
from hubspot.crm.companies import PublicObjectSearchRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sandbox.clock import advance
from connectors.sandbox.hubspot.search import MAX_BODY
from connectors.sandbox.server import Sandbox

Ask = Callable[..., requests.Response]
Companies = Callable[..., str]
PATH = "/crm/v3/objects/companies/search"


def where(*filters: dict[str, object], **more: object) -> dict[str, object]:
    """The body of a search with one group of filters."""
    return {"filterGroups": [{"filters": list(filters)}], **more}


def test_the_client_finds_by_filters_in_pages_of_ids(client: hubspot.Client, http: Ask) -> None:
    """Paging by hs_object_id greater than the last reaches every record once."""
    inputs = [{"properties": {"name": f"Company {i}", "seats": str(i)}} for i in range(30)]
    http("POST", "/crm/v3/objects/companies/batch/create", {"inputs": inputs})
    last, seen = "0", []
    while True:
        filters = [
            {"propertyName": "seats", "operator": "GTE", "value": "9"},
            {"propertyName": "hs_object_id", "operator": "GT", "value": last},
        ]
        page = client.crm.companies.search_api.do_search(
            PublicObjectSearchRequest(
                filter_groups=[{"filters": filters}],
                sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                properties=["seats"],
                limit=8,
            )
        )
        if not page.results:
            break
        seen += [int(record.properties["seats"]) for record in page.results]
        last = page.results[-1].id
    assert seen == list(range(9, 30))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"propertyName": "name", "operator": "EQ", "value": "acme"}, ["Acme"]),
        ({"propertyName": "seats", "operator": "BETWEEN", "value": "9", "highValue": "10"}, ["Acme", "Bolt"]),
        ({"propertyName": "seats", "operator": "LT", "value": "10"}, ["Acme"]),
        ({"propertyName": "name", "operator": "IN", "values": ["acme", "cord ltd"]}, ["Acme", "Cord Ltd"]),
        ({"propertyName": "name", "operator": "IN", "values": ["Acme", "cord ltd"]}, ["Cord Ltd"]),
        ({"propertyName": "name", "operator": "NOT_IN", "values": ["acme"]}, ["Bolt", "Cord Ltd"]),
        ({"propertyName": "renewal_date", "operator": "HAS_PROPERTY"}, ["Bolt"]),
        ({"propertyName": "renewal_date", "operator": "NOT_HAS_PROPERTY"}, ["Acme", "Cord Ltd"]),
        ({"propertyName": "renewal_date", "operator": "GTE", "value": "1793577600000"}, ["Bolt"]),
        ({"propertyName": "name", "operator": "CONTAINS_TOKEN", "value": "ltd"}, ["Cord Ltd"]),
    ],
)
def test_each_operator_finds_what_it_says(
    http: Ask, company: Companies, condition: dict[str, object], found: list[str]
) -> None:
    """Numbers compare as numbers, days as days, words in any case, but a list's words in lower case only."""
    company(name="Acme", seats="9")
    company(name="Bolt", seats="10", renewal_date="2026-11-02")
    company(name="Cord Ltd", seats="100")
    reply = http("POST", PATH, where(condition, properties=["name"])).json()
    assert sorted(record["properties"]["name"] for record in reply["results"]) == found


def test_groups_are_alternatives_and_associations_filter(http: Ask, company: Companies) -> None:
    """Any of the groups may match; `associations.company` finds who belongs to a company."""
    first, second = company(name="Acme"), company(name="Bolt")
    body = {
        "filterGroups": [
            {"filters": [{"propertyName": "name", "operator": "EQ", "value": name}]}
            for name in ("Acme", "Bolt")
        ]
    }
    assert {r["id"] for r in http("POST", PATH, body).json()["results"]} == {first, second}
    contact = {"email": "ada@acme.example", "associatedcompanyid": first}
    made = http("POST", "/crm/v3/objects/contacts", {"properties": contact}).json()["id"]
    belongs = where({"propertyName": "associations.company", "operator": "EQ", "value": first})
    found = http("POST", "/crm/v3/objects/contacts/search", belongs).json()["results"]
    assert [record["id"] for record in found] == [made]


def test_archived_records_are_never_found(http: Ask, company: Companies) -> None:
    """The index forgets what is archived."""
    http("DELETE", f"/crm/v3/objects/companies/{company(name='Acme')}")
    assert http("POST", PATH, {}).json()["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 200, "after": "9900"},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 7}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "HAS_PROPERTY"}] * 5}] * 4},
        where({"propertyName": "nonsense", "operator": "EQ", "value": "1"}),
        where({"propertyName": "seats", "operator": "EQ", "value": "many"}),
        where({"propertyName": "seats", "operator": "LIKE", "value": "1"}),
        where({"propertyName": "seats", "operator": "EQ"}),
        where({"propertyName": "name", "operator": "IN", "values": []}),
        {"sorts": ["name", "seats"]},
        {"query": "x" * MAX_BODY},
    ],
)
def test_a_search_beyond_the_limits_is_refused(http: Ask, body: dict[str, object]) -> None:
    """200 a page, 10,000 results, 5 groups, 6 filters in a group, 18 in all, 3,000 characters."""
    reply = http("POST", PATH, body)
    assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")


def test_the_index_shows_a_change_only_after_its_delay(
    start: Callable[..., Sandbox], ask: Callable[[Sandbox], Ask]
) -> None:
    """New records are missing, changed ones stand as before, archived ones are still there: for a while."""
    sandbox = start(index_lag=600, searches=1_000)
    http = ask(sandbox)

    def seen() -> dict[str, str]:
        reply = http("POST", PATH, {"properties": ["name", "seats"]}).json()
        return {r["properties"]["name"]: r["properties"]["seats"] for r in reply["results"]}

    path = "/crm/v3/objects/companies"
    old = http("POST", path, {"properties": {"name": "Old", "seats": "1"}}).json()["id"]
    gone = http("POST", path, {"properties": {"name": "Gone", "seats": "1"}}).json()["id"]
    assert seen() == {}
    advance(sandbox.store, timedelta(seconds=601))
    assert seen() == {"Old": "1", "Gone": "1"}
    for seats in ("2", "3"):
        http("PATCH", f"{path}/{old}", {"properties": {"seats": seats}})
    http("DELETE", f"{path}/{gone}")
    http("POST", path, {"properties": {"name": "New", "seats": "1"}})
    assert seen() == {"Old": "1", "Gone": "1"}
    assert http("GET", f"{path}/{old}", properties="seats").json()["properties"]["seats"] == "3"
    advance(sandbox.store, timedelta(seconds=601))
    assert seen() == {"Old": "3", "New": "1"}


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_any_text_is_a_value_and_never_a_part_of_the_query(http: Ask, text: str) -> None:
    """Quotes, percent signs and brackets find the record that has them, and nothing else."""
    made = http("POST", "/crm/v3/objects/companies", {"properties": {"name": text}})
    assert made.json()["properties"]["name"] == text
    equal = where({"propertyName": "name", "operator": "EQ", "value": text}, properties=["name"], limit=200)
    found = http("POST", PATH, equal).json()["results"]
    assert made.json()["id"] in {record["id"] for record in found}
    assert {record["properties"]["name"].lower() for record in found} <= {text.lower(), text}
