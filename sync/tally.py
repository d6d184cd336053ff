"""What goes by while an export file is read: rows by day, first and last moment, a sample of its events.

Days are those of the company's zone: a day of its calendar without rows then shows as one, wherever UTC
cuts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.canonical import DAY
from model.days import calendar_date
from sync.event_sample import EventSample
from sync.segments import TIME_COLUMN


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one file's rows as they go by."""

    table: str
    zone: str
    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None
    by_day: Counter[date] = field(default_factory=Counter)
    sample: EventSample = field(default_factory=EventSample)

    @property
    def days(self) -> dict[str, int]:
        """Rows by ISO day, in order."""
        return {day.isoformat(): rows for day, rows in sorted(self.by_day.items())}

    def add_days(self, user_day: Path, rows: int) -> None:
        """Count events that were counted by day elsewhere; their days are UTC's."""
        self.rows += rows
        with pq.ParquetFile(user_day) as file:
            for batch in file.iter_batches(columns=["at", "events"]):
                days = pa.Table.from_batches([batch]).group_by("at").aggregate([("events", "sum")])
                for day in days.to_pylist():
                    self.by_day[calendar_date(day["at"])] += day["events_sum"]
        if self.by_day:
            self.first, self.last = (
                datetime(day.year, day.month, day.day, tzinfo=UTC)
                for day in (min(self.by_day), max(self.by_day))
            )

    def over(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches, counted."""
        for batch in batches:
            self.add(batch)
            yield batch

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch in the canonical schema."""
        self.rows += batch.num_rows
        times = batch[TIME_COLUMN[self.table]].cast(pa.timestamp("us", tz="UTC"))
        seen = pc.min_max(times).as_py()
        if seen["min"] is not None:
            self.first = seen["min"] if self.first is None else min(self.first, seen["min"])
            self.last = seen["max"] if self.last is None else max(self.last, seen["max"])
            local = pc.local_timestamp(times.cast(pa.timestamp("us", tz=self.zone)))
            counted = pc.value_counts(local.cast(DAY, safe=False))
            for each in counted.to_pylist():
                if each["values"] is not None:
                    self.by_day[each["values"]] += each["counts"]
        if self.table == "events":
            self.sample.add(batch)
