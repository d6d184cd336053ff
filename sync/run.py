"""A run of the ledger while it is under way: its id, and the steps that it notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sync.store import Store
from sync.store.runs import begin_step, finish_step

Clock = Callable[[], datetime]


class Run:
    """Notes each step with its beginning, its end and what it found; `seconds` is how long each took."""

    def __init__(self, store: Store, run_id: str, clock: Clock) -> None:
        self.id = run_id
        self.seconds: dict[str, float] = {}
        self._store = store
        self._clock = clock
        self._position = 0

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Note a step; what the block puts into the dict is kept, and so is the error that ends it."""
        self._position += 1
        position = self._position
        detail: dict[str, Any] = {}
        began = self._clock()
        begin_step(self._store, self.id, position, name, now=began)
        status = "failed"
        try:
            yield detail
            status = "done"
        except BaseException as error:
            detail["error"] = str(error)
            raise
        finally:
            ended = self._clock()
            self.seconds[name] = round((ended - began).total_seconds(), 2)
            finish_step(self._store, self.id, position, now=ended, status=status, detail=detail)
