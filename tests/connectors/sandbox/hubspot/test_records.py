"""Records through the vendor's client: created, read, changed, archived, merged, and refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import hubspot
import pytest
import requests
from hubspot.crm.companies import (
    ApiException,
    BatchInputSimplePublicObjectBatchInput,
    BatchReadInputSimplePublicObjectId,
    PublicMergeInput,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)

from connectors.sandbox.clock import advance
from connectors.sandbox.hubspot.person import person_archive, person_edit
from connectors.sandbox.hubspot.rules import add_rule
from connectors.sandbox.server import Sandbox

Ask = Callable[..., requests.Response]
Companies = Callable[..., str]


def test_a_company_is_created_read_and_changed(client: hubspot.Client) -> None:
    """The client gets back the values it wrote, as text."""
    basic = client.crm.companies.basic_api
    made = basic.create(SimplePublicObjectInputForCreate(properties={"name": "Acme", "seats": "12"}))
    basic.update(made.id, SimplePublicObjectInput(properties={"seats": "13"}))
    found = basic.get_by_id(made.id, properties=["name", "seats"])
    assert (found.properties["name"], found.properties["seats"]) == ("Acme", "13")
    assert found.properties["hs_object_id"] == made.id


def test_pages_of_100_follow_the_ids(client: hubspot.Client, http: Ask) -> None:
    """Listing goes on after the last id; the system properties always come along."""
    for _ in range(3):
        inputs = [{"properties": {"name": f"Company {i}"}} for i in range(70)]
        http("POST", "/crm/v3/objects/companies/batch/create", {"inputs": inputs})
    basic = client.crm.companies.basic_api
    first = basic.get_page(limit=100, properties=["name"])
    second = basic.get_page(limit=100, properties=["name"], after=first.paging.next.after)
    third = basic.get_page(limit=100, properties=["name"], after=second.paging.next.after)
    ids = [int(record.id) for page in (first, second, third) for record in page.results]
    assert (len(ids), ids) == (210, sorted(ids))
    assert third.paging is None


def test_a_page_above_100_is_refused(http: Ask) -> None:
    """A list page holds at most 100 records, with history 50."""
    assert http("GET", "/crm/v3/objects/companies", limit="101").status_code == 400
    refused = http("GET", "/crm/v3/objects/companies", limit="51", propertiesWithHistory="name")
    assert refused.status_code == 400


def test_unknown_properties_are_left_out_on_reading_and_refused_on_writing(
    http: Ask, company: Companies, problems_of: Callable[[requests.Response], dict[str, str]]
) -> None:
    """Reads ignore what does not exist, writes name it."""
    key = company(name="Acme")
    read = http("GET", f"/crm/v3/objects/companies/{key}", properties="name,nonsense")
    assert "nonsense" not in read.json()["properties"]
    refused = http("PATCH", f"/crm/v3/objects/companies/{key}", {"properties": {"nonsense": "1"}})
    assert (refused.status_code, refused.json()["category"]) == (400, "VALIDATION_ERROR")
    assert problems_of(refused) == {"nonsense": "PROPERTY_DOESNT_EXIST"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("seats", "twelve", "INVALID_INTEGER"),
        ("seats", "NaN", "INVALID_INTEGER"),
        ("seats", " 12", "LEADING_TRAILING_WHITESPACE"),
        ("renewal_date", "1793620800001", "INVALID_DATE"),
        ("renewal_date", "soon", "INVALID_LONG"),
        ("plan_tier", "Platinum", "INVALID_OPTION"),
        ("hubspot_owner_id", "1", "INVALID_OPTION"),
        ("hs_object_id", "1", "READ_ONLY_VALUE"),
        ("hs_lastmodifieddate", "2026-11-02", "READ_ONLY_VALUE"),
        ("name", "x" * 65_537, "PROPERTY_VALUE_TOO_LONG"),
    ],
)
def test_a_value_that_does_not_fit_its_property_is_refused(
    http: Ask,
    problems_of: Callable[[requests.Response], dict[str, str]],
    name: str,
    value: str,
    code: str,
) -> None:
    """Each kind of property refuses in the vendor's words, and nothing is written."""
    refused = http("POST", "/crm/v3/objects/companies", {"properties": {name: value}})
    assert refused.status_code == 400
    assert problems_of(refused) == {name: code}
    assert http("GET", "/crm/v3/objects/companies").json()["results"] == []


def test_a_list_is_no_value(http: Ask) -> None:
    """JSON scalars are read as text, everything else is refused."""
    refused = http("POST", "/crm/v3/objects/companies", {"properties": {"name": ["a"]}})
    assert (refused.status_code, "Invalid input JSON" in refused.json()["message"]) == (400, True)
    made = http("POST", "/crm/v3/objects/companies", {"properties": {"seats": 12, "name": 7}})
    assert made.json()["properties"]["seats"] == "12"


def test_a_date_is_midnight_utc_and_travels_as_a_day(http: Ask, company: Companies) -> None:
    """Epoch milliseconds at midnight and the day itself are the same value."""
    key = company(renewal_date="1793577600000", customer_since="2026-11-02")
    found = http("GET", f"/crm/v3/objects/companies/{key}", properties="renewal_date,customer_since").json()
    assert found["properties"]["renewal_date"] == found["properties"]["customer_since"] == "2026-11-02"


def test_no_two_companies_share_a_unique_value(http: Ask, company: Companies) -> None:
    """A second record with the value is refused and told which record has it."""
    first = company(customer_id="C-1")
    refused = http("POST", "/crm/v3/objects/companies", {"properties": {"customer_id": "C-1"}})
    assert (refused.status_code, first in refused.json()["message"]) == (400, True)


def test_a_second_contact_with_an_address_is_a_conflict(http: Ask) -> None:
    """Contacts are told apart by their e-mail, in any case of letters."""
    made = http("POST", "/crm/v3/objects/contacts", {"properties": {"email": "Ada@acme.example"}}).json()
    refused = http("POST", "/crm/v3/objects/contacts", {"properties": {"email": "ada@ACME.example"}})
    assert (refused.status_code, refused.json()["category"]) == (409, "CONFLICT")
    assert refused.json()["message"] == f"Contact already exists. Existing ID: {made['id']}"


def test_a_task_needs_its_due_date(http: Ask) -> None:
    """hs_timestamp is required."""
    refused = http("POST", "/crm/v3/objects/tasks", {"properties": {"hs_task_subject": "Call"}})
    assert (refused.status_code, refused.json()["context"]) == (400, {"properties": ["hs_timestamp"]})


def test_an_unchanged_value_moves_no_stamp(http: Ask, sandbox: Sandbox, company: Companies) -> None:
    """hs_lastmodifieddate moves on a change, neither on the same value nor on archiving."""
    key = company(name="Acme", seats="12")
    path = f"/crm/v3/objects/companies/{key}"
    before = http("GET", path).json()["updatedAt"]
    advance(sandbox.store, timedelta(hours=1))
    assert http("PATCH", path, {"properties": {"seats": "12"}}).json()["updatedAt"] == before
    assert http("PATCH", path, {"properties": {"seats": "13"}}).json()["updatedAt"] > before
    changed = http("GET", path).json()["updatedAt"]
    advance(sandbox.store, timedelta(hours=1))
    http("DELETE", path)
    archived = http("GET", path, archived="true").json()
    assert (archived["archived"], archived["updatedAt"]) == (True, changed)
    assert archived["archivedAt"] > changed


def test_an_archived_record_is_gone_except_for_who_asks_for_it(
    client: hubspot.Client, sandbox: Sandbox, company: Companies
) -> None:
    """Reading it is a 404; the list of archived records has it."""
    key = company(name="Acme")
    person_archive(sandbox.store, "companies", key)
    with pytest.raises(ApiException) as refused:
        client.crm.companies.basic_api.get_by_id(key)
    assert refused.value.status == 404
    assert [r.id for r in client.crm.companies.basic_api.get_page(archived=True).results] == [key]


def test_a_merge_makes_a_new_record_to_which_both_ids_lead(
    client: hubspot.Client, http: Ask, company: Companies
) -> None:
    """The primary's values win, the old ids are remembered and still found."""
    primary, other = company(name="Acme"), company(name="Acme Inc", seats="5")
    merged = client.crm.companies.basic_api.merge(
        PublicMergeInput(primary_object_id=primary, object_id_to_merge=other)
    )
    assert merged.id not in (primary, other)
    for old in (primary, other):
        path = f"/crm/v3/objects/companies/{old}"
        found = http("GET", path, properties="name,seats,hs_merged_object_ids").json()
        assert found["id"] == merged.id
        assert (found["properties"]["name"], found["properties"]["seats"]) == ("Acme", "5")
        assert found["properties"]["hs_merged_object_ids"] == f"{primary};{other}"
    read = client.crm.companies.batch_api.read(
        BatchReadInputSimplePublicObjectId(inputs=[{"id": other}], properties=[], properties_with_history=[])
    )
    assert [record.id for record in read.results] == [merged.id]


def test_history_tells_every_value_newest_first(http: Ask, sandbox: Sandbox, company: Companies) -> None:
    """Values, moments and who changed them: a person or an app."""
    key = company(seats="5")
    http("PATCH", f"/crm/v3/objects/companies/{key}", {"properties": {"seats": "6"}})
    person_edit(sandbox.store, "companies", key, {"seats": "7"})
    path = f"/crm/v3/objects/companies/{key}"
    entries = http("GET", path, propertiesWithHistory="seats").json()["propertiesWithHistory"]["seats"]
    assert [entry["value"] for entry in entries] == ["7", "6", "5"]
    assert [entry["sourceType"] for entry in entries] == ["CRM_UI", "INTEGRATION", "INTEGRATION"]


def test_a_deal_dates_the_stages_it_enters(http: Ask, sandbox: Sandbox) -> None:
    """Closing a deal sets its flags and the entry date of its stage; a wrong stage is refused."""
    path = "/crm/v3/objects/deals"
    deal = {"dealname": "More seats", "dealstage": "qualification", "amount": "1000"}
    key = http("POST", path, {"properties": deal}).json()["id"]
    advance(sandbox.store, timedelta(days=1))
    http("PATCH", f"{path}/{key}", {"properties": {"dealstage": "closedwon"}})
    names = "hs_is_closed,hs_is_closed_won,hs_v2_date_entered_closedwon,hs_v2_date_exited_qualification"
    found = http("GET", f"{path}/{key}", properties=names).json()["properties"]
    assert (found["hs_is_closed"], found["hs_is_closed_won"]) == ("true", "true")
    assert found["hs_v2_date_entered_closedwon"] == found["hs_v2_date_exited_qualification"] != None  # noqa: E711
    refused = http("PATCH", f"{path}/{key}", {"properties": {"dealstage": "won"}})
    assert (refused.status_code, "INVALID_OPTION" in refused.text) == (400, True)


def test_the_audit_names_each_changed_cell_and_who_changed_it(
    http: Ask, sandbox: Sandbox, company: Companies
) -> None:
    """Before, after, by whom and in which request; a person's edit has no request."""
    key = company(seats="5")
    http("PATCH", f"/crm/v3/objects/companies/{key}", {"properties": {"seats": "6"}})
    person_edit(sandbox.store, "companies", key, {"seats": "7"})
    cells = [c for c in sandbox.audit.changes() if (c.id, c.field) == (key, "seats")]
    assert [(c.before, c.after) for c in cells] == [(None, "5"), ("5", "6"), ("6", "7")]
    assert [c.by.partition(":")[0] for c in cells] == ["app", "app", "user"]
    assert [c.request is None for c in cells] == [False, False, True]


def test_a_batch_of_101_is_refused(http: Ask) -> None:
    """One input too many refuses the whole call."""
    inputs = [{"properties": {"name": "x"}} for _ in range(101)]
    refused = http("POST", "/crm/v3/objects/companies/batch/create", {"inputs": inputs})
    assert refused.status_code == 400
    assert http("GET", "/crm/v3/objects/companies").json()["results"] == []


def test_without_trace_ids_one_bad_value_refuses_the_batch(http: Ask, company: Companies) -> None:
    """All or nothing: the good row is not written either."""
    good, bad = company(seats="1"), company(seats="1")
    inputs = [
        {"id": good, "properties": {"seats": "2"}},
        {"id": bad, "properties": {"seats": "many"}},
    ]
    refused = http("POST", "/crm/v3/objects/companies/batch/update", {"inputs": inputs})
    assert refused.status_code == 400
    found = http("GET", f"/crm/v3/objects/companies/{good}", properties="seats").json()
    assert found["properties"]["seats"] == "1"


def test_with_trace_ids_the_good_rows_are_written(client: hubspot.Client, company: Companies) -> None:
    """A 207 holds the good rows and names the bad ones and those that do not exist."""
    good, bad = company(seats="1"), company(seats="1")
    rows = [(good, "2"), (bad, "many"), ("77", "2")]
    inputs = [{"id": key, "properties": {"seats": value}, "objectWriteTraceId": key} for key, value in rows]
    reply = client.crm.companies.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))
    assert [(r.id, r.properties["seats"]) for r in reply.results] == [(good, "2")]
    assert {e.context["ids"][0]: e.category for e in reply.errors} == {
        "77": "OBJECT_NOT_FOUND",
        bad: "VALIDATION_ERROR",
    }
    assert reply.num_errors == 2


def test_an_upsert_finds_by_the_unique_property(http: Ask, company: Companies) -> None:
    """What exists is changed, what does not is made; a property that is not unique finds nothing."""
    old = company(customer_id="C-1", seats="1")
    inputs = [
        {"id": key, "idProperty": "customer_id", "properties": {"seats": "9"}} for key in ("C-1", "C-2")
    ]
    reply = http("POST", "/crm/v3/objects/companies/batch/upsert", {"inputs": inputs}).json()
    assert [record["new"] for record in reply["results"]] == [False, True]
    assert reply["results"][0]["id"] == old
    inputs = [{"id": "Acme", "idProperty": "name", "properties": {"seats": "9"}}]
    refused = http("POST", "/crm/v3/objects/companies/batch/upsert", {"inputs": inputs})
    assert refused.status_code == 400


def test_a_batch_read_by_unique_property_names_what_is_missing(http: Ask, company: Companies) -> None:
    """Found records and a 207 with the values that led nowhere."""
    key = company(customer_id="C-1")
    body = {"idProperty": "customer_id", "inputs": [{"id": "C-1"}, {"id": "C-9"}], "properties": []}
    reply = http("POST", "/crm/v3/objects/companies/batch/read", body)
    assert reply.status_code == 207
    assert [record["id"] for record in reply.json()["results"]] == [key]
    assert reply.json()["errors"][0]["context"] == {"ids": ["C-9"]}


def test_the_same_id_twice_in_a_batch_is_refused(http: Ask, company: Companies) -> None:
    """A record has one place in a batch."""
    key = company(name="Acme")
    inputs = [{"id": key, "properties": {"seats": "1"}}, {"id": key, "properties": {"seats": "2"}}]
    refused = http("POST", "/crm/v3/objects/companies/batch/update", {"inputs": inputs})
    assert (refused.status_code, key in refused.json()["message"]) == (400, True)


def test_dated_addresses_hold_the_same_records(http: Ask, company: Companies) -> None:
    """2026-03 and 2026-09 answer like v3; other versions do not exist."""
    key = company(name="Acme")
    for version in ("2026-03", "2026-09"):
        assert http("GET", f"/crm/objects/{version}/companies/{key}").json()["id"] == key
        assert http("GET", f"/crm/associations/{version}/contacts/companies/labels").status_code == 200
        for path in (f"properties/{version}/companies", f"owners/{version}", f"pipelines/{version}/deals"):
            assert http("GET", f"/crm/{path}").status_code == 200
        assert http("GET", f"/account-info/{version}/details").status_code == 200
    assert http("GET", f"/crm/objects/2025-01/companies/{key}").status_code == 404
    assert http("PUT", f"/crm/v3/objects/companies/{key}").status_code == 405


def test_an_administrators_rule_about_a_value_holds_in_every_version(
    http: Ask, sandbox: Sandbox, problems_of: Callable[[requests.Response], dict[str, str]]
) -> None:
    """The vendor's code and the rule's own words."""
    add_rule(sandbox.store, "companies", "name", "letters")
    for path in ("/crm/v3/objects/companies", "/crm/objects/2026-03/companies"):
        refused = http("POST", path, {"properties": {"name": "Acme 4"}})
        assert (refused.status_code, problems_of(refused)) == (400, {"name": "INVALID_ALPHA"})
        assert http("POST", path, {"properties": {"name": "Acme Four"}}).status_code == 201


def test_what_an_administrator_made_required_is_checked_since_2026_09(
    http: Ask, sandbox: Sandbox, company: Companies
) -> None:
    """Creating without it and changing a record that lacks it are refused, in that version only."""
    key = company(name="Acme")
    add_rule(sandbox.store, "companies", "segment", "required")
    values = {"properties": {"seats": "5"}}
    for version, status in (("2026-03", 200), ("2026-09", 400)):
        assert http("PATCH", f"/crm/objects/{version}/companies/{key}", values).status_code == status
    refused = http("POST", "/crm/objects/2026-09/companies", {"properties": {"name": "Bolt"}})
    assert (refused.status_code, refused.json()["context"]) == (400, {"properties": ["segment"]})
    values = {"properties": {"segment": "SMB"}}
    assert http("PATCH", f"/crm/objects/2026-09/companies/{key}", values).status_code == 200


def test_a_moment_is_read_in_either_form_and_written_in_one(http: Ask) -> None:
    """Epoch milliseconds and ISO with any offset come back as UTC with milliseconds."""
    for text in ("1793610000000", "2026-11-02T10:00:00+01:00", "2026-11-02T09:00:00Z"):
        values = {"hs_timestamp": text, "hs_task_subject": "Call"}
        made = http("POST", "/crm/v3/objects/tasks", {"properties": values}).json()
        assert made["properties"]["hs_timestamp"] == "2026-11-02T09:00:00.000Z"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/crm/v3/objects/companies?after=²", None),
        ("GET", "/crm/v3/objects/companies?after=" + "9" * 30, None),
        ("GET", "/crm/v3/objects/companies?limit=0", None),
        ("GET", "/crm/v3/objects/planets", None),
        ("POST", "/crm/v3/objects/companies", {"properties": {"name": "half a \ud800 character"}}),
        ("POST", "/crm/v3/objects/companies", {"name": "Acme"}),
        ("POST", "/crm/v3/objects/companies", ["Acme"]),
        ("POST", "/crm/v3/objects/companies/batch/read", {"inputs": []}),
        ("POST", "/crm/v3/objects/companies/batch/read", {"inputs": [{"id": ""}]}),
        ("POST", "/crm/v3/objects/companies/search", {"filterGroups": {}}),
        ("POST", "/crm/v3/objects/companies/search", {"limit": "²"}),
        ("POST", "/crm/v3/objects/products/merge", {"primaryObjectId": "1", "objectIdToMerge": "2"}),
        ("POST", "/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": "x"}]}),
    ],
)
def test_nonsense_is_the_callers_fault_and_never_the_servers(
    http: Ask, method: str, path: str, body: object
) -> None:
    """400 with a category, whatever is sent."""
    reply = http(method, path, body)
    assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")


def test_ids_that_are_no_numbers_are_simply_not_there(http: Ask, company: Companies) -> None:
    """404 where a record is needed, and taking apart what was never together is no error."""
    key = company(name="Acme")
    assert http("GET", "/crm/v3/objects/companies/nobody").status_code == 404
    assert http("GET", "/crm/v4/objects/companies/nobody/associations/contacts").status_code == 404
    pair = f"/crm/v4/objects/companies/{key}/associations/contacts/nobody"
    assert http("DELETE", pair).status_code == 204
