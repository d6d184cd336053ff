"""Rows of the lake with new values in some of their columns.

Some things change without moving a record's stamp (HubSpot's associations). A connector then tells the ids
and the columns that it found changed, and the rest of each row is what the lake holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

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


class Told:
    """The records that a pull brings by itself, which need no stitching: they are newer than what we hold."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def noted(self, pages: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The pages as they come, their records noted."""
        for page in pages:
            self._ids.update(page["crm_id"].to_pylist())
            yield page

    def without(self, pages: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The pages without records that were noted by then.

        One that was archived since has lost its associations, and must not come back to life for that."""
        for page in pages:
            known = pc.is_in(page["crm_id"], value_set=pa.array(sorted(self._ids), pa.string()))
            rest = page.filter(pc.invert(known))
            if rest.num_rows:
                yield rest


def stitched(lake: Lake, table: str, pages: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Whole rows: pages that are whole as they are, the others filled up from the lake.

    Pages with different columns may tell of the same row. One that the lake does not hold is left out: its
    record is told by the pull that finds it."""
    schema = schema_of(table)
    parts: dict[tuple[str, ...], list[pa.Table]] = {}
    for page in pages:
        if set(page.column_names) == set(schema.names):
            yield page
        else:
            parts.setdefault(tuple(page.column_names), []).append(page)
    if not parts:
        return
    joined = lake.tables()[table]
    columns: dict[str, ir.Value] = {name: ibis._[name] for name in schema.names}
    changed = []
    for number, (names, found) in enumerate(parts.items()):
        told = pa.concat_tables(found).rename_columns([f"told{number}_{name}" for name in names])
        new = arrow_view(lake.connection, told)
        joined = joined.left_join(new, joined.crm_id == new[f"told{number}_crm_id"])
        is_told = ibis._[f"told{number}_crm_id"].notnull()
        changed.append(is_told)
        for name in set(names) - {"crm_id"}:
            columns[name] = is_told.ifelse(ibis._[f"told{number}_{name}"], columns[name])
    rows = joined.filter(reduce(or_, changed)).select(**columns)
    yield rows.to_pyarrow().cast(schema)
