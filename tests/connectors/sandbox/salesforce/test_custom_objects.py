"""Custom objects of the sandbox org: what a deploy may make, who sees it, and how its rows behave."""

# ruff: noqa: E501  # a record in one line reads better

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.bulk2 import Operation
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from connectors.sandbox.salesforce.person import person_create, person_delete, person_merge
from connectors.sandbox.salesforce.schema import Schema
from connectors.sandbox.server import Sandbox

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
KEY = (
    "<fields><fullName>Key__c</fullName><caseSensitive>true</caseSensitive><externalId>true</externalId>"
    "<label>Key</label><length>80</length><type>Text</type><unique>true</unique></fields>"
)
ACCOUNT = (
    "<fields><fullName>Account__c</fullName><deleteConstraint>SetNull</deleteConstraint><label>Account</label>"
    "<referenceTo>Account</referenceTo><relationshipName>Visits</relationshipName><type>Lookup</type></fields>"
)
HEAD = "<deploymentStatus>Deployed</deploymentStatus>"
TAIL = (
    "<label>Visit</label><nameField><displayFormat>V-{0000}</displayFormat><label>Number</label>"
    "<type>AutoNumber</type></nameField><pluralLabel>Visits</pluralLabel>"
    "<sharingModel>Private</sharingModel>"
)
GRANT = (
    "<fieldPermissions><editable>true</editable><field>Visit__c.{}</field><readable>true</readable>"
    "</fieldPermissions>"
)
OPEN = (
    "<objectPermissions><allowCreate>true</allowCreate><allowDelete>false</allowDelete><allowEdit>true"
    "</allowEdit><allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords><object>Visit__c</object>"
    "<viewAllRecords>true</viewAllRecords></objectPermissions>"
)
SET = GRANT.format("Key__c") + GRANT.format("Account__c") + "<label>Ours</label>"
MEMBERS = {"CustomObject": ["Visit__c"], "PermissionSet": ["Ours"]}


@pytest.fixture
def deploy(sf: Salesforce) -> Callable[..., list[str]]:
    """Deploy an object and a permission set; the problems."""

    def done(
        inner: str = HEAD + KEY + ACCOUNT + TAIL,
        granted: str = SET + OPEN,
        members: dict[str, list[str]] = MEMBERS,
    ) -> list[str]:
        named = "".join(
            f"<types>{''.join(f'<members>{m}</members>' for m in names)}<name>{kind}</name></types>"
            for kind, names in members.items()
        )
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("objects/Visit__c.object", f"<CustomObject {NS}>{inner}</CustomObject>")
            archive.writestr(
                "permissionsets/Ours.permissionset", f"<PermissionSet {NS}>{granted}</PermissionSet>"
            )
            archive.writestr("package.xml", f"<Package {NS}>{named}<version>68.0</version></Package>")
        result = sf.deploy(buffer, sandbox=False)
        errors = sf.checkDeployStatus(result["asyncId"])["deployment_detail"]["errors"]
        return [str(each["message"]) for each in errors]

    return done


@pytest.fixture
def visits(sf: Salesforce, deploy: Callable[..., list[str]]) -> Salesforce:
    """The org with an object that our user may write."""
    assert deploy() == []
    set_id = sf.query("SELECT Id FROM PermissionSet WHERE Name = 'Ours'")["records"][0]["Id"]
    user = sf.query("SELECT Id FROM User WHERE Name = 'Upswell Integration'")["records"][0]["Id"]
    sf.PermissionSetAssignment.create({"PermissionSetId": set_id, "AssigneeId": user})
    return sf


def test_a_deployed_object_is_seen_once_a_set_that_opens_it_is_assigned(
    sf: Salesforce, deploy: Callable[..., list[str]], sandbox: Sandbox
) -> None:
    """Until then there is no such object for the user."""
    assert deploy() == []
    with pytest.raises(SalesforceResourceNotFound):
        sf.Visit__c.describe()
    assert Schema(sandbox.store).find("Visit__c") is not None


@pytest.mark.parametrize(
    ("inner", "granted", "says"),
    [
        (KEY + TAIL, SET, "deploymentStatus"),
        (HEAD + TAIL.replace("<sharingModel>Private</sharingModel>", ""), SET, "sharingModel"),
        (HEAD + TAIL.replace("Private", "Secret"), SET, "is not a valid value for the enum 'SharingModel'"),
        (HEAD + TAIL.replace("{0000}", ""), SET, "display format"),
        (HEAD + TAIL.replace("AutoNumber", "Text"), SET, "displayFormat"),
        (HEAD + ACCOUNT.replace("<referenceTo>Account", "<referenceTo>Planet") + TAIL, SET, "Planet"),
        (HEAD + ACCOUNT.replace("Visits", "") + TAIL, SET, "relationshipName"),
        (HEAD + ACCOUNT.replace("SetNull", "Forget") + TAIL, SET, "enum 'DeleteConstraint'"),
        (HEAD + ACCOUNT + ACCOUNT.replace("Account__c", "Other__c") + TAIL, SET, "Duplicate Relationship Name"),
        (HEAD + KEY + TAIL + KEY.replace("Key__c", "Two__c"), SET, "duplicated at this location"),
        (HEAD + KEY + ACCOUNT + TAIL, SET + OPEN.replace("<allowRead>true", "<allowRead>false"), "depends on"),
        (HEAD + KEY + ACCOUNT + TAIL, SET + OPEN.replace("Visit__c", "Planet__c"), "no CustomObject named"),
        (HEAD + KEY + ACCOUNT + TAIL, SET + OPEN.replace("allowEdit", "mayEdit"), "invalid at this location"),
    ],
)  # fmt: skip
def test_an_object_against_the_rules_is_refused_and_nothing_stays(
    deploy: Callable[..., list[str]], sandbox: Sandbox, inner: str, granted: str, says: str
) -> None:
    """In the vendor's words, which name what is wrong."""
    problems = deploy(inner, granted)
    assert any(says in problem for problem in problems), problems
    assert Schema(sandbox.store).find("Visit__c") is None


def test_a_row_is_named_by_its_number_and_found_by_its_key(visits: Salesforce) -> None:
    """Created, refused a second time, changed by its external id; the key tells capitals apart."""
    first = visits.Visit__c.create({"Key__c": "a"})
    assert visits.Visit__c.get(first["id"])["Name"] == "V-0001"
    with pytest.raises(SalesforceMalformedRequest, match="DUPLICATE_VALUE"):
        visits.Visit__c.create({"Key__c": "a"})
    visits.Visit__c.create({"Key__c": "A"})
    assert visits.Visit__c.upsert("Key__c/b", {}) == 201
    assert visits.Visit__c.upsert("Key__c/b", {}) == 200
    rows = visits.query("SELECT Name, Key__c FROM Visit__c ORDER BY Name")["records"]
    assert [(row["Name"], row["Key__c"]) for row in rows] == [
        ("V-0001", "a"),
        ("V-0002", "A"),
        ("V-0003", "b"),
    ]
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        visits.Visit__c.create({"Name": "V-9999"})


def test_rows_come_by_collections_and_by_a_job(visits: Salesforce) -> None:
    """Upsert by the external id: what is there is changed, what is not is created; a job says what it has."""
    body = {
        "allOrNone": False,
        "records": [{"attributes": {"type": "Visit__c"}, "Key__c": key} for key in ("a", "b")],
    }
    path = "composite/sobjects/Visit__c/Key__c"
    first, again = (visits.restful(path, method="PATCH", json=body) for _ in range(2))
    assert ([each["created"] for each in first], [each["created"] for each in again]) == (
        [True, True],
        [False, False],
    )
    jobs = visits.bulk2.Visit__c._client
    job = jobs.create_job(Operation.insert)["id"]
    jobs.upload_job_data(job, "Key__c\nb\nc\n")
    jobs.close_job(job)
    told = jobs.get_job(job, is_query=False)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (2, 1)
    assert visits.query("SELECT COUNT() FROM Visit__c")["totalSize"] == 3


def test_a_row_outlives_its_account_and_follows_it_into_a_merge(visits: Salesforce, sandbox: Sandbox) -> None:
    """`deleteConstraint` SetNull; a merge moves the lookup to the survivor."""
    one, two, three = (person_create(sandbox.store, "Account", {"Name": name}) for name in "abc")
    rows = {key: visits.Visit__c.create({"Key__c": key, "Account__c": key})["id"] for key in (one, two)}
    with pytest.raises(SalesforceMalformedRequest, match="FIELD_INTEGRITY_EXCEPTION"):
        visits.Visit__c.create({"Key__c": "x", "Account__c": rows[one]})
    person_delete(sandbox.store, "Account", one)
    person_merge(sandbox.store, "Account", three, [two])
    assert visits.Visit__c.get(rows[one])["Account__c"] is None
    assert visits.Visit__c.get(rows[two])["Account__c"] == three
    found = visits.query("SELECT Account__r.Name FROM Visit__c WHERE Account__c != null")["records"]
    assert [row["Account__r"]["Name"] for row in found] == ["c"]


def test_a_user_who_may_not_delete_rows_is_refused(visits: Salesforce) -> None:
    """What the set does not allow."""
    row = visits.Visit__c.create({"Key__c": "a"})["id"]
    with pytest.raises(Exception, match="INSUFFICIENT_ACCESS_OR_READONLY"):
        visits.Visit__c.delete(row)
