"""Tables of a warehouse as export files: one a month where rows have a time, else one for the whole table.

The warehouse does the work: what a month holds is asked for in one query (rows, newest time), and only months
that differ from when they were read are read again. Every query is an Ibis expression; columns are looked up
in the table's own schema. Passwords come from the environment: `${NAME}` in the URL is replaced when the
connection is opened, and never kept.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow.parquet as pq

from connectors.errors import InputError, SettingError, TransientError, UpswellError
from connectors.exports.depot import Depot
from connectors.exports.listing import listed
from connectors.exports.spec import REQUIRED, ExportFile, ExportSpec
from connectors.exports.warehouse_events import canonical_events, impossible

PARTED_BY: Final[Mapping[str, str]] = {"events": "at", "usage": "period_start"}
"""Kinds that grow for ever, and the column that says which month a row belongs to."""
_BATCH: Final = 100_000
_SECRET: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNREACHABLE: Final = frozenset({"OperationalError", "InterfaceError", "TimeoutError", "ConnectionError"})
_NO_JAVA: Final = "JAVA_GATEWAY_EXITED"  # all that Spark says of it, whatever Java lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseTable:
    """A table (`name`, `schema.name` or `catalog.schema.name`) of the warehouse at an Ibis URL."""

    url: str = field(repr=False)
    table: str

    @property
    def pattern(self) -> str:
        """The addresses of all its months."""
        return f"{self.address}*"

    @property
    def address(self) -> str:
        """What people call it: the URL without user, password and options, and the table."""
        parts = urlsplit(_SECRET.sub("", self.url))
        place = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
        return f"{parts.scheme}://{place}{parts.path}#{self.table}"


def bring_rows(spec: ExportSpec, source: WarehouseTable, depot: Depot) -> list[ExportFile]:
    """The table's months that are new or changed, as files in the depot; the others as they are known.

    Raises InputError for a table or column that is not there, SettingError for a warehouse that can't be
    reached with what is installed and set, TransientError when the network fails."""
    with _told(source), _connected(source) as connection:
        rows = wanted_rows(spec, source, connection)
        files = []
        for number, part in enumerate(_parts(spec, source, rows)):
            spooled = depot.spool / f"{spec.kind}-{number}.parquet"
            sha256 = depot.held(spec, part.address, None, part.tag) if part.tag else None
            if sha256 is not None:
                known = ExportFile(path=spooled, size=0, sha256=sha256, address=part.address, tag=part.tag)
                files.append(known)
                continue
            files.append(_brought(spec, part, depot, spooled))
    return files


def _brought(spec: ExportSpec, part: _Part, depot: Depot, spooled: Path) -> ExportFile:
    """The part's rows as a file; of events, which are many, what they come to by day."""
    if spec.kind != "events" or depot.reduce is None:
        _write(part.rows, spooled)
        return listed(spooled, address=part.address, tag=part.tag)
    bad = impossible(spec, part.rows, depot.latest).limit(1)
    if bad.count().to_pyarrow().as_py():
        _write(bad, spooled)  # reading it says what is wrong with it
        return listed(spooled, address=part.address, tag=part.tag)
    reduced, digest = {}, hashlib.sha256()
    for name, table in depot.reduce(canonical_events(spec, part.rows)).items():
        reduced[name] = spooled.with_suffix(f".{name}.parquet")
        _write(table, reduced[name])
        digest.update(f"{name} {listed(reduced[name]).sha256}\n".encode())
    size = sum(path.stat().st_size for path in reduced.values())
    return ExportFile(
        path=spooled,
        size=size,
        sha256=digest.hexdigest(),
        rows=part.count,
        address=part.address,
        tag=part.tag,
        reduced=reduced,
    )


def wanted_rows(spec: ExportSpec, source: WarehouseTable, connection: Any) -> ir.Table:
    """The columns that the spec reads, those that the table has, as an expression on the warehouse.

    Raises InputError for a required or mapped column that it lacks."""
    table = _table(source, connection)
    columns: dict[str, ir.Value] = {}
    for name in spec.schema.names:
        found = _column(table, spec.theirs(name))
        if found is not None:
            columns[spec.theirs(name)] = found
        elif name in REQUIRED[spec.kind] or name in spec.columns:
            setting = "account_key" if name == "account_key" else f"columns = {{ {name} = … }}"
            raise InputError(
                f"The table has no column '{spec.theirs(name)}' for {spec.kind}.{name}; "
                f"its columns: {', '.join(sorted(table.columns)[:20])}.",
                record=source.address,
                fix=f"Name the right column by {setting} in [[exports]].",
            )
    return table.select(**columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some of the table's rows under an address of their own; the tag tells when they changed."""

    address: str
    tag: str
    rows: ir.Table
    count: int | None = None


def _parts(spec: ExportSpec, source: WarehouseTable, rows: ir.Table) -> Iterator[_Part]:
    name = spec.theirs(PARTED_BY.get(spec.kind, ""))
    if name not in rows.columns or not (rows[name].type().is_timestamp() or rows[name].type().is_date()):
        yield _Part(address=source.address, tag="", rows=rows)
        return
    at = rows[name]
    stamps = [column for column in (name, spec.theirs("known_from")) if column in rows.columns]
    newest = [rows[column].max().name(f"newest_{column}") for column in stamps]
    by_month = rows.group_by(month=at.truncate("M").cast("date"))
    months = by_month.agg(rows.count().name("rows"), *newest).to_pyarrow()
    for facts in sorted(months.to_pylist(), key=lambda facts: str(facts["month"])):
        month: date | None = facts.pop("month")
        tag = " ".join(str(value) for value in facts.values())
        if month is None:  # read too, so that it is refused by name
            yield _Part(address=f"{source.address}/without", tag=tag, rows=rows.filter(at.isnull()))
            continue
        after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        low, high = (ibis.literal(day.isoformat()).cast(at.type()) for day in (month, after))
        inside = rows.filter((at >= low) & (at < high))
        address = f"{source.address}/{month:%Y-%m}"
        yield _Part(address=address, tag=tag, rows=inside, count=facts["rows"])


def _write(rows: ir.Table, path: Path) -> None:
    """The rows as a Parquet file, in an order of their own, so that the same rows are the same bytes."""
    ordered = rows.order_by([rows[name] for name in rows.columns])
    batches = ordered.to_pyarrow_batches(chunk_size=_BATCH)
    with pq.ParquetWriter(path, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _table(source: WarehouseTable, connection: Any) -> ir.Table:
    """The table. Raises InputError when it is not there."""
    *place, name = source.table.split(".")
    database = {0: None, 1: place[0] if place else None}.get(len(place), tuple(place))
    try:
        return connection.table(name, database=database)
    except ibis.common.exceptions.TableNotFound:
        raise InputError(
            "The warehouse has no such table, or hides it from us.",
            record=source.address,
            fix="Correct table in [[exports]] (schema.name), or give our user the right to read it.",
        ) from None


def _column(table: ir.Table, path: str) -> ir.Value | None:
    """The column, or the member of an object that a dotted path leads to; as text where Arrow has no type."""
    name, *members = [path] if path in table.columns else path.split(".")
    if name not in table.columns:
        return None
    column = table[name]
    for member in members:
        kind = column.type()
        if kind.is_struct() and member not in kind.names:
            return None
        if not (kind.is_struct() or kind.is_json()):
            return None
        column = column[member]
    kind = column.type()
    if kind.is_json():
        return ibis.coalesce(column.str, column.cast(dt.string).nullif("null"))  # numbers have no `str`
    return column.cast(dt.string) if kind.is_uuid() or kind.is_inet() or kind.is_macaddr() else column


@contextmanager
def _connected(source: WarehouseTable) -> Iterator[Any]:
    connection = ibis.connect(_SECRET.sub(_from_environment, source.url))
    try:
        yield connection
    finally:
        connection.disconnect()


def _from_environment(found: re.Match[str]) -> str:
    """A variable, quoted as a URL wants it."""
    value = os.environ.get(found[1])
    if value is None:
        raise SettingError(
            f"the environment has no {found[1]}.",
            setting="[[exports]] url",
            searched=("environment",),
            fix=f"set {found[1]} where Upswell runs",
        )
    return quote(value, safe="")


@contextmanager
def _told(source: WarehouseTable) -> Iterator[None]:
    """Say each driver's trouble in our terms, without what stands in the URL."""
    try:
        yield
    except UpswellError:
        raise
    except ImportError as error:
        scheme = urlsplit(source.url).scheme
        raise SettingError(
            f"{scheme} needs {error.name or 'a package'}, which is not installed.",
            setting="[[exports]] url",
            searched=(),
            fix=f"install it with: pip install 'ibis-framework[{scheme}]'",
        ) from None
    except Exception as error:  # noqa: BLE001  # each driver has its own tree of errors
        reason = (str(error).splitlines() or [""])[0].rstrip(". ")[:300]
        if not reason or "://" in reason:  # it may hold the URL, and that a password
            reason = type(error).__name__
        if _NO_JAVA in reason:
            raise SettingError(
                "Spark needs Java, which does not start here.",
                setting="[[exports]] url",
                searched=("environment JAVA_HOME", "environment PATH"),
                fix="install Java 17 or 21 where Upswell runs (Debian: default-jre-headless), or set "
                "JAVA_HOME to the folder that holds bin/java",
            ) from None
        if not _UNREACHABLE.isdisjoint(kind.__name__ for kind in type(error).__mro__):
            raise TransientError(
                f"the warehouse can't be reached, or broke off: {reason}.",
                record=source.address,
                fix="nothing of it was used; see that url, user and password are right, then: upswell pull",
            ) from None
        raise InputError(
            f"The warehouse can't answer: {reason}.",
            record=source.address,
            fix="Correct url, table and columns in [[exports]], or let our user read the table.",
        ) from None
