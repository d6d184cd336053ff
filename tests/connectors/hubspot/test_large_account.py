"""A tenth of a large account: 5,000 companies, 15,000 deals, 30,000 engagements and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.canonical import CRM_TABLES
from connectors.sandbox.server import Sandbox
from infra.bench.bench_hubspot_pull import LIMIT, RECORDS, UNLIMITED, connect, fewest_calls, read
from infra.bench.hubspot_account import Size, fill, owner_of


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Callable[[Size], Sandbox]]:
    """Serve an account of a size."""
    made: list[Sandbox] = []

    def fill_(size: Size) -> Sandbox:
        made.append(Sandbox(tmp_path / "account", "hubspot", **UNLIMITED))
        fill(made[-1].store, size)
        return made[-1]

    yield fill_
    for each in made:
        each.close()


@pytest.mark.slow
def test_a_first_pull_costs_little_more_than_its_pages(filled: Callable[[Size], Sandbox]) -> None:
    """Every record with its company, in at most 1.2 times the calls that 100 a page take."""
    size = Size().times(0.1)
    sandbox = filled(size)
    strays: list[Any] = []

    def look(table: str, page: pa.Table) -> None:
        if table != "accounts":
            pairs = zip(page["crm_id"].to_pylist(), page["account_crm_id"].to_pylist(), strict=True)
            strays.extend(pair for pair in pairs if owner_of(pair[0], size) != pair[1])

    crm = connect(sandbox.url, sandbox.folder)
    rows = read(crm, RECORDS, look=look)
    crm.close()
    assert rows == {
        "accounts": size.companies,
        "opportunities": size.deals,
        "activities": size.engagements,
    }
    assert strays == []
    assert crm.usage().calls <= LIMIT * fewest_calls(size, with_past=False)


def test_a_pull_of_every_table_lists_no_object_twice(filled: Callable[[Size], Sandbox]) -> None:
    """With the past of companies and deals, which come 50 a page: at most 1.2 times those pages."""
    size = Size().times(0.02)
    sandbox = filled(size)
    crm = connect(sandbox.url, sandbox.folder)
    rows = read(crm, tuple(CRM_TABLES))
    crm.close()
    assert rows["opportunities"] == size.deals
    assert rows["opportunity_lines"] == size.lines
    assert rows["opportunity_history"] == size.deals + size.deals // 2  # its first stage, and each change
    setup = len([each for each in sandbox.audit.requests() if "/objects/" not in each.path])
    assert crm.usage().calls - setup <= LIMIT * fewest_calls(size, with_past=True)
