"""The company fills a Salesforce org with valid records, and later changes only what it changed itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox import clock
from connectors.sandbox.company import generate, salesforce
from connectors.sandbox.salesforce.ids import normal_id
from connectors.sandbox.salesforce.org import create_org
from connectors.sandbox.salesforce.schema import standard_objects
from connectors.sandbox.store import Store


@pytest.fixture(scope="module")
def rows(company: Any) -> dict[str, dict[str, dict[str, Any]]]:
    return salesforce.records(salesforce.read_tables(company.folder))


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Store]:
    generate(tmp_path, accounts=80, months=5, seed=6)
    store = create_org(tmp_path)
    salesforce.load(store, tmp_path)
    yield store
    store.close()


def test_ids_are_valid_and_of_their_object(rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Every Id has its object's key prefix and a right checksum."""
    for name, records in rows.items():
        prefix = standard_objects()[name].prefix
        assert all(normal_id(key) == key and key.startswith(prefix) for key in records), name


def test_values_fit_the_fields(rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Picklist values are on the list and texts within their length."""
    for name, records in rows.items():
        fields = standard_objects()[name].fields
        for record in records.values():
            for column, value in record.items():
                field = fields[column.lower()]
                if value is None or not isinstance(value, str):
                    continue
                if field.type == "picklist" and field.values:
                    assert value in field.values, f"{name}.{column}"
                if field.length and field.type != "anyType":
                    assert len(value) <= field.length, f"{name}.{column}"


def test_references_lead_to_records(rows: dict[str, dict[str, dict[str, Any]]]) -> None:
    """A lookup to one of the company's objects finds its record."""
    for name, records in rows.items():
        for column, field in standard_objects()[name].fields.items():
            targets = [rows[target] for target in field.references if target in rows]
            if field.type != "reference" or not targets or column.endswith("byid"):
                continue
            for record in records.values():
                value = record.get(field.name)
                assert value is None or any(value in target for target in targets), f"{name}.{field.name}"


def test_a_new_org_holds_the_whole_company(org: Store, tmp_path: Path) -> None:
    """As many accounts, contacts and opportunities are in the org as in the company."""
    tables = salesforce.read_tables(tmp_path)
    for name, sobject in (("accounts", "Account"), ("contacts", "Contact"), ("opportunities", "Opportunity")):
        assert org.select(f"SELECT count(*) FROM {sobject}") == [(len(tables[name]),)]


def test_the_org_after_weeks_is_the_org_of_a_later_company(org: Store, tmp_path: Path) -> None:
    """Changes leave the org as if it had been loaded later, and its clock moved along."""
    before = clock.base(org)
    salesforce.advance(org, tmp_path, 3)
    assert clock.base(org) - before == timedelta(weeks=3)
    other = create_org(tmp_path / "later")
    salesforce.load(other, tmp_path)
    for name in ("Account", "Contact", "Opportunity", "OpportunityHistory", "AccountHistory", "Case", "Task"):
        query = f'SELECT * FROM "{name}" ORDER BY Id'
        assert org.select(query) == other.select(query), name
    other.close()


def test_what_a_person_wrote_survives_the_weeks(org: Store, tmp_path: Path) -> None:
    """A cell that the company did not change keeps its value."""
    key = salesforce.account_id("C-00001")
    org.bulk_update("Account", [{"Id": key, "Description": "Call Anaïs first"}])
    salesforce.advance(org, tmp_path, 2)
    assert (org.row("Account", key) or {})["Description"] == "Call Anaïs first"
