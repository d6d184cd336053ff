"""A pytest plugin for mutmut: what is slow is done once, before the forks, and quick tests come first.

Most mutants die at the first tests, so one of them costs what it takes to get there.
"""

from __future__ import annotations

import gc
import importlib

import pytest
from mutmut.state import state
from mutmut.workers import isolation

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


def no_clock_of_mutmuts(pid: int, timeout_s: float) -> None:
    """Nothing: when time is up, mutmut 3.8.1 signals the process id of a mutant that may have ended, and the
    id may be another's by now. Its limit on CPU time stays, and each test gets a limit below."""


isolation.register_timeout = no_clock_of_mutmuts


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by the seconds that each took when nothing was changed; none may take 20 times that."""
    seconds = state().duration_by_test
    items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))
    for item in items:
        if item.nodeid in seconds:
            item.add_marker(pytest.mark.timeout(30 + 20 * seconds[item.nodeid]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the collection that warms up the fork server: import the rest, and keep the forks' gc off it."""
    if config.option.collectonly:
        for name in IMPORTED_LATE:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()
