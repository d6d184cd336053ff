"""Limits and usage of an account's contracts add up, at any as-of day."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.contract_levels import Figure, Grant, figures, grants
from sync.contract_series import FOREVER


def allowed(rows: Sequence[Grant], today: int) -> float | None:
    """As a reader has it: of the rows that are known and hold, the latest, of one day that known last."""
    held = [row for row in rows if row.known <= today and row.at <= today <= row.last]
    return max(held, key=lambda row: (row.at, row.known)).quantity if held else None


def expected(
    contracts: dict[int, list[Grant]], ended: dict[int, tuple[int, int]], today: int
) -> float | None:
    """What the contracts that have not ended allow, each by itself."""
    each = []
    for number, told in contracts.items():
        until, known = ended.get(number, (FOREVER, FOREVER))
        own = [grant for grant in told if known > today or today < until or grant.at >= until]
        each.append(allowed(own, today))
    said = [quantity for quantity in each if quantity is not None]
    return sum(said) if said else None


def random_grants(rng: random.Random) -> list[Grant]:
    """Grants of one contract, no two of them alike in both days."""
    found = {}
    for _ in range(rng.randint(1, 5)):
        at = rng.randint(0, 40)
        known = at + rng.choice((0, 0, 6))
        last = rng.choice((FOREVER, at + rng.randint(0, 30)))
        found[at, known] = Grant(at=at, known=known, last=last, quantity=rng.choice((10.0, 20.0, 50.0)))
    return list(found.values())


@given(seed=st.integers(0, 2**32))
def test_at_any_day_a_limit_is_the_sum_of_what_the_contracts_allow(seed: int) -> None:
    """Late grants, ones that end, and contracts that ended though their grants did not."""
    rng = random.Random(seed)
    contracts = {number: random_grants(rng) for number in range(rng.randint(2, 3))}
    until = rng.randint(5, 60)
    ended = {0: (until, until + rng.choice((0, 9)))} if rng.random() < 0.5 else {}
    rows = grants(contracts, ended)
    for today in range(90):
        total = expected(contracts, ended, today)
        if total is not None:
            assert allowed(rows, today) == total
        elif not ended:
            assert allowed(rows, today) is None
    assert len({(row.at, row.known) for row in rows}) == len(rows)


def figure(first: int, value: float, known: int = 0, metric: str = "api_calls") -> Figure:
    """A month's figure."""
    return Figure(period=(metric, first, 30), known=known or first + 30, value=value)


def test_figures_of_one_period_add_up_once_all_have_told_it() -> None:
    """Other periods and metrics stay apart; what only one contract tells is its own figure."""
    gigabytes = figure(0, 1.0, metric="storage_gb")
    told = {0: [figure(0, 5.0), figure(30, 6.0), gigabytes], 1: [figure(0, 7.0, 40)]}
    assert figures(told) == [figure(0, 12.0, 40), figure(30, 6.0), gigabytes]


def test_a_figure_that_is_told_again_counts_from_then_on() -> None:
    """With the newest figure of the other contract."""
    told = {0: [figure(0, 5.0), figure(0, 6.0, 90)], 1: [figure(0, 7.0)]}
    assert figures(told) == [figure(0, 12.0), figure(0, 13.0, 90)]


@pytest.mark.parametrize("last", [6.0, 8.0])
def test_the_same_figures_under_two_ids_are_counted_once(last: float) -> None:
    """Unless one of them differs; what only one of the two tells counts too."""
    told = {0: [figure(0, 5.0), figure(30, 6.0)], 1: [figure(0, 5.0), figure(30, last), figure(60, 9.0)]}
    found = {row.period[1]: row.value for row in figures(told)}
    assert found == ({0: 5.0, 30: 6.0, 60: 9.0} if last == 6.0 else {0: 10.0, 30: 14.0, 60: 9.0})
