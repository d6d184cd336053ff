"""Databases that hold no ledger yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, on either kind."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'ledger.sqlite'}"
    else:
        server = request.getfixturevalue("postgres")
        with server.database() as name:
            yield server.url(name)
