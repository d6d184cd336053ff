"""Rows of a file as canonical rows: by a layout, cast strictly, each rule of an export applied on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.canonical import DAY, TEXT, TIME
from connectors.errors import InputError
from connectors.exports.casting import counted_times, plain, typed, zone_marks
from connectors.exports.clock import MisfitError, day_starts
from connectors.exports.delivered import Delivered
from connectors.exports.groups import spread
from connectors.exports.layout import Layout
from connectors.exports.places import Columns, Numbers, Rows
from connectors.exports.plausible import check_times
from connectors.exports.spec import REQUIRED, ExportSpec

VENDORS_OWN: Final = "$"
"""How events begin that an analytics vendor makes by itself, such as $pageview."""
_MAY_BE_NULL: Final = frozenset({("events", "user_id"), *((kind, "account_key") for kind in REQUIRED)})
_SLICE: Final = 500_000  # rows that one row which stands for many becomes at once
_MOST: Final = 10_000_000  # events that one row may stand for
_NOTHING: Final = pa.scalar(None, TEXT)


class Conform:
    """One file's way from its own columns to the canonical ones; it remembers what earlier rows said."""

    def __init__(self, spec: ExportSpec, layout: Layout, now: datetime | None) -> None:
        self._spec = spec
        self._layout = layout
        self._now = now
        self._places = places_of(spec, layout)
        self._delivered = Delivered() if layout.delivery else None
        self._zones: dict[str, tuple[str, str]] = {}  # column: where a time has a zone, where one has none

    def batches(self, rows: Rows, values: Mapping[str, pa.Array]) -> Iterator[pa.RecordBatch]:
        """The rows in the canonical schema; `values` are the file's by path. Raises InputError."""
        values = {path: _plain(path, cells, rows) for path, cells in values.items()}
        kept = self._kept(rows.count, values)
        if kept is not None:
            values = {path: cells.take(kept) for path, cells in values.items()}
            rows = _taken(rows, kept.to_numpy())
        if not rows.count:
            return
        arrays = {field.name: self._column(field, rows, values) for field in self._spec.schema}
        self._check_required(rows, arrays)
        self._default(arrays, values)
        batch = pa.RecordBatch.from_arrays(
            [arrays[name] for name in self._spec.schema.names], schema=self._spec.schema
        )
        if self._layout.lists:
            batch = spread(batch, rows, self._layout.account_fix)
        yield from self._repeated(batch, rows, values)

    def _kept(self, count: int, values: Columns) -> pa.Array | None:
        """The rows of this kind that were not delivered before; None for all."""
        keep = np.ones(count, bool)
        if self._layout.only is not None:
            path, wanted = self._layout.only
            cells = values.get(path, pa.nulls(count, TEXT))
            keep &= pc.is_in(cells, value_set=pa.array(list(wanted))).to_numpy(zero_copy_only=False)
        if self._layout.named is not None:
            named = values.get(self._layout.named, pa.nulls(count, TEXT))
            keep &= named.is_valid().to_numpy(zero_copy_only=False)
        if self._delivered is not None and keep.any():
            parts = [_first_of(places, values, count) for places in self._layout.delivery]
            at = np.flatnonzero(keep)
            keep[at] = self._delivered.fresh([part.take(pa.array(at)) for part in parts])
        return None if keep.all() else pa.array(np.flatnonzero(keep))

    def _column(self, field: pa.Field, rows: Rows, values: Columns) -> pa.Array:
        """One canonical column: of the places that the layout names, the first that holds a value."""
        found = [path for path in self._places.get(field.name, ()) if path in values]
        if not found:
            return pa.nulls(rows.count, field.type)
        arrays = [self._cast(field, path, rows, values) for path in found]
        cells = arrays[0] if len(arrays) == 1 else pc.coalesce(*arrays)
        if field.name in self._layout.nulls:
            nothing = pc.equal(cells, self._layout.nulls[field.name])
            cells = pc.if_else(pc.fill_null(nothing, False), pa.scalar(None, field.type), cells)
        if field.name == "user_id" and self._layout.nobody is not None:
            path, pattern = self._layout.nobody
            if path in values:
                mark = pc.match_substring_regex(_text(values[path]), pattern)
                cells = pc.if_else(pc.fill_null(mark, False), _NOTHING, cells)
        return cells

    def _cast(self, field: pa.Field, path: str, rows: Rows, values: Columns) -> pa.Array:
        name, spec, cells = field.name, self._spec, values[path]
        utc = name in self._layout.utc
        zone = "UTC" if utc else spec.zone
        try:
            if name in self._layout.epochs:
                counted, cells = self._counted(name, cells, values)
                cast = pc.coalesce(counted, typed(cells, field.type, zone))
            else:
                cast = typed(cells, field.type, zone)
                if field.type == TIME and not utc and not spec.timezone:
                    self._check_zones(path, rows, cells)
            check_times(spec.kind, name, cast, self._now)
        except (MisfitError, pa.ArrowException, UnicodeDecodeError) as error:  # a zone's name may be damaged
            misfit = error if isinstance(error, MisfitError) else MisfitError(0, str(error))
            raise InputError(
                f"{path}: {error}.",
                record=rows.where(misfit.index),
                fix=f"{misfit.fix}; nothing of it was used.",
            ) from None
        return cast

    def _counted(self, name: str, cells: pa.Array, values: Columns) -> tuple[pa.Array, pa.Array]:
        """Times that count from 1970, and the cells that are none."""
        if name not in self._layout.wall:
            return counted_times(cells, "UTC")
        seen = values.get(self._layout.wall[name])
        return counted_times(cells, self._spec.zone, None if seen is None else counted_times(seen, "UTC")[0])

    def _check_zones(self, path: str, rows: Rows, cells: pa.Array) -> None:
        """Raise InputError where some times of a column name a zone and others don't."""
        zoned, bare = zone_marks(cells)
        with_zone, without = self._zones.get(path, ("", ""))
        with_zone = with_zone or (rows.where(zoned) if zoned >= 0 else "")
        without = without or (rows.where(bare) if bare >= 0 else "")
        self._zones[path] = with_zone, without
        if with_zone and without:
            raise InputError(
                f"{path}: this time names no zone, others do ({with_zone}).",
                record=without,
                fix='Say which zone it is meant in: timezone = "UTC", or another one, in its [[exports]].',
            )

    def _check_required(self, rows: Rows, arrays: Columns) -> None:
        for name in REQUIRED[self._spec.kind]:
            if (self._spec.kind, name) not in _MAY_BE_NULL and arrays[name].null_count:
                index = pc.index(arrays[name].is_null(), pa.scalar(True)).as_py()
                raise InputError(
                    f"{(*self._places.get(name, ()), name)[0]} is empty.",
                    record=rows.where(index),
                    fix="Each row needs it; correct the file. Nothing of it was used.",
                )

    def _default(self, arrays: dict[str, pa.Array], values: Columns) -> None:
        """What follows from other columns where the file does not say it itself."""
        if self._spec.kind == "events" and "feature" not in self._places:
            # most products name their events after what was used; $… are the vendor's own, of every page
            own = pc.starts_with(arrays["event"], VENDORS_OWN)
            arrays["feature"] = pc.if_else(own, _NOTHING, arrays["event"])
        if self._spec.kind == "tickets":
            arrays["is_closed"] = pc.coalesce(arrays["is_closed"], arrays["closed_at"].is_valid())
        if "known_from" in arrays:
            default = self._known_from(arrays, values)
            arrays["known_from"] = pc.coalesce(arrays["known_from"], default)

    def _known_from(self, arrays: Columns, values: Columns) -> pa.Array:
        """When each row became known; see the docstring of table.py."""
        kind, zone = self._spec.kind, self._spec.zone
        if kind == "events":
            over = pa.repeat(pa.scalar(timedelta(0)), len(arrays["at"]))
            for path, length in reversed(list(self._layout.lasts.items())):
                if path in values:
                    over = pc.if_else(values[path].is_valid(), pa.scalar(length), over)
            return pc.add(arrays["at"], over) if self._layout.lasts else arrays["at"]
        if kind == "tickets":
            return arrays["created_at"]
        if kind == "usage":
            length = pc.cast(pc.coalesce(arrays["period_days"], pa.scalar(1, pa.int64())), pa.int32())
            end = pc.add(arrays["period_start"].cast(pa.int32()), length).cast(DAY)
            return day_starts(end, zone)
        if kind == "billing":
            return day_starts(pc.coalesce(arrays["period_end"], arrays["period_start"]), zone, after=1)
        if kind == "entitlements":
            return day_starts(arrays["valid_from"], zone)
        return day_starts(arrays["occurred_on"], zone, after=1)

    def _repeated(self, batch: pa.RecordBatch, rows: Rows, values: Columns) -> Iterator[pa.RecordBatch]:
        """Each row as often as it says, in batches that are not too long."""
        path = self._layout.repeat
        if path is None or path not in values:
            yield batch
            return
        try:
            times = typed(values[path], pa.int64(), "UTC")
            low = pc.index(pc.fill_null(pc.less(times, 0), True), pa.scalar(True)).as_py()
            high = pc.index(pc.greater(times, _MOST), pa.scalar(True)).as_py()
            if low >= 0 or high >= 0:
                index = low if low >= 0 else high
                raise MisfitError(index, f"{times[index].as_py()} is no number of events")
        except MisfitError as error:
            raise InputError(
                f"{path}: {error}.", record=rows.where(error.index), fix="Correct the file; nothing was used."
            ) from None
        ends = np.cumsum(times.to_numpy())
        for start in range(0, int(ends[-1]), _SLICE):
            wanted = np.arange(start, min(start + _SLICE, int(ends[-1])))
            yield batch.take(pa.array(np.searchsorted(ends, wanted, side="right")))


def places_of(spec: ExportSpec, layout: Layout) -> dict[str, tuple[str, ...]]:
    """Where each canonical column is looked for: what the settings say, else the layout."""
    places = {name: layout.columns[name] for name in spec.schema.names if name in layout.columns}
    if spec.account_key != "account_key":
        places["account_key"] = (spec.account_key,)
    return places | {name: (path,) for name, path in spec.columns.items()}


def wanted_paths(spec: ExportSpec, layout: Layout) -> list[str]:
    """Every path that must be read of a file."""
    paths = [path for places in places_of(spec, layout).values() for path in places]
    paths += [path for places in layout.delivery for path in places]
    paths += [each[0] for each in (layout.only, layout.nobody) if each is not None]
    paths += [*layout.lasts, *layout.wall.values()]
    paths += [each for each in (layout.repeat, layout.named) if each is not None]
    return list(dict.fromkeys(paths))


def _plain(path: str, cells: pa.Array, rows: Rows) -> pa.Array:
    try:
        return plain(cells)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{path}: {error}.", record=rows.source, fix="Write it as text; nothing of it was used."
        ) from None


def _first_of(places: tuple[str, ...], values: Columns, count: int) -> pa.Array:
    found = [_text(values[path]) for path in places if path in values]
    return pc.coalesce(*found) if found else pa.nulls(count, TEXT)


def _text(cells: pa.Array) -> pa.Array:
    return cells if cells.type == TEXT else cells.cast(TEXT)


def _taken(rows: Rows, kept: Numbers) -> Rows:
    """Some of the rows; each keeps its line, or its number where there are no lines."""
    if rows.lines is not None:
        lines = rows.lines[kept]
        return Rows(columns={}, count=len(kept), source=rows.source, lines=lines, first_row=None)
    numbers = kept + (rows.first_row or 1)
    return Rows(columns={}, count=len(kept), source=rows.source, lines=None, first_row=None, numbers=numbers)
