"""An apply that is cut short says so, keeps its place, and is gone on with by one command."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from sync.store import Store
from sync.store.writeback import OperationRow


def last_record(home: Any, plan_id: str) -> str:
    """The record that a plan writes last, after its small first batch."""
    written = select(OperationRow.record_id).where(
        OperationRow.plan_id == plan_id, OperationRow.kind == "write"
    )
    with (
        Store.open(f"sqlite:///{home.folder / 'upswell' / 'ledger.sqlite'}") as store,
        store.session() as session,
    ):
        return str(session.scalars(written.order_by(OperationRow.position.desc()).limit(1)).one())


@pytest.mark.slow
def test_without_quota_an_apply_pauses_and_resume_completes_it(home: Any) -> None:
    """The message names the plan, how far it came, until when, and the command; nothing is written twice."""
    home.upswell("rollback")
    plan = home.upswell("plan").data
    home.sandbox.faults.add(
        kind="status", endpoint="collections.update|composite", carries=last_record(home, plan["plan"]),
        status=403, code="REQUEST_LIMIT_EXCEEDED", times=1,
    )  # fmt: skip
    cut = home.upswell("apply")
    assert cut.exit_code == 1
    [error] = cut.errors
    assert error["record"] == plan["plan"]
    assert "the plan is paused until" in error["message"]
    assert error["fix"].endswith(f"upswell apply {plan['plan']} --resume")
    again = home.upswell("apply", plan["plan"])
    assert again.exit_code == 1
    assert "paused" in again.errors[0]["message"]
    assert home.upswell("apply", "--resume").data["status"] == "applied"
    assert home.upswell("apply", "--resume").errors[0]["fix"] == "begin one with: upswell apply"
    written = home.upswell("history", "--limit", "10000").data["runs"][0]
    assert written["rejected"] == 0


def test_what_a_rollback_would_do_is_shown_by_plan(home: Any) -> None:
    """`--plan` and its older name say the same, and change nothing."""
    changes = len(home.audit.changes())
    shown = home.upswell("rollback", "--plan")
    assert shown.data["dry_run"]
    assert shown.data["restored_cells"] > 0
    assert home.upswell("rollback", "--dry-run").data["restored_cells"] == shown.data["restored_cells"]
    assert len(home.audit.changes()) == changes
