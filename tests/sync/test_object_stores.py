"""Exports in an object store are read like files: once a version, whole or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from connectors.errors import InputError, SettingError, TransientError
from connectors.exports.depot import Depot, StoreSettings
from connectors.exports.listing import list_files
from connectors.exports.spec import ExportSpec
from infra.doubles.object_store import KEYS, REGION, ObjectStore, object_store
from sync.config import load
from sync.export_check import check_exports
from sync.export_report import ExportReport
from sync.exports import ingest
from sync.lake import Lake
from sync.store import Store

HEAD = "account_key,user_id,event,at\n"
BUCKET = "exports"
ADDRESS = f"s3://{BUCKET}/e/*.csv.gz"


@pytest.fixture
def database() -> str:
    """What is asked of the ledger here is asked in `test_exports` too."""
    return "sqlite"


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    """A store that speaks S3."""
    with object_store() as made:
        yield made


@pytest.fixture
def store(server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """The store with two files of events, its keys in the environment."""
    for name, value in {**KEYS, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    keys = [f"e/{number}.csv.gz" for number in range(1, 10)]
    put(server, 1, "ann")
    put(server, 2, "bob")
    yield server
    server.door.break_after = None
    for key in keys:
        server.remove(BUCKET, key)


def put(store: ObjectStore, number: int, user: str) -> None:
    """Put one event of a user."""
    content = f"{HEAD}007,{user},open,2026-11-01T09:00:00Z\n".encode()
    store.put(BUCKET, f"e/{number}.csv.gz", gzip.compress(content, mtime=0))


Ingest = Callable[[], ExportReport]


@pytest.fixture
def config(tmp_path: Path, store: ObjectStore) -> Path:
    """A configuration that names the store's events."""
    made = tmp_path / "upswell.toml"
    made.write_text(
        '[crm]\nkind = "hubspot"\n'
        f'[[exports]]\nkind = "events"\npath = "{ADDRESS}"\n[stores]\ns3_endpoint = "{store.endpoint}"\n'
    )
    return made


@pytest.fixture
def ingest_now(config: Path, ledger: Store, lake: Lake, noon: datetime) -> Ingest:
    """Read the exports."""
    return lambda: ingest(load(config, {}), ledger, lake, run_id=None, now=noon)


def users(lake: Lake) -> list[str]:
    """The user ids of the lake's events, sorted."""
    return sorted(lake.tables()["events"].user_id.to_pyarrow().to_pylist())


def test_an_object_that_is_the_same_version_is_not_brought_over_again(
    ingest_now: Ingest, lake: Lake, store: ObjectStore
) -> None:
    """A listing is all it costs; a new version takes the place of the old one."""
    store.put(BUCKET, "e/3.csv.gz", gzip.compress(HEAD.encode() + large(), mtime=0))
    assert ingest_now().read == tuple(f"s3://{BUCKET}/e/{number}.csv.gz" for number in (1, 2, 3))
    before = store.door.sent
    report = ingest_now()
    assert (report.files, len(report.unchanged)) == ((), 3)
    assert store.door.sent - before < 10_000
    put(store, 3, "cy")
    assert ingest_now().replaced == (f"s3://{BUCKET}/e/3.csv.gz",)
    assert users(lake) == ["ann", "bob", "cy"]


def large() -> bytes:
    """Rows of which the gzip is some 40 kB."""
    rows = (f"{n * n % 9973},u{n * 7919 % 104729},open,2026-11-01T09:00:00Z\n" for n in range(4_000))
    return "".join(rows).encode()


def test_the_same_bytes_put_again_are_not_read_again(ingest_now: Ingest, store: ObjectStore) -> None:
    """Nor when they lie under another key: they moved. A version of the same bytes is brought over once."""
    content = gzip.compress(HEAD.encode() + large(), mtime=0)
    store.put(BUCKET, "e/3.csv.gz", content)
    ingest_now()
    store.put_in_parts(BUCKET, "e/3.csv.gz", content)
    before = store.door.sent
    assert ingest_now().files == ()
    assert store.door.sent - before > len(content)
    before = store.door.sent
    assert ingest_now().files == ()
    assert store.door.sent - before < len(content)
    put(store, 1, "ann")
    store.remove(BUCKET, "e/2.csv.gz")
    put(store, 5, "bob")
    report = ingest_now()
    assert (report.files, report.moved, report.missing) == ((), (f"s3://{BUCKET}/e/5.csv.gz",), ())
    assert ingest_now().moved == ()


def test_a_bad_object_is_quarantined_under_its_address(
    ingest_now: Ingest, store: ObjectStore, config: Path, ledger: Store, noon: datetime
) -> None:
    """The copy on this machine is nobody's business."""
    ingest_now()
    store.put(BUCKET, "e/4.csv.gz", gzip.compress(HEAD.encode() + b"7,eve,open,yesterday\n"))
    address = f"s3://{BUCKET}/e/4.csv.gz"
    (one,) = ingest_now().quarantined
    assert (one.path, one.place) == (address, f"{address}, line 2 (row 1)")
    assert "upswell-" not in str(one)
    checks = check_exports(load(config, {}), ledger, now=noon)
    assert [each.state for each in checks] == ["read", "read", "bad"]
    assert checks[2].where == f"{address}, line 2 (row 1)"


def test_a_download_that_breaks_off_is_used_by_nobody(
    ingest_now: Ingest, store: ObjectStore, lake: Lake
) -> None:
    """It is said to be worth another try, and the next one reads it whole."""
    ingest_now()
    store.put(BUCKET, "e/3.csv.gz", gzip.compress(HEAD.encode() + large(), mtime=0))
    store.door.break_after = 3_000
    with pytest.raises(TransientError, match="nothing of it was used"):
        ingest_now()
    assert users(lake) == ["ann", "bob"]
    store.door.break_after = None
    assert ingest_now().rows == {"events": 4_000}


def test_an_object_that_changes_while_it_is_brought_over_is_used_by_nobody(
    tmp_path: Path, store: ObjectStore
) -> None:
    """It was listed in one version and came in another: the next reading takes the new one."""

    def change(*_: object) -> None:
        store.put(BUCKET, "e/1.csv.gz", gzip.compress(HEAD.encode() + large(), mtime=0))

    spec = ExportSpec(kind="events", path=f"s3://{BUCKET}/e/1.csv.gz")
    changing = Depot(stores=StoreSettings(s3_endpoint=store.endpoint), spool=tmp_path, held=change)
    with pytest.raises(TransientError, match="nothing of it was used"):
        list_files(spec, changing)
    assert list(tmp_path.iterdir()) == []


def depot(tmp_path: Path, endpoint: str) -> Depot:
    """A depot in which nothing was read before."""
    return Depot(stores=StoreSettings(s3_endpoint=endpoint), spool=tmp_path, held=lambda *_: None)


def test_what_can_not_be_reached_says_what_to_do(
    tmp_path: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No object, no bucket, no server, no credentials, no package, no such store."""

    def listing(path: str, endpoint: str = store.endpoint) -> None:
        list_files(ExportSpec(kind="events", path=path), depot(tmp_path, endpoint))

    for path in (f"s3://{BUCKET}/none/*", f"s3://{BUCKET}/none.csv", "s3://no-such-bucket/*"):
        with pytest.raises(InputError, match="No file of the export"):
            listing(path)
    with pytest.raises(TransientError, match="can't be reached"):
        listing(ADDRESS, "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"begin with ftp://"):
        listing("ftp://host/x")
    with pytest.raises(SettingError, match=r"pip install 'upswell\[gcs\]'"):
        listing("gs://bucket/x")
    for name in KEYS:
        monkeypatch.delenv(name)
    with pytest.raises(SettingError, match="AWS_ACCESS_KEY_ID"):
        listing(ADDRESS)
