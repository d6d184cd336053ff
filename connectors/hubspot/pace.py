"""Calls spread over time, so that the CRM's rate limits are met instead of run into."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

_MARGIN: Final = 1.05  # calls leave here evenly and arrive a little less so


class Pace:
    """At most `calls` in any `seconds`, whichever threads make them.

    `waited` adds up the seconds that callers were held back. One process only: workers that share an
    account share a budget besides.
    """

    def __init__(
        self,
        *,
        calls: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.waited = 0.0
        self._calls = calls
        self._seconds = seconds * _MARGIN
        self._clock = clock
        self._sleep = sleep
        self._starts: deque[float] = deque()  # of the calls in the window, planned ones too
        self._lock = threading.Lock()

    def allow(self, calls: int) -> None:
        """Take over the limit that the CRM tells."""
        with self._lock:
            self._calls = max(1, calls)

    def wait(self) -> None:
        """Return when one more call may leave."""
        with self._lock:
            now = self._clock()
            while len(self._starts) > self._calls or (
                self._starts and self._starts[0] <= now - self._seconds
            ):
                self._starts.popleft()
            start = now
            if len(self._starts) == self._calls:
                start = max(now, self._starts[0] + self._seconds)
            self._starts.append(start)
            pause = start - now
            self.waited += pause
        if pause > 0:
            self._sleep(pause)
