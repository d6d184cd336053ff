"""Keeps leases alive while their process works: a thread that renews them, and stops doing so after hours."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from connectors.errors import LedgerError
from sync.run import Clock

BEATS_A_LEASE: Final = 3  # two may fail before the lease runs out

Renew = Callable[[datetime], object]
"""Holds something until the given time."""


def process_owner() -> str:
    """Who holds a lease: host and process, and a mark that a later process of that number lacks."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


class Heartbeat:
    """Renews what is held in its blocks. A thing held for longer than `longest` is left to run out:
    whoever works that long is taken for hung."""

    def __init__(self, lease: timedelta, clock: Clock, *, longest: timedelta) -> None:
        self.lease = lease
        self._clock = clock
        self._longest = longest
        self._held: dict[int, tuple[Renew, datetime]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, renew: Renew) -> Iterator[None]:
        """Renew while the block runs; the first time comes after a third of the lease."""
        with self._lock:
            self._held[id(renew)] = (renew, self._clock() + self._longest)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="upswell-heartbeat", daemon=True)
            self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._held[id(renew)]

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def beat(self) -> None:
        """Renew everything that is held, once."""
        now = self._clock()
        with self._lock:
            held = list(self._held.values())
        for renew, until in held:
            if now < until:
                try:
                    renew(now + self.lease)
                except LedgerError:
                    # the ledger is away or busy: the next beat may find it, and a lease that runs out
                    # meanwhile is told when the result is to be kept
                    continue

    def _run(self) -> None:
        while not self._stop.wait(self.lease.total_seconds() / BEATS_A_LEASE):
            self.beat()
