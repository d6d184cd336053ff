"""Facts about snapshots of the forecast: when one is due, and what its rows sum to."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.account_bridges import AccountBridges, account_bridges
from model.amounts import cents_of, sums_by_account
from model.book import Deal, Win, by_product, make_book
from model.forecast import Span
from model.recurring import Bridge
from model.retention import Customer, losses_by_span
from model.risk import default_risk
from sync.forecast_rows import EXPANSION, NEW, About, Detail, forecast_rows, part
from sync.forecast_snapshot import is_due

TODAY = date(2026, 11, 2)
SPANS = tuple(
    Span(
        label=f"FY2027Q{at + 1}",
        first=date(2026, 11, 1) + timedelta(days=91 * at),
        last=date(2027, 1, 30) + timedelta(days=91 * at),
    )
    for at in range(4)
)
DAYS = st.integers(0, 800).map(lambda days: date(2026, 1, 1) + timedelta(days=days))
ACCOUNTS = st.lists(
    st.fixed_dictionaries(
        {
            "probability": st.floats(0, 1),
            "arr": st.floats(1, 1e6),
            "timing": st.sampled_from(["now", "d30", "d90", "hold"]),
            "paid": st.one_of(st.none(), st.floats(0.01, 1e6)),
            "is_new": st.booleans(),
            "deal": st.booleans(),
            "offers": st.dictionaries(st.sampled_from("stm"), st.floats(0, 1), max_size=3),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, derandomize=True)
@given(days=st.lists(DAYS, max_size=40), start=st.integers(1, 12))
def test_each_week_and_each_fiscal_quarter_gets_a_snapshot_with_its_first_plan(
    days: list[date], start: int
) -> None:
    """Whenever plans are made: one a week, two only where a quarter begins within it, never two of a day."""
    made: list[date] = []
    for day in sorted(days):
        if is_due(day, made, start):
            made.append(day)
    assert len(set(made)) == len(made)
    weeks = defaultdict(list)
    for day in made:
        weeks[day.isocalendar()[:2]].append(day)
    assert {day.isocalendar()[:2] for day in days} == set(weeks)
    for own in weeks.values():
        assert len(own) == 1 or (len(own) == 2 and own[0].month != own[1].month)
    assert not any(is_due(day, made, start, asked=True) for day in made)


def test_the_first_day_of_a_fiscal_quarter_has_a_snapshot_though_its_week_has_one() -> None:
    """Sunday, 1 November 2026 begins a quarter in a week that has a snapshot of Tuesday."""
    assert is_due(date(2026, 11, 1), [date(2026, 10, 27)], 2)
    assert not is_due(date(2026, 11, 1), [date(2026, 10, 27)], 3)
    assert is_due(date(2026, 10, 29), [date(2026, 10, 27)], 2, asked=True)


def current_of(accounts: list[dict[str, Any]]) -> tuple[Any, AccountBridges]:
    """A book of today, as rows are made of it, and the bridges of its customers."""
    scores = [
        {
            "account_id": f"A{n}", "probability": each["probability"], "arr_if_expands": each["arr"],
            "arr_low": each["arr"] / 2, "arr_high": each["arr"] * 2, "timing": each["timing"], "product": "s",
            "is_pipeline": False,
            "products": [{"id": name, "probability": p, "arr": 9.0} for name, p in each["offers"].items()],
        }
        for n, each in enumerate(accounts)
    ]  # fmt: skip
    deals = [
        Deal(
            account_id=f"A{n}", amount=each["arr"], chance=each["probability"], close_date=TODAY, product="m"
        )
        for n, each in enumerate(accounts)
        if each["deal"]
    ]
    won = [
        Win(account_id="A0", day=TODAY - timedelta(days=7 * week), arr=1000.0 / 3, product="t")
        for week in range(52)
    ]
    book = make_book(scores, deals, won, SPANS, scored_on=TODAY, today=TODAY, horizon_days=90)
    split = by_product(book, scores)
    paying = {f"A{n}": each["paid"] for n, each in enumerate(accounts) if each["paid"] is not None}
    customers = [Customer(account_id=account, arr=arr) for account, arr in paying.items()]
    losses = losses_by_span(customers, SPANS, default_risk(90), scored_on=TODAY, today=TODAY)
    so_far = {
        f"A{n}": Bridge(opening=each["paid"] + 5.0, contraction=5.0, customers=1)
        for n, each in enumerate(accounts)
        if each["paid"] is not None and not each["is_new"]
    }
    so_far["left"] = Bridge(opening=70.0, churn=70.0, customers=1, lost=1)
    bridges = account_bridges(customers, losses, sums_by_account(split), so_far)
    scoring = SimpleNamespace(as_of=TODAY)
    return SimpleNamespace(book=book, split=split, horizon_days=90, scoring=scoring), bridges


@settings(deadline=None, derandomize=True, max_examples=60)
@given(accounts=ACCOUNTS, floor=st.sampled_from([None, 0.0, 50.0, 1e4]))
def test_rows_sum_to_the_book_and_to_the_bridge_whatever_they_are_summed_by(
    accounts: list[dict[str, Any]], floor: float | None
) -> None:
    """To the cent, by quarter, product, owner and basis, and component by component; no row is nothing."""
    current, bridges = current_of(accounts)
    about = {
        f"A{n}": About(crm_id=f"r{n}", owner="Ana" if n % 2 else "Ben", tier="high")
        for n in range(len(accounts))
    }
    rows = forecast_rows(current, bridges, about, detail=Detail(everything=floor is None, floor=floor or 0.0))
    assert all(row.amount for row in rows)
    assert len({row.key(TODAY).lower() for row in rows}) == len(rows)
    found: dict[tuple[str, ...], int] = defaultdict(int)
    for row in rows:
        if row.place.component in (EXPANSION, NEW):
            found[row.quarter.label, row.place.product, row.about.owner] += row.amount
    expected: dict[tuple[str, ...], int] = defaultdict(int)
    split = current.split
    for account, product, amounts in zip(split.accounts, split.products, cents_of(split), strict=True):
        for span, amount in zip(SPANS, amounts.tolist(), strict=True):
            expected[span.label, product or "", about[account].owner] += amount
    assert {key: total for key, total in found.items() if total} == {
        key: total for key, total in expected.items() if total
    }
    for component in ("opening", "expansion", "contraction", "churn"):
        for at, span in enumerate(SPANS):
            total = sum(
                row.amount
                for row in rows
                if row.place.component == component and row.quarter.label == span.label
            )
            assert total == int(np.asarray(getattr(bridges, component))[:, at].sum())


def test_only_what_is_said_of_an_account_has_a_row_of_its_own() -> None:
    """Its deal, its opening, a prediction from the floor up; run rates and small ones are of many."""
    likely = {
        "probability": 0.5,
        "arr": 1000.0,
        "timing": "now",
        "paid": 900.0,
        "is_new": False,
        "deal": False,
    }
    unlikely = {**likely, "probability": 0.01}
    dealing = {**likely, "deal": True}
    current, bridges = current_of([{**each, "offers": {}} for each in (likely, likely, unlikely, dealing)])
    about = {f"A{n}": About(owner="Ana", tier="low") for n in range(4)}
    rows = forecast_rows(current, bridges, about, detail=Detail(floor=100.0))
    own = {(row.place.account_id, row.place.basis) for row in rows if row.place.component == EXPANSION}
    assert {("A1", "model_only"), ("A3", "open_opportunity"), ("", "model_only")} <= own
    assert not {("A2", "model_only"), ("A3", "model_only")} & own
    everything = forecast_rows(current, bridges, about, detail=Detail(everything=True))
    assert len(everything) > len(rows)
    assert all(row.place.account_id for row in everything)


@settings(deadline=None, derandomize=True)
@given(one=st.text(max_size=300), other=st.text(max_size=300))
def test_parts_of_keys_are_told_apart_by_crms_that_ignore_case(one: str, other: str) -> None:
    """Whatever an account's id is: as short as a part may be, and never taken for two."""
    assert len(part(one)) <= 79
    assert "|" not in part(one)
    assert part(one) == " ".join(part(one).split())
    if one != other:
        assert part(one).lower() != part(other).lower()
    for text, told in (("C-0042", "c-0042"), ("null", "NULL"), ("a|b", "a")):
        assert part(text).lower() != part(told).lower()
    assert part("0042") == "0042"


def test_about_an_account_nothing_need_be_known() -> None:
    """Rows of accounts that nobody scored, and that have no record, sum all the same."""
    current, bridges = current_of(
        [
            {
                "probability": 0.5,
                "arr": 10.0,
                "timing": "now",
                "paid": 4.0,
                "is_new": True,
                "deal": False,
                "offers": {},
            }
        ]
    )
    rows = forecast_rows(current, bridges, {}, detail=Detail(everything=True))
    values = rows[0].values(TODAY, {}, "run")
    assert (values["owner"], values["account"], values["tier"]) == (None, None, None)
    assert sum(row.amount for row in rows if row.place.component == "opening" and row.place.span == 0) == 7000
