"""The API-call budget that all processes share: kept in the ledger, booked ahead in blocks.

A block is a few calls that this process may make without asking again: one at first, twice as many each time
that they were soon used up. So a call costs a write to the ledger once in many times, and a process that dies
leaves at most as many calls booked as it has made, until they fall out of the 24 hours.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from connectors.budget import TOLD_FOR, WINDOW, Shares, ceiling_reached, run_used_up, share_used_up
from connectors.errors import LedgerError, QuotaError
from sync.store import Store
from sync.store.calls import CallCountRow, CallOrgRow
from sync.store.locks import machine_clock

LARGEST_BLOCK: Final = 32
BLOCK_LIFE: Final = timedelta(minutes=1)  # a block that is older is given back
COUNTED_IN: Final = timedelta(minutes=10)  # calls are summed up for so long


class SharedBudget:
    """The budget of every process that works on the ledger `store` and calls the CRM `org`.

    `run_of` says for which run calls are made, empty for none; `clock` is the machine's clock."""

    def __init__(
        self,
        store: Store,
        org: str,
        *,
        shares: Shares,
        run_of: Callable[[], str] = str,
        clock: Callable[[], datetime] = machine_clock,
    ) -> None:
        self._store = store
        self._org = org
        self._shares = shares
        self._run_of = run_of
        self._clock = clock
        self._block = 0  # how many calls were booked last, and what is left of them
        self._left = 0
        self._booked_at: datetime | None = None
        self._run = ""
        self._spent = 0  # of all our processes, when we booked last
        self._told: tuple[int, int] | None = None  # (used, allowed), not yet in the ledger
        self._full = False  # the last reply said that the ceiling is reached

    def spend(self, calls: int = 1) -> None:
        """Book calls that are about to be made.

        Raises QuotaError, with the seconds until some of our own share is free again; LedgerError when the
        calls can't be counted."""
        run, now = self._run_of(), self._clock()
        is_current = self._booked_at is not None and abs(now - self._booked_at) < BLOCK_LIFE
        if self._left < calls or run != self._run or not is_current or self._full:
            self._book(calls, run, now)
        self._left -= calls

    def observe(self, *, used: int, limit: int) -> None:
        """Take over the org's figures from a reply; the ledger has them with the next block."""
        self._told = (used, limit)
        self._full = used >= self._shares.of_all(limit)

    def spent(self) -> int:
        """Our calls in 24 hours, of all processes, as of the last block."""
        return self._spent - self._left

    def close(self) -> None:
        """Give back what is left of the block, and keep what the CRM said last.

        Without the ledger it stays booked, until it falls out of the 24 hours."""
        if self._booked_at is None:
            return
        with suppress(LedgerError), self._store.counting() as connection:
            self._settle(connection, self._clock())
        self._told, self._left = None, 0

    def _book(self, calls: int, run: str, now: datetime) -> None:
        """Take the next block. Raises QuotaError when there is no room even for `calls`."""
        age = None if self._booked_at is None else abs(now - self._booked_at)
        was_used_soon = self._left < calls and age is not None and age < BLOCK_LIFE
        with self._store.counting() as connection:
            self._settle(connection, now)
            spent = _spent(connection, self._org, now)
            room, refusal = self._room(connection, run, spent, max(calls, LARGEST_BLOCK), now)
            wanted = max(calls, min(2 * self._block, LARGEST_BLOCK)) if was_used_soon else calls
            block = min(wanted, room) if room >= calls else 0
            if block:
                _add(connection, self._org, _bucket(now), run, block)
                used = {"used": CallOrgRow.used + block}  # until the next reply corrects it
                connection.execute(update(CallOrgRow).where(CallOrgRow.org == self._org).values(used))
        self._told, self._full = None, False
        self._block = self._left = block
        self._spent, self._run, self._booked_at = spent + block, run, now
        if refusal is not None and not block:
            raise refusal

    def _room(
        self, connection: Connection, run: str, spent: int, most: int, now: datetime
    ) -> tuple[int, QuotaError | None]:
        """How many calls may be booked, at most `most`, and the error for whoever needs more."""
        told = select(CallOrgRow.used, CallOrgRow.allowed, CallOrgRow.told_at)
        row = connection.execute(told.where(CallOrgRow.org == self._org)).one_or_none()
        if row is None:
            return most, None  # the first reply tells the limit
        shares, room, refusal = self._shares, most, None
        ours, one_run = shares.of_ours(row.allowed), shares.of_run(row.allowed)
        of_run = _spent(connection, self._org, now, run=run) if run else 0
        if ours - spent < room:
            wait = _wait(connection, self._org, now)
            room, refusal = ours - spent, share_used_up(spent, ours, retry_after=wait)
        if one_run - of_run < room:
            wait = _wait(connection, self._org, now, run=run)
            room, refusal = one_run - of_run, run_used_up(of_run, one_run, retry_after=wait)
        everybodys = shares.of_all(row.allowed) - row.used
        if everybodys < room and abs(now - row.told_at) < TOLD_FOR:
            room, refusal = everybodys, ceiling_reached(row.used, row.allowed, shares)
        elif everybodys < room:
            room = min(room, 1)
        return max(room, 0), refusal

    def _settle(self, connection: Connection, now: datetime) -> None:
        """Keep what the CRM said last, and give back what is left of the block."""
        if self._told is not None:
            row = {"used": self._told[0], "allowed": self._told[1], "told_at": now}
            of_org = update(CallOrgRow).where(CallOrgRow.org == self._org)
            if not connection.execute(of_org.values(row)).rowcount:
                connection.execute(insert(CallOrgRow), {"org": self._org, **row})
        if self._left and self._booked_at is not None:
            _add(connection, self._org, _bucket(self._booked_at), self._run, -self._left)


def _add(connection: Connection, org: str, since: datetime, run: str, calls: int) -> None:
    """Count calls of a run, or less of them; what fell out of the 24 hours is forgotten."""
    key = (CallCountRow.org == org, CallCountRow.since == since, CallCountRow.run_id == run)
    more = update(CallCountRow).where(*key).values(calls=CallCountRow.calls + calls)
    if not connection.execute(more).rowcount and calls > 0:
        row = {"org": org, "since": since, "run_id": run, "calls": calls}
        connection.execute(insert(CallCountRow), row)
        old = (CallCountRow.org == org, CallCountRow.since <= since - WINDOW - COUNTED_IN)
        connection.execute(delete(CallCountRow).where(*old))


def _of_the_day(org: str, now: datetime, run: str | None) -> tuple[ColumnElement[bool], ...]:
    """The rows that count: as long as any of their calls may lie within the 24 hours."""
    rows = (CallCountRow.org == org, CallCountRow.since > now - WINDOW - COUNTED_IN, CallCountRow.calls > 0)
    return rows if run is None else (*rows, CallCountRow.run_id == run)


def _spent(connection: Connection, org: str, now: datetime, *, run: str | None = None) -> int:
    """Our calls in 24 hours, of all runs or of one."""
    total = select(func.coalesce(func.sum(CallCountRow.calls), 0)).where(*_of_the_day(org, now, run))
    return int(connection.execute(total).scalar_one())


def _wait(connection: Connection, org: str, now: datetime, *, run: str | None = None) -> float | None:
    """Seconds until the oldest of our calls fall out of the 24 hours; None when there are none."""
    oldest = select(func.min(CallCountRow.since)).where(*_of_the_day(org, now, run))
    since: datetime | None = connection.execute(oldest).scalar_one()
    return None if since is None else (since + WINDOW + COUNTED_IN - now).total_seconds()


def _bucket(now: datetime) -> datetime:
    """The beginning of the ten minutes in which a call is counted."""
    return now - timedelta(minutes=now.minute % 10, seconds=now.second, microseconds=now.microsecond)
