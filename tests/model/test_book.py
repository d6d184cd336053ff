"""Facts about the book: what counts by what, and nothing twice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.book import MODEL, OPEN, WON, Book, Deal, Win, make_book, run_rate
from model.forecast import Span

SCORED = date(2026, 11, 2)
SPANS = tuple(
    Span(
        label=f"Q{at}",
        first=date(2026, 11, 1) + timedelta(days=91 * at),
        last=date(2027, 1, 30) + timedelta(days=91 * at),
    )
    for at in range(4)
)


def score(
    account: str, probability: float = 0.2, *, arr: float = 1_000.0, pipeline: bool = False
) -> dict[str, Any]:
    """A row of the Prediction table."""
    return {
        "account_id": account,
        "probability": probability,
        "arr_if_expands": arr,
        "arr_low": arr / 2,
        "arr_high": arr * 2,
        "timing": "d90",
        "product": "SEATS",
        "is_pipeline": pipeline,
    }


def book(scores: list[dict[str, Any]], deals: list[Deal] = [], won: list[Win] = []) -> Book:  # noqa: B006  # only read
    """The book on the day of the scoring."""
    return make_book(scores, deals, won, SPANS, scored_on=SCORED, today=SCORED, horizon_days=90)


def deal(account: str, amount: float | None = 500.0, chance: float | None = 0.5, closes: int = 20) -> Deal:
    """An open opportunity that closes so many days on."""
    return Deal(account_id=account, amount=amount, chance=chance, close_date=SCORED + timedelta(days=closes))


def a_year_of_wins(accounts: int) -> list[Win]:
    """One expansion of 1,000 by each account, spread over the year before the scoring."""
    return [
        Win(account_id=f"A{number}", day=SCORED - timedelta(days=364 - 364 * number // accounts), arr=1_000.0)
        for number in range(accounts)
    ]


@settings(deadline=None, derandomize=True)
@given(kinds=st.lists(st.sampled_from(["quiet", "pipeline", "deal", "won"]), min_size=1, max_size=30))
def test_every_account_counts_by_one_thing_alone(kinds: list[str]) -> None:
    """By its deal, by its win of today, or by the model; run rates come besides and are not counted."""
    scores = [score(f"A{at}", pipeline=kind in {"pipeline", "deal"}) for at, kind in enumerate(kinds)]
    deals = [deal(f"A{at}") for at, kind in enumerate(kinds) if kind == "deal"]
    won = [
        Win(account_id=f"A{at}", day=SCORED + timedelta(days=1), arr=9.0)
        for at, kind in enumerate(kinds)
        if kind == "won"
    ]
    found = make_book(
        scores, deals, won, SPANS, scored_on=SCORED, today=SCORED + timedelta(days=1), horizon_days=90
    )
    counted = [account for account, counts in zip(found.accounts, found.counted, strict=True) if counts]
    assert len(counted) == len(set(counted)) == len(kinds) - kinds.count("pipeline")
    by = dict(zip(found.accounts, found.bases, strict=True))
    expected = {"quiet": MODEL, "deal": OPEN, "won": WON}
    assert {by[f"A{at}"] == expected[kind] for at, kind in enumerate(kinds) if kind in expected} <= {True}


def test_over_the_horizon_the_model_s_part_is_probability_times_arr() -> None:
    """What lies beyond it is a run rate and nothing else."""
    wins = a_year_of_wins(40)
    found = book([score(f"A{number}") for number in range(40)], won=wins)
    model = [
        item
        for item, (basis, counts) in enumerate(zip(found.bases, found.counted, strict=True))
        if basis == MODEL and counts
    ]
    inside = (found.chance - found.beyond)[model].sum(axis=1)
    # the last of the wins was on the day of the scoring, so that account counts as well
    assert inside == pytest.approx([0.2] * len(model))
    assert found.beyond[model].sum() == 0


def test_a_book_goes_on_to_expand_as_often_as_in_the_last_year() -> None:
    """Forty expansions of 1,000 in a year are as much again in the year after it, and shared by everybody."""
    scores = [score(f"A{number}") for number in range(80)]
    rate = run_rate(a_year_of_wins(40), scores, SCORED)
    assert rate is not None
    assert rate * 365 * 80 * 1_000 == pytest.approx(40_000, rel=0.01)
    found = book(scores, won=a_year_of_wins(40))
    later = (found.beyond * found.arr[:, None]).sum(axis=0)
    assert later[1:] == pytest.approx([rate * 91 * 80_000] * 3, rel=0.02)


def test_an_account_with_a_deal_has_a_run_rate_beside_it_from_the_first_day() -> None:
    """A deal is not all that such an account will ever buy."""
    found = book(
        [score("A0", pipeline=True)],
        [deal("A0")],
        [Win(account_id="A0", day=SCORED - timedelta(days=9 * n), arr=100.0) for n in range(1, 40)],
    )
    assert [basis for basis, counts in zip(found.bases, found.counted, strict=True) if counts] == [OPEN]
    assert found.beyond[0].sum() == 0
    assert (found.beyond[1] > 0).all()


def test_with_little_history_each_account_goes_on_at_its_own_rate() -> None:
    """Nineteen expansions do not tell how often a book expands."""
    assert run_rate(a_year_of_wins(19), [score(f"A{number}") for number in range(40)], SCORED) is None
    found = book([score("A0", 0.2)])
    assert found.bases == (MODEL,)
    assert found.beyond[0, 1:].min() > 0


def test_a_deal_takes_what_the_crm_lacks_from_the_model_or_is_left_out() -> None:
    """Without a score there is nothing to fill in; one in a currency without a rate is never guessed."""
    deals = [
        deal("A0", amount=None, chance=None),
        deal("B0", amount=None),
        Deal(account_id="A1", amount=None, chance=0.5, close_date=None, foreign=True),
        deal("A2", closes=1_000),
    ]
    found = book([score("A0", 0.4, pipeline=True)], deals)
    assert found.accounts[:1] == ("A0",)
    assert (found.arr[0], found.chance[0, 0]) == (1_000.0, 0.4)
    assert (found.unknown, found.foreign, found.later) == (1, 1, 250.0)


@pytest.mark.parametrize("arr", [1_000.0, 40.0, 1.0])
def test_a_run_rate_above_one_expansion_an_account_keeps_its_arr(arr: float) -> None:
    """Where the model gives less than what was added, accounts "expand" several times; no chance passes 1."""
    scores = [score(f"A{n}", 0.0, arr=arr) for n in range(40)]
    found = book(scores, won=a_year_of_wins(40))
    expected = (found.chance * found.arr[:, None])[:, 1:].sum(axis=0)
    assert expected == pytest.approx([40 * 1_000.0 * 91 / 364] * 3, rel=0.02)
    assert found.chance.sum(axis=1).max() <= 1.0 + 1e-12
