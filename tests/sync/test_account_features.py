"""What moved in an account's features between two days, in one measure for all of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from connectors.errors import UsageError
from model.panel import Rows
from sync.account_features import moves_between
from sync.snapshot_rows import DayRows

NAMES = ("seats", "arr", "nps", "plan_tier", "tenure_days")
NAN = float("nan")


def day_rows(day: date, **columns: list[Any]) -> DayRows:
    """The rows of three accounts on a day."""
    table = pa.table({"account_id": ["A1", "A2", "A3"], **columns})
    rows = Rows(table=table, features=NAMES, categorical=("plan_tier",), signals={})
    return DayRows(day=day, rows=rows)


BEFORE = day_rows(
    date(2026, 1, 1),
    seats=[10.0, 5.0, 5.0],
    arr=[1000.0, 1.0, 1.0],
    nps=[NAN, 5.0, 6.0],
    plan_tier=["Starter", None, None],
    tenure_days=[7.0, 7.0, 7.0],
)
NOW = day_rows(
    date(2026, 2, 1),
    seats=[12.0, 10.0, 8.0],
    arr=[1500.0, 60000.0, 100.0],
    nps=[7.0, 5.0, 6.0],
    plan_tier=["Growth", None, None],
    tenure_days=[7.0, 7.0, 7.0],
)


def test_moves_are_sorted_by_their_size_among_all_accounts() -> None:
    """Two seats are more than five hundred of ARR where accounts differ by tens of thousands."""
    moves = moves_between(BEFORE, NOW, "A1")
    assert [move.feature.name for move in moves] == ["nps", "plan_tier", "seats", "arr"]
    sizes = {move.feature.name: move.size for move in moves}
    assert (sizes["nps"], sizes["plan_tier"]) == (None, None)
    assert sizes["seats"] == pytest.approx(2 / (8 / 3) ** 0.5)
    assert {move.feature.name: (move.before, move.after) for move in moves}["nps"] == (None, 7.0)


def test_a_feature_that_is_alike_for_all_moves_by_nothing() -> None:
    """No spread, no measure: it is shown last."""
    then = day_rows(date(2026, 1, 1), **{n: BEFORE.rows.table[n].to_pylist() for n in NAMES[:-1]}, tenure_days=[1.0, 2.0, 3.0])  # fmt: skip  # noqa: E501
    assert moves_between(then, NOW, "A1")[-1].size == 0.0


def test_an_account_that_was_no_customer_then_can_t_be_compared() -> None:
    """And is told so."""
    with pytest.raises(UsageError, match="no active customer on 2026-01-01"):
        moves_between(BEFORE, NOW, "A9")
