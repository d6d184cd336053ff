"""One account id over CRM records and export keys, and what matches nothing is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.canonical import CRM_TABLES, EXPORT_TABLES
from model.days import day_number
from model.expansions import arr_increases, seat_increases
from model.partials import PARTIALS, partial_schema
from model.sources import read_sources
from model.target import Target
from model.workspace import Workspace
from sync.aliases import Alias
from sync.currencies import Money
from sync.identity import Resolved, resolve
from sync.lake import Lake
from sync.reduction import ACCOUNT
from sync.settings_exports import Identity

Rows = Callable[..., pa.Table]
Fill = Callable[..., None]

GONE = {"is_deleted": True}


@pytest.fixture
def database() -> str:
    """The joins are DuckDB's; of the ledger they read only what `test_pull` writes on both databases."""
    return "sqlite"


@pytest.fixture
def fill(lake: Lake, canonical_rows: Rows, noon: datetime) -> Fill:
    """Put rows into a table of the lake."""

    def put(table: str, *rows: Mapping[str, Any]) -> None:
        given = [{"at": noon, **row} for row in rows] if table == "events" else rows
        lake.append(table, [canonical_rows(table, *given)], source="s", run_id=None, now=noon)

    return put


def cells(resolved: Resolved, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """The cells of some columns, sorted."""
    rows = resolved.tables[table].select(*columns).to_pyarrow().to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=str)


def test_every_table_goes_by_account_id(lake: Lake, fill: Fill) -> None:
    """The canonical columns otherwise, without the stamps of deletion."""
    fill("accounts", {"crm_id": "A1", "external_id": "c1"})
    tables = resolve(lake, {}).tables
    assert set(tables) == {*CRM_TABLES, *EXPORT_TABLES, *PARTIALS} - {"helpdesk_tickets"}
    for name, table in tables.items():
        assert not {"account_crm_id", "account_key", "is_deleted", "merged_into"} & set(table.columns)
        schema = CRM_TABLES.get(name) or EXPORT_TABLES.get(name) or partial_schema(name, ACCOUNT)
        if name == "accounts" or {"account_crm_id", "account_key"} & set(schema.names):
            assert table.columns[0] == "account_id"
    assert {"parent_id", "crm_id", "external_id", "known_from"} <= set(tables["accounts"].columns)
    assert "parent_crm_id" not in tables["accounts"].columns


def test_records_and_exports_meet_on_the_account(lake: Lake, fill: Fill) -> None:
    """By the company's own id or by the CRM's; parents too."""
    fill(
        "accounts",
        {"crm_id": "A1", "external_id": "c1"},
        {"crm_id": "A2", "parent_crm_id": "A1"},
        {"crm_id": "A3", "external_id": "c3", "parent_crm_id": "A9"},
    )
    fill("contacts", {"crm_id": "P1", "account_crm_id": "A1"}, {"crm_id": "P2", "account_crm_id": "A2"})
    fill("events", *({"account_key": key} for key in ("c1", "A2", "c1", "c9", None)))
    resolved = resolve(lake, {})
    assert cells(resolved, "accounts", "account_id", "parent_id") == [
        ("A2", "c1"),
        ("c1", None),
        ("c3", None),
    ]
    assert cells(resolved, "contacts", "crm_id", "account_id") == [("P1", "c1"), ("P2", "A2")]
    assert cells(resolved, "events", "account_id") == [("A2",), ("c1",), ("c1",)]
    assert resolved.crm_ids == {"c1": "A1", "A2": "A2", "c3": "A3"}
    report = resolved.report
    assert (report.accounts, report.export_keys) == (3, 3)
    assert (report.accounts_without_export, report.example_accounts) == (1, ("c3",))
    assert (report.keys_without_account, report.example_keys) == (1, ("c9",))
    assert report.rows_dropped == {"events": 1}
    assert report.matched_share == pytest.approx(2 / 3)


def test_tickets_of_the_helpdesk_stand_beside_those_of_the_crm(lake: Lake, fill: Fill) -> None:
    """One table of tickets by account; a merged account's come to the survivor, a stranger's are counted."""
    fill("accounts", {"crm_id": "A1", "external_id": "c1"}, {"crm_id": "A2", "external_id": "c2"})
    fill("tickets", {"crm_id": "K1", "account_crm_id": "A1", "subject": "in the CRM", "csat": 4.0})
    fill(
        "helpdesk_tickets",
        {"account_key": "c1", "ticket_id": "1", "subject": "in the helpdesk", "is_escalated": True},
        {"account_key": "c3", "ticket_id": "2", "subject": "merged"},
        {"account_key": "c9", "ticket_id": "3", "subject": "a stranger's"},
    )
    resolved = resolve(lake, {"accounts": [Alias(loser="A3", survivor="A2", external_id="c3")]})
    assert cells(resolved, "tickets", "account_id", "crm_id", "subject", "is_escalated", "csat") == [
        ("c1", "K1", "in the CRM", None, 4.0),
        ("c1", None, "in the helpdesk", True, None),
        ("c2", None, "merged", None, None),
    ]
    assert "ticket_id" not in resolved.tables["tickets"].columns
    assert resolved.report.rows_dropped == {"helpdesk_tickets": 1}


def test_a_crm_without_tickets_leaves_the_helpdesks(lake: Lake, fill: Fill) -> None:
    """And a company without a helpdesk has the CRM's alone."""
    fill("accounts", {"crm_id": "A1", "external_id": "c1"})
    fill("helpdesk_tickets", {"account_key": "c1", "ticket_id": "1", "subject": "late"})
    assert cells(resolve(lake, {}), "tickets", "account_id", "subject") == [("c1", "late")]


def test_deleted_rows_and_the_rows_of_deleted_accounts_are_dropped(lake: Lake, fill: Fill) -> None:
    """They count nowhere."""
    fill("accounts", {"crm_id": "A1"}, {"crm_id": "A2"} | GONE)
    fill(
        "contacts",
        {"crm_id": "P1", "account_crm_id": "A1"},
        {"crm_id": "P2", "account_crm_id": "A1"} | GONE,
        {"crm_id": "P3", "account_crm_id": "A2"},
        {"crm_id": "P4"},
    )
    fill("owners", {"crm_id": "U1"}, {"crm_id": "U2"} | GONE)
    resolved = resolve(lake, {})
    assert cells(resolved, "accounts", "account_id") == [("A1",)]
    assert cells(resolved, "contacts", "crm_id") == [("P1",)]
    assert cells(resolved, "owners", "crm_id") == [("U1",)]


def test_what_was_a_merged_losers_is_the_survivors(lake: Lake, fill: Fill) -> None:
    """Its usage, its contacts, its children, and a merged contact's activities."""
    fill(
        "accounts",
        {"crm_id": "A1", "external_id": "c1"},
        {"crm_id": "A2", "external_id": "c2", "merged_into": "A1"} | GONE,
        {"crm_id": "A3", "external_id": "c3", "parent_crm_id": "A2"},
    )
    fill("contacts", {"crm_id": "P1", "account_crm_id": "A2"})
    fill("activities", {"crm_id": "T1", "account_crm_id": "A1", "contact_crm_id": "P0"})
    fill("usage", {"account_key": "c2", "metric": "m"})
    aliases = {
        "accounts": [Alias(loser="A2", survivor="A1", external_id="c2")],
        "contacts": [Alias(loser="P0", survivor="P1")],
    }
    resolved = resolve(lake, aliases)
    assert cells(resolved, "contacts", "account_id") == [("c1",)]
    assert cells(resolved, "usage", "account_id") == [("c1",)]
    assert cells(resolved, "accounts", "account_id", "parent_id") == [("c1", None), ("c3", "c1")]
    assert cells(resolved, "activities", "contact_crm_id") == [("P1",)]


def test_usage_under_an_ambiguous_key_is_counted_and_given_to_nobody(lake: Lake, fill: Fill) -> None:
    """Half of it would be wrong for either account."""
    fill("accounts", {"crm_id": "A1", "external_id": "same"}, {"crm_id": "A2", "external_id": "same"})
    fill("events", {"account_key": "same"}, {"account_key": "same"})
    resolved = resolve(lake, {})
    assert cells(resolved, "events", "account_id") == []
    assert (resolved.report.ambiguous_keys, resolved.report.rows_dropped) == (1, {"events": 2})


def test_keys_find_their_account_by_domain_name_and_override(lake: Lake, fill: Fill, tmp_path: Path) -> None:
    """And the report says by which way, what is left out, and what nobody could decide."""
    fill(
        "accounts",
        {"crm_id": "A1", "external_id": "c1", "name": "Acme Inc", "website": "https://acme.com"},
        {"crm_id": "A2", "name": "Globex", "website": "globex.com", "parent_crm_id": "A1"},
        {"crm_id": "A3", "name": "Initech", "website": "globex.com"},
        {"crm_id": "L1", "website": "old.com", "merged_into": "A1"} | GONE,
    )
    keys = ("c1", "acme.com", "old.com", "globex.com", "INITECH", "test", "told", "dead", "zzz", "zzz")
    fill("events", *({"account_key": key} for key in keys))
    overrides = tmp_path / "overrides.csv"
    overrides.write_text("account_key,crm_id\ntest,none\ntold,A2\ndead,A9\n", encoding="utf-8")
    aliases = {"accounts": [Alias(loser="L1", survivor="A1")]}
    resolved = resolve(lake, aliases, keys=Identity(name=True, overrides=overrides))
    assert cells(resolved, "events", "account_id") == [("A2",), ("A3",), ("c1",), ("c1",), ("c1",)]
    report = resolved.report
    assert report.ways == {"own id": 1, "domain": 2, "name": 1, "override": 1}
    assert {each.key: (each.why, each.candidates) for each in report.lone} == {
        "zzz": ("unmatched", ()),
        "dead": ("override of no account", ()),
        "globex.com": ("ambiguous", ("A2", "A3")),
        "test": ("left out", ()),
    }
    assert report.lone[0].key == "zzz"  # the most rows
    assert report.rows_dropped == {"events": 4}
    assert (report.keys_without_account, report.ambiguous_keys, report.dead_overrides) == (3, 1, ("dead",))
    assert any("fit more than one account" in warning for warning in report.warnings)
    assert any("name no account of the CRM (dead)" in warning for warning in report.warnings)


def test_rules_that_are_switched_off_say_nothing(lake: Lake, fill: Fill) -> None:
    """Then ids alone decide."""
    fill("accounts", {"crm_id": "A1", "name": "Acme", "website": "acme.com"})
    fill("events", {"account_key": "acme.com"}, {"account_key": "Acme"})
    report = resolve(lake, {}, keys=Identity(domain=False)).report
    assert (report.ways, report.silent) == ({}, ("A1",))


def test_an_empty_lake_resolves_to_empty_tables(lake: Lake) -> None:
    """Nothing is shared out of nothing."""
    resolved = resolve(lake, {})
    assert resolved.report.matched_share == 0.0
    assert cells(resolved, "events", "account_id") == []


def test_records_of_an_own_object_stand_among_the_exports_rows(lake: Lake, fill: Fill) -> None:
    """By the record of the account, also one merged away, or by its key; deleted ones nowhere."""
    fill("accounts", {"crm_id": "A1", "external_id": "c1"}, {"crm_id": "A2", "external_id": "A1"})
    fill("usage", {"account_key": "c1", "metric": "exported", "value": 1.0})
    fill(
        "crm_usage",
        {"crm_id": "U1", "account_crm_id": "A1", "metric": "of a record", "value": 2.0},
        {"crm_id": "U2", "account_key": "c1", "metric": "by a key", "value": 3.0},
        {"crm_id": "U3", "account_crm_id": "A3", "metric": "of a loser", "value": 4.0},
        {"crm_id": "U4", "account_crm_id": "A9", "metric": "a stranger's", "value": 5.0},
        {"crm_id": "U5", "account_key": "c9", "metric": "a stranger's too", "value": 6.0},
        {"crm_id": "U6", "account_crm_id": "A1", "metric": "deleted", "value": 7.0} | GONE,
    )
    resolved = resolve(lake, {"accounts": [Alias(loser="A3", survivor="A1", external_id=None)]})
    assert cells(resolved, "usage", "account_id", "metric", "value") == [
        ("c1", "by a key", 3.0),
        ("c1", "exported", 1.0),
        ("c1", "of a loser", 4.0),
        ("c1", "of a record", 2.0),
    ]
    assert list(resolved.tables["usage"].columns) == [
        "account_id" if name == "account_key" else name for name in EXPORT_TABLES["usage"].names
    ]
    assert resolved.report.rows_dropped == {"usage": 1}


def test_money_of_an_own_object_is_converted_like_an_exports(lake: Lake, fill: Fill) -> None:
    """Billing kept in the CRM is in the company's currency as well."""
    fill("accounts", {"crm_id": "A1", "external_id": "c1"})
    fill("crm_billing", {"crm_id": "B1", "account_crm_id": "A1", "arr": 100.0, "currency": "EUR"})
    money = Money(home="USD", rates={"EUR": 1.1})
    assert cells(resolve(lake, {}, money), "billing", "account_id", "arr", "currency") == [
        ("c1", 110.0, "USD")
    ]


def test_the_contracts_of_one_account_add_up(lake: Lake, fill: Fill) -> None:
    """Whether a merge or a second record made one account of two ids; a record and its own id are one."""
    day = date(2026, 3, 1)
    fill(
        "accounts",
        {"crm_id": "A1", "external_id": "c1"},
        {"crm_id": "A3", "external_id": "c3", "name": "Acme", "website": "acme.com"},
        {"crm_id": "A4", "name": "Acme", "website": "acme.com"},
    )
    own = {
        "period_start": day,
        "period_end": date(2027, 2, 28),
        "arr": 900.0,
        "seats": 9.0,
        "currency": "USD",
    }
    fill(
        "billing",
        {"account_key": "c1", **own, "plan_tier": "team", "list_arr": 1000.0},
        {"account_key": "c2", **own, "arr": 100.0, "overage": 7.0, "plan_tier": "scale"},
        {"account_key": "c3", **own, "arr": 500.0},
        {"account_key": "A4", **own, "arr": 1.0, "currency": "EUR"},
        {"account_key": "A3", **own, "period_start": date(2026, 4, 1), "arr": 500.0},
        {"account_key": "c9", **own},
    )
    aliases = {"accounts": [Alias(loser="A2", survivor="A1", external_id="c2")]}
    columns = ("account_id", "period_start", "arr", "seats", "list_arr", "plan_tier", "overage", "currency")
    assert cells(resolve(lake, aliases), "billing", *columns) == [
        ("c1", day, 1000.0, 18.0, 1100.0, "team", 7.0, "USD"),
        ("c3", day, 501.0, 18.0, None, None, None, "EUR+USD"),
        ("c3", date(2026, 4, 1), 501.0, 18.0, None, None, None, "EUR+USD"),
    ]
    apart = cells(resolve(lake, {}), "billing", "account_id", "arr")
    assert ("c1", 900.0) in apart


def test_limits_and_usage_of_invoiced_contracts_add_up(lake: Lake, fill: Fill) -> None:
    """Where the ids are invoiced; without invoices, an id may have changed, and the rows stay as told."""
    day = date(2026, 3, 1)
    fill("accounts", {"crm_id": "A1", "external_id": "c1"}, {"crm_id": "A3", "external_id": "c3"})
    keys = ("c1", "c2", "c3", "c4")
    for number, key in enumerate(keys):
        bill = {"account_key": key, "period_start": day, "period_end": date(2027, 2, 28)}
        fill("billing", *([{**bill, "arr": 100.0 + number}] if key in {"c1", "c2", "c3"} else []))
        limit = {"account_key": key, "item": "api_calls", "kind": "limit", "valid_from": day}
        product = {"account_key": key, "item": key, "kind": "product", "valid_from": day}
        fill("entitlements", {**limit, "quantity": 10.0 + number}, product)
        used = {"account_key": key, "metric": "api_calls", "period_start": day, "period_days": 31}
        fill("usage", {**used, "value": 4.0 + number})
    aliases = [Alias(loser=f"A{n}", survivor=f"A{n - 1}", external_id=f"c{n}") for n in (2, 4)]
    resolved = resolve(lake, {"accounts": aliases})
    assert cells(resolved, "entitlements", "account_id", "item", "quantity", "valid_to") == [
        ("c1", "api_calls", 21.0, None),
        ("c1", "c1", None, None),
        ("c1", "c2", None, None),
        ("c3", "api_calls", 12.0, None),
        ("c3", "api_calls", 13.0, None),
        ("c3", "c3", None, None),
        ("c3", "c4", None, None),
    ]
    assert cells(resolved, "usage", "account_id", "metric", "period_days", "value") == [
        ("c1", "api_calls", 31, 9.0),
        ("c3", "api_calls", 31, 6.0),
        ("c3", "api_calls", 31, 7.0),
    ]


def test_a_merge_is_no_expansion_and_a_second_contract_is_one(lake: Lake, fill: Fill) -> None:
    """The sum holds for the past too, so that only what began later is an increase."""
    fill("accounts", {"crm_id": "A1", "external_id": "c1"})
    for month in range(1, 10):
        bill = {"period_start": date(2026, month, 1), "period_end": date(2026, month, 28)}
        fill("billing", {"account_key": "c1", **bill, "arr": 100.0, "seats": 5.0})
        fill("billing", {"account_key": "c2", **bill, "arr": 40.0, "seats": 2.0})
        if month >= 6:
            fill("billing", {"account_key": "c3", **bill, "arr": 60.0, "seats": 3.0})
    aliases = [Alias(loser=f"A{n}", survivor="A1", external_id=f"c{n}") for n in (2, 3)]
    tables = resolve(lake, {"accounts": aliases}).tables
    with Workspace(lake.connection) as space:
        sources = read_sources(tables, space)
        target = Target(horizon_days=90)
        grown = arr_increases(sources, target).select("day", "arr").to_pyarrow().to_pylist()
        seats = seat_increases(sources).select("day", "seats").to_pyarrow().to_pylist()
    assert grown == [{"day": day_number(date(2026, 6, 1)), "arr": 60.0}]
    assert seats == [{"day": day_number(date(2026, 6, 1)), "seats": 3.0}]
