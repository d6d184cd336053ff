"""Messy records through the whole loop: what is scored, what is written, and what is not believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.sandbox.company import salesforce


@pytest.fixture
def records(scored_company: Path) -> list[dict[str, Any]]:
    """The company's accounts as they stand in the CRM."""
    rows: list[dict[str, Any]] = pq.read_table(scored_company / "crm" / "accounts.parquet").to_pylist()
    return rows


@pytest.fixture
def scored(scored_company: Path) -> dict[str, float]:
    """The expected ARR that was written, by account id; only accounts that were scored."""
    from connectors.sandbox.salesforce.org import DATABASE
    from connectors.sandbox.store import Store

    store = Store.open(scored_company / DATABASE)
    try:
        query = "SELECT Id, Expansion_Expected_ARR__c FROM Account WHERE Expansion_Score__c IS NOT NULL"
        return {str(key): float(str(money)) for key, money in store.select(query)}
    finally:
        store.close()


def ids(rows: list[dict[str, Any]]) -> set[str]:
    return {salesforce.account_id(row["account_key"]) for row in rows}


def test_second_records_tests_and_deleted_ones_get_no_score(
    records: list[dict[str, Any]], scored: dict[str, float]
) -> None:
    """A customer is scored once, on the record that bears the own id."""
    over = [row for row in records if row["account_key"] >= "C-500000"]
    assert over
    assert not ids(over) & scored.keys()


def test_prospects_and_former_customers_get_no_score(
    records: list[dict[str, Any]], scored: dict[str, float]
) -> None:
    """And nearly every customer gets one."""
    customers = [row for row in records if row["account_type"] == "Customer"]
    others = [row for row in records if row["account_type"] != "Customer"]
    assert others
    assert not ids(others) & scored.keys()
    assert len(ids(customers) & scored.keys()) > 0.95 * len([r for r in customers if r["external_id"]])


def test_hostile_names_and_odd_ids_are_accounts_like_any_other(
    records: list[dict[str, Any]], scored: dict[str, float]
) -> None:
    """Whatever the name or the own id is, the customer behind it is scored."""
    odd = [row for row in records if row["is_customer"] and not row["account_key"] >= "C-500000"]
    strange = [row for row in odd if row["external_id"] in {"001", "NA", "NULL", "null", "1e5", "007"}]
    named = [row for row in odd if row["name"].startswith(("Robert'", "=cmd", "<script>", "NULL", "NA"))]
    assert strange
    assert named
    assert ids(strange) <= scored.keys()
    assert ids([row for row in named if row["external_id"]]) <= scored.keys()


def test_what_the_ledger_says_in_dollars_is_written_in_the_records_currency(
    records: list[dict[str, Any]], scored: dict[str, float], scored_company: Path
) -> None:
    """An account that pays in pounds shows pounds."""
    import sqlite3

    with sqlite3.connect(scored_company / "upswell" / "ledger.sqlite") as ledger:
        said = dict(ledger.execute("SELECT crm_id, expected_arr FROM scores"))
    worth = {"EUR": 1.1, "GBP": 1.28, "CAD": 0.74, "USD": 1.0}
    currency = {salesforce.account_id(row["account_key"]): row["currency"] for row in records}
    seen = set()
    for record, money in scored.items():
        seen.add(currency[record])
        assert money * worth[currency[record]] == pytest.approx(said[record], abs=0.02)
    assert seen == set(worth)


def test_a_back_filled_field_never_reaches_the_lake(
    records: list[dict[str, Any]], scored_company: Path
) -> None:
    """What people fill in after the expansion can be no feature, since no canonical column holds it."""
    assert any(row["upsell_stage"] for row in records)
    files = sorted((scored_company / "upswell" / "lake" / "accounts").rglob("*.parquet"))
    held = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert any("C-00001" in row.values() for row in held)
    assert not [row for row in held if any(str(cell).startswith("Upsold") for cell in row.values())]
