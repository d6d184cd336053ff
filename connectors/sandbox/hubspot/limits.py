"""Rate limits: so many calls in ten seconds, so many a day, five searches a second.

Source: "API usage guidelines and limits": the policies' names, the headers, and that search replies carry
none. All by the machine's clock, because they protect a real server.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from connectors.sandbox.hubspot.settings import Settings
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Response

WINDOW_SECONDS = 10.0
BURST, DAILY, SECONDLY = "TEN_SECONDLY_ROLLING", "DAILY", "SECONDLY"
_WORDS = {BURST: "ten_secondly_rolling", DAILY: "daily", SECONDLY: "secondly"}


class RateLimits:
    """Counts the calls of one app."""

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings = settings
        self._monotonic = monotonic
        self._now = now
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()
        with store.transaction() as sql:
            sql.execute("CREATE TABLE IF NOT EXISTS api_usage (day TEXT PRIMARY KEY, calls INTEGER)")

    def admit(self, *, search: bool) -> str | None:
        """Count a call, or say which limit refuses it."""
        at = self._monotonic()
        _forget(self._calls, at - WINDOW_SECONDS)
        _forget(self._searches, at - 1.0)
        if self.used >= self._settings.daily:
            return DAILY
        if search and len(self._searches) >= self._settings.searches:
            return SECONDLY
        if len(self._calls) >= self._settings.burst:
            return BURST
        self._calls.append(at)
        if search:
            self._searches.append(at)
        with self._store.transaction() as sql:
            sql.execute(
                "INSERT INTO api_usage VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET calls = calls + 1",
                (self._day,),
            )
        return None

    @property
    def used(self) -> int:
        """Calls so far today."""
        found = self._store.select("SELECT calls FROM api_usage WHERE day = ?", (self._day,))
        return int(found[0][0] or 0) if found else 0

    @property
    def resets_at(self) -> datetime:
        """When the day's count starts again."""
        today = datetime.fromtimestamp(self._now(), UTC)
        return today.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)

    def headers(self, *, search: bool, token: str) -> dict[str, str]:
        """The headers of a reply; search has none, and OAuth apps have no daily limit of their own."""
        if search:
            return {}
        shown = {
            "X-HubSpot-RateLimit-Max": str(self._settings.burst),
            "X-HubSpot-RateLimit-Remaining": str(max(0, self._settings.burst - len(self._calls))),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(WINDOW_SECONDS * 1000)),
        }
        if token == "private":  # noqa: S105  # a kind of token
            shown["X-HubSpot-RateLimit-Daily"] = str(self._settings.daily)
            shown["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self._settings.daily - self.used))
        return shown

    @property
    def _day(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).date().isoformat()


def too_many(policy: str) -> Response:
    """The 429 of a policy."""
    body = {
        "status": "error",
        "message": f"You have reached your {_WORDS.get(policy, policy.lower())} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
        "policyName": policy,
    }
    return Response.of(429, body, api_calls=0)


def _forget(calls: deque[float], before: float) -> None:
    while calls and calls[0] <= before:
        calls.popleft()
