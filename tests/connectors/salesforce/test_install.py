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
from connectors.fields import FieldSpec, field_specs
from connectors.salesforce.deploy import ComponentFailure, DeployOutcome
from connectors.salesforce.install import difference
from connectors.salesforce.metadata import NAMESPACE, package

SPECS = list(field_specs().values())


def deploys(org: Any) -> int:
    """How many requests went to the Metadata API."""
    return len(org.requests("/Soap/m/"))


def test_a_plan_changes_nothing(org: Any) -> None:
    """It names every field that would be created."""
    crm = org.connect()
    report = crm.install(SPECS, apply=False)
    assert not report.applied
    assert Counter(step.action for step in report.steps)["create"] == len(SPECS) + 2
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
        "Upswell_Integration": ("keep", "grants our user its fields"),
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
    with zipfile.ZipFile(io.BytesIO(package(SPECS, SPECS, version="68.0", history=True))) as archive:
        assert set(archive.namelist()) == {
            "package.xml",
            "objects/Account.object",
            "objects/Activity.object",
            "permissionsets/Upswell_Integration.permissionset",
        }
        fields = [
            field
            for home in ("Account", "Activity")
            for field in ET.fromstring(archive.read(f"objects/{home}.object")).iter(f"{tag}fields")
        ]
        granted = ET.fromstring(archive.read("permissionsets/Upswell_Integration.permissionset"))
    assert len(fields) == len(SPECS)
    for field in fields:
        names = {each.tag.removeprefix(tag) for each in field}
        assert names <= types["CustomField"] | types["Metadata"], names
        assert field.findtext(f"{tag}type") in kinds
        assert len(field.findtext(f"{tag}label") or "") <= 40
        assert len(field.findtext(f"{tag}inlineHelpText") or "") <= 510
    for each in granted.iter(f"{tag}fieldPermissions"):
        assert {part.tag.removeprefix(tag) for part in each} <= types["PermissionSetFieldPermissions"]
    names = [each.text for each in granted.iter(f"{tag}field")]
    assert len(names) == len(SPECS) + 1
    assert {"Task.Expansion_Task_Key__c", "Event.Expansion_Task_Key__c"} <= set(names)


def test_the_same_fields_make_the_same_package() -> None:
    """Byte for byte, so that its hash means something."""
    assert package(SPECS, SPECS, version="68.0", history=True) == package(
        SPECS, SPECS, version="68.0", history=True
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
