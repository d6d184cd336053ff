"""A small Salesforce org and an empty ledger to copy, and a nursery of processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.chaos.company import Org, make_org
from infra.chaos.home import Home, at_home, empty_ledger
from infra.chaos.nursery import Nursery
from infra.chaos.processes import MODULES

AtHome = Callable[..., Home]


@pytest.fixture(scope="session")
def small_org(tmp_path_factory: pytest.TempPathFactory) -> Org:
    """Sixty accounts, half of them scored before."""
    return make_org(tmp_path_factory.mktemp("small") / "org", "salesforce", accounts=60, seed=1)


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated ledger without rows."""
    return empty_ledger(tmp_path_factory.mktemp("ledger"))


@pytest.fixture
def new_home(small_org: Org, ledger_file: Path, tmp_path: Path) -> Iterator[AtHome]:
    """Open a copy of the small org beside an empty ledger; settings go to its upswell.toml."""
    with ExitStack() as stack:

        def opened(**settings: object) -> Home:
            return stack.enter_context(at_home(tmp_path, small_org, ledger_file, **settings))

        yield opened


@pytest.fixture
def home(new_home: AtHome) -> Home:
    """The small org, written to in calls of 25."""
    return new_home(write_batch=25)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Processes that have imported all that an apply needs."""
    with Nursery(MODULES, tmp_path_factory.mktemp("processes")) as made:
        yield made
