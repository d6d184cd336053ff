"""Events in Spark are counted by day in Spark, and come to what DuckDB makes of the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import InputError
from connectors.exports.depot import Depot
from connectors.exports.spec import ExportSpec
from connectors.exports.table import read_export
from connectors.exports.warehouse import WarehouseTable, bring_rows
from sync.usage_days import partials_by_key

# PySpark 4.0 asks pandas for what pandas 3 does by itself, and closes its sockets when they are collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
URL = "pyspark://"
NAMES = {"user_id": "uid", "event": "name", "feature": "module", "session_id": "visit"}


@pytest.fixture
def bring(spark: Any, tmp_path: Path, noon: datetime) -> Callable[..., Any]:
    """Bring a table of Spark over as a kind of export: its spec and files; Spark is stopped by then."""
    spark.sql("CREATE DATABASE IF NOT EXISTS product")

    def bring_now(kind: str, table: str, **columns: str) -> Any:
        source = WarehouseTable(url=URL, table=table)
        spec = ExportSpec(
            kind=kind, format="table", path=source.pattern, account_key="org", columns=columns, timezone="UTC"
        )
        depot = Depot(spool=tmp_path, held=lambda *_: None, reduce=partials_by_key, latest=noon)
        return spec, bring_rows(spec, source, depot)

    return bring_now


def events() -> pa.Table:
    """Three hundred events of three accounts over two months, some without user, feature or session."""
    first = datetime(2026, 9, 3, 22, tzinfo=UTC)
    rows = [
        {
            "org": n % 3,
            "uid": None if n % 11 == 0 else f"u{n % 13}",
            "name": "Billing page" if n % 5 == 0 else "open",
            "module": None if n % 7 == 0 else f"m{n % 4}",
            "visit": None if n % 6 == 0 else f"s{n % 17}",
            "happened": first + timedelta(hours=6 * (n // 2), microseconds=n),
        }
        for n in range(300)
    ]
    times = pa.field("happened", pa.timestamp("us", "UTC"))
    return pa.Table.from_pylist(rows).cast(
        pa.schema(
            [
                ("org", pa.int64()),
                *((name, pa.string()) for name in ("uid", "name", "module", "visit")),
                times,
            ]
        )
    )


def test_events_are_counted_by_day_in_spark(spark: Any, bring: Callable[..., Any]) -> None:
    """Month by month: files of partials, the same as DuckDB's, and none of events."""
    given = events()
    spark.createDataFrame(given).write.saveAsTable("product.clicks", mode="overwrite")
    _, files = bring("events", "product.clicks", at="happened", **NAMES)
    months = Counter(f"{moment:%Y-%m}" for moment in given["happened"].to_pylist())
    assert len(months) == 2
    told = {f"pyspark://#product.clicks/{month}": rows for month, rows in months.items()}
    assert {file.address: file.rows for file in files} == told
    engine = ibis.duckdb.connect()
    table = ibis.memtable(given)
    canonical = table.select(
        account_key=table.org.cast("string"),
        at=table.happened,
        known_from=table.happened,
        **{name: table[theirs] for name, theirs in NAMES.items()},
    )
    for name, expected in partials_by_key(canonical).items():
        found = pa.concat_tables(pq.read_table(file.reduced[name]) for file in files)
        rows = engine.to_pyarrow(expected)
        assert found.num_rows > 50
        assert sorted(found.to_pylist(), key=str) == sorted(rows.to_pylist(), key=str)
    engine.disconnect()


def test_small_tables_of_spark_are_read_as_they_are(
    spark: Any, bring: Callable[..., Any], noon: datetime
) -> None:
    """Money that is decimal, dates and what is empty."""
    month = date(2026, 10, 1)
    bills = pa.table(
        {"org": ["007", "8"], "month": [month, month], "arr": [Decimal("4800.50"), None], "seats": [None, 3]}
    )
    spark.createDataFrame(bills).write.saveAsTable("product.invoices", mode="overwrite")
    spec, (file,) = bring("billing", "product.invoices", period_start="month")
    found = read_export(spec, file, now=noon).select(["account_key", "period_start", "arr", "seats"])
    assert sorted(found.to_pylist(), key=str) == [
        {"account_key": "007", "period_start": month, "arr": 4800.5, "seats": None},
        {"account_key": "8", "period_start": month, "arr": None, "seats": 3.0},
    ]


def test_a_table_that_spark_lacks_is_named(bring: Callable[..., Any]) -> None:
    """As with any other warehouse."""
    with pytest.raises(InputError, match="no such table"):
        bring("billing", "product.nothing", period_start="month")
