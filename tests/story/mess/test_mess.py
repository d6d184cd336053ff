"""Messy records through the whole loop in both CRMs: what is scored, what is written, what is believed."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.sandbox.company.mess import ODD_KEYS, RATES
from connectors.sandbox.company.messy_names import HOSTILE
from connectors.sandbox.company.messy_records import OPTIONAL, STRANGERS

SECOND, TEST = "C-500000", "C-600000"  # from where second records and tests are numbered


def customers(messy: Any) -> list[dict[str, Any]]:
    """The company's customers, each by its first record."""
    rows = messy.records()
    return [row for row in rows if row["account_type"] == "Customer" and row["account_key"] < SECOND]


def invoices(messy: Any) -> list[dict[str, str]]:
    """What the billing system exported, as it stands in the files."""
    rows: list[dict[str, str]] = []
    for path in sorted((messy.folder / "exports" / "billing").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


def test_a_second_record_is_its_customer_s(messy: Any) -> None:
    """It is no account of its own, gets no score, and its opportunities are the customer's."""
    first = {row["account_key"]: row for row in messy.records()}
    live = [key for key in first if SECOND <= key < TEST and not first[key]["is_deleted"]]
    told = {key: first[f"C-{int(key[2:]) - 499_999:05d}"] for key in live if first[key]["website"]}
    seconds = {key: row for key, row in told.items() if row["external_id"]}
    deals = [row["account_key"] for row in messy.records("opportunities")]
    assert set(deals) & seconds.keys()
    with messy.resolved() as resolved:
        assert resolved.report.second_records == len(seconds)
        rows = resolved.tables["opportunities"].select("account_id").to_pyarrow()["account_id"].to_pylist()
        for key, row in seconds.items():
            record = messy.words.id_of(key)
            assert resolved.lineage.account_of[record] == row["external_id"]
            assert record not in resolved.crm_ids.values()
            assert rows.count(row["external_id"]) == deals.count(key) + deals.count(row["account_key"])
    assert not {messy.words.id_of(key) for key in seconds} & messy.scored().keys()


def test_tests_and_deleted_records_get_no_score(messy: Any) -> None:
    """Nor do those that were merged away before we came."""
    over = [row for row in messy.records() if row["account_key"] >= SECOND]
    assert {row["merged_into"] is None for row in over if row["is_deleted"]} == {True, False}
    assert not messy.ids(over) & messy.scored().keys()


def test_prospects_and_former_customers_get_no_score(messy: Any) -> None:
    """And every customer with an own id gets one."""
    others = [row for row in messy.records() if row["account_type"] != "Customer"]
    assert {row["account_type"] for row in others} == {"Prospect", "Former Customer"}
    assert not messy.ids(others) & messy.scored().keys()
    assert messy.ids([row for row in customers(messy) if row["external_id"]]) <= messy.scored().keys()


def test_children_belong_to_their_parents(messy: Any) -> None:
    """Group figures rest on it."""
    keys = {row["account_key"]: row["external_id"] for row in messy.records()}
    parents = {row["external_id"]: keys.get(row["parent_key"]) for row in messy.records()}
    told = {own: parent for own, parent in parents.items() if own and parent}
    assert told
    with messy.resolved() as resolved:
        accounts = resolved.tables["accounts"].select("account_id", "parent_id").to_pyarrow().to_pylist()
    assert told.items() <= {row["account_id"]: row["parent_id"] for row in accounts}.items()


def test_all_money_is_in_one_currency(messy: Any) -> None:
    """An account's ARR in euros is worth more in dollars, in the CRM's figure and on each invoice."""
    told = {row["external_id"]: row for row in customers(messy) if row["external_id"] and row["arr"]}
    assert {row["currency"] for row in told.values()} == set(RATES)
    with messy.resolved() as resolved:
        accounts, bills = resolved.tables["accounts"], resolved.tables["billing"]
        held = accounts.select("account_id", "arr", "currency").to_pyarrow().to_pylist()
        billed = bills.select("account_id", "period_start", "arr", "currency").to_pyarrow().to_pylist()
    assert {row["currency"] for row in [*held, *billed]} == {"USD"}
    dollars = {row["account_id"]: row["arr"] for row in held}
    for own, row in told.items():
        assert dollars[own] == pytest.approx(row["arr"] * RATES[row["currency"]], abs=0.02)
    worth = {(row["account_id"], f"{row['period_start']}"): row["arr"] for row in billed}
    for invoice in invoices(messy):
        own = invoice["account_key"].strip()
        if own in told:
            paid = float(invoice["arr"]) * RATES[invoice["currency"]]
            assert worth[own, invoice["period_start"]] == pytest.approx(paid, abs=0.02)


def test_what_the_ledger_says_is_written_in_the_currency_of_the_field(messy: Any) -> None:
    """In Salesforce an account that pays in pounds shows pounds; in HubSpot the field has one currency."""
    said = dict(messy.ledger("SELECT crm_id, expected_arr FROM scores"))
    currency = {messy.words.id_of(row["account_key"]): row["currency"] for row in messy.records()}
    seen = set()
    for record, (_, money) in messy.scored().items():
        rate = RATES[currency[record]] if messy.words.money_per_record else 1.0
        seen.add(currency[record])
        assert money * rate == pytest.approx(said[record], abs=0.02)
    assert seen == set(RATES)


def test_a_customer_with_empty_cells_is_scored(messy: Any) -> None:
    """Whatever nobody filled in, in its record or on its invoices, what is known otherwise counts."""
    ours = [row for row in customers(messy) if row["external_id"]]
    empty = {column: [row for row in ours if row[column] is None] for column in OPTIONAL["accounts"]}
    assert all(empty.values()), empty
    assert set().union(*map(messy.ids, empty.values())) <= messy.scored().keys()
    assert any(invoice["plan_tier"] == "" for invoice in invoices(messy))


def test_hostile_names_and_odd_ids_are_accounts_like_any_other(messy: Any) -> None:
    """The customer behind it is scored under that very name and id, and its usage and invoices count."""
    odd = [row for row in customers(messy) if row["external_id"] in ODD_KEYS]
    named = [row for row in customers(messy) if row["name"] in HOSTILE and row["external_id"]]
    assert len(odd) > 2
    assert len(named) > 2
    assert messy.ids([*odd, *named]) <= messy.scored().keys()
    with messy.resolved() as resolved:
        accounts = resolved.tables["accounts"].select("account_id", "name").to_pyarrow().to_pylist()
        known = {
            name: set(resolved.tables[name].select("account_id").to_pyarrow()["account_id"].to_pylist())
            for name in ("events", "billing")
        }
    names = {row["account_id"]: row["name"] for row in accounts}
    assert all(names.get(row["external_id"]) == row["name"].strip() for row in [*odd, *named])
    assert {row["external_id"] for row in odd} <= known["events"] & known["billing"]


def test_accounts_without_exports_and_exports_without_accounts_are_counted(messy: Any) -> None:
    """A customer whose own id nobody typed in is scored by what the CRM knows, and is known to be silent."""
    unknown = [row for row in customers(messy) if row["external_id"] is None]
    assert unknown
    with messy.resolved() as resolved:
        report = resolved.report
        used = resolved.tables["events"].select("account_id").distinct().to_pyarrow()["account_id"]
    assert set(STRANGERS) < set(report.example_keys)
    assert not set(STRANGERS) & set(used.to_pylist())
    assert report.keys_without_account == len(STRANGERS) + len(unknown)
    assert report.rows_dropped["events"] > 0
    assert report.accounts_without_export >= len(unknown)
    known = dict(messy.ledger("SELECT crm_id, data_completeness FROM scores"))
    typical = sorted(known.values())[len(known) // 2]
    assert messy.ids(unknown) <= messy.scored().keys()
    assert all(known[record] < 0.7 * typical for record in messy.ids(unknown))


def test_an_expansion_without_an_opportunity_is_found_on_the_invoice(messy: Any) -> None:
    """Sales never typed it in; seats and ARR moved all the same, and the outcome is known."""
    deals = messy.records("opportunities")
    won = [row for row in deals if row["is_won"] and row["opportunity_type"] != "Renewal"]
    own = {row["account_key"]: row["external_id"] for row in messy.records()}
    days = {(own[row["account_key"]], row["close_date"]) for row in won}
    silent = messy.ledger("SELECT account_id, happened_on, arr_added FROM outcomes WHERE source = 'billing'")
    assert len(silent) > 3
    for account, day, arr in silent:
        happened = date.fromisoformat(day)
        assert not [d for each, d in days if each == account and abs((d - happened).days) < 50]
        assert arr > 0


def test_an_opportunity_typed_in_late_counts_on_the_day_of_the_win(messy: Any) -> None:
    """Not on the day on which somebody got round to it."""
    own = {row["account_key"]: row["external_id"] for row in messy.records()}
    late = {
        (own[row["account_key"]], row["close_date"])
        for row in messy.records("opportunities")
        if row["is_won"] and row["opportunity_key"].startswith("O-X") and own[row["account_key"]]
        and row["created_at"].date() > row["close_date"] + timedelta(days=1)
    }  # fmt: skip
    assert len(late) > 3
    found = messy.ledger("SELECT account_id, happened_on FROM outcomes WHERE source = 'opportunity'")
    held = {(account, date.fromisoformat(day)) for account, day in found}
    assert late <= held


def test_a_back_filled_field_never_reaches_the_lake(messy: Any) -> None:
    """What people fill in after the expansion can be no feature unless somebody maps it."""
    assert any(row["upsell_stage"] for row in messy.records())
    files = sorted((messy.folder / "upswell" / "lake" / "accounts").rglob("*.parquet"))
    held = [cell for file in files for row in pq.read_table(file).to_pylist() for cell in row.values()]
    assert {row["external_id"] for row in customers(messy)} <= set(held)
    assert not [cell for cell in held if str(cell).startswith("Upsold")]
