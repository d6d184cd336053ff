"""The lake's events by day: partials (`model/partials.py`), written once beside each segment of events.

A segment `events/NAME` has twins `user_day/NAME…`, `feature_day/NAME…` and `session_day/NAME…`. The model
reads these and never the events again, so a day's run costs its new files. Twins that are missing (an older
lake, a crash between two commits) or of an older layout, which their file's name tells, are worked out when
they are read, and written by the next `reduce_events`.

Events of a warehouse stay there: what they come to by day was counted there and has no events beside it. Such
partials are known by the name of their source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final
from uuid import uuid4

import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq

from model.partials import LAYOUT, PARTIALS, partial_schema, partials_of
from sync.export_copies import COUNTED, counted_source
from sync.lake import Lake
from sync.lake_engine import arrow_view
from sync.reduction import ACCOUNT, EVENTS, reduce_segment
from sync.segments import Segment, write_segment
from sync.store.tables import SegmentRow

WITNESS: Final = "user_day"  # every event is in it, so where there are events it has rows


def usage_by_key(lake: Lake) -> dict[str, ir.Table]:
    """Every partial by `account_key`. Raises InputError when a segment's file is gone or cut."""
    events, twins = lake.segments(EVENTS), _twins(lake)
    reduced = {_name(twin) for twin in twins[WITNESS] if _is_of_now(twin)}
    raw = [segment for segment in events if _name(segment) not in reduced]
    current = {_name(segment) for segment in events} & reduced
    missing = partials_of(lake.read(raw), ACCOUNT) if raw else {}
    found = {}
    for partial, segments in twins.items():
        held = [each for each in segments if _is_of_now(each) and _name(each) in current]
        held += [each for each in segments if _is_counted(each)]
        parts = [_columns(lake.read(held), partial)] if held else []
        parts += [missing[partial]] if raw else []
        found[partial] = _all(lake, partial, parts)
    return found


def reduce_events(lake: Lake, *, run_id: str | None, now: datetime) -> int:
    """Write the twins that are missing and let go of those whose events are gone; how many were written."""
    events, twins = lake.segments(EVENTS), _twins(lake)
    wanted = {_name(segment): segment for segment in events}
    own = [twin for twin in twins[WITNESS] if not _is_counted(twin)]
    held = {_name(twin): twin.source for twin in own if _is_of_now(twin)}
    stale = {twin.source for twin in own if _name(twin) not in wanted}
    sources = stale | {segment.source for name, segment in wanted.items() if name not in held}
    if not sources:
        return 0
    written = 0
    for source in sorted(sources):
        fresh = [segment for segment in events if segment.source == source]
        made = [twin for segment in fresh for twin in _reduced(lake, segment)]
        lake.commit(made, run_id=run_id, now=now, replace=[(partial, source) for partial in PARTIALS])
        written += len(made)
    return written


def partials_by_key(events: ir.Table) -> Mapping[str, ir.Table]:
    """The partials of events in their canonical columns, as expressions where the events are."""
    return partials_of(events, ACCOUNT)


def stage_counted(
    lake: Lake, files: Mapping[str, Path], *, name: str, first: datetime | None, last: datetime | None
) -> list[Segment]:
    """Segments of partials that were counted elsewhere, on the disk but not listed.

    `first` and `last` are the moments of their events. Raises InputError when a file is no such partial."""
    own = uuid4().hex
    made = []
    for partial, path in files.items():
        with pq.ParquetFile(path) as file:
            segment = write_segment(
                lake.folder,
                f"{partial}/{own}.parquet",
                partial,
                file.iter_batches(),
                source=counted_source(name),
                schema=partial_schema(partial, ACCOUNT),
            )
        if segment is not None:
            made.append(replace(segment, first_at=first, last_at=last))
    return made


def _is_of_now(twin: SegmentRow) -> bool:
    """Whether a twin of a segment has the present layout."""
    return f".{LAYOUT}-" in PurePosixPath(twin.path).name


def _columns(held: ir.Table, partial: str) -> ir.Table:
    """A partial's columns; what was counted elsewhere before a column came counts none of it."""
    schema = partial_schema(partial, ACCOUNT)
    absent = {name: ibis.literal(0, "int32") for name in schema.names if name not in held.columns}
    return held.mutate(**absent).select(*schema.names)


def _is_counted(segment: SegmentRow) -> bool:
    return segment.source.startswith(COUNTED)


def _twins(lake: Lake) -> dict[str, list[SegmentRow]]:
    return {partial: lake.segments(partial) for partial in PARTIALS}


def _reduced(lake: Lake, segment: SegmentRow) -> Iterator[Segment]:
    for partial, rows in reduce_segment(lake.file(segment)).items():
        made = write_segment(
            lake.folder,
            # a second one is another file
            f"{partial}/{_name(segment)}.{LAYOUT}-{uuid4().hex[:8]}.parquet",
            partial,
            rows,
            source=segment.source,
            schema=partial_schema(partial, ACCOUNT),
        )
        if made is not None:
            yield made


def _all(lake: Lake, partial: str, parts: Sequence[ir.Table]) -> ir.Table:
    if not parts:
        return arrow_view(lake.connection, partial_schema(partial, ACCOUNT).empty_table())
    whole, *rest = parts
    return whole.union(*rest) if rest else whole


def _name(segment: SegmentRow) -> str:
    """What a segment and its twins have in common."""
    return PurePosixPath(segment.path).name.split(".")[0]
