"""What doctor says of the quota and of the last run."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.crm import Crm, Usage
from sync.check import Verdict
from sync.crm_checks import _quota
from sync.data_checks import check_runs
from sync.settings import BudgetSettings
from sync.store import Store
from sync.store.runs import end_run, start_run


@pytest.mark.parametrize(
    ("used", "ours", "verdict"),
    [
        (100, 100, Verdict.OK),
        (179, 179, Verdict.OK),
        (180, 180, Verdict.WARN),  # nearly all of our 200
        (799, 0, Verdict.OK),
        (800, 0, Verdict.FAIL),
    ],
)
def test_the_quota_is_that_of_all_our_processes(used: int, ours: int, verdict: Verdict) -> None:
    """Near our share it is worth knowing; at everybody's ceiling nothing works."""
    usage = Usage(calls=3, org_used=used, org_limit=1000, ours=ours)
    crm: Any = SimpleNamespace(usage=lambda: usage)
    check = _quota(cast("Crm", crm), BudgetSettings(run_share=0.5))
    assert check.verdict is verdict
    assert f"{ours} of them ours, of at most 200 (100 a run); this check took 3" in check.found
    assert (check.fix is None) is (verdict is Verdict.OK)


def test_a_last_run_that_failed_is_worth_knowing(ledger: Store, noon: datetime) -> None:
    """With what it failed of."""
    assert check_runs(ledger).found == "there was none yet"
    run = start_run(ledger, "pull", config_hash="c", now=noon)
    assert check_runs(ledger).verdict is Verdict.OK
    end_run(ledger, run, status="failed", now=noon, error="the CRM is away.")
    check = check_runs(ledger)
    assert check.verdict is Verdict.WARN
    assert check.found == "pull, failed, begun 2026-11-23 12:00 UTC: the CRM is away."
