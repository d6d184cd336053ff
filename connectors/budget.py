"""The API-call budget: how many calls Upswell may make, so that the org's other users keep theirs.

`DailyBudget` counts in one process; the one that all processes share is in `sync/budget.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from connectors.errors import QuotaError

WINDOW: Final = timedelta(hours=24)  # Salesforce counts over a rolling day
TOLD_FOR: Final = timedelta(minutes=10)  # everybody's use as told longer ago refuses nothing: one call asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Parts of the CRM's calls in 24 hours: ours, one run's of ours, and up to where everybody's use may go.

    Raises ValueError for what is no part of 1."""

    ours: float = 0.2
    ceiling: float = 0.8
    run: float = 1.0

    def __post_init__(self) -> None:
        """Refuse percentages."""
        if not all(0 < part <= 1 for part in (self.ours, self.ceiling, self.run)):
            raise ValueError(
                f"shares are parts of 1, not ours {self.ours}, ceiling {self.ceiling}, run {self.run}"
            )

    def of_ours(self, allowed: int) -> int:
        """Calls that we may make in 24 hours, all our processes together."""
        return int(allowed * self.ours)

    def of_run(self, allowed: int) -> int:
        """Calls that one run may make in 24 hours."""
        return int(self.of_ours(allowed) * self.run)

    def of_all(self, allowed: int) -> int:
        """Everybody's calls, from which on we leave the rest to others."""
        return int(allowed * self.ceiling)


class Budget(Protocol):
    """Asked before each API call, told after each reply."""

    def spend(self, calls: int = 1) -> None:
        """Book calls that are about to be made. Raises QuotaError when the budget does not allow them."""
        ...

    def observe(self, *, used: int, limit: int) -> None:
        """What the CRM says about the whole org's use."""
        ...

    def spent(self) -> int:
        """Our calls in 24 hours, as far as they are counted."""
        ...

    def close(self) -> None:
        """Give back what was booked and not used."""
        ...


class DailyBudget:
    """A budget in memory: our share of the org's rolling day, and a ceiling on everybody's use together.

    Until the CRM has told its limit, nothing is refused: the first reply tells it.
    """

    def __init__(
        self, *, share: float = 0.2, ceiling: float = 0.8, now: Callable[[], datetime] | None = None
    ) -> None:
        self._shares = Shares(ours=share, ceiling=ceiling)
        self._now = now if now is not None else lambda: datetime.now(UTC)
        self._spent: deque[tuple[datetime, int]] = deque()  # (minute, calls): at most 1,440 entries
        self._total = 0
        self._used: int | None = None
        self._limit: int | None = None
        self._told_at: datetime | None = None

    def spend(self, calls: int = 1) -> None:
        """Book calls. Raises QuotaError, with the seconds until some of our own share is free again."""
        now = self._now()
        while self._spent and now - self._spent[0][0] >= WINDOW:
            self._total -= self._spent.popleft()[1]
        if self._limit is not None and self._used is not None:
            ours = self._shares.of_ours(self._limit)
            if self._total + calls > ours:
                wait = (self._spent[0][0] + WINDOW - now).total_seconds() if self._spent else None
                raise share_used_up(self._total, ours, retry_after=wait)
            is_fresh = self._told_at is not None and now - self._told_at < TOLD_FOR
            if is_fresh and self._used + calls > self._shares.of_all(self._limit):
                raise ceiling_reached(self._used, self._limit, self._shares)
            self._used += calls  # until the next reply corrects it
        minute = now.replace(second=0, microsecond=0)
        if self._spent and self._spent[-1][0] == minute:
            self._spent[-1] = (minute, self._spent[-1][1] + calls)
        else:
            self._spent.append((minute, calls))
        self._total += calls

    def observe(self, *, used: int, limit: int) -> None:
        """Take over the org's figures from a reply."""
        self._used, self._limit, self._told_at = used, limit, self._now()

    def spent(self) -> int:
        """Our calls of the last 24 hours in this process."""
        return self._total

    def close(self) -> None:
        """Nothing: each call is booked by itself."""


def share_used_up(spent: int, ours: int, *, retry_after: float | None) -> QuotaError:
    """The error for calls past our share of the day."""
    return QuotaError(
        f"Upswell has made {spent:,} of its {ours:,} API calls in 24 hours.",
        fix="It goes on when calls fall out of the 24 hours; or raise daily_share in [budget].",
        retry_after=retry_after,
    )


def run_used_up(spent: int, allowed: int, *, retry_after: float | None) -> QuotaError:
    """The error for calls past what one run may make in a day."""
    return QuotaError(
        f"This run has made {spent:,} of the {allowed:,} API calls that one run may make in 24 hours.",
        fix="It goes on when its calls fall out of the 24 hours; or raise run_share in [budget].",
        retry_after=retry_after,
    )


def ceiling_reached(used: int, limit: int, shares: Shares) -> QuotaError:
    """The error for calls that are left to the org's other users."""
    return QuotaError(
        f"The org has used {used:,} of {limit:,} API calls in 24 hours; "
        f"Upswell leaves everything above {shares.of_all(limit):,} to others.",
        fix="Wait until the org's use falls, or raise org_ceiling in [budget].",
    )
