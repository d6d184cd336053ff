"""When a schedule is due: cron lines on the clock of a zone, and intervals, through every clock change.

As Debian's cron has it. A job at fixed hours runs once for each time: where the clock skips that time, at the
end of the gap; where it comes twice, the first time. A job whose minute or hour begins with a star goes by
the clock as it stands: what is skipped is left out, what comes twice runs twice. cronsim finds the times of
a line on a clock that never changes; its own way through changes skips slots where the clock moves by half
an hour (Lord Howe), and may give a slot before the moment it was asked from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

SECOND: Final = timedelta(seconds=1)
REGIME: Final = timedelta(days=3)  # no zone's clock changes twice within it
HORIZON: Final = timedelta(days=1500)  # a schedule without a slot for that long (29 February) has none
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When a job is due: a cron line in a zone, or every so many seconds from 1970 on; not in quiet hours."""

    cron: str | None
    every_seconds: int | None
    zone: ZoneInfo
    quiet: Sequence[str] = ()

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The slots after the moment, in UTC, one after the other; they end where none comes for years."""
        last = moment
        for slot in self._all(moment):
            if slot - last > HORIZON:
                return
            if not self._is_quiet(slot):
                last = slot
                yield slot

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots after the one moment and up to the other."""
        found = takewhile(lambda slot: slot <= until, self._all(after, until))
        return (slot for slot in found if not self._is_quiet(slot))

    def _all(self, moment: datetime, until: datetime | None = None) -> Iterator[datetime]:
        if self.cron is None:
            return self._intervals(moment)
        minute, hour = self.cron.split()[:2]
        if minute.startswith("*") or hour.startswith("*"):
            return self._by_the_clock(self.cron, moment, until)
        return self._at_fixed_hours(self.cron, moment)

    def _intervals(self, moment: datetime) -> Iterator[datetime]:
        assert self.every_seconds is not None
        step = timedelta(seconds=self.every_seconds)
        slot = EPOCH + (moment - EPOCH) // step * step
        while True:
            slot += step
            yield slot

    def _at_fixed_hours(self, cron: str, moment: datetime) -> Iterator[datetime]:
        last = moment
        for wall in CronSim(cron, _wall(moment, self.zone)):
            slot = self._first_moment(wall)
            if slot > last:  # several times within a gap are one moment
                last = slot
                yield slot

    def _by_the_clock(self, cron: str, moment: datetime, until: datetime | None) -> Iterator[datetime]:
        """Regime by regime: within one the clock runs evenly, so that its times are moments at an offset."""
        cursor = moment
        while until is None or cursor < until:
            offset, end = self._offset(cursor + SECOND), self._end_of_regime(cursor + SECOND)
            times = CronSim(cron, (cursor + offset).replace(tzinfo=None))
            slot = next(times, None)
            if slot is None:
                return
            while slot is not None and (found := slot.replace(tzinfo=UTC) - offset) < end:
                yield found
                slot = next(times, None)
            cursor = end - SECOND

    def _first_moment(self, wall: datetime) -> datetime:
        """The first moment at which the clock shows that time, or the end of the gap that swallows it."""
        moment = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if _wall(moment, self.zone) == wall:
            return moment
        before = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)  # by the offset after the gap
        return self._change(before, moment)

    def _end_of_regime(self, start: datetime) -> datetime:
        end = start + REGIME
        return end if self._offset(end) == self._offset(start) else self._change(start, end)

    def _change(self, low: datetime, high: datetime) -> datetime:
        """The first whole second after `low` with another offset than there; `high` has another."""
        offset = self._offset(low)
        while high - low > SECOND:
            middle = low + (high - low) / 2
            low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
        return high.replace(microsecond=0)

    def _offset(self, moment: datetime) -> timedelta:
        found = moment.astimezone(self.zone).utcoffset()
        assert found is not None
        return found

    def _is_quiet(self, slot: datetime) -> bool:
        at = f"{slot.astimezone(self.zone):%H:%M}"
        for hours in self.quiet:
            start, end = hours.split("-")
            if (start <= at < end) if start <= end else (at >= start or at < end):
                return True
        return False


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall of that zone shows."""
    return moment.astimezone(zone).replace(tzinfo=None)
