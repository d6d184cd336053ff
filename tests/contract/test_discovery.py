"""What a CRM says about itself, and our fields in it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from connectors.canonical import CRM_TABLES
from connectors.crm import Crm, FieldType, Window
from connectors.errors import SetupError
from connectors.fields import field_specs
from infra.contract.org import FAR, Org, rows_of


def test_an_install_plans_then_makes_every_field_and_makes_none_twice(bare: Org) -> None:
    """The plan changes nothing; what it says is what happens; a second one keeps everything."""
    crm, specs = bare.connect(), list(field_specs().values())
    planned = crm.install(specs, apply=False)
    assert not planned.applied
    before = crm.describe(crm.object_name("accounts")).fields
    assert bare.ours("score") not in before
    done = bare.connect().install(specs, apply=True)
    assert [(step.object, step.name, step.action) for step in done.steps] == [
        (step.object, step.name, step.action) for step in planned.steps
    ]
    again = bare.connect().install(specs, apply=True)
    assert {step.action for step in again.steps} == {"keep"}
    fields = bare.connect().describe(crm.object_name("accounts")).fields
    accounts = [spec for spec in specs if spec.object == "accounts"]
    assert {crm.field_name(spec) for spec in accounts} <= fields.keys()


def test_our_fields_are_described_as_we_made_them(org: Org, crm: Crm) -> None:
    """Kind, options, and that we may write those that a machine owns."""
    fields = crm.describe(crm.object_name("accounts")).fields
    for spec in field_specs().values():
        if spec.object == "accounts":
            held = fields[crm.field_name(spec)]
            assert held.type is FieldType(spec.type), spec.key
            assert held.updateable or spec.owner == "person", spec.key
            assert set(spec.options) <= set(held.options) or set(spec.options.values()) <= set(held.options)


def test_a_description_is_asked_for_once(org: Org, crm: Crm) -> None:
    """Whoever needs it next gets the same."""
    first = crm.describe(crm.object_name("accounts"))
    asked = len(org.requests())
    assert crm.describe(crm.object_name("accounts")) == first
    assert len(org.requests()) == asked


def test_an_object_that_is_not_there_is_a_setup_error(crm: Crm) -> None:
    """Named, with a fix."""
    for name in ("Nothing", "Nothing__c", "no_such_object", "accounts/../contacts"):
        with pytest.raises(SetupError) as refused:
            crm.describe(name)
        assert refused.value.fix, name
        assert name in str(refused.value)


def test_a_table_that_we_may_not_see_is_a_setup_error_and_hurts_no_other(org: Org) -> None:
    """Said before the first page; the other tables come."""
    org.create("accounts", name="A")
    org.hide("tickets")
    crm = org.connect()
    with pytest.raises(SetupError) as refused:
        rows_of(crm, "tickets")
    assert refused.value.fix
    assert [row["name"] for row in rows_of(crm, "accounts")] == ["A"]


def test_a_mapped_field_that_is_not_there_is_named_before_anything_is_read(org: Org) -> None:
    """Table, column and field."""
    org.create("accounts", name="A")
    crm = org.connect(mapping={"accounts": {"segment": "No_Such_Field__c"}})
    with pytest.raises(SetupError) as refused:
        rows_of(crm, "accounts")
    said = str(refused.value)
    assert all(part in said for part in ("accounts", "segment", "No_Such_Field__c"))
    assert org.requests("pull") == []


def test_every_canonical_table_comes_in_its_schema(org: Org, crm: Crm) -> None:
    """Also where it is empty."""
    org.create("contacts", name="C", account_crm_id=org.create("accounts", name="A"))
    delivered = set()
    for table, schema in CRM_TABLES.items():
        with suppress(SetupError):  # a table that this CRM can't deliver, or shows us none of
            pages = list(crm.pull(table, Window(since=None, until=FAR)))
            assert all(page.schema.equals(schema) for page in pages), table
            delivered.add(table)
    assert delivered >= {"accounts", "contacts", "opportunities", "activities", "owners", "tickets"}


def test_the_capabilities_can_be_planned_with(crm: Crm) -> None:
    """Whole calls, and an end to each."""
    able = crm.capabilities
    assert min(able.write_batch, able.read_batch, able.page_size) >= 1
    assert 0 < able.longest_call < 600


def test_a_smaller_batch_is_obeyed_and_a_larger_one_is_not(org: Org) -> None:
    """The vendor's limit is the limit."""
    most = org.connect().capabilities.write_batch
    assert org.connect(write_batch=7).capabilities.write_batch == 7
    assert org.connect(write_batch=most + 1).capabilities.write_batch == most
