"""Tables of a warehouse are read through Ibis: month by month, and only the months that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy.engine import make_url

from connectors.errors import InputError, SettingError, TransientError
from connectors.exports.depot import Depot
from connectors.exports.spec import ExportSpec
from connectors.exports.table import read_export
from connectors.exports.warehouse import WarehouseTable, bring_rows
from model.days import day_number
from sync.config import load
from sync.connect import export_specs, warehouse_tables
from sync.export_check import check_exports
from sync.export_report import ExportReport
from sync.export_status import status_of_exports
from sync.exports import ingest
from sync.identity import resolve
from sync.lake import Lake
from sync.lake_engine import arrow_view, open_engine
from sync.lake_facts import read_lake_facts
from sync.quarantine import quarantined_files
from sync.store import Store
from sync.usage_days import partials_by_key, reduce_events, usage_by_key

MADE = """
CREATE SCHEMA product;
CREATE TABLE product.events (
    org int, uid uuid, name text, happened timestamptz, props jsonb, secret bytea
);
CREATE TABLE product.invoices (org text, month date, seats numeric(10, 2), arr bigint, currency varchar(3));
INSERT INTO product.events
SELECT 7, '00000000-0000-0000-0000-000000000001', 'open', day,
    '{"org": 7, "module": {"name": "plan"}, "visit": null}', '\\x00'
FROM generate_series('2026-08-30T23:30:00Z'::timestamptz, '2026-11-02T09:00:00Z', '1 day') AS day;
INSERT INTO product.invoices VALUES ('007', '2026-09-01', 12.5, 4800, 'EUR'),
('007', '2026-10-01', 14, 5000, 'EUR');
"""
SETTINGS = """
[crm]
kind = "hubspot"
[[exports]]
kind = "events"
url = "{url}"
table = "product.events"
account_key = "props.org"
[exports.columns]
session_id = "props.visit"
user_id = "uid"
event = "name"
at = "happened"
feature = "props.module.name"
[[exports]]
kind = "billing"
url = "{url}"
table = "product.invoices"
account_key = "org"
columns = {{ period_start = "month" }}
"""
Ingest = Callable[[], ExportReport]


@pytest.fixture
def database() -> str:
    """The ledger is none of these tests' concern."""
    return "sqlite"


@pytest.fixture
def warehouse(postgres: Any) -> Iterator[psycopg.Connection]:
    """A PostgreSQL database with a table of events and one of invoices."""
    with postgres.database() as name:
        url = make_url(postgres.url(name))
        with psycopg.connect(
            host=str(url.query["host"]),
            user=url.username,
            password=url.password,
            dbname=name,
            autocommit=True,
        ) as connection:
            connection.execute(MADE)
            yield connection


@pytest.fixture
def config(tmp_path: Path, warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that names both tables; the password is in the environment."""
    info = warehouse.info
    monkeypatch.setenv("WAREHOUSE_PASSWORD", info.password)
    url = f"postgres://{info.user}:${{WAREHOUSE_PASSWORD}}@/{info.dbname}?host={info.host}"
    made = tmp_path / "upswell.toml"
    made.write_text(SETTINGS.format(url=url))
    return made


@pytest.fixture
def ingest_now(config: Path, ledger: Store, lake: Lake, noon: datetime) -> Ingest:
    """Read the exports."""
    return lambda: ingest(load(config, {}), ledger, lake, run_id=None, now=noon)


@pytest.fixture
def account(canonical_rows: Callable[..., pa.Table]) -> pa.Table:
    """A customer whose own id is 7."""
    return canonical_rows("accounts", {"crm_id": "A1", "external_id": "7"})


def months(paths: tuple[str, ...]) -> list[str]:
    """The last part of each address."""
    return [path.rpartition("#")[2] for path in paths]


def test_a_warehouse_s_tables_are_read_under_our_names(
    ingest_now: Ingest, lake: Lake, config: Path, ledger: Store, noon: datetime, account: pa.Table
) -> None:
    """Numbers as ids, uuids, members of JSON, money: each as the canonical table wants it."""
    checks = check_exports(load(config, {}), ledger, now=noon)
    assert [(each.state, each.rows) for each in checks] == [
        ("new", 2), ("new", 30), ("new", 31), ("new", 1), ("new", 2),
    ]  # fmt: skip
    report = ingest_now()
    assert months(report.read) == [
        "product.invoices", "product.events/2026-08", "product.events/2026-09", "product.events/2026-10",
        "product.events/2026-11",
    ]  # fmt: skip
    assert "of-tests" not in str(report)
    days = {name: table.order_by("at").to_pyarrow().to_pylist() for name, table in usage_by_key(lake).items()}
    assert lake.segments("events") == []
    assert len(days["user_day"]) == len(days["feature_day"]) == 64
    first = day_number(date(2026, 8, 30))
    assert days["user_day"][0] == {
        "account_key": "7", "user_id": "00000000-0000-0000-0000-000000000001", "at": first, "known": first,
        "events": 1, "billing_views": 0, "gate_events": 0,
    }  # fmt: skip
    assert days["feature_day"][0]["feature"] == "plan"
    assert days["session_day"] == []
    lake.append("accounts", [account], source="crm:o", run_id=None, now=noon)
    joined = resolve(lake, {})
    assert joined.tables["user_day"].account_id.to_pyarrow().unique().to_pylist() == ["7"]
    assert joined.report.rows_dropped == {"billing": 2}
    bills = lake.tables()["billing"].order_by("period_start").to_pyarrow().to_pylist()
    assert [(bill["account_key"], bill["seats"], bill["arr"]) for bill in bills] == [
        ("007", 12.5, 4800.0),
        ("007", 14.0, 5000.0),
    ]


def test_only_months_that_changed_are_read_again(
    ingest_now: Ingest, warehouse: psycopg.Connection, lake: Lake, ledger: Store, noon: datetime
) -> None:
    """A late row, a row that is gone, a new month; the other months cost their share of one query."""
    ingest_now()
    report = ingest_now()
    assert (report.files, len(report.unchanged)) == ((), 5)
    late = "INSERT INTO product.events SELECT org, uid, name, %s, props FROM product.events LIMIT 1"
    warehouse.execute(late, ["2026-09-07T12:00:00Z"])
    warehouse.execute(late, ["2026-12-01T00:00:00Z"])
    warehouse.execute("DELETE FROM product.events WHERE happened < '2026-09-01T00:00:00Z'")
    report = ingest_now()
    assert months(report.replaced) == ["product.events/2026-09"]
    assert months(report.missing) == ["product.events/2026-08"]
    assert months(tuple(each.path for each in report.quarantined)) == ["product.events/2026-12"]
    assert usage_by_key(lake)["user_day"].events.sum().to_pyarrow().as_py() == 65
    reduce_events(lake, run_id=None, now=noon)
    assert usage_by_key(lake)["user_day"].events.sum().to_pyarrow().as_py() == 65
    facts = read_lake_facts(ledger, "none")
    assert facts.newest["events"].date() == date(2026, 11, 1)
    (kind,) = [each for each in status_of_exports(ledger) if each.kind == "events"]
    assert (kind.rows, kind.gaps, str(kind.last_at)[:10]) == (65, (), "2026-11-01")
    warehouse.execute("UPDATE product.invoices SET seats = 15 WHERE seats = 14")
    assert months(ingest_now().replaced) == ["product.invoices"]


def test_the_same_months_under_another_name_count_once(
    ingest_now: Ingest, warehouse: psycopg.Connection, lake: Lake, config: Path
) -> None:
    """A table that is renamed has moved, and a month of it that changes takes the place of the old one."""
    ingest_now()
    warehouse.execute("ALTER TABLE product.events RENAME TO clicks")
    config.write_text(config.read_text().replace("product.events", "product.clicks"))
    assert len(ingest_now().moved) == 4
    warehouse.execute("DELETE FROM product.clicks WHERE happened < '2026-09-02T00:00:00Z'")
    assert months(ingest_now().replaced) == ["product.clicks/2026-09"]
    # what vanished is kept: two days of August
    assert usage_by_key(lake)["user_day"].events.sum().to_pyarrow().as_py() == 63


def test_rows_without_a_time_are_quarantined_together(
    ingest_now: Ingest, warehouse: psycopg.Connection, ledger: Store
) -> None:
    """They belong to no month, and are said to be there."""
    warehouse.execute("INSERT INTO product.events VALUES (7, NULL, 'open', NULL, NULL)")
    ingest_now()
    (one,) = quarantined_files(ledger)
    assert one.path.endswith("#product.events/without")
    assert "happened" in one.reason or "at is empty" in one.reason


def test_what_a_warehouse_lacks_is_named(
    ingest_now: Ingest, warehouse: psycopg.Connection, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column, a table, a right, a password; and a server that is not there may come back."""
    before = config.read_text()

    def refused(old: str, new: str, error: type[Exception], words: str) -> None:
        assert old in before
        config.write_text(before.replace(old, new))
        with pytest.raises(error, match=words) as caught:
            ingest_now()
        assert warehouse.info.password not in str(caught.value)

    refused('"uid"', '"user"', InputError, "no column 'user' for events.user_id.*happened")
    refused("props.org", "name.org", InputError, "no column 'name.org' for events.account_key")
    refused("product.events", "product.clicks", InputError, "no such table")
    refused("WAREHOUSE_PASSWORD", "NO_SUCH_PASSWORD", SettingError, "environment has no NO_SUCH_PASSWORD")
    refused("?host=", "?host=/nowhere", TransientError, "can't be reached")
    refused("postgres://", "snowflake://", SettingError, r"ibis-framework\[snowflake\]")
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "wrong@/:")
    refused("[crm]", "[crm]", TransientError, "password authentication failed")


def test_an_address_of_a_warehouse_holds_no_secret() -> None:
    """It stands in the ledger, in warnings and in logs."""
    table = WarehouseTable(
        url="postgres://me:secret@db.acme.com:5433/dwh?sslmode=require&password=x", table="a.b"
    )
    assert table.address == "postgres://db.acme.com:5433/dwh#a.b"
    assert "secret" not in repr(WarehouseTable(url="postgres://me:secret@h/d", table="t"))


def by_hand(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table, sorted."""
    return sorted(table.to_pylist(), key=str)


def test_events_are_counted_by_day_where_they_lie(
    warehouse: psycopg.Connection, config: Path, tmp_path: Path, noon: datetime
) -> None:
    """What comes home is what the same events come to when they are read from files."""
    warehouse.execute(
        """
        INSERT INTO product.events
        SELECT 8, lpad((n % 13)::text, 32, '0')::uuid, CASE WHEN n % 5 = 0 THEN 'Billing' ELSE 'open' END,
            '2026-09-03T22:00:00Z'::timestamptz + n * interval '7 minutes',
            jsonb_build_object(
                'org', n % 3, 'visit', 's' || n % 4, 'module', jsonb_build_object('name', 'a' || n % 2)
            )
        FROM generate_series(1, 200) AS n
        """
    )
    settings = load(config, {})
    (spec, _), (table, _) = export_specs(settings), warehouse_tables(settings)
    spools = [tmp_path / name for name in ("copied", "counted")]
    found: list[dict[str, list[dict[str, Any]]]] = []
    for spool, reduce in zip(spools, (None, partials_by_key), strict=True):
        spool.mkdir()
        depot = Depot(spool=spool, held=lambda *_: None, reduce=reduce, latest=noon)
        files = bring_rows(spec, table, depot)
        if reduce is None:
            events = pa.concat_tables(read_export(spec, file, now=noon) for file in files)
            engine = open_engine("duckdb://")
            made = partials_by_key(arrow_view(engine, events))
            found.append({name: by_hand(table.to_pyarrow()) for name, table in made.items()})
            engine.disconnect()
        else:
            assert all(not file.path.exists() and file.rows for file in files)
            assert sum(file.rows or 0 for file in files) == 264
            names = files[0].reduced
            tables = {name: [pq.read_table(file.reduced[name]) for file in files] for name in names}
            found.append({name: by_hand(pa.concat_tables(each)) for name, each in tables.items()})
            again = bring_rows(spec, table, replace(depot, spool=tmp_path))
            assert [file.sha256 for file in again] == [file.sha256 for file in files]
            versions = {(file.address, file.tag): file.sha256 for file in files}
            (tmp_path / "known").mkdir()
            known = replace(
                depot, spool=tmp_path / "known", held=lambda _, name, __, tag, held=versions: held[name, tag]
            )
            assert [file.sha256 for file in bring_rows(spec, table, known)] == [*versions.values()]
            assert list(known.spool.iterdir()) == [], "what is known in this version is not asked for"
    assert len(found[0]["session_day"]) > 50
    assert max(row["events"] for row in found[0]["user_day"]) > 1
    assert found[1] == found[0]


def test_without_java_it_is_said_what_to_install(
    tmp_path: Path, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are those of PySpark 4.0.5 on a machine without Java: they name a gateway and a port."""

    def no_java(_url: str) -> None:
        raise RuntimeError(
            "[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number."
        )

    monkeypatch.setattr("connectors.exports.warehouse.ibis.connect", no_java)
    source = WarehouseTable(url="pyspark://", table="product.invoices")
    spec = ExportSpec(
        kind="billing", format="table", path=source.pattern, account_key="org", columns={}, timezone="UTC"
    )
    with pytest.raises(SettingError, match="Spark needs Java") as caught:
        bring_rows(spec, source, Depot(spool=tmp_path, held=lambda *_: None, latest=noon))
    assert caught.value.searched == ("environment JAVA_HOME", "environment PATH")
    assert "JAVA_HOME" in caught.value.fix
