"""Facts about what the ledger tells of an installation that has done nothing yet, and of its exports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import UsageError
from sync.config import load
from sync.export_check import check_exports
from sync.export_status import status_of_exports
from sync.exports import ingest
from sync.history import runs_that_wrote, writes
from sync.lake import Lake
from sync.store import Store

SETTINGS = """\
[crm]
kind = "salesforce"
[[exports]]
kind = "surveys"
path = "surveys-*.csv"
[[exports]]
kind = "notes"
path = "notes.csv"
"""


@pytest.fixture
def settings_of_exports(tmp_path: Path) -> Any:
    """Settings with two kinds of export: two files of one, none of the other."""
    head = "account_key,kind,score,responded_at\n"
    (tmp_path / "surveys-1.csv").write_text(head + "A,nps,9,2026-01-05\nB,nps,3,2026-03-01\n")
    (tmp_path / "surveys-2.csv").write_text(head + "A,nps,9,2026-05-05\nB,nps,many,2026-06-01\n")
    (tmp_path / "upswell.toml").write_text(SETTINGS)
    return load(tmp_path / "upswell.toml", {})


def test_a_ledger_without_writes_has_no_history(ledger: Store) -> None:
    """Nothing is listed, and a run that never was is the user's slip."""
    assert runs_that_wrote(ledger, 10) == []
    assert writes(ledger, record="C-1") == []
    with pytest.raises(UsageError, match="no such run"):
        writes(ledger, run="20260101T000000-00000000")


def test_each_export_file_is_checked_although_another_is_bad(
    ledger: Store, settings_of_exports: Any, noon: datetime
) -> None:
    """Good files tell rows and range, a bad one its row, a pattern without files itself."""
    found = list(check_exports(settings_of_exports, ledger, now=noon))
    assert [(each.kind, each.state, each.rows) for each in found] == [
        ("surveys", "new", 2),
        ("surveys", "bad", None),
        ("notes", "bad", None),
    ]
    assert found[0].first_at is not None
    assert (found[0].first_at.date().isoformat(), str(found[0].last_at)[:10]) == ("2026-01-05", "2026-03-01")
    assert str(found[1].where).endswith("surveys-2.csv, line 3 (row 2)")
    assert str(found[2].where).endswith("notes.csv")
    assert all(each.fix for each in found[1:])


def test_a_file_that_was_read_is_known_and_its_kind_has_a_status(
    ledger: Store, lake: Lake, settings_of_exports: Any, tmp_path: Path, noon: datetime
) -> None:
    """After a pull the same bytes are `read`; the status tells files, rows and the newest day."""
    (tmp_path / "surveys-2.csv").unlink()
    (tmp_path / "notes.csv").write_text("account_key,kind,written_at,text\nA,goal,2026-02-02,Grow\n")
    assert status_of_exports(ledger) == []
    ingest(settings_of_exports, ledger, lake, run_id=None, now=noon)
    assert {each.state for each in check_exports(settings_of_exports, ledger, now=noon)} == {"read"}
    held = {each.kind: each for each in status_of_exports(ledger)}
    assert (len(held["surveys"].files), held["surveys"].rows, held["surveys"].missing) == (1, 2, 0)
    assert str(held["surveys"].last_at)[:10] == "2026-03-01"
    assert held["notes"].read_at == noon


def test_a_file_without_rows_is_checked_with_a_warning(
    ledger: Store, lake: Lake, settings_of_exports: Any, tmp_path: Path, noon: datetime
) -> None:
    """Where its pattern has rows, now or when it was read last; one that never had any is fine."""
    head = "account_key,kind,score,responded_at\n"
    notes = "account_key,kind,written_at,text\n"
    (tmp_path / "surveys-2.csv").write_text(head)
    (tmp_path / "notes.csv").write_text(notes)
    found = {
        Path(each.path).name: each.warning for each in check_exports(settings_of_exports, ledger, now=noon)
    }
    assert found.pop("surveys-2.csv")
    assert found == {"surveys-1.csv": None, "notes.csv": None}
    (tmp_path / "notes.csv").write_text(notes + "A,goal,2026-02-02,Grow\n")
    ingest(settings_of_exports, ledger, lake, run_id=None, now=noon)
    (tmp_path / "notes.csv").write_text(notes)
    told = [
        each.warning for each in check_exports(settings_of_exports, ledger, now=noon) if each.kind == "notes"
    ]
    assert "it had 1" in str(told)
