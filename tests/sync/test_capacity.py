"""The week's slots are given out in the best way there is, and who gets none is told how far it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from sync.capacity import Allotment, Bid, allot

OWNERS = ("ana", "ben", "cy")
WORTH = st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e6, allow_nan=False))


@st.composite
def contests(draw: st.DrawFn, accounts: int, takers: int) -> tuple[list[Bid], dict[str, int]]:
    """Accounts with one or two plays and up to so many takers each, and everybody's room."""
    bids = []
    for number in range(draw(st.integers(0, accounts))):
        may = tuple(draw(st.lists(st.sampled_from(OWNERS), min_size=1, max_size=takers, unique=True)))
        for play in draw(st.sampled_from((("expand",), ("growth", "expand")))):
            rank = float(draw(st.integers(1, 3)))
            bids.append(Bid(account=f"a{number}", play=play, worth=draw(WORTH), takers=may, rank=rank))
    return bids, {owner: draw(st.integers(0, 3)) for owner in OWNERS}


def total(found: Allotment, bids: Sequence[Bid]) -> float:
    """What the accounts with a place are worth together."""
    worth = {(bid.account, bid.play): bid.worth for bid in bids}
    return sum(worth[place.account, place.play] for place in found.places)


def by_milp(bids: Sequence[Bid], room: Mapping[str, int]) -> float:
    """The most that the slots can be worth, by HiGHS: one variable for each bid and taker."""
    pairs = [(bid, taker) for bid in bids for taker in bid.takers]
    if not pairs:
        return 0.0
    accounts = sorted({bid.account for bid in bids})
    rows = [[float(bid.account == each) for bid, _ in pairs] for each in accounts]
    rows += [[float(taker == each) for _, taker in pairs] for each in OWNERS]
    most = [*(1.0 for _ in accounts), *(float(room[each]) for each in OWNERS)]
    worth = np.array([bid.worth for bid, _ in pairs])
    scale = worth.max() or 1.0
    solved = milp(
        -worth / scale,
        integrality=np.ones(len(pairs)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(np.array(rows), -np.inf, np.array(most)),
        options={"mip_rel_gap": 0.0},
    )
    assert solved.success
    return float(-solved.fun * scale)


def every_way(bids: Sequence[Bid], room: Mapping[str, int]) -> Iterator[float]:
    """What each way to give the slots out is worth."""
    accounts = sorted({bid.account for bid in bids})
    choices = [
        [None, *((bid, taker) for bid in bids if bid.account == account for taker in bid.takers)]
        for account in accounts
    ]
    for way in product(*choices):
        taken = [taker for choice in way if choice is not None for taker in (choice[1],)]
        if all(taken.count(owner) <= room[owner] for owner in OWNERS):
            yield sum(choice[0].worth for choice in way if choice is not None)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(contests(accounts=4, takers=2))
def test_no_way_to_give_out_the_slots_is_worth_more(contest: tuple[list[Bid], dict[str, int]]) -> None:
    """Against every way there is, on small weeks."""
    bids, room = contest
    assert total(allot(bids, room), bids) == pytest.approx(max(every_way(bids, room)), rel=1e-9)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(contests(accounts=16, takers=3))
def test_an_optimiser_finds_nothing_better(contest: tuple[list[Bid], dict[str, int]]) -> None:
    """Against HiGHS, on weeks that nobody can try out."""
    bids, room = contest
    assert total(allot(bids, room), bids) == pytest.approx(by_milp(bids, room), rel=1e-6, abs=1e-6)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(contests(accounts=16, takers=3))
def test_slots_are_never_exceeded_and_every_account_has_one_fate(
    contest: tuple[list[Bid], dict[str, int]],
) -> None:
    """One play an account, one taker of those who may, and a free slot only where nobody waits for it."""
    bids, room = contest
    found = allot(bids, room)
    given_out = [place.taker for place in found.places]
    assert all(given_out.count(owner) <= room[owner] for owner in OWNERS)
    named = [each.account for each in (*found.places, *found.missed)]
    assert sorted(named) == sorted({bid.account for bid in bids})
    takers = {bid.account: bid.takers for bid in bids}
    assert all(place.taker in takers[place.account] for place in found.places)
    for missed in found.missed:
        assert missed.room < missed.position <= missed.rivals
        assert all(given_out.count(taker) == room[taker] for taker in missed.takers)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(contests(accounts=16, takers=3), st.randoms(use_true_random=False))
def test_the_order_of_the_bids_changes_nothing(
    contest: tuple[list[Bid], dict[str, int]], random: st.DataObject
) -> None:
    """Ties go by rank and id. Only of two plays worth the same does the first one stay."""
    bids, room = contest
    single = list({bid.account: bid for bid in bids}.values())
    shuffled = list(single)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert allot(shuffled, room) == allot(single, room)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(contests(accounts=14, takers=1))
def test_so_many_more_slots_would_reach_it(contest: tuple[list[Bid], dict[str, int]]) -> None:
    """What is said of an account that was missed: with so many more it is in, with one fewer it is not."""
    bids, room = contest
    for missed in allot(bids, room).missed:
        (taker,) = missed.takers
        assert missed.short is not None
        more = room | {taker: room[taker] + missed.short}
        assert missed.account in {place.account for place in allot(bids, more).places}
        fewer = room | {taker: room[taker] + missed.short - 1}
        assert missed.account not in {place.account for place in allot(bids, fewer).places}
        assert missed.position == room[taker] + missed.short
        assert missed.position <= missed.rivals


def test_an_account_moves_to_a_colleague_so_that_another_fits() -> None:
    """Giving each account to its first choice would leave the second one out."""
    bids = [
        Bid(account="big", play="expand", worth=9.0, takers=("ana", "ben")),
        Bid(account="small", play="expand", worth=8.0, takers=("ana",)),
    ]
    found = allot(bids, {"ana": 1, "ben": 1})
    assert {place.account: place.taker for place in found.places} == {"big": "ben", "small": "ana"}


def test_the_best_play_of_an_account_takes_the_slot() -> None:
    """A weight makes one play worth more than another; worth the same, the first one stays."""
    plays = [
        Bid(account="a", play=play, worth=worth, takers=("ana",)) for play, worth in (("x", 1.0), ("y", 2.0))
    ]
    assert [place.play for place in allot(plays, {"ana": 5}).places] == ["y"]
    level = [Bid(account="a", play=play, worth=1.0, takers=("ana",)) for play in ("x", "y")]
    assert [place.play for place in allot(level, {"ana": 5}).places] == ["x"]


def test_somebody_without_room_takes_nothing() -> None:
    """Not even when nobody else wants it."""
    found = allot([Bid(account="a", play="x", worth=1.0, takers=("ana",))], {"ana": 0})
    assert found.places == ()
    assert [(each.position, each.rivals, each.short) for each in found.missed] == [(1, 1, 1)]
