"""The sandbox's own time: Date header, stamps and history follow it; leases and tokens do not."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.sandbox.store import Store, moment, stamp

_BASE = "clock.base"


def set_base(store: Store, base: datetime) -> None:
    """Where the sandbox's time stands when no server is running."""
    store.meta[_BASE] = stamp(base)


def base(store: Store) -> datetime:
    """The stored time: what a server that starts now would begin with."""
    return moment(store.meta[_BASE])


def advance(store: Store, by: timedelta) -> datetime:
    """Move the sandbox's time on, also that of a server running in another process; the new base."""
    if by < timedelta():
        raise ValueError(f"the sandbox's time only goes forward, not by {by}")
    with store.transaction():
        later = base(store) + by
        set_base(store, later)
    return later


class Clock:
    """Stored base time plus machine time since the server's start; it never goes back.

    The base is read again at every look, because `sandbox advance` moves it from another process.
    """

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._started = monotonic()
        self._latest = base(store)

    def now(self) -> datetime:
        """The sandbox's present moment in UTC."""
        elapsed = timedelta(seconds=self._monotonic() - self._started)
        self._latest = max(self._latest, base(self._store) + elapsed)
        return self._latest

    def stamp(self) -> str:
        """The present moment as stored text, to the second as Salesforce keeps it."""
        return stamp(self.now().replace(microsecond=0))

    def save(self) -> None:
        """Keep the elapsed time for the next start."""
        now = self.now()
        set_base(self._store, now)
        self._started = self._monotonic()
