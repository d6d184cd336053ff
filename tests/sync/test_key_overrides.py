"""What a person says about a key goes before every rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import InputError
from sync.account_index import DEAD_OVERRIDE, LEFT_OUT, OVERRIDE, build_index
from sync.aliases import Alias
from sync.key_overrides import read_overrides
from sync.sheet import write_sheet


def written(folder: Path, text: str) -> Path:
    """A file with this text."""
    path = folder / "overrides.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_line_names_the_account_of_a_key(tmp_path: Path) -> None:
    """Columns stand in any order beside others, `none` means nobody, an open line means nothing yet."""
    lines = (
        "\ufeffcrm_id,why,account_key",
        "A1,a merger,k1",
        "None,test,k2",
        ",?,k3",
        " A2 ,, k 4 ",
        "A1,,k1",
    )
    text = "\r\n".join(lines)
    assert read_overrides(written(tmp_path, text)) == {"k1": "A1", "k2": None, "k 4": "A2"}
    assert read_overrides(None) == {}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("key,crm_id\nk,A1\n", "overrides.csv", "no column account_key"),
        ("", "overrides.csv", "no column account_key and no crm_id"),
        ("account_key,crm_id\nk,A1\nk,A2\n", "overrides.csv, line 3", "another account"),
        ("account_key,crm_id\n,A2\n", "overrides.csv, line 2", "no account_key"),
        ('account_key,crm_id\n"k,A2\n', "overrides.csv", "no CSV"),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    """Half of it would be somebody's mistake kept for good."""
    with pytest.raises(InputError) as caught:
        read_overrides(written(tmp_path, text))
    assert caught.value.record is not None
    assert caught.value.record.endswith(place)
    assert message in caught.value.message


def test_a_file_that_is_not_there_or_not_utf_8_is_refused(tmp_path: Path) -> None:
    """It was named, so it is wanted."""
    with pytest.raises(InputError, match="can't be read"):
        read_overrides(tmp_path / "absent.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes("account_key,crm_id\nmüller,A1\n".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        read_overrides(path)


def test_overrides_go_before_ids_and_follow_merges() -> None:
    """Also where the key would be another's or ambiguous; a target that is gone is no account."""
    index = build_index(
        [("A1", "c1"), ("A2", "same"), ("A3", "same")],
        [Alias(loser="L1", survivor="A2")],
        overrides={"c1": "A2", "same": "A3", "old": "L1", "test": None, "dead": "A9"},
    )
    assert [index.of_key(key) for key in ("c1", "same", "old", "test", "dead")] == [
        "A2",
        "A3",
        "A2",
        None,
        None,
    ]
    assert [index.match(key).way for key in ("c1", "test", "dead")] == [OVERRIDE, LEFT_OUT, DEAD_OVERRIDE]
    assert index.of_key("A1") == "c1"  # the account itself keeps its name


def test_a_review_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Also a key that a spreadsheet would run, which is written with an apostrophe in front."""
    path = tmp_path / "review.csv"
    keys = ("=1+1", "-5", "'quoted", "a,b", "001")
    write_sheet(path, ("account_key", "crm_id"), [{"account_key": key, "crm_id": "A1"} for key in keys], {})
    assert set(read_overrides(path)) == set(keys)
