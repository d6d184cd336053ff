"""docs/mess.md names code and tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mess.md"


def test_every_kind_of_mess_names_code_and_tests_that_exist() -> None:
    """A file or a test that is renamed must be renamed on the page."""
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"][2:]
    assert len(rows) > 12
    for _, kind, _, code, tests, _ in rows:
        files = re.findall(r"`([^`]+\.py)`", code)
        named = re.findall(r"`(tests/[^`:]+)(?:::([^`]+))?`", tests)
        assert files, kind
        assert named, kind
        assert [file for file in files if not (ROOT / file).is_file()] == []
        for file, test in named:
            assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8"), (kind, file, test)
