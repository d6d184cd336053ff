"""The loop of one installation, opened from its settings, with the machine's clock and a progress bar."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.acting import acting
from worker.screen import Screen

if TYPE_CHECKING:
    from sync.loop import Loop
    from sync.settings import Settings


@contextmanager
def open_loop(settings: Settings, screen: Screen) -> Iterator[Loop]:
    """The loop of `make_loop` with a progress bar; everything is given back afterwards."""
    loop = make_loop(settings)
    try:
        with progress_of(loop, screen):
            yield loop
    finally:
        loop.close()


def make_loop(settings: Settings) -> Loop:
    """The loop over this installation's ledger, lake and CRM, which is connected when a step first needs it.

    Raises SettingError when the ledger can't be opened."""
    from sync.connect import connect, journal_key
    from sync.lake import Lake
    from sync.loop import Loop
    from sync.store import Store

    store = Store.open(settings.state.url, journal_key=journal_key(settings.state))
    loop = Loop(
        settings=settings,
        store=store,
        lake=Lake(settings.lake.folder, store, url=settings.lake.url),
        connect=lambda: connect(settings, store, run_of=lambda: loop.works_for),
        clock=lambda: datetime.now(UTC),
        tell=no_progress,
        who=lambda: acting(store),
    )
    return loop


@contextmanager
def progress_of(loop: Loop, screen: Screen) -> Iterator[None]:
    """While the block runs, what the loop tells moves one progress bar, renamed as the work goes on."""
    with screen.steps() as tell:
        loop.tell, loop.notice = tell, screen.say
        try:
            yield
        finally:
            loop.tell = no_progress


def no_progress(_what: str, _done: float, _total: float | None) -> None:
    """Progress for nobody."""


class Stopwatch:
    """Seconds by name, as the wall clock sees them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the block's seconds to `name`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 2)
