"""Work that a server does some seconds after it was asked to, when nobody waits for the answer any more."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Later:
    """Runs each piece of work once: when its time has come, or at `settle`; after `close`, never."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timers: set[_Timer] = set()
        self._closed = False

    def after(self, seconds: float, work: Callable[[], object]) -> None:
        """Do the work so many seconds from now."""
        timer = _Timer(seconds, work, self._over)
        with self._lock:
            if self._closed:
                return
            self._timers.add(timer)
        timer.start()

    def settle(self) -> None:
        """Do at once what still waits; nothing of it is waiting or under way afterwards."""
        with self._lock:
            timers = list(self._timers)
        for timer in timers:
            timer.hurry()
        for timer in timers:
            timer.join()

    def close(self) -> None:
        """Drop what still waits, and let what is under way come to its end."""
        with self._lock:
            self._closed = True
            timers = list(self._timers)
        for timer in timers:
            timer.drop()
        for timer in timers:
            timer.join()

    def _over(self, timer: _Timer) -> None:
        with self._lock:
            self._timers.discard(timer)


class _Timer(threading.Thread):
    def __init__(self, seconds: float, work: Callable[[], object], over: Callable[[_Timer], None]) -> None:
        super().__init__(daemon=True)
        self._seconds, self._work, self._over = seconds, work, over
        self._ended = threading.Event()
        self._dropped = False

    def run(self) -> None:
        self._ended.wait(self._seconds)
        try:
            if not self._dropped:
                self._work()
        finally:
            self._over(self)

    def hurry(self) -> None:
        """Let its time come now."""
        self._ended.set()

    def drop(self) -> None:
        """Let its time never come."""
        self._dropped = True
        self._ended.set()
