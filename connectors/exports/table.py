"""Any export file as a canonical table: a vendor's own format, or rows and columns of the company's own.

The shape (CSV, JSON lines, Parquet, gzip or a zip of them) and the format are told by the content unless the
spec declares the format; the file's name means nothing. A bad file raises InputError with file, line, reason
and fix, and none of it may be used.

Where a file has no `known_from`, a row is known from events the event's time usage the end of its period
(period_start + period_days; the next day without period_days) billing the day after period_end (after
period_start where there is no end) entitlements its first day triggers the day after it occurred tickets its
creation; what its closing tells counts from closed_at each at midnight in the spec's zone. A null
`account_key` stays null (the row belongs to no account), and so does an event's `user_id` (nobody was logged
in). Where a file has no `is_closed`, a ticket with a `closed_at` is closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

import pyarrow as pa

from connectors.errors import InputError
from connectors.exports.conform import Conform, places_of, wanted_paths
from connectors.exports.documents import Document, document_of
from connectors.exports.formats import TABLE, finished, format_of, layouts_of
from connectors.exports.layout import Layout
from connectors.exports.parts import parts_of
from connectors.exports.reach import Reach
from connectors.exports.spec import REQUIRED, ExportFile, ExportSpec


def read_export(spec: ExportSpec, file: ExportFile, *, now: datetime | None = None) -> pa.Table:
    """The whole file in the canonical schema of the spec's kind. Raises InputError."""
    return pa.Table.from_batches(iter_export(spec, file, now=now), schema=spec.schema)


def iter_export(
    spec: ExportSpec, file: ExportFile, *, now: datetime | None = None
) -> Iterator[pa.RecordBatch]:
    """The file batch by batch (some 100,000 rows each), in the canonical schema.

    With `now`, what happened more than a day later is refused. An InputError may come after good batches:
    keep them apart until the last one is there."""
    documents = [
        document for part in parts_of(file.path) if (document := document_of(part, spec.encoding)) is not None
    ]
    if not documents:
        raise InputError("The file is empty.", record=str(file.path), fix="Export it again, or take it away.")
    for name, together in groupby(documents, lambda one: format_of(spec, one.names, one.part.name)):
        yield from finished(spec, name, _read(spec, list(together), name, now))


def _read(
    spec: ExportSpec, documents: Sequence[Document], name: str, now: datetime | None
) -> Iterator[pa.RecordBatch]:
    """The canonical rows of documents of one format."""
    layouts = layouts_of(spec, name)
    conforms = [Conform(spec, layout, now) for layout in layouts]
    wanted = list(dict.fromkeys(path for layout in layouts for path in wanted_paths(spec, layout)))
    for document in documents:
        reach = Reach(document.names, wanted, objects=document.has_objects)
        _check_places(spec, layouts[0], document, reach, is_table=name == TABLE)
        for rows in document.rows(reach.columns):
            values = reach.values(rows)
            for conform in conforms:
                yield from conform.batches(rows, values)


def _check_places(
    spec: ExportSpec, layout: Layout, document: Document, reach: Reach, *, is_table: bool
) -> None:
    """Raise InputError for a required or mapped column that the file lacks."""
    found = reach.paths
    places = places_of(spec, layout)
    mapped = [name for name in spec.columns if name not in REQUIRED[spec.kind]]
    for name in (*REQUIRED[spec.kind], *mapped):
        if any(path in found for path in places.get(name, ())):
            continue
        setting = "account_key" if name == "account_key" else f"columns = {{ {name} = … }}"
        if name not in places:
            raise InputError(
                f"Nothing says which account a row of {spec.kind} belongs to.",
                record=document.part.name,
                fix=f"Set {layout.account_fix or setting} in its [[exports]].",
            )
        # an object may lack what others have; only a table's header names everything
        if is_table or (name in spec.columns and not document.has_objects):
            shown = ", ".join(sorted(document.names)[:20]) or "none"
            raise InputError(
                f"The file has no column '{places[name][0]}' for {spec.kind}.{name}; its columns: {shown}.",
                record=document.part.name,
                fix=f"Name the right column by {setting} in [[exports]].",
            )
