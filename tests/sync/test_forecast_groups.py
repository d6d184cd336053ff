"""Facts about splitting a book into groups."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.book import MODEL, Deal, make_book
from model.forecast import Span
from sync.forecast_groups import lines_of, ranges_of

TODAY = date(2026, 11, 2)
SPANS = tuple(
    Span(
        label=f"Q{at}",
        first=date(2026, 11, 1) + timedelta(days=91 * at),
        last=date(2027, 1, 30) + timedelta(days=91 * at),
    )
    for at in range(4)
)


def book_of(scores: list[dict[str, Any]], deals: list[Deal]) -> Any:
    """The book on the day of the scoring."""
    return make_book(scores, deals, [], SPANS, scored_on=TODAY, today=TODAY, horizon_days=90)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    accounts=st.lists(
        st.tuples(st.floats(0, 1), st.floats(1, 1e6), st.sampled_from("abc"), st.booleans()), max_size=25
    )
)
def test_groups_sum_to_the_whole_however_they_are_cut(accounts: list[tuple[float, float, str, bool]]) -> None:
    """By line and by mean of the ranges, in each quarter and in all; of each group P10 ≤ P50 ≤ P90."""
    scores = [
        {
            "account_id": f"A{n}",
            "probability": p,
            "arr_if_expands": arr,
            "arr_low": arr / 2,
            "arr_high": arr * 2,
        }
        | {"timing": "d30", "product": None, "is_pipeline": has_deal}
        for n, (p, arr, _, has_deal) in enumerate(accounts)
    ]
    deals = [
        Deal(account_id=f"A{n}", amount=arr, chance=p, close_date=TODAY)
        for n, (p, arr, _, has_deal) in enumerate(accounts)
        if has_deal
    ]
    book = book_of(scores, deals)
    group_of = {f"A{n}": group for n, (_, _, group, _) in enumerate(accounts)}
    groups = [group_of[account] for account in book.accounts]
    shocks = (0.1, 0.1, 0.2, 0.2)
    (whole,) = [each for each in ranges_of(book, [""] * len(groups), shocks) if not each.quarter]
    split = ranges_of(book, groups, shocks)
    assert sum(each.range.mean for each in split if not each.quarter) == pytest.approx(whole.range.mean)
    assert sum(line.arr for line in lines_of(book, groups)) == pytest.approx(whole.range.mean, abs=0.1)
    for each in split:
        assert 0 <= each.range.low <= each.range.middle <= each.range.high


def test_a_book_without_a_single_item_expects_nothing() -> None:
    """Every account in the pipeline and no deal that can be counted: zero, and no error."""
    book = book_of([], [Deal(account_id="A", amount=None, chance=None, close_date=None)])
    found = ranges_of(book, [], (0.0,) * 4)
    assert [(each.quarter, each.range.mean, each.range.high) for each in found] == [
        *((span.label, 0.0, 0.0) for span in SPANS),
        ("", 0.0, 0.0),
    ]
    assert lines_of(book, []) == ()
    assert MODEL not in book.bases
