"""What Celery's workers do when a bell rings: take a turn at the run, and ring for whoever is wanted next.

`look` does pieces of a step that is open to all, for less than a minute; `step` does whole steps, however
long they take. What a process opened (ledger, lake, CRM login) it keeps for the next bell.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from celery.exceptions import SoftTimeLimitExceeded

from worker.bells import Bells
from worker.celery_app import LOOK, STEP, app

if TYPE_CHECKING:
    from sync.loop import Loop
    from sync.settings import Settings

LOOK_SECONDS: Final = 45.0  # then the bell is rung anew; the last piece still fits below the soft limit
INTERRUPTS: Final = (SoftTimeLimitExceeded, KeyboardInterrupt, SystemExit)


class Post:
    """What one process of a worker works with, opened with its first bell."""

    def __init__(self, settings: Settings) -> None:
        from worker.loop_home import make_loop

        self.bells = Bells(settings)
        self.loop: Loop = make_loop(settings)

    def close(self) -> None:
        """Give everything back."""
        self.loop.close()
        self.bells.close()


_posts: dict[int, Post] = {}  # by process: a fork must not use what its parent opened


@app.task(name=LOOK)  # type: ignore[untyped-decorator]  # Celery has no types
def look(run_id: str) -> None:
    """Do pieces of the run's shared step."""
    _answer(run_id, only_shared=True)


@app.task(name=STEP)  # type: ignore[untyped-decorator]
def step(run_id: str) -> None:
    """Do the run's steps, one after the other."""
    _answer(run_id, only_shared=False)


def _answer(run_id: str, *, only_shared: bool) -> None:
    from sync.store.queue import next_due
    from sync.turn import Manner, take_turn

    post = _post()
    began = time.monotonic()
    try:
        if only_shared:
            post.bells.pass_on(run_id)
        turn = take_turn(
            post.loop,
            run_id,
            Manner(
                only_shared=only_shared,
                enough=lambda: only_shared and time.monotonic() - began > LOOK_SECONDS,
                interrupts=INTERRUPTS,
                opened=lambda opened: post.bells.ring(opened, shared=True),
            ),
        )
        if turn.is_over:
            return
        if turn.closing:
            post.bells.ring(run_id, shared=False)
            return
        now = post.loop.machine_clock()
        if turn.due_at is not None and turn.due_at > now:
            post.bells.ring_later(run_id, seconds=(turn.due_at - now).total_seconds())
            return
        due = next_due(post.loop.store, run_id, now)
        if due is not None:
            post.bells.ring(run_id, shared=due.shared)
    except BaseException:
        _posts.pop(os.getpid()).close()  # what it was at may have broken a connection
        raise


def _post() -> Post:
    from sync.config import load

    if os.getpid() not in _posts:
        _posts[os.getpid()] = Post(load(None, os.environ))
    return _posts[os.getpid()]
