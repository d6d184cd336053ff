"""The API-call budget: how many calls Upswell may make, so that the org's other users keep theirs.

This counter lives in one process. `sync/` will put a shared one in SQL or Redis behind `Budget`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from connectors.errors import QuotaError

_WINDOW: Final = timedelta(hours=24)  # Salesforce counts over a rolling day


class Budget(Protocol):
    """Asked before each API call, told after each reply."""

    def spend(self, calls: int = 1) -> None:
        """Book calls that are about to be made. Raises QuotaError when the budget does not allow them."""
        ...

    def observe(self, *, used: int, limit: int) -> None:
        """What the CRM says about the whole org's use."""
        ...


class DailyBudget:
    """A budget in memory: our share of the org's rolling day, and a ceiling on everybody's use together.

    Until the CRM has told its limit, nothing is refused: the first reply tells it.
    """

    def __init__(
        self, *, share: float = 0.2, ceiling: float = 0.8, now: Callable[[], datetime] | None = None
    ) -> None:
        if not 0 < share <= 1 or not 0 < ceiling <= 1:
            raise ValueError(f"share and ceiling are parts of 1, not {share} and {ceiling}")
        self._share = share
        self._ceiling = ceiling
        self._now = now if now is not None else lambda: datetime.now(UTC)
        self._spent: deque[tuple[datetime, int]] = deque()  # (minute, calls): at most 1,440 entries
        self._total = 0
        self._used: int | None = None
        self._limit: int | None = None

    def spend(self, calls: int = 1) -> None:
        """Book calls. Raises QuotaError, with the seconds until some of our own share is free again."""
        now = self._now()
        while self._spent and now - self._spent[0][0] >= _WINDOW:
            self._total -= self._spent.popleft()[1]
        if self._limit is not None and self._used is not None:
            ours = int(self._limit * self._share)
            if self._total + calls > ours:
                wait = (self._spent[0][0] + _WINDOW - now).total_seconds() if self._spent else None
                raise QuotaError(
                    f"Upswell has made {self._total:,} of its {ours:,} API calls in 24 hours.",
                    fix="It goes on when calls fall out of the 24 hours; or raise its share in [budget].",
                    retry_after=wait,
                )
            allowed = int(self._limit * self._ceiling)
            if self._used + calls > allowed:
                raise QuotaError(
                    f"The org has used {self._used:,} of {self._limit:,} API calls in 24 hours; "
                    f"Upswell leaves everything above {allowed:,} to others.",
                    fix="Wait until the org's use falls, or raise the ceiling in [budget].",
                )
            self._used += calls  # until the next reply corrects it
        minute = now.replace(second=0, microsecond=0)
        if self._spent and self._spent[-1][0] == minute:
            self._spent[-1] = (minute, self._spent[-1][1] + calls)
        else:
            self._spent.append((minute, calls))
        self._total += calls

    def observe(self, *, used: int, limit: int) -> None:
        """Take over the org's figures from a reply."""
        self._used, self._limit = used, limit
