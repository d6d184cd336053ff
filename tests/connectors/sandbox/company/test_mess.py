"""The company's records are as messy as real ones, in ways that are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from connectors.sandbox.company import advance, generate
from connectors.sandbox.company.mess import ODD_KEYS, RATES
from connectors.sandbox.company.messy_names import HOSTILE
from connectors.sandbox.company.messy_records import OPTIONAL, STRANGERS

Reader = Callable[[Path, str], pa.Table]


def crm(company: Any, name: str) -> pa.Table:
    return pq.read_table(company.folder / "crm" / f"{name}.parquet")


def test_some_customers_have_a_second_record(messy: Any) -> None:
    """With the web site of the first, no own id, and now and then an opportunity of its own."""
    accounts = crm(messy, "accounts").to_pylist()
    second = [row for row in accounts if row["account_key"] >= "C-500000" and row["website"]]
    sites = Counter(row["website"] for row in accounts)
    assert len(second) >= 5
    assert all(row["external_id"] is None and sites[row["website"]] >= 2 for row in second)
    own = set(crm(messy, "opportunities")["account_key"].to_pylist())
    assert own & {row["account_key"] for row in second}


def test_some_records_are_deleted_and_some_merged(messy: Any) -> None:
    """A merged one names a record that lives."""
    accounts = crm(messy, "accounts").to_pylist()
    live = {row["account_key"] for row in accounts if not row["is_deleted"]}
    gone = [row for row in accounts if row["is_deleted"]]
    assert {row["merged_into"] is None for row in gone} == {True, False}
    assert all(row["merged_into"] in live for row in gone if row["merged_into"])


def test_invoices_and_opportunities_are_in_the_accounts_currency(
    messy: Any, company: Any, read_export: Reader
) -> None:
    """The same money as in the clean company, at the price lists' rates."""
    bills, clean = read_export(messy.folder, "billing"), read_export(company.folder, "billing")
    assert set(pc.unique(bills["currency"]).to_pylist()) == set(RATES)
    for row, same in zip(bills.to_pylist(), clean.to_pylist(), strict=True):
        assert row["arr"] * RATES[row["currency"]] == pytest.approx(same["arr"], abs=0.02)
    currency = {row["account_key"]: row["currency"] for row in crm(messy, "accounts").to_pylist()}
    for row in crm(messy, "opportunities").to_pylist():
        assert row["currency"] == currency[row["account_key"]]


@pytest.mark.parametrize("name", ["accounts", "contacts", "tickets"])
def test_optional_cells_are_empty_here_and_there(messy: Any, company: Any, name: str) -> None:
    """More often than in the clean company, and never all."""
    for column in OPTIONAL[name]:
        empty = crm(messy, name)[column].null_count
        assert crm(company, name)[column].null_count < empty < len(crm(messy, name)) / 2, column


def test_names_and_own_ids_are_hostile(messy: Any, read_export: Reader) -> None:
    """And the exports use the same odd ids, as text."""
    accounts = crm(messy, "accounts")
    assert set(HOSTILE[:10]) <= set(accounts["name"].to_pylist())
    assert set(ODD_KEYS) <= set(accounts["external_id"].to_pylist())
    raw = (messy.folder / "exports" / "entitlements.csv").read_text()
    assert all(f'"{key}",' in raw for key in ODD_KEYS[:2])


def test_some_accounts_match_no_export_and_some_exports_no_account(messy: Any, read_export: Reader) -> None:
    """Test tenants of the product, and customers whose own id nobody typed in."""
    known = set(crm(messy, "accounts")["external_id"].to_pylist())
    seen = set(pc.unique(read_export(messy.folder, "events")["account_key"]).to_pylist())
    assert set(STRANGERS) <= seen - known
    assert len(seen - known) > len(STRANGERS)


def test_won_expansions_are_left_out_or_typed_in_late(messy: Any, company: Any) -> None:
    """Left out altogether, or created after the day on which they were won."""

    def won(of: Any) -> list[dict[str, Any]]:
        rows = crm(of, "opportunities").to_pylist()
        return [row for row in rows if row["is_won"] and row["opportunity_key"].startswith("O-X")]

    assert len(won(messy)) < len(won(company))
    late = [row for row in won(messy) if row["created_at"].date() > row["close_date"]]
    assert late
    stages = Counter(crm(messy, "opportunity_history")["opportunity_key"].to_pylist())
    assert all(stages[row["opportunity_key"]] == 1 for row in late)
    assert not [row for row in won(company) if row["created_at"].date() > row["close_date"]]


def test_renamed_accounts_leave_their_history(messy: Any) -> None:
    """The old name is in the history, the new one on the record."""
    names = {row["account_key"]: row["name"] for row in crm(messy, "accounts").to_pylist()}
    renamed = [row for row in crm(messy, "account_history").to_pylist() if row["field"] == "name"]
    assert renamed
    assert all(names[row["account_key"]] == row["new_value"] != row["old_value"] for row in renamed)


def test_a_back_filled_field_is_filled_after_the_win(messy: Any) -> None:
    """It is empty for whoever never expanded: it knows the outcome."""
    filled = crm(messy, "accounts")["upsell_stage"]
    assert 0 < filled.null_count < len(filled)


def test_the_mess_does_not_depend_on_how_the_weeks_were_revealed(tmp_path: Path) -> None:
    """Moved on in two steps or in one, byte by byte."""
    for name, steps in (("a", (2, 3)), ("b", (5,))):
        generate(tmp_path / name, accounts=60, months=3, seed=4, mess=3.0)
        for weeks in steps:
            advance(tmp_path / name, weeks)
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_the_truth_is_the_same_however_messy_the_records(messy: Any, company: Any) -> None:
    """The mess lies in what is written down, not in what happens."""
    tables = [pq.read_table(each.folder / "referee" / "truth.parquet") for each in (messy, company)]
    one, other = (table.drop_columns(["account_key"]) for table in tables)
    assert one.equals(other)
    assert set(ODD_KEYS) <= set(tables[0]["account_key"].to_pylist())
