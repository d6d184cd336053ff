"""Properties, groups, owners, pipelines and limits of an account."""

from __future__ import annotations

from collections.abc import Callable

import hubspot
import pytest
import requests
from hubspot.crm.properties import BatchInputPropertyCreate, PropertyGroupCreate

from connectors.sandbox.server import Sandbox

Ask = Callable[..., requests.Response]
Companies = Callable[..., str]
PATH = "/crm/v3/properties/companies"


def score(**changes: object) -> dict[str, object]:
    """The definition of a number property in the company's own group."""
    body = {"name": "expansion_score", "label": "Score", "type": "number", "fieldType": "number"}
    return {**body, "groupName": "customer_success", **changes}


def test_a_new_account_has_the_companys_properties_and_none_of_ours(client: hubspot.Client) -> None:
    """customer_id is unique; nothing is called expansion_*."""
    found = {p.name: p for p in client.crm.properties.core_api.get_all("companies").results}
    assert found["customer_id"].has_unique_value
    assert [option.value for option in found["segment"].options] == ["SMB", "Mid-Market", "Enterprise"]
    assert found["hs_lastmodifieddate"].modification_metadata.read_only_value
    assert not [name for name in found if name.startswith("expansion")]


def test_properties_are_created_in_a_batch_and_hold_values(
    client: hubspot.Client, http: Ask, company: Companies
) -> None:
    """A group, its properties, and a record that uses them; a second time is a 207."""
    client.crm.properties.groups_api.create(
        "companies", PropertyGroupCreate(name="expansion", label="Expansion", display_order=-1)
    )
    options = [{"value": "now", "label": "Now", "displayOrder": 0, "hidden": False}]
    rows = [
        score(groupName="expansion"),
        score(name="expansion_timing", type="enumeration", fieldType="select", options=options),
    ]
    made = client.crm.properties.batch_api.create("companies", BatchInputPropertyCreate(inputs=rows))
    assert [p.name for p in made.results] == ["expansion_score", "expansion_timing"]
    key = company(expansion_score="87", expansion_timing="now")
    found = http("GET", f"/crm/v3/objects/companies/{key}", properties="expansion_score").json()
    assert found["properties"]["expansion_score"] == "87"
    again = http("POST", f"{PATH}/batch/create", {"inputs": rows})
    assert (again.status_code, again.json()["errors"][0]["category"]) == (207, "CONFLICT")


def test_an_archived_property_is_unknown_until_it_comes_back(http: Ask, company: Companies) -> None:
    """Writes refuse it, reads leave it out; made again, its values are there."""
    http("POST", PATH, score())
    key = company(expansion_score="87")
    assert http("DELETE", f"{PATH}/expansion_score").status_code == 204
    record = f"/crm/v3/objects/companies/{key}"
    assert http("PATCH", record, {"properties": {"expansion_score": "1"}}).status_code == 400
    assert "expansion_score" not in http("GET", record, properties="expansion_score").json()["properties"]
    assert http("GET", PATH, archived="true").json()["results"][0]["name"] == "expansion_score"
    assert http("POST", PATH, score()).status_code == 201
    found = http("GET", record, properties="expansion_score").json()["properties"]
    assert found["expansion_score"] == "87"


@pytest.mark.parametrize(
    ("definition", "status"),
    [
        (score(name="Expansion Score"), 400),
        (score(name="hs_score"), 400),
        (score(fieldType="select"), 400),
        (score(groupName="nowhere"), 400),
        (score(type="enumeration", fieldType="select"), 400),
        (score(type="date", fieldType="date", hasUniqueValue=True), 400),
        (score(name="customer_id"), 409),
    ],
)
def test_a_definition_that_is_wrong_is_refused(http: Ask, definition: dict[str, object], status: int) -> None:
    """Names, types, groups, options and uniqueness follow the vendor's rules."""
    assert http("POST", PATH, definition).status_code == status


def test_an_object_has_ten_unique_properties_at_most(http: Ask) -> None:
    """customer_id is the first; the eleventh is refused."""
    codes = [
        http(
            "POST", PATH, score(name=f"key_{i}", type="string", fieldType="text", hasUniqueValue=True)
        ).status_code
        for i in range(10)
    ]
    assert codes == [201] * 9 + [400]


def test_tasks_take_unique_properties_where_the_account_allows_them(
    start: Callable[..., Sandbox], ask: Callable[[Sandbox], Ask]
) -> None:
    """A setting, because the vendor's documents leave it open."""
    body = score(name="expansion_task_key", type="string", fieldType="text", hasUniqueValue=True)
    for allowed, status in ((0, 400), (1, 201)):
        sandbox = start(unique_on_tasks=allowed)
        http = ask(sandbox)
        groups = "/crm/v3/properties/tasks/groups"
        http("POST", groups, {"name": "customer_success", "label": "Customer success"})
        assert http("POST", "/crm/v3/properties/tasks", body).status_code == status
        sandbox.close()


def test_hubspots_own_properties_cannot_be_taken_away(http: Ask) -> None:
    """Neither archived nor redefined."""
    assert http("DELETE", f"{PATH}/name").status_code == 400
    assert http("PATCH", f"{PATH}/name", {"label": "Title"}).status_code == 400


def test_owners_and_pipelines_are_told(client: hubspot.Client) -> None:
    """An owner's id is not the user's; closed stages say so."""
    (owner,) = client.crm.owners.owners_api.get_page().results
    assert owner.id != str(owner.user_id)
    (pipeline,) = client.crm.pipelines.pipelines_api.get_all("deals").results
    closed = {stage.id: stage.metadata for stage in pipeline.stages if stage.metadata["isClosed"] == "true"}
    assert closed["closedwon"]["probability"] == "1"
    assert closed["closedlost"]["probability"] == "0"


def test_custom_objects_are_for_enterprise_accounts(
    start: Callable[..., Sandbox], ask: Callable[[Sandbox], Ask]
) -> None:
    """The limits endpoint tells, without trying."""
    for enterprise, limit in ((0, 0), (1, 10)):
        sandbox = start(enterprise=enterprise)
        reply = ask(sandbox)("GET", "/crm/v3/limits/custom-object-types")
        assert reply.json()["limit"] == limit
        sandbox.close()
