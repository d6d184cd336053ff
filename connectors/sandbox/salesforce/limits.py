"""The org's daily API quota, counted over a rolling day of the sandbox's time.

Sources: "API Request Limits and Allocations", Salesforce Developer Limits Quick Reference; "Limits" and
"Limit Info Header", REST API Developer Guide.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.store import Store


class Quota:
    """API calls used in the last 24 hours against what the org may use."""

    def __init__(self, *, store: Store, clock: Clock, daily: int) -> None:
        self._store = store
        self._clock = clock
        self.daily = daily
        with store.transaction() as sql:
            sql.execute(
                "CREATE TABLE IF NOT EXISTS api_usage (hour TEXT PRIMARY KEY, calls INTEGER NOT NULL)"
            )

    def used(self) -> int:
        """Calls in the last 24 hours."""
        since = _hour(self._clock.now() - timedelta(hours=23))
        rows = self._store.select("SELECT coalesce(sum(calls), 0) FROM api_usage WHERE hour >= ?", (since,))
        return int(rows[0][0] or 0)

    def count(self, calls: int) -> None:
        """Add calls to the present hour."""
        if calls:
            with self._store.transaction() as sql:
                sql.execute(
                    "INSERT INTO api_usage VALUES (?, ?)"
                    " ON CONFLICT (hour) DO UPDATE SET calls = calls + excluded.calls",
                    (_hour(self._clock.now()), calls),
                )

    def check(self) -> None:
        """Raises RefusalError 403 REQUEST_LIMIT_EXCEEDED when nothing is left."""
        if self.used() >= self.daily:
            raise RefusalError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def header(self) -> str:
        """The Sforce-Limit-Info header."""
        return f"api-usage={self.used()}/{self.daily}"

    def body(self) -> dict[str, dict[str, int]]:
        """What /limits answers."""
        return {
            "DailyApiRequests": {"Max": self.daily, "Remaining": max(0, self.daily - self.used())},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DataStorageMB": {"Max": 1_024, "Remaining": 1_000},
            "SingleEmail": {"Max": 5_000, "Remaining": 5_000},
        }


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H")
