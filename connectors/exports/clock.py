"""Wall-clock times of a zone as moments: what a clock skipped or showed twice is refused, not guessed."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, TEXT, TIME


class MisfitError(ValueError):
    """A cell is not what its column holds; `index` is its row in the batch, `fix` what to do about it."""

    def __init__(self, index: int, told: str, fix: str = "Correct the file or the column mapping") -> None:
        super().__init__(told)
        self.index = index
        self.fix = fix


def in_zone(naive: pa.Array, zone: str) -> pa.Array:
    """The moments of wall-clock times. Raises MisfitError for one that did not exist, or was twice."""
    try:
        return pc.assume_timezone(naive, zone, ambiguous="raise", nonexistent="raise").cast(TIME)
    except pa.ArrowInvalid:
        raise _unclear(naive, zone) from None


def settled(naive: pa.Array, zone: str, seen: pa.Array | None) -> pa.Array:
    """As in_zone, but of two moments that a clock showed the same, the later one that was not after `seen`.

    `seen` are moments at which each was known elsewhere: an event is not processed before it happens, and
    most are within seconds. Without it such a time is refused."""
    if seen is None:
        return in_zone(naive, zone)
    early, late = _both(naive, zone)
    twice = pc.not_equal(early, late)
    known = pc.and_(pc.fill_null(twice, False), seen.is_valid())
    chosen = pc.if_else(pc.less_equal(late, seen), late, early)
    return pc.if_else(known, chosen, in_zone(pc.if_else(known, pa.scalar(None, naive.type), naive), zone))


def local_days(times: pa.Array, zone: str) -> pa.Array:
    """The calendar day in the zone."""
    return pc.local_timestamp(times.cast(pa.timestamp("us", tz=zone))).cast(DAY, safe=False)


def day_starts(days: pa.Array, zone: str, *, after: int = 0) -> pa.Array:
    """The first moment of the day in the zone, `after` days later, in UTC.

    It is midnight, but where clocks change at midnight: the moment of the change, or the first of two
    midnights."""
    naive = days.cast(pa.timestamp("us"))
    if after:
        naive = pc.add(naive, pa.scalar(timedelta(days=after)))
    return pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest").cast(TIME)


def _unclear(naive: pa.Array, zone: str) -> MisfitError:
    """The first wall-clock time that a clock change skipped or repeated."""
    early, late = _both(naive, zone)
    twice = pc.not_equal(early, late)
    skipped = pc.not_equal(pc.local_timestamp(early.cast(pa.timestamp("us", tz=zone))), naive)
    index = pc.index(pc.or_(twice, skipped), pa.scalar(True)).as_py()
    written = naive.slice(index, 1).cast(TEXT)[0].as_py().split(".")[0]
    what = (
        "was twice, as clocks were set back"
        if twice[index].as_py()
        else "did not exist, as clocks were set forward"
    )
    return MisfitError(
        index, f"the time {written} {what} in {zone}", "Export times in UTC, or with their offset"
    )


def _both(naive: pa.Array, zone: str) -> tuple[pa.Array, pa.Array]:
    """The first and the last moment at which a clock of the zone showed each time."""
    early = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest")
    late = pc.assume_timezone(naive, zone, ambiguous="latest", nonexistent="latest")
    return early.cast(TIME), late.cast(TIME)
