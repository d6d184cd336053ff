"""Metadata deploys: what is made, who sees it, what is refused."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceGeneralError

from connectors.sandbox.salesforce.org import ADMIN_USER_ID, DATABASE, INTEGRATION_USER_ID, START
from connectors.sandbox.salesforce.package import Deployment, PackageRefusedError
from connectors.sandbox.salesforce.person import person_create, person_delete
from connectors.sandbox.salesforce.schema import Schema
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store, stamp

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
SCORE = (
    "<fullName>Score__c</fullName><label>Score</label><type>Number</type>"
    "<precision>3</precision><scale>0</scale>"
)
TIER = (
    "<fullName>Tier__c</fullName><inlineHelpText>How likely</inlineHelpText><label>Tier</label>"
    "<type>Picklist</type><valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>high</fullName><default>false</default><label>High</label></value>"
    "</valueSetDefinition></valueSet>"
)
KEY = (
    "<externalId>true</externalId><fullName>Key__c</fullName><label>Key</label><length>80</length><type>Text</type>"
    "<unique>true</unique><caseSensitive>true</caseSensitive>"
)


def package(files: dict[str, str], members: dict[str, list[str]]) -> io.BytesIO:
    """A zip with a manifest."""
    types = "".join(
        f"<types>{''.join(f'<members>{m}</members>' for m in names)}<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    files = {**files, "package.xml": f"<Package {NS}>{types}<version>68.0</version></Package>"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return buffer


def fields(home: str, *definitions: str) -> dict[str, str]:
    """An object file."""
    inner = "".join(f"<fields>{definition}</fields>" for definition in definitions)
    return {f"objects/{home}.object": f"<CustomObject {NS}>{inner}</CustomObject>"}


def grants(*names: str, editable: str = "true") -> dict[str, str]:
    """A permission set file."""
    inner = "".join(
        f"<fieldPermissions><editable>{editable}</editable><field>{name}</field><readable>true</readable>"
        "</fieldPermissions>"
        for name in names
    )
    return {
        "permissionsets/Ours.permissionset": f"<PermissionSet {NS}>{inner}<label>Ours</label></PermissionSet>"
    }


@pytest.fixture
def deploy(sf: Salesforce) -> Callable[..., tuple[str, list[Any]]]:
    """Deploy a package; its state and errors."""

    def done(files: dict[str, str], members: dict[str, list[str]], **options: Any) -> tuple[str, list[Any]]:
        result = sf.deploy(package(files, members), sandbox=False, **options)
        status = sf.checkDeployStatus(result["asyncId"])
        return status["state"], status["deployment_detail"]["errors"]

    return done


@pytest.fixture
def assign(sf: Salesforce) -> Callable[[], None]:
    """Assign the permission set to the integration user."""

    def assigned() -> None:
        set_id = sf.query("SELECT Id FROM PermissionSet WHERE Name = 'Ours'")["records"][0]["Id"]
        user = sf.query("SELECT Id FROM User WHERE Name = 'Upswell Integration'")["records"][0]["Id"]
        sf.PermissionSetAssignment.create({"PermissionSetId": set_id, "AssigneeId": user})

    return assigned


@pytest.fixture
def store(org_folder: Path, tmp_path: Path) -> Iterator[Store]:
    """The store of an org that nobody serves."""
    shutil.copytree(org_folder, tmp_path / "quiet")
    opened = Store.open(tmp_path / "quiet" / DATABASE)
    yield opened
    opened.close()


def described(sf: Salesforce, name: str) -> dict[str, dict[str, Any]]:
    """Fields by name as the user sees them."""
    return {field["name"]: field for field in getattr(sf, name).describe()["fields"]}


def test_a_deployed_field_is_seen_once_its_permission_set_is_assigned(
    sf: Salesforce, deploy: Callable[..., Any], assign: Callable[[], None]
) -> None:
    """Until then describe, queries and writes know nothing of it."""
    members = {"CustomField": ["Account.Score__c", "Account.Tier__c"], "PermissionSet": ["Ours"]}
    files = {**fields("Account", SCORE, TIER), **grants("Account.Score__c", "Account.Tier__c")}
    assert deploy(files, members) == ("Succeeded", [])
    assert "Score__c" not in described(sf, "Account")
    assert sf.query("SELECT COUNT() FROM PermissionSet WHERE Name = 'Ours'")["totalSize"] == 1
    assign()
    seen = described(sf, "Account")
    assert (seen["Score__c"]["precision"], seen["Score__c"]["updateable"]) == (3, True)
    assert seen["Tier__c"]["inlineHelpText"] == "How likely"
    options = [(option["value"], option["label"]) for option in seen["Tier__c"]["picklistValues"]]
    assert options == [("high", "High")]
    key = sf.Account.create({"Name": "Acme", "Score__c": 80, "Tier__c": "high"})["id"]
    assert sf.query(f"SELECT Score__c FROM Account WHERE Id = '{key}'")["records"][0]["Score__c"] == 80.0


def test_a_readable_field_is_not_editable(
    sf: Salesforce, deploy: Callable[..., Any], assign: Callable[[], None]
) -> None:
    """The write is refused as on a read-only field."""
    members = {"CustomField": ["Account.Score__c"], "PermissionSet": ["Ours"]}
    deploy({**fields("Account", SCORE), **grants("Account.Score__c", editable="false")}, members)
    assign()
    field = described(sf, "Account")["Score__c"]
    assert (field["createable"], field["updateable"]) == (False, False)
    with pytest.raises(Exception, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        sf.Account.create({"Name": "Acme", "Score__c": 80})


def test_activity_fields_appear_on_task_and_event(
    sf: Salesforce, deploy: Callable[..., Any], assign: Callable[[], None]
) -> None:
    """Defined once on Activity, granted per object."""
    members = {"CustomField": ["Activity.Key__c"], "PermissionSet": ["Ours"]}
    assert deploy({**fields("Activity", KEY), **grants("Task.Key__c")}, members) == ("Succeeded", [])
    assign()
    assert described(sf, "Task")["Key__c"]["externalId"] is True
    assert "Key__c" not in described(sf, "Event")
    sf.Task.create({"Subject": "Call", "Key__c": "a"})
    sf.Task.create({"Subject": "Call", "Key__c": "A"})
    with pytest.raises(Exception, match="DUPLICATE_VALUE"):
        sf.Task.create({"Subject": "Call", "Key__c": "a"})


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (SCORE.replace("Score__c", "Score"), "must end"),
        (SCORE.replace("<label>Score</label>", ""), "label"),
        (SCORE.replace("<scale>0</scale>", ""), "precision"),
        (SCORE.replace("<precision>3", "<precision>19"), "precision"),
        (SCORE + "<length>5</length>", "length"),
        (SCORE + "<helpText>x</helpText>", "helpText invalid at this location in type CustomField"),
        (SCORE + "<unique>yes</unique>", "xsd:boolean"),
        (SCORE.replace("Number", "Integer"), "Integer"),
        (KEY.replace("<length>80</length>", ""), "length"),
        (KEY.replace("80", "256"), "256"),
        (
            TIER.replace("<restricted>true</restricted>", "")
            .replace("<value>", "<values>")
            .replace("</value>", "</values>"),
            "values",
        ),
        ("<fullName>Flag__c</fullName><label>Flag</label><type>Checkbox</type>", "defaultValue"),
        (
            "<fullName>Note__c</fullName><label>N</label><type>LongTextArea</type><length>1000</length>",
            "visibleLines",
        ),
        (SCORE.replace("Score__c", "Seats__c").replace("Number", "Currency"), "Cannot change the type"),
    ],
)
def test_a_field_against_the_rules_fails_and_nothing_stays(store: Store, definition: str, says: str) -> None:
    """The failure names the file and the problem; good fields of the same package are taken back."""
    good = SCORE.replace("Score", "Good")
    name = definition.split("<fullName>")[1].split("<", maxsplit=1)[0]
    members = {"CustomField": ["Account.Good__c", f"Account.{name}"]}
    archive = package(fields("Account", good, definition), members).getvalue()
    deployment = Deployment(store=store, schema=Schema(store), now=stamp(START), user_id=ADMIN_USER_ID)
    with pytest.raises(PackageRefusedError) as refused:
        deployment.apply(archive, check_only=False)
    failures = [outcome for outcome in refused.value.outcomes if outcome.problem]
    assert [outcome.file for outcome in failures] == ["objects/Account.object"]
    assert says in str(failures[0].problem)
    assert store.select("SELECT count(*) FROM custom_fields") == [(0,)]
    assert "Good__c" not in store.columns("Account")


def test_manifest_and_files_must_agree(deploy: Callable[..., Any]) -> None:
    """Both ways."""
    state, errors = deploy(fields("Account", SCORE), {})
    assert (state, "not in package.xml" in errors[0]["message"]) == ("Failed", True)
    state, errors = deploy({}, {"CustomField": ["Account.Score__c"]})
    assert (state, "was not found in zipped directory" in errors[0]["message"]) == ("Failed", True)


def test_a_permission_on_an_unknown_field_fails(deploy: Callable[..., Any]) -> None:
    """In the vendor's words."""
    state, errors = deploy(grants("Account.Nothing__c"), {"PermissionSet": ["Ours"]})
    assert (state, errors[0]["message"]) == (
        "Failed",
        "In field: field - no CustomField named Account.Nothing__c found",
    )


def test_twenty_fields_of_an_object_are_tracked_at_most(deploy: Callable[..., Any]) -> None:
    """The company uses some of them already."""
    tracked = SCORE + "<trackHistory>true</trackHistory>"
    names = [f"T{n}__c" for n in range(15)]
    definitions = [tracked.replace("Score__c", name) for name in names]
    state, errors = deploy(
        fields("Account", *definitions), {"CustomField": [f"Account.{name}" for name in names]}
    )
    assert state == "Failed"
    assert "at most 20" in errors[0]["message"]


def test_a_check_only_deploy_changes_nothing(sandbox: Sandbox, deploy: Callable[..., Any]) -> None:
    """It only says whether it would succeed."""
    members = {"CustomField": ["Account.Score__c"]}
    assert deploy(fields("Account", SCORE), members, checkOnly="true")[0] == "Succeeded"
    assert "Score__c" not in sandbox.store.columns("Account")


def test_destructive_changes_remove_a_field(sandbox: Sandbox, deploy: Callable[..., Any]) -> None:
    """With its column and its permissions; a field that is not there is a failure."""
    members = {"CustomField": ["Account.Score__c"], "PermissionSet": ["Ours"]}
    deploy({**fields("Account", SCORE), **grants("Account.Score__c")}, members)
    manifest = (
        f"<Package {NS}><types><members>Account.Score__c</members><name>CustomField</name></types></Package>"
    )
    assert deploy({"destructiveChanges.xml": manifest}, {})[0] == "Succeeded"
    assert "Score__c" not in sandbox.store.columns("Account")
    assert sandbox.store.select("SELECT count(*) FROM FieldPermissions WHERE Field = 'Account.Score__c'") == [
        (0,)
    ]
    assert deploy({"destructiveChanges.xml": manifest}, {})[0] == "Failed"


def test_a_permission_set_is_removed_when_nobody_has_it(sandbox: Sandbox, deploy: Callable[..., Any]) -> None:
    """The org refuses while it is assigned, and then takes its grants too."""
    members = {"CustomField": ["Account.Score__c"], "PermissionSet": ["Ours"]}
    deploy({**fields("Account", SCORE), **grants("Account.Score__c")}, members)
    manifest = f"<Package {NS}><types><members>Ours</members><name>PermissionSet</name></types></Package>"
    (set_id,) = sandbox.store.select("SELECT Id FROM PermissionSet WHERE Name = 'Ours'")[0]
    held = {"PermissionSetId": set_id, "AssigneeId": INTEGRATION_USER_ID}
    assignment = person_create(sandbox.store, "PermissionSetAssignment", held)
    state, errors = deploy({"destructiveChanges.xml": manifest}, {})
    assert state == "Failed"
    assert "assigned" in errors[0]["message"]
    person_delete(sandbox.store, "PermissionSetAssignment", assignment)
    assert deploy({"destructiveChanges.xml": manifest}, {})[0] == "Succeeded"
    grants_left = "SELECT count(*) FROM FieldPermissions WHERE ParentId = ?"
    assert sandbox.store.select(grants_left, (set_id,)) == [(0,)]


def test_an_expired_session_is_a_soap_fault(sandbox: Sandbox, sf: Salesforce) -> None:
    """Status 500, as SOAP has it."""
    sandbox.faults.add(kind="expire_session", endpoint="query")
    with pytest.raises(Exception, match="INVALID_SESSION_ID"):
        sf.query("SELECT Id FROM Account")
    with pytest.raises(SalesforceGeneralError, match="sf:INVALID_SESSION_ID"):
        sf.deploy(package(fields("Account", SCORE), {"CustomField": ["Account.Score__c"]}), sandbox=False)
