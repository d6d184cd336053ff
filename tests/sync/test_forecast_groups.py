"""Facts about splitting a book into groups."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.book import MODEL, Deal, by_product, make_book
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


# probabilities as scores keep them, to six digits
OFFER = st.tuples(st.integers(0, 1_000_000).map(lambda millionths: millionths / 1e6), st.floats(1, 1e5))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    accounts=st.lists(
        st.tuples(
            st.floats(0.001, 1),
            st.floats(1, 1e6),
            st.dictionaries(st.sampled_from("stma"), OFFER, max_size=4),
        ),
        min_size=1,
        max_size=15,
    )
)
def test_products_share_what_each_account_is_expected_to_add(
    accounts: list[tuple[float, float, dict[str, tuple[float, float]]]],
) -> None:
    """By probability × ARR, account for account: products sum to the whole, and every account counts once."""
    scores = [
        {
            "account_id": f"A{n}", "probability": p, "arr_if_expands": arr, "arr_low": arr / 2,
            "arr_high": arr * 2, "timing": "d30", "product": "s", "is_pipeline": False,
            "products": [{"id": name, "probability": q, "arr": own} for name, (q, own) in offers.items()],
        }
        for n, (p, arr, offers) in enumerate(accounts)
    ]  # fmt: skip
    book = book_of(scores, [])
    split = by_product(book, scores)
    assert sorted(a for a, counts in zip(split.accounts, split.counted, strict=True) if counts) == sorted(
        book.accounts
    )
    whole = (book.chance * book.arr[:, None]).sum(axis=0)
    assert (split.chance * split.arr[:, None]).sum(axis=0) == pytest.approx(whole)
    for n, (_, _, offers) in enumerate(accounts):
        worth = {name: q * own for name, (q, own) in offers.items() if q > 0}
        mine = {
            product: float((chance * arr).sum())
            for account, product, chance, arr in zip(
                split.accounts, split.products, split.chance, split.arr, strict=True
            )
            if account == f"A{n}"
        }
        if sum(worth.values()) > 0:
            total, expected = sum(mine.values()), sum(worth.values())
            assert {name: own / total for name, own in mine.items()} == pytest.approx(
                {name: own / expected for name, own in worth.items()}
            )


def test_an_account_without_offers_keeps_the_product_that_is_named() -> None:
    """As scores of an older version do, and deals."""
    score = {"account_id": "A", "probability": 0.3, "arr_if_expands": 10.0, "arr_low": 5.0, "arr_high": 20.0}
    scores = [score | {"timing": "now", "product": "s", "is_pipeline": False, "products": None}]
    book = book_of(scores, [Deal(account_id="B", amount=5.0, chance=0.5, close_date=TODAY, product="m")])
    split = by_product(book, scores)
    assert dict(zip(split.accounts, split.products, strict=True)) == {"A": "s", "B": "m"}
    assert split.chance.tolist() == book.chance.tolist()
