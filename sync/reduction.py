"""Segments of events reduced to days, one after another, by queries that are put together once.

To put the queries of one segment together costs as much as running them on 100,000 events, and a first
reading has hundreds of segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import ibis
import pyarrow as pa
from ibis.util import gen_name

from connectors.canonical import schema_of
from model.partials import by_day, partials_of_days
from sync.lake import Lake
from sync.lake_engine import batches_of, day_of
from sync.store.tables import SegmentRow

EVENTS: Final = "events"
ACCOUNT: Final = ("account_key",)


class Reduction:
    """The partials of any number of segments of a lake; the events of each are read once."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._view, self._table = gen_name("upswell_events"), gen_name("upswell_days")
        events = ibis.table(ibis.schema(schema_of(EVENTS)), name=self._view)
        days = by_day(events.mutate(at=day_of(events["at"]), known_from=day_of(events.known_from)), ACCOUNT)
        self._schema = days.schema()
        kept = ibis.table(self._schema, name=self._table)
        compiled = lake.connection.compile
        self._fill = compiled(days)
        self._queries = {name: compiled(made) for name, made in partials_of_days(kept, ACCOUNT).items()}

    def partials(self, segment: SegmentRow) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
        """Each partial of the segment and its rows, which must be read before the next one is asked for.

        Raises InputError when the segment's file is gone or cut."""
        connection = self._lake.connection
        self._lake.read([segment], name=self._view)
        connection.create_table(self._table, schema=self._schema, temp=True)
        try:
            connection.con.sql(self._fill).insert_into(self._table)
            for name, query in self._queries.items():
                yield name, batches_of(connection, query)
        finally:
            connection.raw_sql(f"DROP TABLE {self._table}")
