"""Leases are renewed while their process works, and not for ever."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from connectors.errors import LedgerError
from sync.heartbeat import Heartbeat, process_owner

LEASE, LONGEST = timedelta(seconds=0.03), timedelta(hours=4)


def test_what_is_held_is_renewed_again_and_again_and_then_let_go(noon: datetime) -> None:
    """By a thread, for a whole lease each time."""
    beats: list[datetime] = []
    third = threading.Event()

    def renew(until: datetime) -> None:
        beats.append(until)
        if len(beats) == 3:
            third.set()

    beat = Heartbeat(LEASE, lambda: noon, longest=LONGEST)
    with beat.holding(renew):
        assert third.wait(30)
    beat.stop()
    count = len(beats)
    beat.beat()
    assert len(beats) == count
    assert set(beats) == {noon + LEASE}


def test_who_works_for_hours_on_one_thing_is_taken_for_hung(noon: datetime) -> None:
    """Its lease runs out, so that another does it again."""
    now = [noon]
    beats: list[datetime] = []
    beat = Heartbeat(timedelta(hours=1), lambda: now[0], longest=LONGEST)
    with beat.holding(beats.append):
        now[0] = noon + LONGEST - timedelta(seconds=1)
        beat.beat()
        assert len(beats) == 1
        now[0] = noon + LONGEST
        beat.beat()
        assert len(beats) == 1
    beat.stop()


def test_a_beat_that_finds_the_ledger_away_does_not_end_the_beating(noon: datetime) -> None:
    """What else is held is renewed all the same, and the next beat tries again."""
    beats: list[datetime] = []

    def away(_until: datetime) -> None:
        raise LedgerError("the ledger's database is away")

    beat = Heartbeat(timedelta(hours=1), lambda: noon, longest=LONGEST)
    with beat.holding(away), beat.holding(beats.append):
        beat.beat()
        beat.beat()
    beat.stop()
    assert len(beats) == 2


def test_two_processes_never_have_one_owner_name() -> None:
    """Not even one that comes later and gets the same number."""
    assert process_owner() != process_owner()
