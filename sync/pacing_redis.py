"""The turns of all processes that call one CRM, kept in Redis where there is one: one message a turn.

The ledger does the same (`sync/pacing.py`) and is used while Redis is away. A Redis that was wiped has
forgotten who called: for one window more calls may leave than are allowed, and the CRM answers them with 429.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

from connectors.pace import Pace, Rate
from sync.pacing import DRIFT, LONGEST_LOOK, lease_of

PREFIX: Final = "upswell:pace"
SOCKET_SECONDS: Final = 3.0  # as for bells: a half-open connection must not hold a call
AWAY_SECONDS: Final = 30.0  # for which Redis is left alone after it failed, or each call would wait for it

_TAKE: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
for at = 1, #KEYS, 2 do
    local rate = (at - 1) / 2 * 3 + 2
    redis.call('ZREMRANGEBYSCORE', KEYS[at], '-inf', now)
    local calls = tonumber(redis.call('GET', KEYS[at + 1]) or ARGV[rate])
    if redis.call('ZCARD', KEYS[at]) >= calls then
        local first = redis.call('ZRANGE', KEYS[at], 0, 0, 'WITHSCORES')
        return tostring(tonumber(first[2]) - now)
    end
end
for at = 1, #KEYS, 2 do
    local rate = (at - 1) / 2 * 3 + 2
    local kept = tonumber(ARGV[rate + 1]) + tonumber(ARGV[rate + 2])
    redis.call('ZADD', KEYS[at], now + kept, ARGV[1])
    redis.call('PEXPIRE', KEYS[at], math.ceil(kept * 1000) + 1000)
end
return '0'
"""
_END: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
for at = 1, #KEYS do
    redis.call('ZADD', KEYS[at], 'XX', now + tonumber(ARGV[at + 1]), ARGV[1])
end
"""


class RedisPace:
    """The pace of every process that uses this Redis and calls the CRM `org`; `fallback` while it is away."""

    def __init__(
        self,
        url: str,
        org: str,
        *,
        longest_call: float,
        fallback: Pace,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS
        )
        self._take = self._redis.register_script(_TAKE)
        self._end = self._redis.register_script(_END)
        self._org = org
        self._longest = longest_call
        self._fallback = fallback
        self._sleep = sleep
        self._waited = 0.0
        self._told: dict[str, int] = {}
        self._away_until = 0.0

    @property
    def waited(self) -> float:
        """Seconds for which our calls were held back."""
        return self._waited + self._fallback.waited

    def allow(self, rate: Rate, calls: int) -> None:
        """Take over the number of calls that the CRM tells, for all processes."""
        calls = max(1, calls)
        if self._told.get(rate.name) == calls:
            return
        self._fallback.allow(rate, calls)
        with suppress(RedisError):  # the next reply tells it again
            self._redis.set(self._limit(rate), calls)
            self._told[rate.name] = calls

    @contextmanager
    def turn(self, *rates: Rate) -> Iterator[None]:
        """A turn for one call, entered when every rate allows it, and left when its reply is there."""
        call = uuid4().hex
        if time.monotonic() < self._away_until:
            with self._fallback.turn(*rates):
                yield
            return
        try:
            while (pause := self._ask(call, rates)) > 0:
                pause = min(pause, LONGEST_LOOK)
                self._waited += pause
                self._sleep(pause)
        except RedisError:
            self._away_until = time.monotonic() + AWAY_SECONDS
            with self._fallback.turn(*rates):
                yield
            return
        try:
            yield
        finally:
            with suppress(RedisError):  # then the turn lapses
                ends = [rate.seconds * (1 + DRIFT) for rate in rates]
                self._end(keys=[self._turns(rate) for rate in rates], args=[call, *ends])

    def close(self) -> None:
        """Give back the connections."""
        self._redis.close()

    def _ask(self, call: str, rates: Sequence[Rate]) -> float:
        """0 when the call may leave, and has its turns; else in how many seconds to look again."""
        keys = [key for rate in rates for key in (self._turns(rate), self._limit(rate))]
        args: list[str | float] = [call]
        for rate in rates:
            args += [rate.calls, rate.seconds * (1 + DRIFT), lease_of(rate, self._longest)]
        return float(self._take(keys=keys, args=args))

    def _turns(self, rate: Rate) -> str:
        return f"{PREFIX}:{{{self._org}}}:{rate.name}:turns"  # the braces keep an org on one node

    def _limit(self, rate: Rate) -> str:
        return f"{PREFIX}:{{{self._org}}}:{rate.name}:calls"
