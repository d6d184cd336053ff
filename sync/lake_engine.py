"""The engine that reads the lake: DuckDB behind Ibis, with UTC for its zone and no way to the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import ibis.expr.types as ir
import pyarrow as pa

from connectors.errors import SettingError
from model.engine import Engine


def open_engine(url: str) -> Any:
    """An Ibis connection whose dates are UTC's, whatever the machine's zone.

    Raises SettingError for another engine than DuckDB, and for a file that DuckDB can't open."""
    if not url.startswith("duckdb://"):
        raise SettingError(
            "the lake is computed on DuckDB only, since its files are this machine's.",
            setting="lake.url",
            searched=(),
            fix='use url = "duckdb://" (in memory) or "duckdb:///work.duckdb"; events of Spark or a '
            "warehouse are counted where they lie: name their table by url and table in [[exports]]",
        )
    database = url.removeprefix("duckdb://").removeprefix("/") or ":memory:"
    if database != ":memory:":
        database = url.removeprefix("duckdb:///")
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = Engine().connect(database)
    except duckdb.Error as error:
        raise SettingError(
            f"DuckDB can't open {database}: {str(error).splitlines()[0]}.",
            setting="lake.url",
            searched=(),
            fix="name a file that this user can write and that no other process holds open",
        ) from None
    # a cast from timestamp to date goes by the session's zone; and nothing is ever fetched from the network
    connection.raw_sql("SET TimeZone = 'UTC'")
    connection.raw_sql("SET autoinstall_known_extensions = false")
    return connection


def arrow_view(connection: Any, rows: pa.Table) -> ir.Table:
    """The Arrow table as an Ibis table of the connection."""
    # ibis.memtable and create_table(arrow) render an empty DROP with ibis 12.0 on sqlglot 30.30
    name = connection.fresh_name("upswell_arrow")
    connection.con.register(name, rows)
    return connection.table(name)
