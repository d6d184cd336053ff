"""Jobs over real HTTP, with a fault at every step: each record is written once, and accounted for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.sandbox.faults import FaultRule
from infra.chaos.home import Home

STEPS = ("create", "upload", "close", "info", "failed", "successful", "unprocessed")
FAULTS: dict[str, dict[str, Any]] = {
    "503": {"kind": "status", "status": 503},
    "reset before": {"kind": "reset_before"},
    "reset after": {"kind": "reset_after"},
    "expired session": {"kind": "expire_session"},
    "late": {"kind": "late", "seconds": 60.0},
}


@pytest.fixture
def home(new_home: Any) -> Home:
    """The small org, in which a job is worth its calls for some dozens of records."""
    made: Home = new_home()
    made.crm.capabilities = replace(made.crm.capabilities, write_batch=5)
    made.let_pass(days=1)
    return made


def asked(home: Home, endpoint: str) -> int:
    """How often an endpoint was asked."""
    return sum(each.endpoint == endpoint for each in home.sandbox.audit.requests())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_step_of_a_job_loses_and_doubles_nothing(home: Home, fault: str) -> None:
    """The first call of each kind meets it; some rows are locked, and the job halts before its end."""
    plan = home.plan(writes=50, tasks=0)
    rules = [FaultRule(endpoint=f"ingest.{step}", request=(1,), **FAULTS[fault]) for step in STEPS]
    ids = home.org.ids
    home.sandbox.faults.replace(
        [
            *rules,
            FaultRule(kind="lock", endpoint="ingest.close", ids=(ids[20], ids[21])),
            FaultRule(kind="halt", endpoint="ingest.close", rows=40),
        ]
    )
    report = home.apply(plan.id)
    home.sandbox.settle_late()
    assert report.outcomes == {"applied": 50}
    assert home.violations() == []
    assert asked(home, "ingest.close") >= 1


def test_a_plan_written_by_a_job_is_taken_back_by_one(home: Home) -> None:
    """Cell by cell, and each journalled."""
    plan = home.plan(writes=50, tasks=0)
    assert home.apply(plan.id).outcomes == {"applied": 50}
    assert asked(home, "ingest.close") == 1
    assert home.rollback(plan.id).restored_records == 50
    assert asked(home, "ingest.close") == 2
    assert home.violations(rolled_back=(plan.id,)) == []


def test_an_administrator_who_aborts_a_job_stops_no_plan(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the job had written stays written, and the rest goes by calls."""
    plan = home.plan(writes=50, tasks=0)
    home.sandbox.faults.replace([FaultRule(kind="halt", endpoint="ingest.close", rows=10)])
    jobs: Any = home.crm.jobs
    close = jobs.close

    def closed(job_id: str) -> None:
        close(job_id)
        jobs.abort(job_id)

    monkeypatch.setattr(jobs, "close", closed)
    assert home.apply(plan.id).outcomes == {"applied": 50}
    assert home.violations() == []


def test_an_edit_while_a_job_is_at_work_is_seen_by_the_look_at_its_records(home: Home) -> None:
    """It came after our write: the person's value stays, and the report names the cell."""
    plan = home.plan(writes=50, tasks=0)
    at = {"object": "Account", "id": home.org.ids[30], "values": {"Expansion_Reason_1__c": "No, says Ann"}}
    home.sandbox.faults.add(kind="edit", endpoint="ingest.info", times=1, edit=at)
    report = home.apply(plan.id)
    assert report.outcomes == {"applied": 50}
    assert [(d.record_id, d.held) for d in report.drifts] == [(home.org.ids[30], "No, says Ann")]
