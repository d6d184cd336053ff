"""Associations v4: labels, batches, paging, primary and parent companies."""

from __future__ import annotations

from collections.abc import Callable

import hubspot
import requests
from hubspot.crm.associations.v4 import (
    BatchInputPublicAssociationMultiPost,
    BatchInputPublicFetchAssociationsBatchRequest,
)

from connectors.sandbox.server import Sandbox

Ask = Callable[..., requests.Response]
Companies = Callable[..., str]
CONTACTS = "/crm/v3/objects/contacts"


def new(http: Ask, path: str, **properties: str) -> str:
    """Create a record; its id."""
    return str(http("POST", f"/crm/v3/objects/{path}", {"properties": properties}).json()["id"])


def test_the_labels_endpoint_tells_the_type_ids(client: hubspot.Client, http: Ask) -> None:
    """Each direction has its own ids; objects that never meet have none."""
    there = client.crm.associations.v4.schema.definitions_api.get_all("contacts", "companies").results
    back = client.crm.associations.v4.schema.definitions_api.get_all("companies", "contacts").results
    assert {t.label: t.type_id for t in there} == {None: 279, "Primary": 1}
    assert {t.label: t.type_id for t in back} == {None: 280, "Primary": 2}
    assert http("GET", "/crm/v4/associations/products/tasks/labels").status_code == 400


def test_the_first_company_of_a_contact_is_its_primary_one(
    client: hubspot.Client, http: Ask, company: Companies
) -> None:
    """Associated plainly, read back with both types, and shown in the contact's property."""
    acme, ada = company(name="Acme"), new(http, "contacts", email="ada@acme.example")
    plain = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    client.crm.associations.v4.batch_api.create(
        "contacts",
        "companies",
        BatchInputPublicAssociationMultiPost(
            inputs=[{"from": {"id": ada}, "to": {"id": acme}, "types": plain}]
        ),
    )
    read = client.crm.associations.v4.batch_api.get_page(
        "contacts", "companies", BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": ada}])
    )
    (pair,) = read.results[0].to
    assert str(pair.to_object_id) == acme
    assert {kind.type_id for kind in pair.association_types} == {1, 279}
    shown = http("GET", f"{CONTACTS}/{ada}", properties="associatedcompanyid").json()["properties"]
    assert shown["associatedcompanyid"] == acme


def test_a_record_without_associations_is_named_in_a_207(http: Ask, company: Companies) -> None:
    """The vendor's error, not an empty list."""
    acme = company(name="Acme")
    reply = http("POST", "/crm/v4/associations/companies/contacts/batch/read", {"inputs": [{"id": acme}]})
    (error,) = reply.json()["errors"]
    assert (reply.status_code, reply.json()["results"]) == (207, [])
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error["context"]["fromObjectId"] == [acme]


def test_long_lists_come_in_pages_for_each_record(
    start: Callable[..., Sandbox], ask: Callable[[Sandbox], Ask]
) -> None:
    """`after` of one input goes on where its page ended."""
    http = ask(start(associated_page=2, burst=1_000))
    acme = new(http, "companies", name="Acme")
    people = [new(http, "contacts", email=f"p{i}@acme.example", associatedcompanyid=acme) for i in range(5)]
    path, after, seen = "/crm/v4/associations/companies/contacts/batch/read", "", []
    while True:
        inputs = [{"id": acme, "after": after}] if after else [{"id": acme}]
        (result,) = http("POST", path, {"inputs": inputs}).json()["results"]
        seen += [str(pair["toObjectId"]) for pair in result["to"]]
        if "paging" not in result:
            break
        after = result["paging"]["next"]["after"]
    assert seen == people


def test_a_child_has_one_parent_and_shows_it(http: Ask, company: Companies) -> None:
    """The label Child/Parent Company sets hs_parent_company_id; a second parent replaces the first."""
    child, first, second = company(name="Child"), company(name="First"), company(name="Second")
    for parent in (first, second):
        body = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 14}]
        made = http("PUT", f"/crm/v4/objects/companies/{child}/associations/companies/{parent}", body)
        assert made.status_code == 201
    shown = http("GET", f"/crm/v3/objects/companies/{child}", properties="hs_parent_company_id").json()
    assert shown["properties"]["hs_parent_company_id"] == second
    types = http("GET", f"/crm/v4/objects/companies/{first}/associations/companies").json()["results"]
    assert all(kind["typeId"] != 13 for pair in types for kind in pair["associationTypes"])


def test_a_record_is_created_with_its_associations_or_not_at_all(http: Ask, company: Companies) -> None:
    """A task belongs to company and contact at once; a target that is missing refuses it."""
    acme = company(name="Acme")
    ada = new(http, "contacts", email="ada@acme.example")

    def task(to_id: str) -> requests.Response:
        spec = {"associationCategory": "HUBSPOT_DEFINED"}
        links = [
            {"to": {"id": to_id}, "types": [{**spec, "associationTypeId": 192}]},
            {"to": {"id": ada}, "types": [{**spec, "associationTypeId": 204}]},
        ]
        values = {"hs_timestamp": "2026-11-09T09:00:00Z", "hs_task_subject": "Call"}
        return http("POST", "/crm/v3/objects/tasks", {"properties": values, "associations": links})

    made = task(acme)
    assert made.status_code == 201
    read = http("GET", f"/crm/v3/objects/tasks/{made.json()['id']}", associations="companies,contacts").json()
    assert read["associations"]["companies"]["results"] == [{"id": acme, "type": "task_to_company"}]
    assert read["associations"]["contacts"]["results"] == [{"id": ada, "type": "task_to_contact"}]
    assert task("77").status_code == 404
    assert len(http("GET", "/crm/v3/objects/tasks").json()["results"]) == 1


def test_a_wrong_pair_leaves_the_others_in_a_batch(http: Ask, company: Companies) -> None:
    """One error, one result, and a type of another object type is refused."""
    acme, ada = company(name="Acme"), new(http, "contacts", email="ada@acme.example")
    plain = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    inputs = [{"from": {"id": ada}, "to": {"id": key}, "types": plain} for key in (acme, "77")]
    reply = http("POST", "/crm/v4/associations/contacts/companies/batch/create", {"inputs": inputs})
    assert (reply.status_code, len(reply.json()["results"]), reply.json()["numErrors"]) == (207, 1, 1)
    other = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 9_999}]
    refused = http("PUT", f"/crm/v4/objects/contacts/{ada}/associations/companies/{acme}", other)
    assert refused.status_code == 400


def test_a_merge_hands_over_the_associations(http: Ask, company: Companies) -> None:
    """People of both companies belong to the merged one."""
    first, second = company(name="Acme"), company(name="Acme Inc")
    people = {
        new(http, "contacts", email=f"{key}@acme.example", associatedcompanyid=key) for key in (first, second)
    }
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    merged = http("POST", "/crm/v3/objects/companies/merge", body).json()["id"]
    found = http("GET", f"/crm/v4/objects/companies/{merged}/associations/contacts").json()["results"]
    assert {str(pair["toObjectId"]) for pair in found} == people


def test_a_pair_is_taken_apart(http: Ask, company: Companies) -> None:
    """DELETE removes every label of it, in both directions."""
    acme = company(name="Acme")
    ada = new(http, "contacts", email="ada@acme.example", associatedcompanyid=acme)
    assert http("DELETE", f"/crm/v4/objects/contacts/{ada}/associations/companies/{acme}").status_code == 204
    assert http("GET", f"/crm/v4/objects/companies/{acme}/associations/contacts").json()["results"] == []
    shown = http("GET", f"{CONTACTS}/{ada}", properties="associatedcompanyid").json()["properties"]
    assert shown["associatedcompanyid"] is None
