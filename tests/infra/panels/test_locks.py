"""Lock files pin names, versions and hashes, and lead nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.panels.kits import kits
from infra.panels.locks import plain
from infra.panels.run import ROOT

FOLDERS = [kit.folder for kit in kits(ROOT)]


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_a_lock_file_holds_no_address(folder: Path) -> None:
    """Neither of a registry nor of anybody who asks for money."""
    text = (folder / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in each and "version" in each for name, each in packages.items() if name)


def test_only_funding_is_taken_out() -> None:
    """What a package is, and its hash, stays."""
    held = {"packages": {"": {"name": "x"}, "node_modules/a": {"version": "1", "integrity": "sha512-Zg=="}}}
    noted = json.loads(json.dumps(held))
    noted["packages"]["node_modules/a"]["funding"] = {"url": "somewhere"}
    assert json.loads(plain(json.dumps(noted))) == held
