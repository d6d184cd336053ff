"""The modules whose tests must bite, and those tests, as `[tool.mutmut]` in pyproject.toml lists them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path


def modules() -> tuple[str, ...]:
    """Paths of the modules, in the list's order; one that is not there is named and left out."""
    listed = _section()["only_mutate"]
    for path in listed:
        if not Path(path).is_file():
            print(f"listed under [tool.mutmut] and not there: {path}", file=sys.stderr)
    return tuple(path for path in listed if Path(path).is_file())


def test_selection() -> Sequence[str]:
    """Pytest's arguments that choose the tests."""
    return _section()["pytest_add_cli_args_test_selection"]


def _section() -> dict[str, list[str]]:
    section: dict[str, list[str]] = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    return section
