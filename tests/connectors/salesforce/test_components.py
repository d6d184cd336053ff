"""What people look at in an org: groups of permission sets, list views, report types, components, reports."""

# ruff: noqa: E501  # a record in one line reads better

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from connectors.errors import SetupError
from connectors.fields import field_specs, group_specs, object_specs
from connectors.installing import Extras
from connectors.salesforce.bundles import KIND as BUNDLE
from connectors.salesforce.bundles import bundles
from connectors.salesforce.deploy import ComponentFailure, DeployOutcome
from connectors.salesforce.metadata_reports import REPORTS
from connectors.sandbox.salesforce.package_parts import TABLE, held
from connectors.sandbox.salesforce.schema import Schema
from connectors.views import view_specs

SPECS = list(field_specs().values())
OBJECTS = list(object_specs().values())
VIEWS, ALL = Extras(views=True), Extras(views=True, reports=True)


def actions(report: Any, *but: str) -> dict[str, str]:
    """What a report does, but for what it keeps."""
    return {f"{s.object}.{s.name}": s.action for s in report.steps if s.action not in {"keep", *but}}


def state(org: Any) -> dict[str, list[Any]]:
    """Everything that the org's setup holds: tables with their columns and rows, but for logs, ids and counters."""
    store = org.sandbox.store
    setup = ("PermissionSet", "PermissionSetGroup", "PermissionSetGroupComponent", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions", "custom_fields", "custom_objects", TABLE)  # fmt: skip
    tables = [str(name) for (name,) in store.select("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found: dict[str, list[Any]] = {name: sorted(store.columns(name)) for name in tables if name[0].isupper()}
    tooling = ("CustomField", "CustomObject", "FieldDefinition", "LightningComponentBundle", "LightningComponentResource")  # fmt: skip
    found = {name: columns for name, columns in found.items() if name not in tooling}
    for name in setup:
        if store.columns(name):
            found[f"rows of {name}"] = sorted(map(str, store.select(f"SELECT * FROM {name}")))
    return {name: rows for name, rows in found.items() if rows}


def test_an_org_gets_what_people_look_at_and_a_second_install_changes_nothing(our_org: Any) -> None:
    """Groups, list views, report types and components, by a deploy after that of the objects."""
    crm = our_org.connect()
    planned = actions(crm.install(SPECS, OBJECTS, extras=VIEWS, apply=False), "grant")
    wanted = {f"PermissionSetGroup.{name}" for name in group_specs()}
    wanted |= {f"ListView.Account.{each.salesforce}" for each in view_specs().values()}
    wanted |= {f"ReportType.Upswell_{name}" for name in ("Accounts", "Forecasts", "Feedback", "Sync_Runs")}
    wanted |= {f"{BUNDLE}.{part.name}" for part in bundles()}
    assert {name for name in planned if not name.startswith("CustomObject")} == wanted
    before = len(our_org.requests("/Soap/m/"))
    assert crm.install(SPECS, OBJECTS, extras=VIEWS, apply=True).warnings == ()
    deploys = [each for each in our_org.requests("/Soap/m/")[before:] if each.endpoint == "metadata.deploy"]
    assert len(deploys) == 2
    after = state(our_org)
    again = our_org.connect().install(SPECS, OBJECTS, extras=VIEWS, apply=True)
    assert {step.action for step in again.steps} == {"keep"}
    assert state(our_org) == after


def test_the_components_of_the_package_are_deployed_as_they_are(full_org: Any) -> None:
    """Without their tests."""
    found = held(full_org.sandbox.store, BUNDLE)
    assert "expansionPanel" in found
    assert found == {part.name: {n: c.decode() for n, c in part.files.items()} for part in bundles()}
    assert not [name for files in found.values() for name in files if "test" in name]


def test_a_component_of_another_version_is_renewed_and_nothing_else(full_org: Any) -> None:
    """Components are code; what an administrator may have changed in settings stays."""
    store = full_org.sandbox.store
    with store.transaction() as sql:
        sql.execute(f"UPDATE {TABLE} SET content = 'export default 1;' WHERE file = 'expansionLabels.js'")
        sql.execute(f"UPDATE {TABLE} SET content = replace(content, '<label>Moved Up This Week', '<label>Up') WHERE kind = 'ListView'")  # fmt: skip
    report = full_org.connect().install(SPECS, OBJECTS, extras=VIEWS, apply=True)
    assert actions(report) == {f"{BUNDLE}.expansionLabels": "update"}
    assert "export default 1;" not in held(store, BUNDLE)["expansionLabels"].values()
    assert "<label>Up</label>" in held(store, "ListView")["Account.Upswell_Moved_Up_This_Week"]["xml"]
    assert actions(full_org.connect().install(SPECS, OBJECTS, extras=VIEWS, apply=True)) == {}


def test_a_component_of_the_company_s_own_is_neither_written_over_nor_removed(full_org: Any) -> None:
    """Its name alone makes it none of ours; ours are left out then, since they use each other by name."""
    store = full_org.sandbox.store
    theirs = {
        "expansionList.js": "export default 1;",
        "expansionList.js-meta.xml": "<LightningComponentBundle><description>New offices</description></LightningComponentBundle>",
    }
    with store.transaction() as sql:
        sql.execute(f"DELETE FROM {TABLE} WHERE kind = ?", (BUNDLE,))
    store.bulk_insert(TABLE, [{"kind": BUNDLE, "name": "expansionList", "file": name, "content": text} for name, text in theirs.items()])  # fmt: skip
    report = full_org.connect().install(SPECS, OBJECTS, extras=VIEWS, apply=True)
    assert [(s.name, s.action) for s in report.steps if s.object == BUNDLE] == [("expansionList", "differs")]
    assert ["expansionList" in warning for warning in report.warnings] == [True]
    assert held(store, BUNDLE) == {"expansionList": theirs}
    assert "Account.Upswell_Stale_Data" in held(store, "ListView")
    full_org.connect().remove(SPECS, OBJECTS, apply=True)
    assert held(store, BUNDLE) == {"expansionList": theirs}


def test_reports_come_when_they_are_asked_for(full_org: Any) -> None:
    """With their folder and a dashboard; the sandbox checks every column against its report type."""
    crm = full_org.connect()
    assert crm.install(SPECS, OBJECTS, extras=ALL, apply=True).applied
    store = full_org.sandbox.store
    assert held(store, "Report").keys() == {f"Upswell/{each.name}" for each in REPORTS}
    assert list(held(store, "Dashboard")) == ["Upswell/Expansion_Forecast"]
    assert actions(full_org.connect().install(SPECS, OBJECTS, extras=ALL, apply=True)) == {}


def test_a_removal_leaves_the_org_as_it_was(org: Any) -> None:
    """Everything that an install made, with who had it and what lay in it."""
    before = state(org)
    crm = org.connect()
    crm.install(SPECS, OBJECTS, extras=ALL, apply=True)
    store = org.sandbox.store
    user = org.create(
        "User", LastName="Rep", Username="rep@acme.example", Alias="rep", Email="rep@acme.example"
    )
    (group,) = store.select("SELECT Id FROM PermissionSetGroup WHERE DeveloperName = 'Upswell_CSM'")[0]
    org.create("PermissionSetAssignment", PermissionSetGroupId=group, AssigneeId=user)
    org.create("Expansion_Forecast__c", Key__c="a")
    planned = crm.remove(SPECS, OBJECTS, apply=False)
    assert {step.action for step in planned.steps} == {"remove"}
    assert state(org) != before
    assert crm.remove(SPECS, OBJECTS, apply=True).applied
    assert state(org) == before
    assert org.connect().remove(SPECS, OBJECTS, apply=True).steps == ()


def test_an_object_that_somebody_made_a_report_type_over_stays_with_all_else(full_org: Any) -> None:
    """The org refuses, in its own words; our fields are still there, and whoever has a group keeps it."""
    store = full_org.sandbox.store
    user = full_org.create(
        "User", LastName="Rep", Username="rep@acme.example", Alias="rep", Email="rep@acme.example"
    )
    (group,) = store.select("SELECT Id FROM PermissionSetGroup WHERE DeveloperName = 'Upswell_CSM'")[0]
    given = full_org.create("PermissionSetAssignment", PermissionSetGroupId=group, AssigneeId=user)
    theirs = "<ReportType><baseObject>Expansion_Forecast__c</baseObject></ReportType>"
    store.bulk_insert(TABLE, [{"kind": "ReportType", "name": "Theirs", "file": "xml", "content": theirs}])
    with pytest.raises(SetupError, match=r"nothing was removed.*Theirs"):
        full_org.connect().remove(SPECS, OBJECTS, apply=True)
    assert store.row("PermissionSetAssignment", given) is not None
    assert "Expansion_Forecast__c" in Schema(store).own_objects()
    assert "expansion_score__c" in Schema(store).objects()["account"].fields


def test_a_view_on_a_field_that_revops_leave_out_is_left_out_too(org: Any) -> None:
    """A field with an empty name in the mapping is not made, and a column that is not ours is not shown."""
    crm = org.connect(mapping={"fields": {"product": "Plan_Tier__c", "change": ""}})
    report = crm.install(SPECS, [], extras=VIEWS, apply=True)
    assert "Expansion_Change__c" not in {step.name for step in report.steps}
    found = held(org.sandbox.store, "ListView")
    assert "Account.Upswell_Moved_Up_This_Week" not in found
    assert "Expansion_Product__c" not in found["Account.Upswell_My_Accounts_To_Expand"]["xml"]


def test_the_panel_reads_the_fields_that_revops_mapped_in_place_of_ours(full_org: Any) -> None:
    """And none of those that they leave out; nothing else of it is another."""
    mapping = {"fields": {"product": "Plan_Tier__c", "change": ""}}
    report = full_org.connect(mapping=mapping).install(SPECS, OBJECTS, extras=VIEWS, apply=True)
    assert actions(report) == {f"{BUNDLE}.expansionFields": "update"}
    read = held(full_org.sandbox.store, BUNDLE)["expansionFields"]["expansionFields.js"]
    assert "    product: 'Plan_Tier__c',\n" in read
    assert "Expansion_Product__c" not in read
    assert "Expansion_Change__c" not in read
    assert "    product_2: 'Expansion_Product_2__c',\n" in read
    assert actions(full_org.connect(mapping=mapping).install(SPECS, OBJECTS, extras=VIEWS, apply=True)) == {}


def test_what_an_org_refuses_of_it_is_left_out_and_told(org: Any, monkeypatch: Any) -> None:
    """In its own words; the fields are there all the same, and a later install tries again."""
    crm = org.connect()
    real = crm._components.deployer.deploy

    def deploy(sent: bytes) -> DeployOutcome:
        if b"<name>ListView" in zipfile.ZipFile(io.BytesIO(sent)).read("package.xml"):
            failure = ComponentFailure(file="lwc/expansionPanel", problem="LWC1503: not here.")
            return DeployOutcome(succeeded=False, failures=(failure,))
        return real(sent)

    monkeypatch.setattr(crm._components.deployer, "deploy", deploy)
    report = crm.install(SPECS, OBJECTS, extras=VIEWS, apply=True)
    assert ["lwc/expansionPanel: LWC1503: not here." in each for each in report.warnings] == [True]
    assert not {"ListView", "ReportType", BUNDLE} & {step.object for step in report.steps}
    assert crm.describe("Account").fields["Expansion_Score__c"].updateable
    again = actions(org.connect().install(SPECS, OBJECTS, extras=VIEWS, apply=True))
    assert f"{BUNDLE}.expansionPanel" in again
    assert not [name for name in again if name.startswith(("Account", "CustomObject"))]


def test_an_org_that_does_not_list_its_metadata_is_told_and_served_the_rest(org: Any) -> None:
    """What can't be looked at is not deployed over."""
    crm = org.connect()
    org.fault(kind="status", status=403, code="INSUFFICIENT_ACCESS", endpoint="metadata.list")
    report = crm.install(SPECS, OBJECTS, extras=VIEWS, apply=True)
    assert ["components" in warning for warning in report.warnings] == [True]
    assert held(org.sandbox.store, "ListView") == {}
    assert crm.describe("Account").fields["Expansion_Score__c"].updateable
