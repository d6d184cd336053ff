"""Facts about forecasts of past quarters, made as if nothing later was known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from model.book import Win
from model.forecast import Span
from model.frame import numbers
from model.panel import Panel
from model.past_quarters import Said, bias, coverage, past_quarters, recipe
from model.product import Product
from model.ranges import DEFAULT_WIDENING
from model.target import Target

FIRST = date(2024, 2, 1)
QUARTERS = [
    Span(label=f"Q{at}", first=FIRST + timedelta(days=91 * at), last=FIRST + timedelta(days=91 * at + 90))
    for at in range(6)
]


def said_by(probability: float, begins: date = FIRST) -> Any:
    """Fifty accounts with one probability on every day from `begins`."""

    def said_on(day: date) -> Said | None:
        row = {"probability": probability, "arr_if_expands": 1_000.0, "arr_low": 500.0, "arr_high": 2_000.0}
        rest = {"timing": "d90", "product": None, "is_pipeline": False}
        return None if day < begins else (day, [{"account_id": f"A{n}"} | row | rest for n in range(50)])

    return said_on


def wins(each: int) -> list[Win]:
    """So many expansions of 1,000 in each quarter, by accounts of the book, and one by a stranger."""
    found = [Win(account_id="stranger", day=span.first, arr=1e6) for span in QUARTERS]
    return found + [
        Win(account_id=f"A{n}", day=span.first + timedelta(days=1 + n), arr=1_000.0)
        for span in QUARTERS
        for n in range(each)
    ]


def forecasts(each: int, begins: date = FIRST) -> Any:
    """The six quarters, of which each brings so many expansions where ten are expected."""
    return past_quarters(
        QUARTERS, said_on=said_by(0.2, begins), deals_on=lambda _: [], events=wins(each), horizon_days=91
    )


def test_a_quarter_is_judged_by_the_expansions_of_its_own_book() -> None:
    """Neither by those of accounts that were not scored, nor by those of other quarters."""
    past = forecasts(10)
    assert [one.actual for one in past if one.lead == 0] == [10_000.0] * 6
    assert coverage(past) == 1.0
    assert bias(past) == pytest.approx(0.0, abs=0.05)
    assert {(one.made_in, one.quarter) for one in past if one.lead == 2} == {
        (f"Q{at}", f"Q{at + 2}") for at in range(4)
    }


def test_ranges_widen_by_the_misses_of_earlier_quarters_alone() -> None:
    """The first range is as wide as the default has it; after misses that were over by then, wider."""
    past = [one for one in forecasts(24) if one.lead == 0]
    times = [(one.said.high - one.said.low) / one.deviation for one in past]
    assert times[0] == pytest.approx(2.56 * DEFAULT_WIDENING, rel=0.05)
    assert times[1] > times[0]
    assert times[5] > times[1]
    assert not past[0].said.holds(past[0].actual)
    assert past[5].said.holds(past[5].actual)


def test_what_comes_in_a_quarter_changes_no_range_of_an_earlier_one() -> None:
    """Three good years in one quarter, the last: all that was said before it began stays as it was."""
    more = [
        Win(account_id=f"A{n}", day=QUARTERS[4].first + timedelta(days=5), arr=9_000.0) for n in range(50)
    ]
    found = past_quarters(
        QUARTERS, said_on=said_by(0.2), deals_on=lambda _: [], events=[*wins(10), *more], horizon_days=91
    )
    before = [one for one in found if one.made_in <= "Q4"]
    assert [one.said for one in before] == [one.said for one in forecasts(10) if one.made_in <= "Q4"]
    assert found[-1].said != forecasts(10)[-1].said


def test_quarters_without_anything_to_learn_from_are_left_out() -> None:
    """Nothing was said before the second one began, so there is nothing to judge."""
    found = forecasts(10, begins=QUARTERS[1].first)
    assert {one.made_in for one in found} == {f"Q{at}" for at in range(1, 6)}
    assert coverage([]) is None
    assert bias([]) is None


def test_what_is_said_on_a_day_does_not_depend_on_what_happened_after_it(
    panel: Panel, catalogue: tuple[Product, ...]
) -> None:
    """Outcomes that were not known yet are turned round, and every figure stays the same."""
    day = date(2026, 2, 1)
    days = panel.table["as_of"].to_numpy().astype("datetime64[D]")
    unknown = days + np.timedelta64(90, "D") > np.datetime64(day)
    table = panel.table
    for name, other in (("label", 1 - numbers(table, "label")), ("loss", np.full(len(days), 2.0))):
        turned = np.where(unknown, other, numbers(table, name))
        table = table.set_column(table.column_names.index(name), name, pa.array(turned))
    options: dict[str, Any] = {"target": Target(), "products": catalogue, "tiers": {}, "seed": 1}
    events = [Win(account_id="A000", day=date(2025, 6, 1), arr=1.0)] * 400
    as_it_was = recipe(panel, events, **options)(day)
    turned_round = recipe(replace(panel, table=table), events, **options)(day)
    assert as_it_was is not None
    assert as_it_was == turned_round
    assert as_it_was[0] <= day < as_it_was[0] + timedelta(days=28)
    assert recipe(panel, events, **options)(date(2025, 5, 1)) is None
