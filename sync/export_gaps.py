"""Days that are missing from an export, by its own rhythm.

daily     most days have rows: a day without is a gap, but on weekdays that have rows in fewer than half
          of the weeks (a product that nobody uses on Sundays)
slower    a pause longer than 1.5 times the usual one is a gap (weekly figures: more than ten days)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

SLOWEST_DAILY: Final = 3  # days between two with rows, in the median, of what still counts as daily
LONG_PAUSE: Final = 1.5
USUAL: Final = 0.5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Days without rows, the first and the last of them."""

    first: date
    last: date

    def __str__(self) -> str:
        """The day, or the first and last one."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


def gaps(days: Collection[date]) -> tuple[Gap, ...]:
    """The gaps between the first and the last of the days that have rows, in order."""
    held = sorted(set(days))
    pauses = [(later - earlier).days for earlier, later in pairwise(held)]
    if not pauses:
        return ()
    usual = median(pauses)
    if usual > SLOWEST_DAILY:
        return tuple(
            Gap(earlier + _DAY, later - _DAY)
            for earlier, later in pairwise(held)
            if (later - earlier).days > LONG_PAUSE * usual
        )
    return _joined([day for day in _missing(held) if day.weekday() in _busy_weekdays(held)])


def _missing(held: list[date]) -> list[date]:
    return [
        earlier + timedelta(days=after)
        for earlier, later in pairwise(held)
        for after in range(1, (later - earlier).days)
    ]


def _busy_weekdays(held: list[date]) -> frozenset[int]:
    """Weekdays that have rows in at least half of the weeks."""
    seen = Counter(day.weekday() for day in held)
    span = (held[-1] - held[0]).days + 1
    offset = held[0].weekday()
    all_of = Counter((offset + after) % 7 for after in range(span))
    return frozenset(weekday for weekday, count in all_of.items() if seen[weekday] >= USUAL * count)


def _joined(days: list[date]) -> tuple[Gap, ...]:
    """Days one after the other as one gap."""
    found: list[Gap] = []
    for day in days:
        if found and found[-1].last + _DAY == day:
            found[-1] = Gap(found[-1].first, day)
        else:
            found.append(Gap(day, day))
    return tuple(found)
