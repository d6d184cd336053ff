"""Facts about milestones: what came before adoption is found, what did not is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from model.milestones import (
    MIN_ADOPTERS,
    Milestone,
    as_json,
    from_json,
    learn_milestones,
    milestone_column,
)
from model.product import Product

PRODUCTS = (Product(id="AN", name="Analytics", type="module"), Product(id="SSO", name="SSO", type="module"))
FEATURES = ("departments_30", "features_30", "advanced_features_90", "days_to_renewal", "power_users")
ACCOUNTS, DATES = 400, 6


def history(seed: int, *, needs: bool = True, adopters: float = 0.3, season: bool = False) -> pa.Table:
    """Rows of many accounts, a month apart; those with 4 departments or more may take up Analytics.

    With `season`, adoption falls on dates on which everybody uses many features."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for month in range(DATES):
        busy = season and month >= DATES - 2
        for account in range(ACCOUNTS):
            departments = float(rng.integers(1, 7))
            can = departments >= 4 if needs else not season or busy
            buys = rng.random() < adopters * (1 if month >= DATES - 3 else 0.2) and can
            rows.append(
                {
                    "account_id": f"A{account}",
                    "as_of": date(2026, 1, 1) + timedelta(days=28 * month),
                    "owned": ["SSO"] if account % 2 else [],
                    "bought": "AN" if buys else None,
                    "label": float(buys),
                    "departments_30": departments,
                    "features_30": float(rng.integers(2, 9) + (20 if busy else 0)),
                    "advanced_features_90": float(rng.integers(0, 3)) if rng.random() < 0.7 else None,
                    "days_to_renewal": 30.0 if buys else 200.0,
                    "power_users": None,
                }
            )
    return pa.Table.from_pylist(rows)


def test_what_came_before_adoption_is_found_with_its_value() -> None:
    """Four departments; not the renewal, which no account can reach, nor what adopters have like others."""
    found = learn_milestones(history(1), FEATURES, PRODUCTS)
    assert set(found) == {"AN"}
    (milestone,) = found["AN"]
    assert (milestone.feature, milestone.at_least) == ("departments_30", 4.0)
    assert milestone.adopters == 1.0
    assert milestone.others < 0.5


def test_none_of_something_is_no_milestone() -> None:
    """Counts and amounts are told as whole numbers from one up, as they are tested."""
    rows = history(1)
    few = np.array([0.4 if buys else 0.0 for buys in rows["bought"].to_pylist()])
    rows = rows.append_column("overage_recent", pa.array(few))
    assert learn_milestones(rows, ["overage_recent"], PRODUCTS) == {}
    rows = rows.set_column(rows.column_names.index("overage_recent"), "overage_recent", pa.array(few * 10))
    (found,) = learn_milestones(rows, ["overage_recent"], PRODUCTS)["AN"]
    assert (found.at_least, found.adopters, found.others) == (4.0, 1.0, 0.0)


@pytest.mark.parametrize("adopters", [0.3, 0.045])
@pytest.mark.parametrize("seed", range(5))
def test_chance_is_no_milestone(seed: int, adopters: float) -> None:
    """Where adoption hangs on nothing, nothing is told, whichever way the dice fall: of many or of few."""
    assert learn_milestones(history(seed, needs=False, adopters=adopters), FEATURES, PRODUCTS) == {}


def test_a_season_of_everybody_is_no_milestone() -> None:
    """Adopters had many features in use because everybody had on those dates."""
    assert learn_milestones(history(2, needs=False, season=True), FEATURES, PRODUCTS) == {}


def test_few_adopters_tell_nothing() -> None:
    """Below 30 accounts nothing is learnt, however clear it looks."""
    rows = history(3, adopters=0.02)
    adopted = {
        a for a, p in zip(rows["account_id"].to_pylist(), rows["bought"].to_pylist(), strict=True) if p
    }
    assert 0 < len(adopted) < MIN_ADOPTERS
    assert learn_milestones(rows, FEATURES, PRODUCTS) == {}


def test_each_account_is_told_what_it_has_reached_and_what_is_next() -> None:
    """The next is the first that is missing, with the value now; products without milestones stay silent."""
    milestones = from_json(
        as_json(
            {
                "AN": (
                    Milestone(feature="features_30", at_least=5.0, adopters=0.9, others=0.6),
                    Milestone(feature="departments_30", at_least=4.0, adopters=0.8, others=0.3),
                )
            }
        )
    )
    table = pa.table({"features_30": [6.0, 2.0, 9.0, None], "departments_30": [2.0, 5.0, 4.0, None]})
    told = milestone_column(table, milestones, (["AN"] * 4, ["SSO", None, "SSO", None])).to_pylist()
    assert [[each["product"] for each in row] for row in told] == [["AN"]] * 4
    assert [row[0]["reached"] for row in told] == [
        ["features_30"],
        ["departments_30"],
        ["features_30", "departments_30"],
        [],
    ]
    assert told[0][0]["next"] == f"{milestones['AN'][1].words()} (now 2)"
    assert told[1][0]["next"] == f"{milestones['AN'][0].words()} (now 2)"
    assert told[2][0]["next"] is None
    assert told[3][0]["next"] == f"{milestones['AN'][0].words()} (now unknown)"
    assert milestones["AN"][1].words().endswith(": 4 or more")
