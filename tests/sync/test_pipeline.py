"""Facts about sharing out a period's conversations among owners."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.pipeline import NOBODY, Prospect, concentration, share_out


def prospect(rank: int, owner: str, expected: float = 100.0) -> Prospect:
    """An account worth a conversation."""
    return Prospect(
        rank=rank,
        account_id=f"A{rank}",
        name=f"Account {rank}",
        owner=owner,
        play="expand",
        product=None,
        timing="now",
        probability=0.4,
        chance=0.3,
        expected=expected,
        has_slot=False,
    )


@settings(deadline=None, derandomize=True)
@given(
    owners=st.lists(st.sampled_from(["Ada", "Bo", "Cy", NOBODY]), max_size=40),
    room=st.integers(0, 6),
)
def test_slots_go_by_rank_and_nobody_has_more_than_fit(owners: list[str], room: int) -> None:
    """Each owner's best come first; expected ARR is split into with and without a slot, nothing lost."""
    given_out, loads = share_out(
        [prospect(rank, owner, 10.0 + rank) for rank, owner in enumerate(owners)],
        room=room,
        owners=["Ada", "Di"],
    )
    assert [each.rank for each in given_out] == list(range(len(owners)))
    for load in loads:
        own = [each for each in given_out if each.owner == load.owner]
        served = [each.has_slot for each in own]
        assert served == sorted(served, reverse=True)
        assert sum(served) == (0 if load.owner == NOBODY else min(room, len(own)))
        assert load.within + load.left_over == pytest.approx(sum(each.expected for each in own))
    assert {"Ada", "Di"} <= {load.owner for load in loads}
    assert sum(load.prospects for load in loads) == len(owners)


def test_an_owner_with_too_many_is_overloaded_and_one_with_few_is_idle() -> None:
    """The overloaded come first, by the ARR that they leave over."""
    many = [prospect(rank, "Ada") for rank in range(5)]
    _, loads = share_out(
        [*many, prospect(5, "Bo"), prospect(6, "Cy"), prospect(7, "Cy")], room=3, owners=["Di"]
    )
    assert [(load.owner, load.standing) for load in loads] == [
        ("Ada", "overloaded"),
        ("Cy", "balanced"),
        ("Bo", "idle"),
        ("Di", "idle"),
    ]
    assert loads[0].left_over == 200.0


def test_somebody_with_slots_of_their_own_has_those() -> None:
    """Fewer, more, or none."""
    rows = [prospect(rank, owner) for rank, owner in enumerate(["Ada", "Ada", "Bo", "Bo", "Cy", "Cy"])]
    found, loads = share_out(rows, room=1, room_of={"Ada": 2, "Bo": 0})
    assert [each.rank for each in found if each.has_slot] == [0, 1, 4]
    assert {load.owner: load.slots for load in loads} == {"Ada": 2, "Bo": 0, "Cy": 1}


def test_concentration_is_the_part_of_the_largest_fifth() -> None:
    """Of five owners one holds half; of nothing there is no share."""
    assert concentration([50.0, 20.0, 10.0, 10.0, 10.0]) == 0.5
    assert concentration([0.0, 0.0]) is None
    assert concentration([]) is None
