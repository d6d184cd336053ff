"""Export files are read once, replaced when sent again, and a bad one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from connectors.errors import InputError
from sync.config import load
from sync.exports import ExportReport, ingest
from sync.lake import Lake
from sync.store import Store
from sync.store.tables import ExportFileRow

HEAD = "customer_id,user,event,at,visit\n"
Ingest = Callable[[], ExportReport]


@pytest.fixture
def database() -> str:
    """Files and their manifest: the SQL of it is that of `test_pull`, which runs on both."""
    return "sqlite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An exports folder with two event files and a configuration beside it."""
    made = tmp_path / "exports"
    made.mkdir()
    (made / "e1.csv").write_text(
        HEAD + "007,ann,open,2026-11-01T09:00:00Z,v1\n007,bob,open,2026-11-02T09:00:00Z,v1\n"
    )
    (made / "e2.csv").write_text(HEAD + "NA,cy,open,2026-11-03T09:00:00Z,v1\n")
    write_settings(tmp_path, 'columns = { user_id = "user" }')
    return made


def write_settings(tmp_path: Path, columns: str) -> None:
    """The configuration whose events lie in exports/."""
    (tmp_path / "upswell.toml").write_text(
        '[crm]\nkind = "salesforce"\n[[exports]]\nkind = "events"\npath = "exports/e*.csv"\n'
        f'account_key = "customer_id"\n{columns}\n'
    )


@pytest.fixture
def ingest_now(tmp_path: Path, folder: Path, ledger: Store, lake: Lake, noon: datetime) -> Ingest:
    """Read the exports as the configuration now stands."""

    def once() -> ExportReport:
        settings = load(tmp_path / "upswell.toml", {})
        return ingest(settings, ledger, lake, run_id=None, now=noon)

    return once


def users(lake: Lake) -> list[str]:
    """The user ids of the lake's events, sorted."""
    return sorted(lake.tables()["events"].user_id.to_pyarrow().to_pylist())


def test_files_are_read_once(ingest_now: Ingest, folder: Path, lake: Lake) -> None:
    """The second time costs a checksum."""
    first = ingest_now()
    assert [Path(path).name for path in first.read] == ["e1.csv", "e2.csv"]
    assert first.rows == {"events": 3}
    second = ingest_now()
    assert (second.read, second.replaced, second.rows) == ((), (), {})
    assert len(second.unchanged) == 2
    assert users(lake) == ["ann", "bob", "cy"]
    keys = lake.tables()["events"].account_key.to_pyarrow().to_pylist()
    assert sorted(keys) == ["007", "007", "NA"]


def test_a_file_that_is_sent_again_replaces_what_it_said(
    ingest_now: Ingest, folder: Path, lake: Lake
) -> None:
    """And a file that is new adds to it."""
    ingest_now()
    (folder / "e1.csv").write_text(HEAD + "007,amy,open,2026-11-01T09:00:00Z,v1\n")
    (folder / "e3.csv").write_text(HEAD + "007,dan,open,2026-11-04T09:00:00Z,v1\n")
    report = ingest_now()
    assert [Path(path).name for path in report.replaced] == ["e1.csv"]
    assert [Path(path).name for path in report.read] == ["e3.csv"]
    assert users(lake) == ["amy", "cy", "dan"]


def test_a_file_that_now_holds_no_rows_takes_its_rows_back(
    ingest_now: Ingest, folder: Path, lake: Lake
) -> None:
    """A header alone is a file, too."""
    ingest_now()
    (folder / "e1.csv").write_text(HEAD)
    report = ingest_now()
    assert report.rows == {"events": 0}
    assert users(lake) == ["cy"]
    (warning,) = report.warnings
    assert warning.startswith(f"{folder / 'e1.csv'}: the file has no rows; when it was read last it had 2.")
    assert "upswell pull" in warning
    assert ingest_now().warnings == ()


@pytest.mark.parametrize("gone", [False, True])
def test_a_new_file_without_rows_is_said_where_others_have_some(
    ingest_now: Ingest, folder: Path, gone: bool
) -> None:
    """Beside it or before it, even where those were taken away since."""
    ingest_now()
    if gone:
        for file in folder.iterdir():
            file.unlink()
    (folder / "e3.csv").write_text(HEAD)
    *_, warning = ingest_now().warnings
    assert warning.startswith(f"{folder / 'e3.csv'}: the file has no rows, and other files of ")


def test_a_file_without_rows_beside_its_first_rows_is_said(ingest_now: Ingest, folder: Path) -> None:
    """On the very first reading too."""
    (folder / "e1.csv").write_text(HEAD)
    (warning,) = ingest_now().warnings
    assert "e1.csv" in warning


def test_a_file_without_rows_is_said_where_the_others_only_moved(
    ingest_now: Ingest, folder: Path, tmp_path: Path
) -> None:
    """The folder has another name, and one of its files lost its rows on the way."""
    ingest_now()
    (folder / "e2.csv").write_text(HEAD)
    settings = tmp_path / "upswell.toml"
    settings.write_text(settings.read_text().replace("exports/", "moved/"))
    folder.rename(tmp_path / "moved")
    report = ingest_now()
    assert len(report.moved) == 1
    assert "moved/e2.csv: the file has no rows" in str(report.empty)


def test_an_export_that_never_had_rows_is_no_cause_for_a_warning(ingest_now: Ingest, folder: Path) -> None:
    """A company that has not asked anybody yet has no answers."""
    for file in folder.iterdir():
        file.write_text(HEAD)
    assert ingest_now().empty == ()


def test_a_bad_file_changes_nothing(ingest_now: Ingest, folder: Path, lake: Lake, ledger: Store) -> None:
    """Not even what the good files beside it say; the file and the line are named."""
    ingest_now()
    (folder / "e1.csv").write_text(HEAD + "007,amy,open,2026-11-01T09:00:00Z,v1\n")
    (folder / "e9.csv").write_text(HEAD + "007,eve,open,yesterday,v1\n")
    with pytest.raises(InputError, match="yesterday") as caught:
        ingest_now()
    assert "e9.csv" in str(caught.value)
    assert users(lake) == ["ann", "bob", "cy"]
    assert len(list(lake.folder.glob("*/*.parquet"))) == 2
    (folder / "e9.csv").unlink()
    assert len(ingest_now().replaced) == 1


def test_a_file_that_is_gone_is_warned_of_once_and_still_counts(
    ingest_now: Ingest, folder: Path, lake: Lake, ledger: Store
) -> None:
    """Old exports are often cleared away; what they said stays true."""
    ingest_now()
    kept = (folder / "e1.csv").read_text()
    (folder / "e1.csv").unlink()
    report = ingest_now()
    assert [Path(path).name for path in report.missing] == ["e1.csv"]
    assert "still counts" in report.warnings[0]
    assert ingest_now().warnings == ()
    assert users(lake) == ["ann", "bob", "cy"]
    (folder / "e1.csv").write_text(kept)
    assert len(ingest_now().unchanged) == 2
    with ledger.session() as session:
        assert session.get_one(ExportFileRow, ("events", str(folder / "e1.csv"))).status == "read"


def test_another_reading_of_the_same_bytes_is_read_again(
    ingest_now: Ingest, tmp_path: Path, lake: Lake
) -> None:
    """A corrected column mapping must reach rows that were read before."""
    ingest_now()
    write_settings(tmp_path, 'columns = { user_id = "user", session_id = "visit" }')
    assert len(ingest_now().replaced) == 2
    assert lake.tables()["events"].session_id.to_pyarrow().to_pylist() == ["v1", "v1", "v1"]


def test_the_manifest_says_what_a_file_held(ingest_now: Ingest, folder: Path, ledger: Store) -> None:
    """Rows, and the first and last time in them."""
    ingest_now()
    with ledger.session() as session:
        row = session.get_one(ExportFileRow, ("events", str(folder / "e1.csv")))
    assert row.rows == 2
    assert row.first_at is not None
    assert row.last_at is not None
    assert (row.first_at.isoformat(), row.last_at.isoformat()) == (
        "2026-11-01T09:00:00+00:00",
        "2026-11-02T09:00:00+00:00",
    )


def test_no_exports_are_no_error(tmp_path: Path, ledger: Store, lake: Lake, noon: datetime) -> None:
    """A company may start with its CRM alone."""
    settings = load(None, {"UPSWELL_CRM__KIND": "salesforce"})
    report = ingest(settings, ledger, lake, run_id=None, now=noon)
    assert report.rows == {}


def test_files_that_moved_are_not_counted_again(ingest_now: Ingest, folder: Path, lake: Lake) -> None:
    """The same bytes under another path are the same file: nothing is read, nothing counts twice."""
    ingest_now()
    (folder / "e1.csv").rename(folder / "e9.csv")
    report = ingest_now()
    assert report.read == ()
    assert [Path(path).name for path in report.moved] == ["e9.csv"]
    assert report.warnings == ()
    assert users(lake) == ["ann", "bob", "cy"]
    assert ingest_now().moved == ()


def test_the_same_bytes_in_two_files_count_once(ingest_now: Ingest, folder: Path, lake: Lake) -> None:
    """A copy beside the original is named in a warning and left alone, until the original goes."""
    ingest_now()
    original, copy = folder / "e1.csv", folder / "e7.csv"
    copy.write_bytes(original.read_bytes())
    report = ingest_now()
    assert report.read == ()
    assert len(report.warnings) == 1
    assert copy.name in report.warnings[0]
    original.unlink()
    assert [Path(path).name for path in ingest_now().moved] == [copy.name]
    assert users(lake) == ["ann", "bob", "cy"]
