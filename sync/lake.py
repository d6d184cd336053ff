"""The lake: canonical tables as immutable Parquet segments, listed in the ledger, read through Ibis.

A segment's file is written first, under a name of its own; its ledger row, the bookmark and whatever the
caller adds follow in one transaction. A crash in between leaves a file that nothing names: `sweep` removes
it. The newest version of a record wins on reading, so rows that a pull's overlap brings twice do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from connectors.canonical import EXPORT_TABLES, FROM_CRM, schema_of
from connectors.errors import InputError
from sync.lake_engine import arrow_view, open_engine
from sync.segments import Segment, file_sha256, write_segment
from sync.store import Store
from sync.store.tables import SegmentRow

COMPACT_FROM: Final = 24  # segments of a table; below that, opening the files costs less than rewriting them
SWEEP_AFTER: Final = timedelta(days=1)  # by then no run still writes an orphan or reads a retired segment

# What makes two export rows the same fact: the one that arrived last is right. Events have no key: two equal
# events are two events. `known_from` is part of a key where a later statement must not erase what was known.
EXPORT_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "users": ("account_key", "user_id"),
        "usage": ("account_key", "metric", "period_start", "period_days", "known_from"),
        "billing": ("account_key", "period_start", "period_end", "known_from"),
        "entitlements": ("account_key", "item", "kind", "valid_from", "known_from"),
        "helpdesk_tickets": ("ticket_id",),  # a ticket that moved to another account is one ticket
        "surveys": ("account_key", "kind", "responded_at", "respondent_email"),
        "triggers": ("account_key", "kind", "occurred_on", "title"),
        "notes": ("account_key", "kind", "written_at", "author"),
    }
)

Also = Callable[[Session], None]


class Lake:
    """The segments of one folder, and the engine that reads them. Use as a context manager."""

    def __init__(self, folder: Path, store: Store, *, url: str = "duckdb://") -> None:
        self.folder = folder
        self.store = store
        self._url = url
        self._connection: Any = None
        self._empty: dict[str, ir.Table] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the engine."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None
            self._empty.clear()

    @property
    def connection(self) -> Any:
        """The Ibis connection, opened on first use. Raises SettingError when [lake] url can't be used."""
        if self._connection is None:
            self._connection = open_engine(self._url)
        return self._connection

    def stage(self, table: str, pages: Iterable[pa.Table | pa.RecordBatch], *, source: str) -> Segment | None:
        """A segment with the pages' rows, on the disk but not listed; None when there are none.

        Raises InputError when a page does not fit the canonical schema."""
        with self.store.session() as session:
            arrival = (session.scalar(select(func.max(SegmentRow.id))) or 0) + 1
        # names sort by arrival, which breaks ties between versions of a record with equal stamps
        name = f"{table}/{arrival:010d}-{uuid4().hex}.parquet"
        return write_segment(self.folder, name, table, pages, source=source)

    def discard(self, segments: Iterable[Segment]) -> None:
        """Remove the files of staged segments that will not be listed."""
        for segment in segments:
            (self.folder / segment.path).unlink(missing_ok=True)

    def commit(
        self,
        segments: Sequence[Segment],
        *,
        run_id: str | None,
        now: datetime,
        replace: Iterable[tuple[str, str]] = (),
        also: Also | None = None,
    ) -> None:
        """List the segments in one ledger transaction; they are read from then on.

        `replace` names (table, source) pairs whose earlier segments go out of use; `also` adds the caller's
        own rows (bookmark, manifest) to the same transaction."""
        with self.store.begin() as session:
            for table, source in replace:
                session.execute(
                    update(SegmentRow)
                    .where(SegmentRow.table_name == table, SegmentRow.source == source, SegmentRow.active)
                    .values(active=False, retired_at=now)
                )
            session.add_all(_row(segment, run_id, now) for segment in segments)
            if also is not None:
                also(session)

    def append(
        self,
        table: str,
        pages: Iterable[pa.Table | pa.RecordBatch],
        *,
        source: str,
        run_id: str | None,
        now: datetime,
        also: Also | None = None,
    ) -> int:
        """How many rows were added: stage and commit in one go."""
        segment = self.stage(table, pages, source=source)
        self.commit([] if segment is None else [segment], run_id=run_id, now=now, also=also)
        return 0 if segment is None else segment.rows

    def segments(self, table: str | None = None) -> list[SegmentRow]:
        """The active segments in order of arrival, of one table where it is given."""
        query = select(SegmentRow).where(SegmentRow.active).order_by(SegmentRow.id)
        if table is not None:
            query = query.where(SegmentRow.table_name == table)
        with self.store.session() as session:
            return list(session.scalars(query))

    def tables(self) -> Mapping[str, ir.Table]:
        """Every canonical table, newest versions only, deleted CRM rows still there and flagged.

        A table without segments is empty. Raises InputError when a segment's file is gone or cut."""
        listed: dict[str, list[SegmentRow]] = {}
        for segment in self.segments():
            listed.setdefault(segment.table_name, []).append(segment)
        return {name: self._table(name, listed.get(name, [])) for name in (*FROM_CRM, *EXPORT_TABLES)}

    def table(self, name: str) -> ir.Table:
        """One of these tables."""
        return self._table(name, self.segments(name))

    def read(self, segments: Sequence[SegmentRow], *, name: str | None = None) -> ir.Table:
        """The rows of segments of one table as they were written, with `filename`.

        `name` is that of the engine's view; one of the same name shows these rows from now on.
        Raises InputError when a segment's file is gone or cut."""
        table: ir.Table = self.connection.read_parquet(
            [str(self.file(segment)) for segment in segments],
            table_name=name or self.connection.fresh_name(f"segments_{segments[0].table_name}"),
            filename=True,
            union_by_name=True,
            hive_partitioning=False,
        )
        return table

    def file(self, segment: SegmentRow) -> Path:
        """Where the segment lies. Raises InputError when it is gone or cut."""
        path = self.folder / segment.path
        size = path.stat().st_size if path.is_file() else None
        if size != segment.bytes:
            raise _damaged(path, "is gone" if size is None else f"holds {size} bytes, not {segment.bytes}")
        return path

    def verify(self) -> int:
        """How many segments were read and found as they were written.

        Raises InputError naming the first file that is gone, cut or changed."""
        segments = self.segments()
        for segment in segments:
            path = self.file(segment)
            if file_sha256(path) != segment.sha256:
                raise _damaged(path, "holds other bytes than were written")
        return len(segments)

    def compact(self, *, run_id: str | None, now: datetime, from_count: int = COMPACT_FROM) -> list[str]:
        """The CRM tables whose many small segments were rewritten as one, newest versions only."""
        done = []
        for name in FROM_CRM:
            segments = self.segments(name)
            sources = {segment.source for segment in segments}
            if len(segments) < from_count or len(sources) != 1:
                continue
            source = sources.pop()
            merged = self.stage(name, [self._table(name, segments).to_pyarrow()], source=source)
            if merged is not None:
                self.commit([merged], run_id=run_id, now=now, replace=[(name, source)])
                done.append(name)
        return done

    def sweep(self, *, now: datetime, age: timedelta = SWEEP_AFTER) -> int:
        """How many files were removed: orphans, and segments out of use, both for longer than `age`."""
        with self.store.session() as session:
            rows = session.execute(select(SegmentRow.path, SegmentRow.active, SegmentRow.retired_at)).all()
        idle_since = {path: None if active else retired_at for path, active, retired_at in rows}
        removed = 0
        for path in sorted(self.folder.glob("*/*.parquet")):
            name = path.relative_to(self.folder).as_posix()
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            since = idle_since.get(name, written)
            if since is not None and now - since >= age:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _table(self, name: str, segments: Sequence[SegmentRow]) -> ir.Table:
        schema = schema_of(name)
        if not segments:
            if name not in self._empty:
                self._empty[name] = arrow_view(self.connection, schema.empty_table())
            return self._empty[name]
        rows = self.read(segments)
        later = {  # columns that the schema gained since these segments were written
            column: ibis.null(kind)
            for column, kind in ibis.schema(schema).items()
            if column not in rows.columns
        }
        rows = rows.mutate(**later) if later else rows
        if name == "events":
            return rows.select(*schema.names)
        if name in FROM_CRM:
            keys: tuple[str, ...] = ("crm_id",)
            order = [ibis.desc("modified_at"), ibis.desc("filename")]
        else:
            keys = EXPORT_KEYS[name]
            order = [ibis.desc("filename")]
        newest = ibis.row_number().over(group_by=keys, order_by=order)
        return rows.mutate(version=newest).filter(ibis._.version == 0).select(*schema.names)


def _row(segment: Segment, run_id: str | None, now: datetime) -> SegmentRow:
    return SegmentRow(
        table_name=segment.table,
        path=segment.path,
        rows=segment.rows,
        bytes=segment.bytes,
        sha256=segment.sha256,
        source=segment.source,
        first_at=segment.first_at,
        last_at=segment.last_at,
        run_id=run_id,
        added_at=now,
        active=True,
    )


def _damaged(path: Path, what: str) -> InputError:
    return InputError(
        f"this file of the lake {what}.",
        record=str(path),
        fix="restore the lake's folder from a backup, or empty it with the ledger and pull again",
    )
