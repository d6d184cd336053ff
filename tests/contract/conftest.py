"""Each test of this folder runs on every CRM that Upswell speaks to, in each of its dialects."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.crm import Crm
from connectors.fields import field_specs
from infra.contract.org import Org
from infra.contract.orgs import ORGS, open_org

Folders = Callable[[str, bool], Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The folder of a CRM of that name, without or with our fields; made once, to be copied."""
    known: dict[tuple[str, bool], Path] = {}

    def folder(name: str, installed: bool) -> Path:
        if (name, installed) not in known:
            where = tmp_path_factory.mktemp("made") / "org"
            if installed:
                shutil.copytree(folder(name, False), where)
            org = open_org(name, where)
            if installed:
                org.connect().install(list(field_specs().values()), apply=True)
            org.close()
            known[name, installed] = where
        return known[name, installed]

    return folder


@pytest.fixture(params=ORGS)
def crm_name(request: pytest.FixtureRequest) -> str:
    """Which CRM."""
    name: str = request.param
    return name


@pytest.fixture
def bare(crm_name: str, made: Folders, tmp_path: Path) -> Iterator[Org]:
    """A CRM without our fields."""
    yield from _opened(crm_name, made(crm_name, False), tmp_path / "bare")


@pytest.fixture
def org(crm_name: str, made: Folders, tmp_path: Path) -> Iterator[Org]:
    """A CRM with our fields."""
    yield from _opened(crm_name, made(crm_name, True), tmp_path / "org")


@pytest.fixture
def crm(org: Org) -> Crm:
    """A connection to it."""
    return org.connect()


def _opened(name: str, made: Path, folder: Path) -> Iterator[Org]:
    shutil.copytree(made, folder)
    org = open_org(name, folder)
    yield org
    org.close()
