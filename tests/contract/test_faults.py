"""A tenth of the fault run's pull and a part of its apply; `make chaos` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.chaos.home import empty_ledger
from infra.contract.apply_faults import applied_through_faults, company_of
from infra.contract.org import Org
from infra.contract.pull_faults import pulled_through_faults


@pytest.mark.parametrize("crm_name", ["salesforce", "hubspot 2026-09"], indirect=True)
def test_what_was_pulled_through_faults_equals_the_crm(org: Org, tmp_path: Path) -> None:
    """Late commits, one stamp for 500 rows, deletes, merges, a field out of sight, a fault in four calls."""
    result = pulled_through_faults(org, tmp_path, rows=2_000, seed=0)
    assert result.differences == ()
    assert (result.stopped, result.broken > 0, result.faults > 15, result.deeds > 30) == (1, True, True, True)


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_what_was_written_through_faults_is_accounted_for_once(kind: str, tmp_path: Path) -> None:
    """The audit bears every outcome out, also where a right was taken away in mid-run and given back."""
    company = company_of(tmp_path / "made", kind, accounts=500)
    (tmp_path / "home").mkdir()
    result = applied_through_faults(tmp_path / "home", company, empty_ledger(tmp_path), writes=500, seed=1)
    assert result.violations == ()
    assert sum(result.outcomes.values()) == 500
    assert result.outcomes.keys() == {"applied", "conflict", "gone", "merged"}
    assert (result.stopped, result.faults > 3) == (1, True)
