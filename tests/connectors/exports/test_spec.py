"""What the settings say about exports, and the files found."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.canonical import EXPORT_KINDS, EXPORT_TABLES, schema_of
from connectors.errors import InputError, SettingError
from connectors.exports.listing import list_files
from connectors.exports.spec import REQUIRED, ExportSpec


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"kind": "meetings"}, "kind"),
        ({"format": "excel"}, "format"),
        ({"kind": "billing", "format": "amplitude"}, "format"),
        ({"encoding": "klingon"}, "encoding"),
        ({"encoding": "base64"}, "encoding"),
        ({"columns": {"colour": "Colour"}}, "columns"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
    ],
)
def test_a_setting_that_cannot_be_right_names_itself(settings: dict[str, Any], setting: str) -> None:
    """Kind, format, column and zone are checked before any file is opened."""
    with pytest.raises(SettingError) as caught:
        ExportSpec(**{"kind": "events", "path": "x", **settings})
    assert caught.value.setting == f"[[exports]] {setting}"


def test_every_kind_has_required_columns() -> None:
    """Each canonical export table says what it can't do without."""
    assert set(REQUIRED) == set(EXPORT_KINDS)
    assert sorted(EXPORT_KINDS.values()) == sorted(EXPORT_TABLES)
    assert all(set(names) <= set(schema_of(EXPORT_KINDS[kind]).names) for kind, names in REQUIRED.items())


def test_a_pattern_without_files_is_refused_by_name(tmp_path: Path) -> None:
    """An empty glob is a mistake, not an empty export."""
    with pytest.raises(InputError) as caught:
        list_files(ExportSpec(kind="events", path=str(tmp_path / "*.csv")))
    assert caught.value.record == str(tmp_path / "*.csv")


def test_files_are_listed_in_order_with_size_and_checksum(tmp_path: Path) -> None:
    """Rows are known beforehand where the file's footer tells them."""
    (tmp_path / "sub").mkdir()
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "sub" / "b.parquet")
    (tmp_path / "a.csv").write_text("x\n1\n")
    files = list_files(ExportSpec(kind="events", path=str(tmp_path / "**" / "*.*")))
    assert [(file.path.name, file.rows) for file in files] == [("a.csv", None), ("b.parquet", 3)]
    assert files[0].size == 4
    assert files[0].sha256 == hashlib.sha256(b"x\n1\n").hexdigest()
