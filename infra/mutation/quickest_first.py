"""A pytest plugin for mutmut: what is slow is done once, before the forks, and quick tests come first.

Most mutants die at the first tests, so one of them costs what it takes to get there.
"""

from __future__ import annotations

import gc
import importlib

import pytest
from mutmut.state import state

IMPORTED_LATE = (
    "alembic.autogenerate",
    "alembic.command",
    "connectors.sandbox.server",
    "hypothesis.internal.conjecture.engine",
    "ibis.backends.duckdb",
    "ibis.formats.pandas",
    "pandas",
    "pyarrow.dataset",
    "sqlalchemy.dialects.sqlite",
    "zeep",
)
"""What the product imports inside functions: 0.5 CPU seconds that each mutant would pay again."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by the seconds that each took when all were run unchanged."""
    seconds = state().duration_by_test
    items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the collection that warms up the fork server: import the rest, and keep the forks' gc off it."""
    if config.option.collectonly:
        for name in IMPORTED_LATE:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()
