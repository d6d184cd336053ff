"""Judged rows are grouped by what is asked for: features, account columns, numbers by quarters."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from connectors.errors import UsageError
from model.backtest import Judgement
from sync.evaluation_cohorts import check_columns, cohorts_by

ROWS = 200


@pytest.fixture
def judged() -> Judgement:
    """200 rows of two months, half of them SMB, from 1 to 200 employees."""
    outcome = np.array([1.0, 0, 0, 0] * (ROWS // 4))
    nothing: Any = None
    return Judgement(
        saved=True,
        used=nothing,
        rows=pa.table(
            {
                "account_id": [f"A{place:03d}" for place in range(ROWS)],
                "as_of": pa.array([date(2026, 6 - place % 2, 1) for place in range(ROWS)], pa.date32()),
                "segment": ["SMB" if place % 2 else "Mid" for place in range(ROWS)],
                "employees": pa.array([float(ROWS - place) for place in range(ROWS)]),
                "csat_180": pa.array([float(1 + place % 3) for place in range(ROWS)]),
                "label": pa.array(outcome),
            }
        ),
        outcome=outcome,
        probability=np.linspace(0, 1, ROWS),
        said={},
        figures={},
    )


@pytest.fixture
def accounts() -> Any:
    """The accounts as they stand now: an owner each, but for the first."""
    return ibis.memtable(
        pa.table(
            {
                "account_id": [f"A{place:03d}" for place in range(ROWS)],
                "owner_id": [None if place == 0 else f"O{place % 4}" for place in range(ROWS)],
            }
        )
    )


def test_segment_product_and_month_are_always_told(judged: Judgement, accounts: Any) -> None:
    """Every row stands in one group of each; months come in their order; without a plan there is no table."""
    found = cohorts_by(judged, (), offered=["Seats"] * ROWS, accounts=accounts)
    assert list(found) == ["segment", "product", "month"]
    assert [each.name for each in found["month"]] == ["2026-05", "2026-06"]
    for cohorts in found.values():
        assert sum(each.rows for each in cohorts) == ROWS
        assert sum(each.expanded for each in cohorts) == judged.outcome.sum()


def test_a_number_is_grouped_by_quarters_of_the_rows_in_their_order(judged: Judgement, accounts: Any) -> None:
    """1 to 200 employees make four groups of about fifty, the smallest companies first."""
    found = cohorts_by(judged, ["employees"], offered=[None] * ROWS, accounts=accounts)["employees"]
    assert [each.name.split(" to ")[0] for each in found] == sorted(
        (each.name.split(" to ")[0] for each in found), key=int
    )
    assert len(found) == 4
    assert all(45 <= each.rows <= 55 for each in found)


def test_a_number_with_few_values_is_grouped_by_them(judged: Judgement, accounts: Any) -> None:
    """Three grades are three groups."""
    found = cohorts_by(judged, ["csat_180"], offered=[None] * ROWS, accounts=accounts)["csat_180"]
    assert [each.name for each in found] == ["1", "2", "3"]


def test_a_column_of_the_accounts_groups_by_what_it_is_now(judged: Judgement, accounts: Any) -> None:
    """Four owners, and the account that has none."""
    found = cohorts_by(judged, ["owner_id"], offered=[None] * ROWS, accounts=accounts)["owner_id"]
    assert {each.name: each.rows for each in found} == {"O0": 49, "O1": 50, "O2": 50, "O3": 50, "(other)": 1}


@pytest.mark.parametrize(
    ("column", "hint"), [("owner", "owner_id"), ("label", ""), ("seat_utilization", "seat_utilisation")]
)
def test_a_column_that_there_is_not_or_that_is_the_outcome_is_refused(
    accounts: Any, column: str, hint: str
) -> None:
    """With the nearest name; nobody groups by what happened. Those that there are pass."""
    check_columns(["owner_id", "employees", "data_completeness"], accounts)
    with pytest.raises(UsageError, match=column) as caught:
        check_columns(["owner_id", column], accounts)
    assert hint in caught.value.message
    assert caught.value.fix
