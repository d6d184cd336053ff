"""Contracts of one account add up, at any as-of day, as anybody would add them who looks at each invoice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.contract_series import GRACE, Invoice
from sync.contract_series import combined as combined_by_id


def bill(at: int, arr: float | None, **more: object) -> Invoice:
    """A month's invoice, known on its first day."""
    told = {"at": at, "known": at, "paid": at + 29, "levels": (arr,)}
    return Invoice(**(told | more))  # type: ignore[arg-type]


def months(first: int, last: int, arr: float, **more: object) -> list[Invoice]:
    """An invoice every 30 days."""
    return [bill(at, arr, **more) for at in range(first, last, 30)]


def combined(contracts: list[list[Invoice]], newest: int) -> Sequence[Invoice]:
    """The sum of contracts of any ids."""
    return combined_by_id({f"c{place}": told for place, told in enumerate(contracts)}, newest).rows


def as_of(rows: Sequence[Invoice], day: int, today: int) -> Invoice | None:
    """The row that holds on a day as known today: the newest first day, and of it what was known last."""
    seen = [row for row in rows if row.known <= today and row.at <= day]
    return max(seen, key=lambda row: (row.at, row.known)) if seen else None


def arr_by_day(rows: Sequence[Invoice], days: range, today: int = 10**5) -> list[float | None]:
    """ARR on each of the days."""
    found = [as_of(rows, day, today) for day in days]
    return [None if row is None else row.levels[0] for row in found]


# --- a second way to the same figures: each question answered from all invoices ---


def stands(told: list[Invoice], today: int) -> dict[int, Invoice]:
    """A contract's invoices by first day, as known today; the figures of each filled in by the one before."""
    found: dict[int, Invoice] = {}
    for at in sorted({each.at for each in told if each.known <= today}):
        of_day = sorted(
            (each for each in told if each.at == at and each.known <= today), key=lambda i: i.known
        )
        figures: list[float | None] = []
        for place in range(len(of_day[0].levels)):
            stated = [each for each in of_day if each.levels[place] is not None]
            last = [each.levels[place] for each in stated if each.known == stated[-1].known]
            figures.append(max(last) if last else None)  # type: ignore[type-var]
        paid = max(each.paid for each in of_day if each.known == of_day[-1].known)
        found[at] = bill(at, None, known=of_day[-1].known, paid=paid, levels=tuple(figures))
    return found


def in_force(worlds: list[dict[int, Invoice]], number: int, day: int, today: int) -> bool:
    """Whether a contract holds on a day, as known today."""
    own = worlds[number]
    past = [at for at in own if at <= day]
    if not past:
        return False
    latest = own[max(past)]
    coming = [at for at in own if at > day]
    if coming and min(coming) <= latest.paid + GRACE:
        return True
    others = [min(each) for place, each in enumerate(worlds) if place != number and each]
    heirs = [at for at in others if at > latest.at and latest.paid <= at <= latest.paid + GRACE]
    if heirs:
        return day < min(heirs)
    return day <= latest.paid or (not coming and today <= latest.paid + GRACE)


def sums(contracts: list[list[Invoice]], day: int, today: int) -> tuple[float | None, ...] | None:
    """The levels of all contracts on a day, as known today; None where none holds."""
    worlds = [stands(told, today) for told in contracts]
    held = [each for place, each in enumerate(worlds) if in_force(worlds, place, day, today)]
    if not held:
        return None
    totals: list[float | None] = []
    for place in range(2):
        said = []
        for own in held:
            stated = [own[at].levels[place] for at in sorted(own) if at <= day]
            said += [figure for figure in stated if figure is not None][-1:]
        totals.append(sum(said) if said else None)
    return tuple(totals)


def random_contract(rng: random.Random) -> list[Invoice]:
    """Invoices with gaps, late ones, corrections, open figures and a lapse now and then."""
    at, told = rng.randint(0, 150), []
    length = rng.choice((7, 30, 30, 90))
    for _ in range(rng.randint(1, 9)):
        known = at + rng.choice((0, 0, 0, 3, 50, 200))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            figures = (rng.choice((None, 0.0, 10.0, 20.0, 35.0)), rng.choice((None, 1.0, 4.0)))
            paid = at + rng.choice((length - 1, length - 1, length, 5))
            told.append(Invoice(at=at, known=known, paid=paid, levels=figures, flows=(rng.random(),)))
            known += rng.choice((0, 4, 90))
        at += rng.choice((length, length, length, length + GRACE, length + GRACE + 20))
    rng.shuffle(told)
    return told


@given(seed=st.integers(0, 2**32), count=st.integers(2, 3))
def test_at_any_day_the_rows_say_what_was_to_be_known(seed: int, count: int) -> None:
    """Of every day, seen from every later day: the sum of the contracts in force by the invoices known."""
    rng = random.Random(seed)
    contracts = [random_contract(rng) for _ in range(count)]
    newest = max(each.known for told in contracts for each in told) + rng.choice((0, 100))
    rows = combined(contracts, newest)
    days = sorted({each.at for told in contracts for each in told} | {row.at for row in rows})
    turns = sorted(
        {row.known for row in rows} | {each.known for told in contracts for each in told} | {newest}
    )
    for today in turns:
        for day in (each for each in days if each <= today):
            expected = sums(contracts, day, today)
            found = as_of(rows, day, today)
            if expected is not None:
                assert found is not None
                for one, other in zip(expected, found.levels, strict=True):
                    assert one == other or isclose(one, other, abs_tol=1e-9)  # type: ignore[arg-type]
            elif found is not None:  # between two contracts the row before goes on
                before = as_of(rows, day - 1, today)
                assert before is not None
                assert found.levels == before.levels
    assert len({(row.at, row.known) for row in rows}) == len(rows)
    assert all(row.at <= row.known for row in rows)


@given(seed=st.integers(0, 2**32))
def test_no_order_of_contracts_or_invoices_matters(seed: int) -> None:
    """An engine promises no order of its own."""
    rng = random.Random(seed)
    contracts = [random_contract(rng) for _ in range(3)]
    rows = combined(contracts, 2000)
    for told in contracts:
        rng.shuffle(told)
    rng.shuffle(contracts)
    again = combined(contracts, 2000)
    assert [(row.at, row.known, row.paid) for row in again] == [(row.at, row.known, row.paid) for row in rows]
    for one, other in zip(again, rows, strict=True):
        assert one.levels == pytest.approx(other.levels)
        assert one.flows == pytest.approx(other.flows)


@given(seed=st.integers(0, 2**32))
def test_what_was_invoiced_is_counted_once(seed: int) -> None:
    """Over the first days, by what was known of each last, the flows are those of the invoices that stand."""
    rng = random.Random(seed)
    contracts = [random_contract(rng) for _ in range(2)]
    last = {row.at: row for row in combined(contracts, 5000)}
    invoiced = 0.0
    for told in contracts:
        for at in {each.at for each in told}:
            known = max(each.known for each in told if each.at == at)
            invoiced += max(each.flows[0] or 0.0 for each in told if (each.at, each.known) == (at, known))
    assert sum(row.flows[0] or 0.0 for row in last.values()) == pytest.approx(invoiced)


def test_two_contracts_are_one_level_of_both() -> None:
    """From the day on which the second begins, which is a rise; no step between their invoices."""
    rows = combined([months(0, 300, 100.0), months(95, 300, 40.0)], 300)
    assert arr_by_day(rows, range(95)) == [100.0] * 95
    assert arr_by_day(rows, range(95, 300)) == [140.0] * 205


def test_an_end_is_known_after_the_days_of_grace_and_holds_since_the_last_day_paid() -> None:
    """Until then the next invoice may come."""
    rows = combined([months(0, 300, 100.0), months(10, 100, 40.0)], 300)
    end = 70 + 29
    assert arr_by_day(rows, range(100, 140), end + GRACE)[0] == 140.0
    assert arr_by_day(rows, range(98, 140), end + GRACE + 1)[:3] == [140.0, 140.0, 100.0]
    assert as_of(rows, 299, 299).paid == 299  # type: ignore[union-attr]


def test_nothing_ends_that_nobody_could_have_seen_end() -> None:
    """Where no invoices came in since, nobody knows whether a contract goes on; days to come tell nothing."""
    rows = combined([months(0, 300, 100.0), months(10, 100, 40.0)], 120)
    assert {row.levels for row in rows if row.at >= 10} == {(140.0,)}


@pytest.mark.parametrize("gap", [0, 1, GRACE])
def test_a_contract_that_begins_where_another_ended_takes_its_place(gap: int) -> None:
    """The same customer under another id: nothing is added, at no day, and nothing ends in between."""
    old = months(0, 90, 100.0)
    rows = combined([old, months(89 + gap, 300, 120.0)], 300)
    assert arr_by_day(rows, range(300)) == [100.0] * (89 + gap) + [120.0] * (211 - gap)
    for today in range(89 + gap, 300):
        assert as_of(rows, today, today).levels == (120.0,)  # type: ignore[union-attr]


def test_a_contract_that_begins_in_the_midst_of_another_is_added() -> None:
    """Also where the other then ends."""
    rows = combined([months(0, 90, 100.0), months(75, 300, 30.0)], 300)
    assert arr_by_day(rows, range(70, 95)) == [100.0] * 5 + [130.0] * 15 + [30.0] * 5


def test_a_late_invoice_is_told_when_it_comes_and_not_before() -> None:
    """What it changes on later first days is said again."""
    late = bill(30, 60.0, known=100)
    rows = combined([months(0, 150, 100.0), [bill(0, 40.0), late, bill(60, 40.0), bill(90, 40.0)]], 150)
    assert arr_by_day(rows, range(30, 60), 99) == [140.0] * 30
    assert arr_by_day(rows, range(30, 60), 100) == [160.0] * 30
    assert arr_by_day(rows, range(60, 100), 100) == [140.0] * 40


def test_a_contract_that_was_exported_twice_counts_once() -> None:
    """Also where one of the two exports is behind; another figure makes it another contract."""
    once = months(0, 300, 100.0)
    behind = [bill(at, 100.0, known=at + 9) for at in range(0, 240, 30)]
    assert {row.levels for row in combined([once, behind], 300)} == {(100.0,)}
    assert combined([once, behind], 300) == combined([behind, once], 300)
    other = [*months(0, 210, 100.0), bill(210, 101.0)]
    assert {row.levels for row in combined([once, other], 240)} == {(200.0,), (201.0,)}


def test_tier_end_and_currency_are_those_of_the_account() -> None:
    """The tier of the largest, the latest end, the currencies' names where they differ."""
    large = months(0, 90, 100.0, tier="team", currencies=("USD", "EUR"))
    small = [bill(0, 40.0, paid=364, tier="scale", currencies=("USD", "CAD"))]
    (first, *_) = combined([small, large], 90)
    assert (first.tier, first.paid, first.currencies) == ("team", 364, ("USD", "CAD+EUR"))


def test_it_is_said_which_contracts_ended_and_since_when_that_is_known() -> None:
    """By the days of grace, or by the one that took its place; a copy has the number of the other."""
    told = {"a": months(0, 300, 100.0), "b": months(5, 60, 7.0), "copy": months(0, 300, 100.0)}
    together = combined_by_id(told, 300)
    assert together.of["a"] == together.of["copy"] != together.of["b"]
    assert together.ended == {together.of["b"]: (65, 65 + GRACE)}
    followed = combined_by_id({"old": months(0, 90, 100.0), "new": months(95, 300, 120.0)}, 300)
    assert followed.ended == {followed.of["old"]: (95, 95)}
