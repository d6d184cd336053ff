"""A run of the ledger while it is under way: its id, and the steps that it notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol

from sync.store import Store
from sync.store.queue import StepClaim
from sync.store.runs import begin_step, finish_step

Clock = Callable[[], datetime]


class Run(Protocol):
    """What a step needs of its run: the id, and a place for what it finds."""

    @property
    def id(self) -> str:
        """The run's id."""

    @property
    def by(self) -> str:
        """Who asked for it, where that is not whoever runs this process; else empty."""

    def step(self, name: str) -> AbstractContextManager[dict[str, Any]]:
        """Note a step; what the block puts into the dict is kept."""


class NotedRun:
    """A verb's own run: notes each step with its beginning, its end and what it found, or the error."""

    def __init__(self, store: Store, run_id: str, clock: Clock) -> None:
        self.id = run_id
        self.by = ""
        self._store = store
        self._clock = clock
        self._position = 0

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Note a step; what the block puts into the dict is kept, and so is the error that ends it."""
        self._position += 1
        position = self._position
        detail: dict[str, Any] = {}
        begin_step(self._store, self.id, position, name, now=self._clock())
        status = "failed"
        try:
            yield detail
            status = "done"
        except BaseException as error:
            detail["error"] = str(error)
            raise
        finally:
            finish_step(self._store, self.id, position, now=self._clock(), status=status, detail=detail)


class ClaimedRun:
    """A queued run, of which this process holds one step or a share of it.

    What the step finds is collected in `detail`; whoever made the claim keeps it in the ledger."""

    def __init__(self, claim: StepClaim) -> None:
        self.id = claim.run_id
        self.by = claim.created_by
        self.claim = claim
        self.detail: dict[str, Any] = dict(claim.detail)

    @contextmanager
    def step(self, _name: str) -> Iterator[dict[str, Any]]:
        """The dict in which the step collects what it finds."""
        yield self.detail
