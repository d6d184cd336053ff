"""Calls spread over time, so that the CRM's rates are met instead of run into: each call has its turn.

The clock of a turn runs from the end of the call that had it before, because only then is it sure that the
CRM has counted that call: whatever the network does, no window holds more calls than there are turns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

_MARGIN: Final = 0.05  # of the seconds: a call whose end is not told yet is thought to arrive within them


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `calls` in any `seconds`; with 0 seconds, at most `calls` at once.

    With `strict`, a call that has not ended keeps its turn, and its end is told at once. Without, that is
    only waited for within the margin, which is cheaper and exact enough where the seconds are many."""

    name: str
    calls: int
    seconds: float
    strict: bool = False

    @property
    def margin(self) -> float:
        """Seconds for which a turn is kept on top of the others while its call has not ended."""
        return self.seconds * _MARGIN


class Pace(Protocol):
    """Lets calls out when it is their turn, whoever makes them."""

    @property
    def waited(self) -> float:
        """Seconds for which our calls were held back."""
        ...

    def turn(self, *rates: Rate) -> AbstractContextManager[None]:
        """A turn for one call, entered when every rate allows it, and left when its reply is there."""
        ...

    def allow(self, rate: Rate, calls: int) -> None:
        """Take over the number of calls that the CRM tells."""
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...


class LocalPace:
    """A pace for the calls of this process only; `clock` and `sleep` are replaceable."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.waited = 0.0
        self._clock = clock
        self._sleep = sleep
        self._calls: dict[str, int] = {}
        self._turns: dict[str, list[float]] = {}  # when each turn is free again, planned ones too
        self._lock = threading.Lock()

    def allow(self, rate: Rate, calls: int) -> None:
        """Take over the number of calls that the CRM tells."""
        with self._lock:
            self._calls[rate.name] = max(1, calls)

    def close(self) -> None:
        """Nothing: there are none."""

    def allowed(self, name: str) -> int | None:
        """The number of calls that the CRM told for a rate; None before it has."""
        return self._calls.get(name)

    @contextmanager
    def turn(self, *rates: Rate) -> Iterator[None]:
        """A turn for one call, entered when every rate allows it."""
        with self._lock:
            now = self._clock()
            start = max([now, *(self._free(rate, now) for rate in rates)])
            held = {rate: start + rate.seconds + rate.margin for rate in rates}
            for rate, until in held.items():
                self._turns[rate.name].append(until)
            self.waited += start - now
        if start > now:
            self._sleep(start - now)
        try:
            yield
        finally:
            with self._lock:
                ended = self._clock()
                for rate, until in held.items():
                    turns = self._turns[rate.name]
                    if until in turns:
                        turns[turns.index(until)] = max(ended, start) + rate.seconds

    def _free(self, rate: Rate, now: float) -> float:
        """When one more call of this rate may leave."""
        calls = self._calls.get(rate.name, rate.calls)
        busy = sorted(until for until in self._turns.get(rate.name, ()) if until > now)
        self._turns[rate.name] = busy
        return busy[len(busy) - calls] if len(busy) >= calls else now
