"""Wall-clock times of a zone as moments: what a clock skipped or showed twice is refused, not guessed."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, TEXT, TIME


class MisfitError(ValueError):
    """A cell is not what its column holds; `index` is its row in the batch."""

    def __init__(self, index: int, told: str) -> None:
        super().__init__(told)
        self.index = index


def in_zone(naive: pa.Array, zone: str) -> pa.Array:
    """The moments of wall-clock times. Raises MisfitError for one that did not exist, or was twice."""
    try:
        return pc.assume_timezone(naive, zone, ambiguous="raise", nonexistent="raise").cast(TIME)
    except pa.ArrowInvalid:
        raise _unclear(naive, zone) from None


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
    early = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest")
    late = pc.assume_timezone(naive, zone, ambiguous="latest", nonexistent="latest")
    twice = pc.not_equal(early.cast(TIME), late.cast(TIME))
    skipped = pc.not_equal(pc.local_timestamp(early), naive)
    index = pc.index(pc.or_(twice, skipped), pa.scalar(True)).as_py()
    written = naive.slice(index, 1).cast(TEXT)[0].as_py().split(".")[0]
    what = (
        "was twice, as clocks were set back"
        if twice[index].as_py()
        else "did not exist, as clocks were set forward"
    )
    return MisfitError(index, f"the time {written} {what} in {zone}")
