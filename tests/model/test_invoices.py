"""Of several invoices for one first day the one that was known last is the invoice, at any as-of day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from model.engine import Engine
from model.panel import build_rows
from model.product import Product
from model.sources import read_sources
from model.target import Target
from model.workspace import Workspace

FIRST = date(2026, 5, 1)


def bill(known: date, **more: Any) -> dict[str, Any]:
    """An invoice for May of account W, known on some day."""
    stamp = datetime(known.year, known.month, known.day, 9, tzinfo=UTC)
    return {"account_id": "W", "period_start": FIRST, "known_from": stamp} | more


def test_an_invoice_goes_until_it_is_replaced_and_keeps_what_is_not_restated() -> None:
    """One row a day of knowing, the larger figure of two."""
    backend = Engine().connect()
    rows = [
        bill(date(2026, 5, 9), arr=90.0, seats=None, plan_tier="scale"),
        bill(FIRST, arr=100.0, seats=5.0, plan_tier="team"),
        bill(FIRST, arr=80.0, seats=6.0, plan_tier="plus"),
        bill(FIRST, account_id="X", arr=1.0, seats=None, plan_tier=None),
    ]
    backend.con.register("billing", pa.Table.from_pylist(rows))
    with Workspace(backend) as space:
        clean = read_sources({"billing": backend.table("billing")}, space)["billing"]
        clean = clean.mutate(after=clean.known - clean["at"], gone=clean.replaced - clean["at"])
        columns = ("account_id", "after", "gone", "arr", "seats", "plan_tier")
        found = clean.order_by("account_id", "after").select(*columns).to_pyarrow().to_pylist()
    assert [tuple(row.values()) for row in found] == [
        ("W", 0, 8, 100.0, 6.0, "team"),
        ("W", 8, None, 90.0, 6.0, "scale"),
        ("X", 0, None, 1.0, None, None),
    ]


@pytest.mark.parametrize(("day", "arr", "overage"), [(10, 200.0, 30.0), (20, 120.0, 12.0)])
def test_features_go_by_the_invoice_that_stood_on_the_day(
    tiny: Any, catalogue: tuple[Product, ...], day: int, arr: float, overage: float
) -> None:
    """A correction takes its place: it adds no overage, and is no change of ARR."""
    bills = [
        bill(FIRST, arr=200.0, seats=8.0, overage=30.0),
        bill(date(2026, 5, 15), arr=120.0, seats=6.0, overage=12.0),
        {"account_id": "W", "period_start": date(2026, 4, 1), "arr": arr, "seats": 8.0},
    ]
    as_of = date(2026, 5, 1) + timedelta(days=day)
    made = tiny.without("usage", "entitlements", "billing", "accounts").plus("billing", *bills)
    (row,) = build_rows(made.tables(), as_of=as_of, target=Target(), products=catalogue).table.to_pylist()
    assert (row["arr"], row["seats"]) == (arr, 8.0 if day == 10 else 6.0)
    assert row["overage_recent"] == pytest.approx(overage)
    assert np.isnan(row["days_since_arr_change"])
