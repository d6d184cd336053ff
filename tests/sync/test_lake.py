"""The lake keeps what was committed, shows the newest version, and notices damage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from connectors.canonical import EXPORT_TABLES, FROM_CRM, schema_of
from connectors.errors import InputError, SettingError
from sync.lake import Lake
from sync.store import Store

Rows = Callable[..., pa.Table]
SOURCE = "crm:org"


@pytest.fixture
def database() -> str:
    """The lake itself is DuckDB and files; `test_pull` lists and retires its segments on both databases."""
    return "sqlite"


def names(lake: Lake) -> dict[str, str]:
    """The lake's accounts: crm_id -> name."""
    rows = lake.tables()["accounts"].select("crm_id", "name").to_pyarrow().to_pylist()
    return {row["crm_id"]: row["name"] for row in rows}


def test_an_empty_lake_has_every_table_and_no_rows(lake: Lake) -> None:
    """A source that a company does not have is an empty table, not a missing one."""
    tables = lake.tables()
    assert list(tables) == [*FROM_CRM, *EXPORT_TABLES]
    assert tables["events"].count().to_pyarrow().as_py() == 0


def test_every_canonical_table_comes_back_in_its_schema(
    lake: Lake, canonical_rows: Rows, noon: datetime
) -> None:
    """Names, order and types are those of the canonical tables."""
    kept = {name: canonical_rows(name, {"crm_id": "x"}) for name in FROM_CRM}
    kept |= {name: canonical_rows(name, {"account_key": "k"}) for name in EXPORT_TABLES}
    for name, rows in kept.items():
        lake.append(name, [rows], source=SOURCE, run_id=None, now=noon)
    tables = lake.tables()
    for name, rows in kept.items():
        back = tables[name].to_pyarrow()
        assert back.schema.names == schema_of(name).names
        assert back.cast(schema_of(name)) == rows


def test_days_are_taken_in_utc_whatever_the_machines_zone(
    lake: Lake, canonical_rows: Rows, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event half an hour before midnight UTC belongs to that day."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    lake.append(
        "events",
        [canonical_rows("events", {"account_key": "k", "at": late})],
        source="f",
        run_id=None,
        now=noon,
    )
    day = lake.tables()["events"].at.date().to_pyarrow()[0].as_py()
    assert day == late.date()


VERSIONS = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.text("xyz", max_size=3)), max_size=6),
    max_size=5,
)


@given(VERSIONS)
@settings(
    derandomize=True,
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_newest_version_wins_and_of_equal_stamps_the_one_that_came_last(
    tmp_path_factory: pytest.TempPathFactory,
    new_ledger: Callable[[str], AbstractContextManager[str]],
    database: str,
    canonical_rows: Rows,
    noon: datetime,
    segments: list[Any],
) -> None:
    """In whatever order and however often versions arrive; within a segment each record has its last say."""
    folder = tmp_path_factory.mktemp("lake")
    expected: dict[str, tuple[int, str]] = {}
    with new_ledger(database) as url, Store.open(url) as store, Lake(folder / "lake", store) as lake:
        for segment in segments:
            last = {crm_id: (minute, name) for crm_id, minute, name in segment}
            rows = [
                {"crm_id": crm_id, "modified_at": noon + timedelta(minutes=minute), "name": name}
                for crm_id, (minute, name) in last.items()
            ]
            lake.append("accounts", [canonical_rows("accounts", *rows)], source=SOURCE, run_id=None, now=noon)
            for crm_id, version in last.items():
                if crm_id not in expected or version[0] >= expected[crm_id][0]:
                    expected[crm_id] = version
        truth = {crm_id: name for crm_id, (_, name) in expected.items()}
        assert names(lake) == truth
        lake.compact(run_id=None, now=noon, from_count=1)
        assert names(lake) == truth
        assert len(lake.segments("accounts")) <= 1


def test_a_crash_before_the_ledger_leaves_only_an_orphan_that_is_swept(
    lake: Lake, canonical_rows: Rows, noon: datetime
) -> None:
    """Rows and bookmark are one transaction; a file that no row names is removed after a day."""

    def crash(_: Session) -> None:
        raise ConnectionError("the machine went down")

    rows = canonical_rows("accounts", {"crm_id": "a", "name": "Acme"})
    with pytest.raises(ConnectionError):
        lake.append("accounts", [rows], source=SOURCE, run_id=None, now=noon, also=crash)
    assert names(lake) == {}
    assert len(list(lake.folder.glob("*/*.parquet"))) == 1
    lake.append("accounts", [rows], source=SOURCE, run_id=None, now=noon)
    assert lake.sweep(now=datetime.now(UTC)) == 0  # may belong to a run that still writes
    assert lake.sweep(now=datetime.now(UTC) + timedelta(days=2)) == 1
    assert names(lake) == {"a": "Acme"}


def test_a_read_that_breaks_off_leaves_no_file(lake: Lake, canonical_rows: Rows) -> None:
    """Half a segment is nothing."""

    def pages() -> Any:
        yield canonical_rows("accounts", {"crm_id": "a"})
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        lake.stage("accounts", pages(), source=SOURCE)
    assert list(lake.folder.glob("*/*.parquet")) == []


def test_replacing_takes_only_the_segments_of_that_source(
    lake: Lake, canonical_rows: Rows, noon: datetime
) -> None:
    """A file that is sent again takes the place of what it said before, and of nothing else."""

    def send(source: str, user: str) -> None:
        segment = lake.stage(
            "events", [canonical_rows("events", {"account_key": "k", "user_id": user})], source=source
        )
        assert segment is not None
        lake.commit([segment], run_id=None, now=noon, replace=[("events", source)])

    for source, user in (("file:a", "ann"), ("file:b", "bob"), ("file:a", "amy")):
        send(source, user)
    assert sorted(lake.tables()["events"].user_id.to_pyarrow().to_pylist()) == ["amy", "bob"]


def test_overlapping_export_files_say_a_thing_once(lake: Lake, canonical_rows: Rows, noon: datetime) -> None:
    """The file that came last is right about an invoice; an earlier statement of it stays as known then."""
    month = {"account_key": "k", "period_start": noon.date(), "period_end": noon.date()}
    for source, known, arr in (("a", noon, 1.0), ("b", noon, 2.0), ("c", noon + timedelta(days=9), 3.0)):
        rows = canonical_rows("billing", month | {"known_from": known, "arr": arr})
        lake.append("billing", [rows], source=source, run_id=None, now=noon)
    assert sorted(lake.tables()["billing"].arr.to_pyarrow().to_pylist()) == [2.0, 3.0]


def test_a_segment_out_of_use_stays_a_day_for_those_who_still_read_it(
    lake: Lake, canonical_rows: Rows, noon: datetime
) -> None:
    """A score that began before the replacement ends in peace."""
    for now in (noon, noon + timedelta(days=3)):
        segment = lake.stage("accounts", [canonical_rows("accounts", {"crm_id": "a"})], source=SOURCE)
        assert segment is not None
        lake.commit([segment], run_id=None, now=now, replace=[("accounts", SOURCE)])
    assert lake.sweep(now=noon + timedelta(days=3, hours=23)) == 0
    assert lake.sweep(now=noon + timedelta(days=4)) == 1
    assert lake.sweep(now=noon + timedelta(days=400)) == 0
    assert lake.verify() == 1


@pytest.mark.parametrize(
    ("damage", "hint"),
    [("gone", "is gone"), ("cut", "holds"), ("flipped", "other bytes")],
)
def test_a_damaged_segment_is_named(
    lake: Lake, canonical_rows: Rows, noon: datetime, damage: str, hint: str
) -> None:
    """A flipped byte reads without complaint in Parquet, so the checksum is ours."""
    lake.append(
        "accounts", [canonical_rows("accounts", {"crm_id": "a"})], source=SOURCE, run_id=None, now=noon
    )
    path: Path = lake.folder / lake.segments()[0].path
    bytes_ = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(bytes_[: len(bytes_) // 2])
    else:
        path.write_bytes(bytes_[:40] + bytes([bytes_[40] ^ 1]) + bytes_[41:])
    with pytest.raises(InputError, match=hint) as caught:
        lake.verify()
    assert str(path) in str(caught.value)
    if damage != "flipped":
        with pytest.raises(InputError, match=hint):
            lake.tables()


def test_a_page_of_another_shape_is_refused(lake: Lake, canonical_rows: Rows) -> None:
    """Naming the columns that are missing or unknown."""
    rows = canonical_rows("accounts", {"crm_id": "a"})
    with pytest.raises(InputError, match="missing seats, unknown none"):
        lake.stage("accounts", [rows.drop(["seats"])], source=SOURCE)
    with pytest.raises(InputError, match="unknown size"):
        lake.stage("accounts", [rows.append_column("size", [["big"]])], source=SOURCE)
    text = rows.set_column(rows.schema.get_field_index("seats"), "seats", [["many"]])
    with pytest.raises(InputError, match="another type"):
        lake.stage("accounts", [text], source=SOURCE)


def test_a_column_that_came_later_is_null_in_older_segments(
    lake: Lake, canonical_rows: Rows, noon: datetime
) -> None:
    """Segments are never rewritten for a new column."""
    import pyarrow.parquet as pq

    lake.append(
        "accounts", [canonical_rows("accounts", {"crm_id": "a"})], source=SOURCE, run_id=None, now=noon
    )
    row = lake.segments()[0]
    path = lake.folder / row.path
    pq.write_table(pq.read_table(path).drop(["seats"]), path)
    with lake.store.begin() as session:
        row.bytes = path.stat().st_size
        session.merge(row)
    assert lake.tables()["accounts"].seats.to_pyarrow().to_pylist() == [None]


def test_an_engine_that_is_not_built_is_told(tmp_path: Path, ledger: Store) -> None:
    """With what works, here and where the events are."""
    for url in ("snowflake://acme", "pyspark://"):
        with pytest.raises(SettingError, match=r"DuckDB only.*\[\[exports\]\]"):
            Lake(tmp_path, ledger, url=url).tables()
    (tmp_path / "notes").write_text("no database\n" * 999)
    with pytest.raises(SettingError, match="DuckDB can't open"):
        Lake(tmp_path, ledger, url=f"duckdb:///{tmp_path / 'notes'}").tables()


def test_the_engine_may_work_in_a_file(
    tmp_path: Path, ledger: Store, canonical_rows: Rows, noon: datetime
) -> None:
    """For more data than memory."""
    with Lake(tmp_path / "lake", ledger, url=f"duckdb:///{tmp_path / 'work' / 'w.duckdb'}") as lake:
        rows = canonical_rows("accounts", {"crm_id": "a", "name": "Acme"})
        lake.append("accounts", [rows], source=SOURCE, run_id=None, now=noon)
        assert names(lake) == {"a": "Acme"}
    assert (tmp_path / "work" / "w.duckdb").exists()
