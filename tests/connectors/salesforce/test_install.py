"""Our fields installed into an org."""

# ruff: noqa: E501  # a record in one line reads better

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import simple_salesforce

from connectors.crm import FieldSchema, FieldType
from connectors.errors import SetupError
from connectors.fields import FieldSpec, field_specs, permission_specs
from connectors.salesforce.deploy import ComponentFailure, DeployOutcome
from connectors.salesforce.differences import difference
from connectors.salesforce.elements import NAMESPACE
from connectors.salesforce.metadata import package
from connectors.salesforce.metadata_sets import grants_of
from connectors.sandbox.salesforce.schema import Field, Schema

SPECS = list(field_specs().values())
SETS = permission_specs()
TRACKED = [spec.key for spec in SPECS if spec.track_history]


def deploys(org: Any) -> int:
    """How many requests went to the Metadata API."""
    return len(org.requests("/Soap/m/"))


def test_a_field_of_a_package_is_not_ours(org: Any) -> None:
    """It bears the same developer name, behind the package's namespace."""
    theirs = Field(name="acme__Expansion_Score__c", label="Score", type="double", precision=3, scale=0)
    Schema(org.sandbox.store).add_fields("Account", [theirs])
    planned = org.connect().install(SPECS, apply=False)
    assert {s.action for s in planned.steps if s.name == "Expansion_Score__c"} == {"create"}
    crm = org.connect()
    crm.install(SPECS, apply=True)
    assert crm.remove(SPECS, apply=True).applied
    assert list(Schema(org.sandbox.store).objects()["account"].fields)[-1] == "acme__expansion_score__c"


def test_a_plan_changes_nothing(org: Any) -> None:
    """It names every field that would be created."""
    crm = org.connect()
    report = crm.install(SPECS, apply=False)
    assert not report.applied
    assert Counter(step.action for step in report.steps)["create"] == len(SPECS) + len(SETS) + 1
    assert deploys(org) == 0
    assert "Expansion_Score__c" not in crm.describe("Account").fields


def test_an_install_creates_every_field_and_lets_our_user_use_them(org: Any) -> None:
    """Machine fields are writable, people's fields readable, tasks have their key."""
    crm = org.connect()
    report = crm.install(SPECS, apply=True)
    assert report.applied
    for spec in SPECS:
        held = crm.describe(crm.object_name(spec.object)).fields[spec.salesforce]
        assert difference(spec, held) == "", spec.key
        assert held.label == spec.label
        assert held.updateable == (spec.owner == "machine"), spec.key
    tier = crm.describe("Account").fields["Expansion_Tier__c"]
    assert (tier.options, tier.restricted) == (tuple(field_specs()["tier"].options), True)


def test_a_second_install_finds_everything_and_deploys_nothing(our_org: Any) -> None:
    """Everything is kept."""
    before = deploys(our_org)
    report = our_org.connect().install(SPECS, apply=True)
    assert {step.action for step in report.steps} == {"keep"}
    assert report.warnings == ()
    assert deploys(our_org) == before


def test_only_what_is_missing_is_created(org: Any) -> None:
    """A later version's field comes to those that are there."""
    crm = org.connect()
    crm.install(SPECS[:5], apply=True)
    report = crm.install(SPECS[:7], apply=True)
    assert [step.action for step in report.steps[:7]] == ["keep"] * 5 + ["create"] * 2


def test_an_install_into_a_new_org_warns_of_nothing(org: Any) -> None:
    """The Tooling API tells our user that the fields are not there."""
    assert org.connect().install(SPECS, apply=True).warnings == ()


def test_a_field_that_is_hidden_from_our_user_is_not_a_missing_one(our_org: Any) -> None:
    """It is granted, not deployed again: that would change what somebody may have changed."""
    crm = our_org.connect()
    hidden = ("Account.Expansion_Score__c", "Task.Expansion_Task_Key__c")
    with our_org.sandbox.store.transaction() as sql:
        sql.executemany("DELETE FROM FieldPermissions WHERE Field = ?", [(name,) for name in hidden])
    assert "Expansion_Score__c" not in crm.describe("Account").fields
    report = our_org.connect().install(SPECS, apply=False)
    details = {step.name: (step.action, step.detail) for step in report.steps if step.detail}
    exists = ("keep", "exists; our user does not see it yet")
    assert details == {
        "Expansion_Score__c": exists,
        "Expansion_Task_Key__c": exists,
        "Upswell_Integration": (
            "grant",
            "Account.Expansion_Score__c, Task.Expansion_Task_Key__c",
        ),
        "Upswell_Read_Scores": ("grant", "Account.Expansion_Score__c"),
        "Upswell_Configure": ("grant", "Account.Expansion_Score__c, Task.Expansion_Task_Key__c"),
    }
    assert report.warnings == ()
    crm = our_org.connect()
    assert crm.install(SPECS, apply=True).applied
    assert crm.describe("Account").fields["Expansion_Score__c"].updateable


def test_an_org_whose_tooling_api_is_closed_to_our_user_is_told(org: Any) -> None:
    """The install goes on; it only can't tell hidden fields from missing ones."""
    crm = org.connect()
    org.fault(kind="status", status=403, code="INSUFFICIENT_ACCESS", endpoint="tooling.query")
    report = crm.install(SPECS, apply=True)
    assert report.applied
    assert len(report.warnings) == 1
    assert "hidden" in report.warnings[0]


def test_an_existing_field_of_another_kind_is_reported_and_left(org: Any) -> None:
    """Never changed: it may be somebody's."""
    crm = org.connect()
    text = FieldSpec(key="score", object="accounts", salesforce="Expansion_Score__c", hubspot="x", label="Their own", type="text", length=20, owner="machine", help="Theirs.")  # fmt: skip
    crm.install([text], apply=True)
    report = crm.install(SPECS, apply=True)
    (step,) = [step for step in report.steps if step.name == "Expansion_Score__c"]
    assert step.action == "differs"
    assert "is text, ours is number" in step.detail
    assert crm.describe("Account").fields["Expansion_Score__c"].label == "Their own"


def test_a_field_that_revops_mapped_to_their_own_is_not_created(org: Any) -> None:
    """It must be there, though."""
    crm = org.connect(mapping={"fields": {"product": "Plan_Tier__c"}})
    spec = field_specs()["product"]
    assert crm.field_name(spec) == "Plan_Tier__c"
    names = [step.name for step in crm.install(SPECS, apply=False).steps]
    assert "Expansion_Product__c" not in names
    wrong = org.connect(mapping={"fields": {"product": "Nothing__c"}})
    with pytest.raises(SetupError, match="Nothing__c") as caught:
        wrong.install(SPECS, apply=False)
    assert caught.value.record == "[mapping.fields] product"


def test_rest_calls_after_a_deploy_still_speak_json(org: Any) -> None:
    """simple-salesforce's deploy leaves its text/xml header behind in every later call."""
    crm = org.connect()
    crm.install(SPECS, apply=True)
    assert crm._client.headers["Content-Type"] == "application/json"
    assert "SOAPAction" not in crm._client.headers


def test_a_refusal_of_the_org_is_told_in_its_own_words(org: Any, monkeypatch: Any) -> None:
    """And nothing was created."""
    crm = org.connect()
    failure = ComponentFailure(file="objects/Account.object", problem="Reached the limit of 500 fields.")
    outcome = DeployOutcome(succeeded=False, failures=(failure,))
    monkeypatch.setattr(crm._installer._deployer, "deploy", lambda _: outcome)
    with pytest.raises(SetupError, match="limit of 500 fields"):
        crm.install(SPECS, apply=True)


def test_an_org_without_room_for_field_history_gets_the_fields_without(org: Any, monkeypatch: Any) -> None:
    """With a warning, instead of no fields at all."""
    crm = org.connect()
    real = crm._installer._deployer.deploy
    packages: list[bytes] = []

    def deploy(sent: bytes) -> DeployOutcome:
        packages.append(sent)
        if len(packages) == 1:
            failure = ComponentFailure(file="", problem="Maximum number of tracked fields reached.")
            return DeployOutcome(succeeded=False, failures=(failure,))
        return real(sent)

    monkeypatch.setattr(crm._installer._deployer, "deploy", deploy)
    report = crm.install(SPECS, apply=True)
    assert any("tracked fields" in warning for warning in report.warnings)
    assert "Expansion_Score__c" in crm.describe("Account").fields
    with zipfile.ZipFile(io.BytesIO(packages[1])) as archive:
        assert b"trackHistory" not in archive.read("objects/Account.object")


def test_an_expired_session_during_an_install_is_renewed_once(org: Any) -> None:
    """The Metadata API takes the new token too."""
    crm = org.connect()
    org.fault(kind="expire_session", endpoint="*Soap*", request=(1,))
    assert crm.install(SPECS, apply=True).applied
    assert len(org.requests("/oauth2/token")) == 2


def test_a_package_is_valid_by_the_vendors_own_schema(tmp_path: Path) -> None:
    """Element names and their order-free set come from the WSDL that simple-salesforce ships."""
    wsdl = Path(simple_salesforce.__file__).with_name("metadata.wsdl")
    xsd = "{http://www.w3.org/2001/XMLSchema}"
    types = {
        node.get("name"): {each.get("name") for each in node.iter(f"{xsd}element")}
        for node in ET.parse(wsdl).getroot().iter(f"{xsd}complexType")
    }
    kinds = {
        each.get("value")
        for node in ET.parse(wsdl).getroot().iter(f"{xsd}simpleType")
        if node.get("name") == "FieldType"
        for each in node.iter(f"{xsd}enumeration")
    }
    tag = f"{{{NAMESPACE}}}"
    with zipfile.ZipFile(io.BytesIO(package(SPECS, SPECS, version="68.0", tracked=TRACKED))) as archive:
        assert set(archive.namelist()) == {
            "package.xml",
            "objects/Account.object",
            "objects/Activity.object",
            *(f"permissionsets/{name}.permissionset" for name in SETS),
        }
        fields = [
            field
            for home in ("Account", "Activity")
            for field in ET.fromstring(archive.read(f"objects/{home}.object")).iter(f"{tag}fields")
        ]
        sets = {name: ET.fromstring(archive.read(f"permissionsets/{name}.permissionset")) for name in SETS}
    granted = sets["Upswell_Integration"]
    for each in sets.values():
        assert {part.tag.removeprefix(tag) for part in each} <= types["PermissionSet"] | types["Metadata"]
    assert len(fields) == len(SPECS)
    for field in fields:
        names = {each.tag.removeprefix(tag) for each in field}
        assert names <= types["CustomField"] | types["Metadata"], names
        assert field.findtext(f"{tag}type") in kinds
        assert len(field.findtext(f"{tag}label") or "") <= 40
        assert len(field.findtext(f"{tag}inlineHelpText") or "") <= 510
    for each in (grant for every in sets.values() for grant in every.iter(f"{tag}fieldPermissions")):
        assert {part.tag.removeprefix(tag) for part in each} <= types["PermissionSetFieldPermissions"]
    names = [each.text for each in granted.iter(f"{tag}field")]
    assert len(names) == len(SPECS) + 2  # fields of tasks are granted on Task and Event
    assert {"Task.Expansion_Task_Key__c", "Event.Expansion_Task_Key__c"} <= set(names)


def test_the_same_fields_make_the_same_package() -> None:
    """Byte for byte, so that its hash means something."""
    assert package(SPECS, SPECS, version="68.0", tracked=TRACKED) == package(
        SPECS, SPECS, version="68.0", tracked=TRACKED
    )


@pytest.mark.parametrize(
    ("key", "held", "word"),
    [
        ("score", {"type": FieldType.NUMBER, "precision": 3, "scale": 0}, ""),
        ("score", {"type": FieldType.NUMBER, "precision": 18, "scale": 2}, ""),
        ("score", {"type": FieldType.NUMBER, "precision": 2, "scale": 0}, "digits"),
        ("score", {"type": FieldType.TEXT, "length": 255}, "is text"),
        ("product", {"type": FieldType.TEXT, "length": 40}, "40 characters"),
        ("timing", {"type": FieldType.PICKLIST, "options": ("now",), "restricted": True}, "d30"),
        ("timing", {"type": FieldType.PICKLIST, "options": ("now",), "restricted": False}, ""),
    ],
)
def test_only_a_difference_that_matters_is_one(key: str, held: dict[str, Any], word: str) -> None:
    """A wider field holds our values too."""
    found = difference(field_specs()[key], FieldSchema(name="X", label="X", **held))
    assert (word in found) if word else found == ""


def grants(org: Any, name: str) -> dict[str, bool]:
    """What a permission set of the org grants: field -> editable."""
    found = org.sandbox.store.select(
        "SELECT f.Field, f.PermissionsEdit FROM FieldPermissions AS f"
        " JOIN PermissionSet AS p ON p.Id = f.ParentId WHERE p.Name = ?",
        (name,),
    )
    return {str(field): bool(editable) for field, editable in found}


def test_people_get_permission_sets_by_what_they_do(our_org: Any) -> None:
    """Scores, reasons, amounts, feedback, forecast, configuration; only our own user edits what the machine writes."""
    assert list(SETS) == [
        "Upswell_Integration",
        "Upswell_Read_Scores",
        "Upswell_Read_Reasons",
        "Upswell_Read_Amounts",
        "Upswell_Give_Feedback",
        "Upswell_Read_Forecast",
        "Upswell_Configure",
    ]
    machine = {spec.salesforce for spec in SPECS if spec.owner == "machine"}
    for name, spec in SETS.items():
        held = grants(our_org, name)
        assert held == dict(grants_of(spec, SPECS)), name
        edited = {field.partition(".")[2] for field, editable in held.items() if editable}
        assert (edited & machine == set()) is (name != "Upswell_Integration"), name
    shown = {field for name in SETS if name != "Upswell_Integration" for field in grants(our_org, name)}
    assert {field.partition(".")[2] for field in shown} == {spec.salesforce for spec in SPECS}
    assert "Account.Expansion_Reason_1__c" not in grants(our_org, "Upswell_Read_Scores")


def test_only_our_own_user_is_given_a_set_and_only_one(our_org: Any) -> None:
    """To whom the others go is for an administrator to say."""
    rows = our_org.sandbox.store.select(
        "SELECT p.Name FROM PermissionSetAssignment AS a JOIN PermissionSet AS p ON p.Id = a.PermissionSetId"
    )
    assert [name for (name,) in rows if str(name).startswith("Upswell")] == ["Upswell_Integration"]


def test_what_an_administrator_put_into_a_set_stays_there(our_org: Any) -> None:
    """What is missing is added to it; a deploy would replace it."""
    store = our_org.sandbox.store
    (set_id,) = store.select("SELECT Id FROM PermissionSet WHERE Name = 'Upswell_Give_Feedback'")[0]
    theirs = {"Id": "01k000000009999AAA", "ParentId": set_id, "SobjectType": "Account", "Field": "Account.Plan_Tier__c", "PermissionsRead": True, "PermissionsEdit": False, "SystemModstamp": "2026-01-05T08:00:00.000+0000"}  # fmt: skip
    store.bulk_insert("FieldPermissions", [theirs])
    with store.transaction() as sql:
        sql.execute(
            "DELETE FROM FieldPermissions WHERE ParentId = ? AND Field LIKE '%Feedback__c'", (set_id,)
        )
        sql.execute(
            "UPDATE FieldPermissions SET PermissionsEdit = 0 WHERE ParentId = ? AND Field LIKE '%Opt_Out__c'",
            (set_id,),
        )
    before = deploys(our_org)
    report = our_org.connect().install(SPECS, apply=True)
    (step,) = [step for step in report.steps if step.action != "keep"]
    assert (step.name, step.action) == ("Upswell_Give_Feedback", "grant")
    assert step.detail == "Account.Expansion_Feedback__c, Account.Expansion_Opt_Out__c"
    held = grants(our_org, "Upswell_Give_Feedback")
    assert held.pop("Account.Plan_Tier__c") is False
    assert held == dict(grants_of(SETS["Upswell_Give_Feedback"], SPECS))
    assert deploys(our_org) == before


def track(org: Any, number: int) -> None:
    """An administrator tracks so many fields of Account."""
    fields = [Field(name=f"Theirs_{n}__c", label=f"Theirs {n}", type="string", length=20, track_history=True) for n in range(number)]  # fmt: skip
    Schema(org.sandbox.store).add_fields("Account", fields)


@pytest.mark.parametrize(("room", "tracked"), [(0, []), (2, TRACKED[:2]), (20, TRACKED)])
def test_history_is_tracked_where_there_is_room_for_it(org: Any, room: int, tracked: list[str]) -> None:
    """Twenty fields of an object at most; the install asks first, and says what it left out."""
    there = sum(
        field.track_history for field in Schema(org.sandbox.store).objects()["account"].fields.values()
    )
    track(org, 20 - room - there if room < 20 else 0)
    report = org.connect().install(SPECS, apply=True)
    fields = Schema(org.sandbox.store).objects()["account"].fields
    assert [
        s.key for s in SPECS if s.object == "accounts" and fields[s.salesforce.lower()].track_history
    ] == tracked
    assert ["Expansion_Health__c" in warning for warning in report.warnings] == [True] * (room < 5)


def test_a_set_of_a_later_version_comes_to_those_that_are_there(our_org: Any) -> None:
    """By a deploy of that set alone: neither fields nor other sets are touched."""
    store = our_org.sandbox.store
    (set_id,) = store.select("SELECT Id FROM PermissionSet WHERE Name = 'Upswell_Configure'")[0]
    with store.transaction() as sql:
        sql.execute("DELETE FROM FieldPermissions WHERE ParentId = ?", (set_id,))
        sql.execute("DELETE FROM PermissionSet WHERE Id = ?", (set_id,))
    before = grants(our_org, "Upswell_Read_Scores")
    report = our_org.connect().install(SPECS, apply=True)
    assert [(s.name, s.action) for s in report.steps if s.action != "keep"] == [
        ("Upswell_Configure", "create")
    ]
    assert grants(our_org, "Upswell_Configure") == dict(grants_of(SETS["Upswell_Configure"], SPECS))
    assert grants(our_org, "Upswell_Read_Scores") == before
