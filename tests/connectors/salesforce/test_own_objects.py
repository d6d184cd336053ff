"""Our own objects installed into an org, and taken out of it again."""

# ruff: noqa: E501  # a record in one line reads better

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.fields import field_specs, object_specs, permission_specs
from connectors.sandbox.salesforce.schema import Schema

SPECS = list(field_specs().values())
OBJECTS = list(object_specs().values())
FORECASTS = object_specs()["forecasts"]


def actions(report: Any) -> dict[str, str]:
    """What a report does, but for what it keeps."""
    return {f"{step.object}.{step.name}": step.action for step in report.steps if step.action != "keep"}


def test_an_install_creates_our_objects_for_us_to_write_and_others_to_read(our_org: Any) -> None:
    """To sets that are there their rights are added; rows are private, and nobody gets a profile."""
    crm = our_org.connect()
    planned = actions(crm.install(SPECS, OBJECTS, apply=False))
    objects = {f"CustomObject.{each.salesforce}": "create" for each in OBJECTS}
    sets = {f"PermissionSet.{name}": "grant" for name, each in permission_specs().items() if each.objects}
    assert planned == {**objects, **sets}
    assert crm.install(SPECS, OBJECTS, apply=True).applied
    for spec in OBJECTS:
        held = crm.describe(crm.object_name(spec.key))
        assert (held.name, held.label, held.createable, held.updateable) == (
            spec.salesforce,
            spec.label,
            True,
            True,
        )
        assert {name for name in held.fields if name.endswith("__c")} == {
            field.salesforce for field in spec.fields.values()
        }
        key = held.fields["Key__c"]
        assert (key.external_id, key.unique, key.help) == (True, True, spec.fields["key"].help)
        assert not held.fields["Name"].createable
    assert crm.describe(FORECASTS.salesforce).fields["Account__c"].references == ("Account",)
    own = Schema(our_org.sandbox.store).own_objects()[FORECASTS.salesforce]
    assert (own.sharing, own.plural, own.number) == ("Private", FORECASTS.plural, FORECASTS.number)
    found = our_org.sandbox.store.select(
        "SELECT p.Name, o.PermissionsCreate, o.PermissionsEdit, o.PermissionsDelete, o.PermissionsViewAllRecords"
        " FROM ObjectPermissions AS o JOIN PermissionSet AS p ON p.Id = o.ParentId WHERE o.SobjectType = ?",
        (FORECASTS.salesforce,),
    )
    assert {name: tuple(map(bool, rights)) for name, *rights in found} == {
        "Upswell_Integration": (True, True, False, True),
        "Upswell_Read_Forecast": (False, False, False, True),
        "Upswell_Configure": (False, False, False, True),
    }


def test_a_second_install_finds_our_objects_and_changes_nothing(full_org: Any) -> None:
    """Neither a deploy nor a row."""
    store = full_org.sandbox.store
    before = len(full_org.requests("/Soap/m/")), store.select("SELECT * FROM ObjectPermissions")
    report = full_org.connect().install(SPECS, OBJECTS, apply=True)
    assert {step.action for step in report.steps} == {"keep"}
    assert report.warnings == ()
    assert (len(full_org.requests("/Soap/m/")), store.select("SELECT * FROM ObjectPermissions")) == before


def test_a_new_org_gets_all_of_it_by_one_deploy(org: Any) -> None:
    """Objects, fields and sets: all or nothing."""
    crm = org.connect()
    crm.install(SPECS, OBJECTS, apply=True)
    assert len([each for each in org.requests("/Soap/m/") if each.endpoint == "metadata.deploy"]) == 1
    assert {step.action for step in org.connect().install(SPECS, OBJECTS, apply=True).steps} == {"keep"}


def test_a_field_of_a_later_version_comes_to_an_object_that_is_there(full_org: Any) -> None:
    """What an administrator renamed stays renamed."""
    schema = Schema(full_org.sandbox.store)
    snapshot = schema.objects()[FORECASTS.salesforce.lower()].fields["snapshot__c"]
    schema.add_fields(FORECASTS.salesforce, [replace(snapshot, label="Day")])
    schema.remove_field(FORECASTS.salesforce, "Segment__c")
    crm = full_org.connect()
    report = crm.install(SPECS, OBJECTS, apply=True)
    granted = {
        f"PermissionSet.{n}": "grant" for n, s in permission_specs().items() if "forecasts" in s.objects
    }
    assert actions(report) == {f"{FORECASTS.salesforce}.Segment__c": "create", **granted}
    fields = crm.describe(FORECASTS.salesforce).fields
    assert (fields["Segment__c"].updateable, fields["Snapshot__c"].label) == (True, "Day")


def test_an_object_that_is_hidden_from_our_user_is_not_a_missing_one(full_org: Any) -> None:
    """It is opened to our user, and not deployed again."""
    store = full_org.sandbox.store
    with store.transaction() as sql:
        for table in ("ObjectPermissions", "FieldPermissions"):
            sql.execute(f"DELETE FROM {table} WHERE SobjectType = ?", (FORECASTS.salesforce,))
    before = len(full_org.requests("/Soap/m/"))
    crm = full_org.connect()
    report = crm.install(SPECS, OBJECTS, apply=True)
    assert set(actions(report).values()) == {"grant"}
    assert len(full_org.requests("/Soap/m/")) == before
    assert crm.describe(FORECASTS.salesforce).createable


def test_a_removal_says_how_many_rows_go_with_an_object(full_org: Any) -> None:
    """Object, fields, rows and rights; a second time there is nothing to take."""
    full_org.create(FORECASTS.salesforce, Key__c="a|2026")
    crm = full_org.connect()
    planned = crm.remove(SPECS, OBJECTS, apply=False)
    details = {
        step.name: (step.action, step.detail) for step in planned.steps if step.object == "CustomObject"
    }
    assert details == {
        "Expansion_Forecast__c": ("remove", "with its one row"),
        "Expansion_Feedback__c": ("remove", "with its 0 rows"),
        "Expansion_Sync_Run__c": ("remove", "with its 0 rows"),
    }
    assert crm.remove(SPECS, OBJECTS, apply=True).applied
    store = full_org.sandbox.store
    assert Schema(store).own_objects() == {}
    assert store.select("SELECT * FROM ObjectPermissions") == []
    assert store.columns(FORECASTS.salesforce) == {}
    assert full_org.connect().remove(SPECS, OBJECTS, apply=True).steps == ()
    assert full_org.connect().install(SPECS, OBJECTS, apply=True).applied


def test_an_object_of_the_same_name_that_is_not_ours_stays(org: Any) -> None:
    """By its key's help text, unless it is noted that we made it."""
    theirs = replace(FORECASTS, fields={"key": replace(FORECASTS.fields["key"], help="Theirs.")})
    org.connect().install(SPECS, [theirs], apply=True)
    (step,) = [
        s for s in org.connect().remove(SPECS, [FORECASTS], apply=False).steps if s.object == "CustomObject"
    ]
    assert (step.action, "not made by Upswell" in step.detail) == ("keep", True)
    noted = {f"CustomObject.{FORECASTS.salesforce}"}
    (step,) = [
        s
        for s in org.connect().remove(SPECS, [FORECASTS], made=noted, apply=False).steps
        if s.object == "CustomObject"
    ]
    assert step.action == "remove"
