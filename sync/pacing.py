"""The turns of all processes that call one CRM, kept in the ledger: together they stay within its rates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Float,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    select,
    update,
)

from connectors.errors import LedgerError
from connectors.pace import Rate
from sync.store import Store
from sync.store.calls import CallRateRow, CallTurnRow

LONGEST_LOOK: Final = 0.25  # seconds between two looks whether a turn is free
ARRIVES_WITHIN: Final = 10.0  # seconds after which the CRM has surely counted a call: it connects within five
DRIFT: Final = 0.002  # clocks are slewed by at most 500 parts in a million, ours and the CRM's

_ORG: Final[BindParameter[str]] = bindparam("of_org")
_RATE: Final[BindParameter[str]] = bindparam("of_rate")
_OF_RATE = and_(CallTurnRow.org == _ORG, CallTurnRow.rate == _RATE)
# a clock that was set back must not keep a turn for the time that was
_BUSY = CallTurnRow.free_at.between(bindparam("after"), bindparam("latest"))
_LOOK = select(
    select(CallRateRow.calls).where(CallRateRow.org == _ORG, CallRateRow.rate == _RATE).scalar_subquery(),
    func.count(),
    func.count().filter(_BUSY),
    func.min(case((_BUSY, CallTurnRow.free_at))),
    func.min(case((_BUSY, None), else_=CallTurnRow.turn)),
).where(_OF_RATE)
_TAKE = (
    update(CallTurnRow)
    .where(_OF_RATE, CallTurnRow.turn == bindparam("of_turn"))
    .values(free_at=bindparam("until"))
)
_TELL_END = (
    update(CallTurnRow)
    .where(_OF_RATE, CallTurnRow.turn == bindparam("of_turn"), CallTurnRow.free_at == bindparam("held_until"))
    .values(free_at=bindparam("until"))
)
_SERVER_CLOCK = select(cast(func.extract("epoch", func.clock_timestamp()), Float(53)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A turn that we hold until its call has ended; `until` is what its row says."""

    rate: Rate
    turn: int
    until: float


class SharedPace:
    """The pace of every process that works on the ledger `store` and calls the CRM `org`.

    `longest_call` is how many seconds a call may take. Turns of a process that died are free after it, or a
    while after the CRM must have counted its call.
    `clock` is the database server's on PostgreSQL, and the machine's on SQLite, unless it is given."""

    def __init__(
        self,
        store: Store,
        org: str,
        *,
        longest_call: float,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.waited = 0.0
        self._store = store
        self._org = org
        self._longest = longest_call
        self._clock = clock
        self._sleep = sleep
        self._told: dict[str, int] = {}
        self._ended: list[tuple[_Held, float]] = []  # with our clock: told with the next turn

    def allow(self, rate: Rate, calls: int) -> None:
        """Take over the number of calls that the CRM tells, for all processes."""
        calls = max(1, calls)
        if self._told.get(rate.name) == calls:
            return
        told = update(CallRateRow).where(CallRateRow.org == self._org, CallRateRow.rate == rate.name)
        with self._store.counting() as connection:
            if not connection.execute(told.values(calls=calls)).rowcount:
                row = {"org": self._org, "rate": rate.name, "calls": calls}
                connection.execute(insert(CallRateRow), row)
        self._told[rate.name] = calls

    def close(self) -> None:
        """Nothing: the connections are the ledger's."""

    @contextmanager
    def turn(self, *rates: Rate) -> Iterator[None]:
        """A turn for one call, entered when every rate allows it, and left when its reply is there."""
        held = self._take(rates)
        while isinstance(held, float):
            pause = min(held, LONGEST_LOOK)
            self.waited += pause
            self._sleep(pause)
            held = self._take(rates)
        try:
            yield
        finally:
            ended = time.monotonic() if self._clock is None else self._clock()
            self._ended += [(each, ended) for each in held]
            if any(rate.strict for rate in rates):
                self._tell_now()

    def _take(self, rates: Sequence[Rate]) -> list[_Held] | float:
        """The turns of a call that may leave now; else in how many seconds to look again."""
        with self._store.counting() as connection:
            now = self._now(connection)
            self._tell_ends(connection, now)
            free: list[tuple[Rate, int, bool]] = []
            for rate in rates:
                of_rate = {"of_org": self._org, "of_rate": rate.name}
                latest = now + rate.seconds * (1 + DRIFT) + lease_of(rate, self._longest)
                look = {**of_rate, "after": now, "latest": latest}
                calls, turns, busy, soonest, turn = connection.execute(_LOOK, look).one()
                if busy >= (calls or rate.calls):
                    return max(float(soonest) - now, 0.001)
                free.append((rate, turns if turn is None else turn, turn is None))
            return [self._hold(connection, rate, turn, now, is_new) for rate, turn, is_new in free]

    def _hold(self, connection: Connection, rate: Rate, turn: int, now: float, is_new: bool) -> _Held:
        """Take a turn until its call has surely been counted by the CRM."""
        until = now + rate.seconds * (1 + DRIFT) + lease_of(rate, self._longest)
        if is_new:
            row = {"org": self._org, "rate": rate.name, "turn": turn, "free_at": until}
            connection.execute(insert(CallTurnRow), row)
        else:
            what = {"of_org": self._org, "of_rate": rate.name, "of_turn": turn, "until": until}
            connection.execute(_TAKE, what)
        return _Held(rate=rate, turn=turn, until=until)

    def _tell_now(self) -> None:
        """Write when our calls ended; without the ledger their turns are kept longer, and that is all."""
        with suppress(LedgerError), self._store.counting() as connection:
            self._tell_ends(connection, self._now(connection))

    def _tell_ends(self, connection: Connection, now: float) -> None:
        """Write when our calls ended, unless a turn was lost to another meanwhile."""
        if not self._ended:
            return
        calls, self._ended = self._ended, []
        here = time.monotonic() if self._clock is None else now
        told = [
            {
                "of_org": self._org,
                "of_rate": held.rate.name,
                "of_turn": held.turn,
                "held_until": held.until,
                "until": now - (here - ended) + held.rate.seconds * (1 + DRIFT),
            }
            for held, ended in calls
        ]
        connection.execute(_TELL_END, told)

    def _now(self, connection: Connection) -> float:
        """Seconds since 1970 by the clock that all processes share."""
        if self._clock is not None:
            return self._clock()
        if connection.dialect.name == "postgresql":
            return float(connection.execute(_SERVER_CLOCK).scalar_one())
        return time.time()


def lease_of(rate: Rate, longest_call: float) -> float:
    """Seconds for which a turn is kept on top of its own while its call has not ended."""
    if not rate.strict:
        return rate.margin
    return min(longest_call, ARRIVES_WITHIN) if rate.seconds else longest_call
