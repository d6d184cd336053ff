"""How one batch of operations is sent: once, and when that is unknown, by looking before sending again.

    planned ──commit──► sending ──HTTP──► results ──commit──► done
                           │
                           └─ reply lost ─► look: took effect ─► done
                                                 did not       ─► sent again, at most ATTEMPTS times

Cells, tasks and closings differ only in their `Errand`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy.orm import Session

from connectors.crm import RowOutcome, RowResult
from connectors.errors import AmbiguousError, QuotaError, TerminalError, TransientError
from sync.operations import Operation, mark_done, mark_sending, mark_waiting
from sync.store.engine import Store

ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 1.0


Settled = tuple[Operation, RowResult]
"""An operation and what became of it."""


class Errand(Protocol):
    """What is sent, how one sees whether it took effect, and what is noted down when it did."""

    @property
    def looks(self) -> int:
        """How often "not there" must be seen before sending again: a lost write may land a moment later."""
        ...

    def screen(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results, by operation key, of those that need not or must not be sent; reads the CRM."""
        ...

    def send(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """One result for each operation, by its key; one HTTP call that writes."""
        ...

    def look(self, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        """Results of those that the CRM shows to be settled; the others did not happen."""
        ...

    def note(self, session: Session, results: Sequence[Settled], at: datetime) -> None:
        """Keep what took effect, in the transaction that keeps the outcome."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Sends operations through an errand and keeps every step in the ledger."""

    store: Store
    now: datetime
    sleep: Callable[[float], None]

    def deliver(self, errand: Errand, batch: Sequence[Operation]) -> None:
        """Send one batch; each operation's outcome is in the ledger afterwards.

        Raises TransientError (the unsent stay planned, those of unknown outcome stay sending)."""
        screened = errand.screen(batch)
        self._keep(errand, batch, screened)
        left = [operation for operation in batch if operation.key not in screened]
        for attempt in range(1, ATTEMPTS + 1):
            if not left:
                return
            results = self._attempt(errand, left, is_last=attempt == ATTEMPTS)
            if attempt < ATTEMPTS:  # a row that may pass later is tried again at once, then kept as failed
                results = {k: r for k, r in results.items() if r.outcome is not RowOutcome.FAILED}
            self._keep(errand, left, results)
            left = [operation for operation in left if operation.key not in results]
            if left:
                self.sleep(PAUSE_SECONDS * attempt)

    def settle(self, errand: Errand, operations: Sequence[Operation]) -> None:
        """Find out what became of operations whose reply was lost; those not done are planned again."""
        results = self._look(errand, operations)
        self._keep(errand, operations, results)
        with self.store.begin() as session:
            undone = [operation for operation in operations if operation.key not in results]
            mark_waiting(session, undone, self.now)

    def _attempt(
        self, errand: Errand, operations: Sequence[Operation], *, is_last: bool
    ) -> Mapping[str, RowResult]:
        with self.store.begin() as session:
            mark_sending(session, operations, self.now)
        try:
            return errand.send(operations)
        except AmbiguousError as lost:
            results = dict(self._look(errand, operations))
            if is_last:
                for operation in operations:
                    results.setdefault(operation.key, _failed(operation.key, lost))
            return results
        except (QuotaError, TerminalError):
            self._back_to_waiting(operations)
            raise
        except TransientError:
            if is_last:
                self._back_to_waiting(operations)
                raise
            return {}

    def _look(self, errand: Errand, operations: Sequence[Operation]) -> Mapping[str, RowResult]:
        results: dict[str, RowResult] = {}
        for look in range(1, errand.looks + 1):
            unseen = [operation for operation in operations if operation.key not in results]
            if not unseen:
                break
            if look > 1:
                self.sleep(PAUSE_SECONDS * look)
            results |= errand.look(unseen)
        return results

    def _keep(
        self, errand: Errand, operations: Sequence[Operation], results: Mapping[str, RowResult]
    ) -> None:
        pairs = [(op, results[op.key]) for op in operations if op.key in results]
        if not pairs:
            return
        with self.store.begin() as session:
            mark_done(session, pairs, self.now)
            errand.note(session, pairs, self.now)

    def _back_to_waiting(self, operations: Sequence[Operation]) -> None:
        with self.store.begin() as session:
            mark_waiting(session, operations, self.now)


def _failed(key: str, error: TransientError) -> RowResult:
    return RowResult(
        key=key,
        outcome=RowOutcome.FAILED,
        vendor_code=error.vendor_code,
        message=f"the reply was lost {ATTEMPTS} times and the write did not happen",
        fix="Apply the plan again.",
    )


def rekeyed(results: Sequence[RowResult], keys: Mapping[str, str]) -> dict[str, RowResult]:
    """Results under our operation keys, from results under the keys that the CRM was given."""
    return {keys[result.key]: replace(result, key=keys[result.key]) for result in results}
