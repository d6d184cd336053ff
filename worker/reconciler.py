"""Finds what is due, and rings for it: slots of schedules, runs that wait, plans whose pause is over.

One ticks in each worker's main process. Several do no harm: a slot is claimed once, and a bell too many finds
nothing to claim. Truth is the ledger, so whatever was lost on the way is found by the next tick.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.errors import UpswellError
from sync.attendance import enlist, note_end, note_tick
from sync.dispatch import dispatch
from sync.heartbeat import process_owner
from sync.paused_plans import queue_resumes
from sync.schedules import seed
from sync.settings import Settings
from sync.stale_runs import give_up
from sync.store import Store
from sync.store.locks import machine_clock
from sync.store.queue import Due, due_runs

logger = logging.getLogger(__name__)

Ring = Callable[[Due], object]


class Reconciler:
    """Ticks while it is started. `ring` hears of each run on which somebody can work now, and `also` is
    called with each tick, after it.

    The first tick notes this process as a worker, and takes in the settings' schedules."""

    def __init__(
        self,
        settings: Settings,
        ring: Ring,
        *,
        clock: Callable[[], datetime] = machine_clock,
        also: Callable[[], object] = lambda: None,
    ) -> None:
        self.id = process_owner()
        self._settings = settings
        self._ring = ring
        self._also = also
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_enlisted = False
        # a process forked in mid-tick would inherit locks that nobody is there to open
        self._quiet = threading.Lock()
        os.register_at_fork(
            before=self._quiet.acquire,
            after_in_parent=self._quiet.release,
            after_in_child=self._quiet.release,
        )

    def start(self) -> None:
        """Tick from now on, in a thread."""
        self._thread = threading.Thread(target=self._run, name="upswell-reconciler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and note that this worker ended as it should."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        try:
            with self._quiet, Store.open(self._settings.state.url) as store:
                note_end(store, self.id, now=self._clock())
        except UpswellError as error:
            logger.warning("the end of this worker could not be noted: %s", error)

    def tick(self) -> list[Due]:
        """Look once: the runs on which somebody can work now; each was rung for."""
        # opened for the tick only: a connection must not live on in a process that is forked
        with self._quiet, Store.open(self._settings.state.url) as store:
            now = self._clock()
            if not self._is_enlisted:
                enlist(store, self.id, now=now)
                seed(store, self._settings, now=now)
                self._is_enlisted = True
            for said in dispatch(store, self._settings, now=now, by=self.id):
                logger.log(logging.INFO if said.is_started else logging.WARNING, "%s", said)
            for run_id in give_up(store, now):
                logger.warning("run %s was given up: nobody worked on it for a day", run_id)
            queue_resumes(store, self._settings, now=now)
            found = due_runs(store, now)
            for due in found:
                self._ring(due)
            note_tick(store, self.id, now=self._clock())
        return found

    def _run(self) -> None:
        pause = timedelta(seconds=self._settings.worker.tick_seconds).total_seconds()
        while True:
            try:
                self.tick()
                self._also()
            except UpswellError as error:
                logger.warning("this tick came to nothing, the next may: %s", error)
            except Exception:
                # whatever it was: a worker without ticks would starve in silence
                logger.exception("this tick came to nothing")
            if self._stop.wait(pause):
                return
