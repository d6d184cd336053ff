"""Rows of the lake with new values in some of their columns.

Some things change without moving a record's stamp (HubSpot's associations). A connector then tells the ids
and the columns that it found changed, and the rest of each row is what the lake holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import ibis
import pyarrow as pa

from connectors.canonical import schema_of
from connectors.crm import Held
from sync.lake import Lake
from sync.lake_engine import arrow_view


def live_rows(lake: Lake) -> Held:
    """Columns of a table's rows as the lake holds them, deleted ones left out."""

    def of(table: str, columns: Sequence[str]) -> pa.Table:
        rows = lake.tables()[table]
        live = rows.filter(~ibis.coalesce(rows.is_deleted, False))
        schema = pa.schema([schema_of(table).field(name) for name in columns])
        return live.select(*columns).to_pyarrow().cast(schema)

    return of


def stitched(lake: Lake, table: str, pages: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Whole rows: pages that are whole as they are, the others filled up from the lake.

    A row that the lake does not hold is left out: its record is told by the pull that finds it."""
    schema = schema_of(table)
    parts: dict[tuple[str, ...], list[pa.Table]] = {}
    for page in pages:
        if set(page.column_names) == set(schema.names):
            yield page
        else:
            parts.setdefault(tuple(page.column_names), []).append(page)
    for names, found in parts.items():
        new = arrow_view(lake.connection, pa.concat_tables(found))
        rows = lake.tables()[table]
        columns = {name: new[name] if name in names else rows[name] for name in schema.names}
        joined = rows.inner_join(new, rows.crm_id == new.crm_id)
        yield joined.select(**columns).to_pyarrow().cast(schema)
