"""When work that was put off is done."""

from __future__ import annotations

import threading

from connectors.sandbox.later import Later


def test_work_is_done_when_its_time_has_come() -> None:
    """In a thread of its own."""
    done = threading.Event()
    Later().after(0.0, done.set)
    assert done.wait(10)


def test_settle_does_at_once_what_still_waits_and_each_piece_once() -> None:
    """An hour need not pass."""
    later, done = Later(), []
    for n in range(3):
        later.after(3600.0, lambda n=n: done.append(n))
    later.settle()
    assert sorted(done) == [0, 1, 2]
    later.settle()
    assert len(done) == 3


def test_close_drops_what_still_waits() -> None:
    """And takes nothing more."""
    later, done = Later(), []
    later.after(3600.0, lambda: done.append("waited"))
    later.close()
    later.after(0.0, lambda: done.append("came after"))
    later.settle()
    assert done == []
