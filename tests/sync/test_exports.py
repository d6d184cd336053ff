"""Export files are read once, replaced when sent again, and a bad one is set aside, whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import InputError
from sync.config import load
from sync.export_report import ExportReport
from sync.exports import ingest
from sync.lake import Lake
from sync.quarantine import quarantined_files
from sync.store import Store
from sync.store.tables import BookmarkRow, ExportFileRow, OrgRow

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


def test_a_bad_file_is_quarantined_whole_and_the_others_are_read(
    ingest_now: Ingest, folder: Path, lake: Lake, ledger: Store
) -> None:
    """Not even its good lines count; file, line, reason and fix are told until it is mended or gone."""
    ingest_now()
    (folder / "e1.csv").write_text(HEAD + "007,amy,open,2026-11-01T09:00:00Z,v1\n")
    bad = folder / "e9.csv"
    bad.write_text(HEAD + "007,eva,open,2026-11-01T09:00:00Z,v1\n007,eve,open,yesterday,v1\n")
    for report in (ingest_now(), ingest_now()):
        (one,) = report.quarantined
        assert (one.kind, one.path, one.kept) == ("events", str(bad), 0)
        assert "yesterday" in one.reason
        assert one.place == f"{bad}, line 3 (row 2)"
        assert report.warnings == (str(one),)
        assert bad.name not in str((report.read, report.replaced, report.unchanged))
        assert users(lake) == ["amy", "cy"]
    assert len(list(lake.folder.glob("events/*.parquet"))) == 3
    bad.write_text(HEAD + "007,eve,open,2026-11-01T09:00:00Z,v1\n")
    mended = ingest_now()
    assert (mended.quarantined, mended.warnings) == ((), ())
    assert [Path(path).name for path in mended.read] == ["e9.csv"]
    assert quarantined_files(ledger) == []
    assert users(lake) == ["amy", "cy", "eve"]


def test_what_a_file_said_before_it_was_sent_again_bad_still_counts(
    ingest_now: Ingest, folder: Path, lake: Lake, ledger: Store
) -> None:
    """It was true when it was read; that it counts is said, and the good bytes end the quarantine."""
    ingest_now()
    file = folder / "e1.csv"
    good = file.read_text()
    file.write_text(HEAD + "007,amy,open,yesterday,v1\n")
    (one,) = ingest_now().quarantined
    assert one.kept == 2
    assert "Its 2 rows of before still count." in str(one)
    assert users(lake) == ["ann", "bob", "cy"]
    file.write_text(good)
    assert ingest_now().warnings == ()
    assert quarantined_files(ledger) == []


def test_a_quarantined_file_that_is_taken_away_is_forgotten(
    ingest_now: Ingest, folder: Path, ledger: Store
) -> None:
    """It never said anything."""
    ingest_now()
    bad = folder / "e9.csv"
    bad.write_text("customer_id\n7\n")
    assert len(ingest_now().quarantined) == 1
    bad.unlink()
    assert ingest_now().warnings == ()
    assert quarantined_files(ledger) == []


def test_a_copy_of_a_bad_file_is_as_bad(ingest_now: Ingest, folder: Path, ledger: Store) -> None:
    """It is not said to count once where it does not count at all."""
    ingest_now()
    for name in ("e8.csv", "e9.csv"):
        (folder / name).write_text(HEAD + "007,eve,open,yesterday,v1\n")
    report = ingest_now()
    assert [Path(each.path).name for each in report.quarantined] == ["e8.csv", "e9.csv"]
    assert report.copies == ()


def test_an_export_of_which_nothing_was_ever_read_stops_the_run(
    ingest_now: Ingest, folder: Path, tmp_path: Path, lake: Lake, ledger: Store
) -> None:
    """Without its usage each account would look idle; what the other exports say is kept meanwhile."""
    settings = tmp_path / "upswell.toml"
    with settings.open("a") as file:
        file.write('[[exports]]\nkind = "usage"\npath = "exports/u*.csv"\n')
    (folder / "u1.csv").write_text("account_key,metric,period_start,value\n7,calls,2026-11-01,many\n")
    (folder / "u2.csv").write_text("account_key\n7\n")
    with pytest.raises(InputError, match=r"many.*None of the 2 files") as caught:
        ingest_now()
    assert "u1.csv, line 2" in str(caught.value)
    assert "take its [[exports]] out" in str(caught.value)
    assert users(lake) == ["ann", "bob", "cy"]
    assert len(quarantined_files(ledger)) == 2
    (folder / "u2.csv").write_text("account_key,metric,period_start,value\n7,calls,2026-11-01,5\n")
    assert [Path(each.path).name for each in ingest_now().quarantined] == ["u1.csv"]
    (folder / "u2.csv").unlink()
    assert len(ingest_now().quarantined) == 1, "what u2 said still counts"


def test_what_happened_after_now_is_quarantined(ingest_now: Ingest, folder: Path, ledger: Store) -> None:
    """Now is the later of our clock and that of the CRM, as far as it was read."""
    ingest_now()
    (folder / "e9.csv").write_text(HEAD + "007,eve,open,2026-12-24T09:00:00Z,v1\n")
    assert len(ingest_now().quarantined) == 1
    org = OrgRow(
        id="o", kind="hubspot", name="", url="", currency="USD", timezone="UTC", api_version="",
        first_seen=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    with ledger.begin() as session:
        session.add(org)
        session.flush()
        until = datetime(2026, 12, 24, 12, tzinfo=UTC)
        session.add(BookmarkRow(org_id="o", table_name="accounts", until=until))
    assert ingest_now().quarantined == ()


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
    """Size, format, rows, the first and last time in them, and rows by day."""
    ingest_now()
    with ledger.session() as session:
        row = session.get_one(ExportFileRow, ("events", str(folder / "e1.csv")))
    assert (row.rows, row.format, row.size) == (2, "table", (folder / "e1.csv").stat().st_size)
    assert row.days == {"2026-11-01": 1, "2026-11-02": 1}
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
