"""Money never mixes currencies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from sync.currencies import Money
from sync.identity import Resolved, resolve
from sync.lake import Lake

Rows = Callable[..., pa.Table]
MONEY = Money(home="USD", rates={"EUR": 1.1, "GBP": 1.28})


@pytest.fixture
def resolved(lake: Lake, canonical_rows: Rows, noon: datetime) -> Resolved:
    """Two accounts with money in three currencies and one that has no rate."""

    def put(table: str, *rows: dict[str, Any]) -> None:
        lake.append(table, [canonical_rows(table, *rows)], source="s", run_id=None, now=noon)

    put("accounts", {"crm_id": "A1", "external_id": "c1", "currency": "EUR", "arr": 100.0}, {"crm_id": "A2"})
    put(
        "opportunities",
        {"crm_id": "O1", "account_crm_id": "A1", "amount": 10.0, "currency": "EUR"},
        {"crm_id": "O2", "account_crm_id": "A1", "amount": 10.0, "currency": "JPY"},
        {"crm_id": "O3", "account_crm_id": "A2", "amount": 10.005, "currency": "USD"},
        {"crm_id": "O4", "account_crm_id": "A2", "amount": 10.0},
    )
    put("opportunity_lines", {"crm_id": "L1", "opportunity_crm_id": "O1", "amount": 4.0})
    put("opportunity_history", {"crm_id": "H1", "opportunity_crm_id": "O1", "amount": 5.0})
    put("billing", {"account_key": "c1", "arr": 200.0, "invoiced": 3.0, "currency": "GBP"})
    return resolve(lake, {}, MONEY)


def column(resolved: Resolved, table: str, *names: str) -> list[Any]:
    rows = resolved.tables[table].select(*names).to_pyarrow().to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=str)


def test_every_amount_is_in_the_companys_currency(resolved: Resolved) -> None:
    """Accounts, opportunities with lines and history, and invoices; home amounts to the last bit."""
    assert column(resolved, "accounts", "arr", "currency", "original_currency") == [
        (110.0, "USD", "EUR"),
        (None, "USD", None),
    ]
    assert column(resolved, "opportunities", "crm_id", "amount") == [
        ("O1", 11.0),
        ("O2", None),
        ("O3", 10.005),
        ("O4", 10.0),
    ]
    assert column(resolved, "opportunity_lines", "amount") == [(4.4,)]
    assert column(resolved, "opportunity_history", "amount") == [(5.5,)]
    assert column(resolved, "billing", "arr", "invoiced", "currency") == [(256.0, 3.84, "USD")]


def test_a_currency_without_a_rate_is_counted(resolved: Resolved) -> None:
    """RevOps learns which rate is missing and for how many rows."""
    assert resolved.report.unpriced == {"JPY": 1}
