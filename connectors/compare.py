"""What a CRM tells now against what we hold: the rows that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_GROUP: Final = 100_000  # rows that are looked up at once, since each look-up goes through all that we hold


def differing(pages: Iterable[pa.Table], held: pa.Table) -> Iterator[pa.Table]:
    """The pages' rows that we hold with another value in one of their columns, by `crm_id`.

    `held` has the same columns. A row that we do not hold is left out."""
    for group in _groups(pages):
        places = pc.index_in(group["crm_id"].combine_chunks(), value_set=held["crm_id"].combine_chunks())
        known = group.filter(pc.is_valid(places))
        before = held.take(places.drop_null())
        same = pa.array([True] * known.num_rows, pa.bool_())
        for name in group.column_names:
            now, then = known[name].combine_chunks(), before[name].combine_chunks()
            both_empty = pc.and_(pc.is_null(now), pc.is_null(then))
            same = pc.and_(same, pc.or_(both_empty, pc.fill_null(pc.equal(now, then), fill_value=False)))
        moved = known.filter(pc.invert(same))
        if moved.num_rows:
            yield moved


def _groups(pages: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = 0
    for page in pages:
        waiting.append(page)
        rows += page.num_rows
        if rows >= _GROUP:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)
