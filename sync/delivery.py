"""How a claim is delivered: sent, or when that is unknown looked for, with every step in the ledger.

    claimed ──commit──► sending ──HTTP──► results ──commit──► done
                           │                 └─ may pass later ─► planned, backed off
                           ├─ refused as a whole ─► sent again in smaller parts, until the row stands alone
                           └─ reply lost ─► unknown ─ look: took effect ─► done
                                               └─ not there, four times ─► planned

`sending` is in the ledger before the call, so when the ledger fails nothing leaves; when it fails after the
call, the row is found in `sending` and looked for. Cells, tasks and closings differ only in their `Errand`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy.orm import Session

from connectors.crm import Capabilities, RowOutcome, RowResult
from connectors.errors import (
    AmbiguousError,
    QuotaError,
    RemoteError,
    TerminalError,
    TransientError,
    UpswellError,
)
from sync.call_size import CallSize
from sync.claims import Claim, Claims, Held, Outcome, smaller
from sync.operations import CLAIMED, SENDING, UNKNOWN, Operation
from sync.recovery import CRASHES, FIX, LONGEST_WAIT, MESSAGE

REQUESTS: Final = 6
"""HTTP calls that may bear one operation, over its whole life."""
BACKOFF: Final = (1, 4, 15, 30, 30, 60, 120, 300)
"""Seconds before the next attempt, by the attempts so far."""
LOOK_AGAIN: Final = (2, 3, 10)
"""Seconds between looks for a write whose reply was lost: it may land after the call timed out."""
NEW_PLAN: Final = "Look at the record, then make a new plan: upswell plan."

Settled = tuple[Operation, RowResult]
"""An operation and what became of it."""


class Errand(Protocol):
    """What is sent, how one sees whether it took effect, and what is noted down when it did."""

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results, by operation key, of those that need not or must not be sent; reads the CRM."""
        ...

    def send(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """One result for each operation, by its key; one HTTP call that writes."""
        ...

    def look(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that the CRM shows to be settled; the others did not happen."""
        ...

    def verify(self, applied: Sequence[Settled]) -> None:
        """Look at what was just applied, for whoever undoes it at once; it may wait until there is more."""
        ...

    def verify_rest(self) -> None:
        """Look at what still waits for it."""
        ...

    def note(self, session: Session, results: Sequence[Settled], at: datetime) -> None:
        """Keep what took effect, in the transaction that keeps the outcome."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Operations that have their outcome now, and those that the CRM did not take for the time being."""

    done: int = 0
    put_off: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(done=self.done + other.done, put_off=self.put_off + other.put_off)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Delivers claims through errands to a CRM that is able to do what `able` says."""

    claims: Claims
    able: Capabilities
    size: CallSize

    def deliver(self, errand: Errand, claim: Claim) -> Delivered:
        """What came of the claim; operations of unknown outcome are looked for later.

        Raises TransientError, QuotaError, TerminalError or SetupError once the rest was given back."""
        with self.holding(claim):
            if claim.is_unknown:
                return self.look_for(errand, claim.rows)
            settled, left = self.screen(errand, claim.rows)
            for part in fitting(left, self.able.write_bytes):
                settled += self._send(errand, part)
            return settled

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Whatever goes wrong inside, what the claim still holds is given back in the way that fits it."""
        try:
            yield
        except UpswellError as error:
            with suppress(UpswellError):  # when it is the ledger that fails, the lease ends by itself
                self._put_off(claim.rows, error)
            raise
        except Exception:
            with suppress(UpswellError):
                self.claims.blame(claim.rows)
            raise
        except (KeyboardInterrupt, SystemExit):
            with suppress(UpswellError):
                self.claims.abandon(claim.rows)
            raise

    def screen(self, errand: Errand, rows: Sequence[Held]) -> tuple[Delivered, list[Held]]:
        """What came of those that need not or must not be sent, and those that are left."""
        screened = errand.screen([row.operation for row in rows])
        return self.keep(errand, rows, screened, CLAIMED), [row for row in rows if row.key not in screened]

    def _send(self, errand: Errand, rows: Sequence[Held]) -> Delivered:
        began = self.claims.clock()
        sending = self.claims.send(rows)
        if not sending:
            return Delivered()
        if self.claims.clock() + timedelta(seconds=self.able.longest_call) > began + self.claims.lease:
            # the ledger kept us so long that others may think us dead
            self.claims.give_back(sending, SENDING, unsent=True)
            return Delivered()
        try:
            results = self._timed(errand, sending)
        except AmbiguousError:
            return self.look_for(errand, self.claims.lose(sending))
        except TerminalError as error:
            if error.is_about_content:
                return self._send_in_parts(errand, sending, error)
            if error.status is not None and error.status < 400:
                self.claims.lose(sending)  # it answered, but not as a CRM does
            else:
                self._not_taken(errand, sending, error)
            raise
        except UpswellError as error:
            self._not_taken(errand, sending, error)
            raise
        together = [row for row in sending if row.key in results and results[row.key].refused_with]
        told = {key: result for key, result in results.items() if not result.refused_with}
        kept = self.keep(errand, sending, told, SENDING)
        self.verify(errand, sending, told)
        kept += self.look_for(errand, self.claims.lose([row for row in sending if row.key not in results]))
        if together:
            kept += self._send_in_parts(errand, together, _error(results[together[0].key]))
        return kept

    def _timed(self, errand: Errand, rows: Sequence[Held]) -> Mapping[str, RowResult]:
        began = self.claims.clock()
        try:
            return errand.send([row.operation for row in rows])
        finally:
            self.size.note(self.claims.clock() - began)

    def _send_in_parts(self, errand: Errand, rows: Sequence[Held], error: TerminalError) -> Delivered:
        """Send what was refused as a whole in smaller calls; a row that is alone is the one meant."""
        if len(rows) == 1:
            return self.keep(errand, rows, {rows[0].key: _refused(rows[0].key, error)}, SENDING)
        done = self._give_up_spent(errand, rows, error)
        left = [row for row in rows if row.requests < REQUESTS]
        self.claims.hold_on(left)
        size = smaller(self.able.write_batch)
        size = size if len(left) > size else 1
        for start in range(0, len(left), size):
            done += self._send(errand, left[start : start + size])
        return done

    def look_for(self, errand: Errand, rows: Sequence[Held]) -> Delivered:
        """What came of operations of unknown outcome, by what the CRM shows."""
        if not rows:
            return Delivered()
        found = errand.look([row.operation for row in rows])
        settled = self.keep(errand, rows, found, UNKNOWN)
        unseen = [row for row in rows if row.key not in found]
        for look, seconds in enumerate(LOOK_AGAIN):
            due = self.claims.clock() + timedelta(seconds=seconds)
            self.claims.look_again([row for row in unseen if row.looks == look], due_at=due, counts=True)
        absent = [row for row in unseen if row.looks >= len(LOOK_AGAIN)]
        given_up = {row.key: result for row in absent if (result := _given_up(row)) is not None}
        settled += self.keep(errand, absent, given_up, UNKNOWN)
        self.claims.give_back([row for row in absent if row.key not in given_up], UNKNOWN)
        return settled

    def _not_taken(self, errand: Errand, rows: Sequence[Held], error: UpswellError) -> None:
        """What the call bore did not happen; it is tried again while it may be."""
        if isinstance(error, TransientError) and not isinstance(error, QuotaError):
            results = {row.key: _failed(row.key, error) for row in rows}
            self.keep(errand, rows, results, SENDING, retry_after=error.retry_after)
            return
        self._give_up_spent(errand, rows, error)
        self.claims.give_back([row for row in rows if row.requests < REQUESTS], SENDING)

    def _give_up_spent(self, errand: Errand, rows: Sequence[Held], error: UpswellError) -> Delivered:
        spent = [row for row in rows if row.requests >= REQUESTS]
        return self.keep(errand, spent, {row.key: _failed(row.key, error) for row in spent}, SENDING)

    def _put_off(self, rows: Sequence[Held], error: UpswellError) -> None:
        """Give back what the claim still holds: it was not sent, or its outcome is still unknown."""
        asked = error.retry_after if isinstance(error, TransientError) else None
        due = self.claims.clock() + pause(max(row.attempts for row in rows), asked)
        self.claims.give_back(rows, CLAIMED, due_at=due if isinstance(error, TransientError) else None)
        self.claims.look_again(rows, due_at=due, counts=False)

    def keep(
        self,
        errand: Errand,
        rows: Sequence[Held],
        results: Mapping[str, RowResult],
        state: str,
        *,
        retry_after: float | None = None,
    ) -> Delivered:
        """Keep the results there are, of operations that are still ours."""
        at = self.claims.clock()
        outcomes = []
        for row in rows:
            result = results.get(row.key)
            if result is None:
                continue
            is_final = result.outcome is not RowOutcome.FAILED or row.requests >= REQUESTS
            due = None if is_final else at + pause(row.attempts, retry_after)
            if is_final and result.outcome is RowOutcome.FAILED:
                result = replace(result, fix=f"It was sent {row.requests} times. {NEW_PLAN}")
            outcomes.append(Outcome(held=row, result=result, due_at=due))
        self.claims.keep(outcomes, state, lambda session, kept: errand.note(session, kept, self.claims.now))
        put_off = sum(outcome.due_at is not None for outcome in outcomes)
        return Delivered(done=len(outcomes) - put_off, put_off=put_off)

    def verify(self, errand: Errand, rows: Sequence[Held], results: Mapping[str, RowResult]) -> None:
        """Have those that were applied looked at again."""
        applied = [
            (row.operation, results[row.key])
            for row in rows
            if row.key in results and results[row.key].outcome is RowOutcome.APPLIED
        ]
        if applied:
            with suppress(UpswellError):  # the write is confirmed and kept; only the second look is missing
                errand.verify(applied)


def pause(attempts: int, retry_after: float | None = None) -> timedelta:
    """How long to wait after so many attempts, or as long as the CRM asks for; an hour at most."""
    seconds = max(BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1], retry_after or 0.0)
    return min(timedelta(seconds=seconds), LONGEST_WAIT)


def fitting(rows: Sequence[Held], most: int) -> Iterator[Sequence[Held]]:
    """The rows in as few calls as their size allows; what was there before counts too, so it is a bound."""
    part: list[Held] = []
    size = 0
    for row in rows:
        cost = 2 * len(repr(row.operation.payload))
        if part and size + cost > most:
            yield part
            part, size = [], 0
        part.append(row)
        size += cost
    if part:
        yield part


def _failed(key: str, error: UpswellError) -> RowResult:
    return RowResult(
        key=key,
        outcome=RowOutcome.FAILED,
        vendor_code=error.vendor_code if isinstance(error, RemoteError) else None,
        message=error.message,
        fix=error.fix,
    )


def _error(result: RowResult) -> TerminalError:
    """The error with which a part of a call was refused."""
    return TerminalError(result.message or "", vendor_code=result.vendor_code, fix=result.fix)


def _refused(key: str, error: TerminalError) -> RowResult:
    return replace(_failed(key, error), outcome=RowOutcome.REFUSED)


def _given_up(row: Held) -> RowResult | None:
    """The end of an operation that is nowhere to be seen and that may not be sent again."""
    if row.crashes >= CRASHES:
        return RowResult(key=row.key, outcome=RowOutcome.QUARANTINED, message=MESSAGE, fix=FIX)
    if row.requests >= REQUESTS:
        lost = "its reply was lost, and the write did not happen"
        return RowResult(key=row.key, outcome=RowOutcome.FAILED, message=lost, fix=NEW_PLAN)
    return None


def rekeyed(results: Sequence[RowResult], keys: Mapping[str, str]) -> dict[str, RowResult]:
    """Results under our operation keys, from results under the keys that the CRM was given."""
    return {keys[result.key]: replace(result, key=keys[result.key]) for result in results}
