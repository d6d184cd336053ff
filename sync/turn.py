"""One process's turn at a queued run: it claims step after step, and pieces of shared ones, while it can.

The same turn serves `upswell run` (the whole run, in one process, errors told at once) and a worker, whose
turn ends when others have the rest in hand, when nothing is due yet, or when its time is up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import LedgerError, QuotaError, StateError, TransientError, UpswellError
from model.errors import ModelError
from sync.heartbeat import Heartbeat
from sync.run import ClaimedRun
from sync.steps import STEPS, Skipped, Step
from sync.store.queue import (
    MAX_ATTEMPTS,
    OPEN,
    PAUSED,
    QUEUED,
    RUNNING,
    StepClaim,
    claim_close,
    claim_step,
    fail_claim,
    finish_claim,
    hold_run,
    release_step,
    renew_step,
    reopen_step,
    share_step,
)
from sync.store.runs import run_state

if TYPE_CHECKING:
    from sync.loop import Loop

logger = logging.getLogger(__name__)

FIRST_RETRY: Final = timedelta(minutes=1)  # then four times as long each time: an hour and a half in all
QUOTA_PAUSE: Final = timedelta(hours=1)  # of a quota over a rolling day, an hour gives back a share
UNKNOWN: Final = "unknown"
OTHERS_PAUSE: Final = timedelta(seconds=1)  # between looks while others have the rest in hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How a run stands after a turn; nothing can be done before `due_at`, as far as this process knows.

    `closing`: all pieces of a shared step are done, and somebody is wanted who brings it to its end."""

    status: str
    due_at: datetime | None = None
    closing: bool = False

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.status not in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a turn is taken.

    `holds`: the run is this process's own; an error ends it and is raised, where otherwise what may pass is
    tried again later. `only_shared`: pieces of shared steps, no whole step. `enough` ends the turn before
    the next piece. `interrupts` end the process, not the run. `told` hears of each step that this process
    brought to its end, with its report; `opened` of one that is now open to all."""

    holds: bool = False
    only_shared: bool = False
    enough: Callable[[], bool] = lambda: False
    interrupts: tuple[type[BaseException], ...] = (KeyboardInterrupt, SystemExit)
    told: Callable[[str, Any], None] = lambda _name, _report: None
    opened: Callable[[str], object] = lambda _run_id: None


def take_turn(loop: Loop, run_id: str, manner: Manner) -> Turn:
    """Work on the run as far as it goes now. Raises the step's error where the run is held."""

    def hold(until: datetime) -> None:
        if manner.holds:
            hold_run(loop.store, run_id, until)

    loop.forget()
    try:
        with loop.heartbeat() as beat, beat.holding(hold):
            return _take(loop, run_id, manner, beat)
    finally:
        loop.forget()


def _take(loop: Loop, run_id: str, manner: Manner, beat: Heartbeat) -> Turn:
    while not manner.enough():
        claim = claim_step(
            loop.store,
            run_id,
            loop.owner,
            now=loop.machine_clock(),
            lease=beat.lease,
            holds=manner.holds,
            only_shared=manner.only_shared,
        )
        if claim is None:
            break
        turn = _Part(loop, claim, manner, beat).work()
        if turn is not None:
            return turn
    try:
        run = run_state(loop.store, run_id)
    except StateError:  # a bell that another installation rang, on the same Redis
        return Turn(status=UNKNOWN)
    return Turn(status=run.status, due_at=run.due_at)


class _Part:
    """One claim, worked on: a step, a piece of one, or its end."""

    def __init__(self, loop: Loop, claim: StepClaim, manner: Manner, beat: Heartbeat) -> None:
        self.loop, self.claim, self.manner, self.beat = loop, claim, manner, beat
        self.run = ClaimedRun(claim)
        loop.works_for = claim.run_id
        self.step: Step = STEPS[claim.name]

    def work(self) -> Turn | None:
        """How the turn ends; None to go on. What goes wrong is noted, and raised where the run is held."""
        try:
            if self.claim.shared:
                return self._share()
            self._open()
        except self.manner.interrupts as error:
            if self.manner.holds:
                self._fail(error)
            else:
                release_step(self.loop.store, self.claim, due_at=None, status=QUEUED)
            raise
        except LedgerError:
            raise  # nothing can be noted: the lease runs out, and the step is done again
        except TransientError as error:
            if not self.manner.holds and (self.claim.shared or self.claim.attempts < MAX_ATTEMPTS):
                return self._later(error)
            self._fail(error)
        except Exception as error:  # noqa: BLE001  # a worker goes on with other runs
            self._fail(error)
        return None

    def _open(self) -> None:
        with self._held(self.claim):
            open_it = self.step.alone if self.manner.holds and self.step.alone else self.step.open
            report = open_it(self.loop, self.run)
            if self.step.share is None or report is not None:
                self._finish(report)
                return
        share_step(self.loop.store, self.claim, self.run.detail)
        self.manner.opened(self.claim.run_id)

    def _share(self) -> Turn | None:
        assert self.step.share is not None
        share = self.step.share(self.loop, self.run, self.beat)
        if share.worked:
            return None
        now = self.loop.machine_clock()
        if share.reopen_at is not None:
            reopen_step(self.loop.store, self.claim, due_at=share.reopen_at)
            return Turn(status=PAUSED, due_at=share.reopen_at)
        if share.left:
            return Turn(status=RUNNING, due_at=share.due_at or now + OTHERS_PAUSE)
        return Turn(status=RUNNING, closing=True) if self.manner.only_shared else self._close(now)

    def _close(self, now: datetime) -> Turn | None:
        assert self.step.close is not None
        closing = claim_close(self.loop.store, self.claim, now=now, lease=self.beat.lease)
        if closing is None:
            return Turn(status=RUNNING, due_at=now + OTHERS_PAUSE)
        with self._held(closing):
            report = self.step.close(self.loop, self.run)
            if report is None:
                share_step(self.loop.store, closing, self.run.detail)
            else:
                self._finish(report)
        return None

    def _held(self, claim: StepClaim) -> AbstractContextManager[None]:
        return self.beat.holding(lambda until: renew_step(self.loop.store, claim, until))

    def _finish(self, report: Any) -> None:
        if isinstance(report, Skipped):
            self.run.detail["skipped"] = report.why
        finish_claim(self.loop.store, self.claim, now=self.loop.clock(), detail=self.run.detail)
        self.manner.told(self.claim.name, report)

    def _later(self, error: TransientError) -> Turn:
        """Note that the step is to be tried again, and when."""
        quota = isinstance(error, QuotaError)
        asked = timedelta(seconds=error.retry_after or 0.0)
        wait = max(asked, QUOTA_PAUSE if quota else FIRST_RETRY * 4 ** max(self.claim.attempts - 1, 0))
        due_at = self.loop.machine_clock() + wait
        status = PAUSED if quota else QUEUED
        release_step(self.loop.store, self.claim, due_at=due_at, status=status, counts=not quota)
        logger.warning("run %s, step %s waits: %s", self.claim.run_id, self.claim.name, error)
        return Turn(status=status, due_at=due_at)

    def _fail(self, error: BaseException) -> None:
        """Note that the run has failed. Raises the error again where the run is held."""
        told = error if isinstance(error, UpswellError | ModelError) else None
        message = f"{type(error).__name__}: {error}" if told is None else told.message
        fail_claim(self.loop.store, self.claim, message, now=self.loop.clock())
        if self.manner.holds:
            raise error
        logger.error(
            "run %s, step %s: %s",
            self.claim.run_id,
            self.claim.name,
            error,
            exc_info=error if told is None else None,
        )
