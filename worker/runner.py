"""A worker without Celery: the same reconciler in a thread, the same turns in the main one."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from connectors.errors import UpswellError
from worker.loop_home import make_loop
from worker.reconciler import Reconciler

if TYPE_CHECKING:
    from sync.settings import Settings
    from sync.store.queue import Due

logger = logging.getLogger(__name__)

SOONEST = 1.0  # seconds between two looks at a run that waits


class Runner:
    """Works off what is due, run after run, and starts what schedules say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bell = threading.Event()
        self._reconciler = Reconciler(settings, self._ring)
        self._loop = make_loop(settings)

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the ticking and give everything back."""
        self._reconciler.stop()
        self._loop.close()

    def once(self) -> list[str]:
        """One tick, and all the work that can be done now; the runs that were worked on."""
        self._reconciler.tick()
        worked: list[str] = []
        while (due := self._due()) and any(each.run_id not in worked for each in due):
            for each in due:
                self._turn(each.run_id)
                worked.append(each.run_id)
        return list(dict.fromkeys(worked))

    def forever(self) -> None:
        """Tick and work until the process is told to end."""
        self._reconciler.start()
        pause = self._settings.worker.tick_seconds
        while True:
            self._bell.wait(pause)
            self._bell.clear()
            try:
                waits = [self._turn(each.run_id) for each in self._due()]
            except UpswellError as error:  # the ledger is away
                logger.warning("no work can be done now: %s", error)
                waits = []
            pause = min([self._settings.worker.tick_seconds, *waits])

    def _ring(self, _due: Due) -> None:
        self._bell.set()

    def _due(self) -> list[Due]:
        from sync.store.queue import due_runs

        return due_runs(self._loop.store, self._loop.machine_clock())

    def _turn(self, run_id: str) -> float:
        """Seconds until the run is worth another look."""
        from sync.turn import Manner, take_turn

        turn = take_turn(self._loop, run_id, Manner())
        if turn.due_at is None:
            return self._settings.worker.tick_seconds
        return max((turn.due_at - self._loop.machine_clock()).total_seconds(), SOONEST)
