"""How a claim is delivered by a job of the CRM's own, and how a job is settled, by whichever worker looks.

    claimed ── job opened, data uploaded ──commit job's id──► sending ── job closed ──► unknown, with its job
                                                                  └─ worker dies ───────────┘   │
    done ◄── results ◄── ended ◄── look … look ◄──────────────────────────────────────────────┘
             └─ not processed ─► planned       └─ never closed, or gone ─► as after a lost reply

A job does nothing before it is closed, and its id is in the ledger by then. So whoever finds rows with a
job, after a crash too, looks at the job instead of the records. A row goes by a job only on its first
attempt: what comes back from it is sent by calls, whose claims shrink when workers die of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from connectors.crm import Change, RowOutcome, RowResult
from connectors.errors import AmbiguousError, LoginError, SetupError, TerminalError, UpswellError
from connectors.write_jobs import JobState, WriteJobs
from sync.claims import Claim, Claims, Held
from sync.delivery import Delivered, Delivery, Errand, fitting
from sync.operations import CLAIMED, SENDING, UNKNOWN, Operation

logger = logging.getLogger(__name__)

AT_ONCE: Final = 1_000
"""Rows whose outcome is kept in one transaction, so that others come to write in between."""
ROWS_A_SECOND: Final = 500
"""Assumed of a job, for the first look only; each look is an API call."""
FIRST_LOOK: Final = timedelta(seconds=5)
LONGEST: Final = timedelta(seconds=120)
"""Between two looks, which come half as often each time."""


class JobErrand(Errand, Protocol):
    """An errand whose operations jobs can bear."""

    @property
    def jobs(self) -> WriteJobs:
        """The CRM's jobs."""
        ...

    def changes(self, operations: Sequence[Operation]) -> list[Change]:
        """What the operations write."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDelivery:
    """Delivers claims by jobs; what it shares with the delivery by calls is `delivery`.

    `refused` says why the CRM opens no jobs: then there is no use in asking again."""

    delivery: Delivery
    refused: list[str] = field(default_factory=list)

    @property
    def claims(self) -> Claims:
        """The worker's claims."""
        return self.delivery.claims

    def deliver(self, errand: JobErrand, claim: Claim) -> Delivered:
        """What came of the claim so far. Raises as `Delivery.deliver` does."""
        with self.delivery.holding(claim):
            if claim.job is not None:
                return self._settle(errand, claim, claim.job)
            settled, left = self.delivery.screen(errand, claim.rows)
            for part in fitting(left, self.delivery.able.job_bytes):
                settled += self._send(errand, part)
            return settled

    def _send(self, errand: JobErrand, rows: Sequence[Held]) -> Delivered:
        """Let a job bear the rows; they are settled when somebody looks at it."""
        rows = self.claims.renew(rows, CLAIMED)  # the reading took its time
        if not rows:
            return Delivered()
        try:
            opened = errand.jobs.open(errand.changes([row.operation for row in rows]))
        except LoginError:
            raise
        except (SetupError, TerminalError) as error:
            # calls may well be taken where jobs are not; if not, their own error tells
            logger.warning("no job can be opened, so calls are made: %s", error)
            self.refused.append(error.message)
            self.claims.give_back(rows, CLAIMED)
            return Delivered()
        left_out = {result.key: result for result in opened.left_out}
        settled = self.delivery.keep(errand, rows, left_out, CLAIMED)
        if opened.id is None:
            return settled
        borne = [row for row in rows if row.key not in left_out]
        sending = self.claims.send(borne, job=opened.id)
        if len(sending) < len(borne):
            # others took rows of it while it was being opened: it must not write those
            self.claims.give_back(sending, SENDING, unsent=True)
            with suppress(UpswellError):
                errand.jobs.abort(opened.id)
            return settled
        expected = timedelta(seconds=len(sending) / ROWS_A_SECOND)
        try:
            errand.jobs.close(opened.id)
        except UpswellError as error:
            # whether it was closed, a look tells; where it was not, it is aborted then
            self.claims.wait(sending, due_at=self.claims.clock() + FIRST_LOOK)
            if not isinstance(error, AmbiguousError):
                raise
        else:
            self.claims.wait(sending, due_at=self.claims.clock() + FIRST_LOOK + expected)
        return settled

    def _settle(self, errand: JobErrand, claim: Claim, job: str) -> Delivered:
        """Look at the job that bears the claim; once it has ended, keep what became of each row."""
        keys = {row.operation.record_id: row.key for row in claim.rows}
        try:
            found = errand.jobs.look(job, keys)
            if found.state is JobState.OPEN:
                errand.jobs.abort(job)
                found = errand.jobs.look(job, keys)  # a close that was under way may have come first
        except UpswellError:
            raise
        except Exception:
            # a job that our own code can't read is no reason to suspect its rows: they are read themselves
            loose = self.claims.drop_job(claim.rows)
            self.claims.look_again(loose, due_at=self.claims.clock(), counts=False)
            raise
        if found.state in (JobState.OPEN, JobState.RUNNING):
            wait = min(FIRST_LOOK * 2 ** max(row.looks for row in claim.rows), LONGEST)
            self.claims.look_again(claim.rows, due_at=self.claims.clock() + wait, counts=True)
            return Delivered()
        results = {result.key: result for result in found.results}
        settled = Delivered()
        certain = [row for row in claim.rows if row.key in results and not _may_pass(results[row.key])]
        for rows in _slices(self.claims.renew(certain, UNKNOWN)):
            settled += self.delivery.keep(errand, rows, results, UNKNOWN)
            self.delivery.verify(errand, rows, results)
        told = {row.key for row in certain}
        for rows in _slices([row for row in claim.rows if row.key not in told]):
            loose = self.claims.drop_job(rows)
            settled += self.delivery.keep(errand, loose, results, UNKNOWN)
            settled += self.delivery.look_for(errand, [row for row in loose if row.key not in results])
        return settled


def _may_pass(result: RowResult) -> bool:
    """Whether the row is to be tried again: what a look then finds may still be the job's doing."""
    return result.outcome is RowOutcome.FAILED


def _slices(rows: Sequence[Held]) -> list[list[Held]]:
    return [list(rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE)]
