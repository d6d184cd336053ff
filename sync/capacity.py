"""Who gets round to which account: the week's slots given out so that the accounts in them are worth most.

An account takes one slot, of anybody who may take it, and its worth does not depend on whose. The sets of
accounts that fit into the slots together are then the independent sets of a transversal matroid, for which
taking the best account that still fits, again and again, is exact (J. Edmonds, "Matroids and the greedy
algorithm", Mathematical Programming 1, 1971). Whether one still fits is an augmenting path: somebody may
have to pass an account on to a colleague who may take it too. Where each account has one owner, no path is
longer than one step, and each owner simply gets the best of their own.

Numbers in, numbers out: nothing here knows a CRM, a day or a play's rules.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """An account that asks for a slot in one play; `takers` may take it, `rank` breaks ties (less is better).

    `worth` is finite and not negative, in any unit."""

    account: str
    play: str
    worth: float
    takers: tuple[str, ...]
    rank: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The slot that an account got: in which play, and whose."""

    account: str
    play: str
    taker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An account that got none. It comes `position`-th of the `rivals` accounts that may go to its takers
    (itself among them), who have `room` slots left together: always fewer than `position`.

    `short` is how many more slots would reach it; None where several people may take it, since theirs would
    go to others first who can pass accounts on."""

    account: str
    play: str
    takers: tuple[str, ...]
    position: int
    rivals: int
    room: int
    short: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """Every account of the bids, in the one or in the other, best first."""

    places: tuple[Place, ...]
    missed: tuple[Missed, ...]


def allot(bids: Iterable[Bid], room: Mapping[str, int]) -> Allotment:
    """The best use of the slots that each taker has left; an account gets at most one, in its best play.

    Ties go by rank, then by the account's id; of two plays worth the same to an account the first stays."""
    best: dict[str, Bid] = {}
    for bid in bids:
        if bid.account not in best or bid.worth > best[bid.account].worth:
            best[bid.account] = bid
    ordered = sorted(best.values(), key=lambda bid: (-bid.worth, bid.rank, bid.account))
    desks = _Desks(room=room)
    left = [bid for bid in ordered if not desks.seat(bid)]
    places = [
        Place(account=bid.account, play=bid.play, taker=desks.taker_of[bid.account])
        for bid in ordered
        if bid.account in desks.taker_of
    ]
    return Allotment(places=tuple(places), missed=tuple(_explain(ordered, left, room)))


@dataclass(slots=True, kw_only=True)
class _Desks:
    """What everybody has taken so far.

    `full` are the takers from whom no path leads to a free slot. Nothing changes that any more, since nobody
    gives a slot back, so each of them is found once."""

    room: Mapping[str, int]
    taken: dict[str, dict[str, Bid]] = field(default_factory=lambda: defaultdict(dict))
    taker_of: dict[str, str] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)
    full_sets: set[tuple[str, ...]] = field(default_factory=set)

    def seat(self, bid: Bid) -> bool:
        """Whether the account got a slot; others may have moved to make room."""
        if bid.takers in self.full_sets:
            return False
        path = self._path(bid)
        if path is None:
            self.full_sets.add(bid.takers)
            return False
        # from the free slot backwards, each account moves one step along
        for moving, taker in reversed(path):
            former = self.taker_of.pop(moving.account, None)
            if former is not None:
                del self.taken[former][moving.account]
            self.taken[taker][moving.account] = moving
            self.taker_of[moving.account] = taker
        return True

    def _path(self, bid: Bid) -> list[tuple[Bid, str]] | None:
        """The moves that end at a free slot: who goes to whom, the new account first; None without one."""
        came: dict[str, tuple[Bid, str | None]] = {}
        queue: deque[str] = deque()

        def reach(moving: Bid, source: str | None) -> str | None:
            """The taker with most room that this account leads to; those without any come into the queue."""
            new = [taker for taker in moving.takers if taker not in came and taker not in self.full]
            for taker in new:
                came[taker] = (moving, source)
            free = max(new, key=self._left, default=None)
            if free is not None and self._left(free) > 0:
                return free
            queue.extend(new)
            return None

        end = reach(bid, None)
        while end is None and queue:
            taker = queue.popleft()
            for held in self.taken[taker].values():
                if len(held.takers) > 1 and (end := reach(held, taker)) is not None:
                    break
        if end is None:
            self.full |= came.keys()
            return None
        path: list[tuple[Bid, str]] = []
        step: str | None = end
        while step is not None:
            moving, source = came[step]
            path.append((moving, step))
            step = source
        return path[::-1]

    def _left(self, taker: str) -> int:
        return self.room.get(taker, 0) - len(self.taken[taker])


def _explain(ordered: Sequence[Bid], left: Sequence[Bid], room: Mapping[str, int]) -> Iterable[Missed]:
    """How far each of those left was from a slot, among all accounts that may go to one of its takers."""
    places: dict[str, list[int]] = defaultdict(list)  # in the order of all, by taker
    shared: set[str] = set()  # who may have to pass accounts on
    for place, bid in enumerate(ordered):
        for taker in bid.takers:
            places[taker].append(place)
        if len(bid.takers) > 1:
            shared.update(bid.takers)
    place_of = {bid.account: place for place, bid in enumerate(ordered)}
    of_taker = {taker: np.array(own) for taker, own in places.items()}
    rivals: dict[tuple[str, ...], np.ndarray] = {}
    missing: dict[tuple[str, ...], int] = defaultdict(int)
    for bid in left:
        takers = bid.takers
        if takers not in rivals:
            rivals[takers] = np.unique(np.concatenate([of_taker[taker] for taker in takers]))
        missing[takers] += 1
        yield Missed(
            account=bid.account,
            play=bid.play,
            takers=takers,
            position=int(np.searchsorted(rivals[takers], place_of[bid.account], side="right")),
            rivals=len(rivals[takers]),
            room=sum(max(0, room.get(taker, 0)) for taker in takers),
            short=None if shared.intersection(takers) else missing[takers],
        )
