"""What a plan says before anything is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from connectors.crm import Capabilities
from connectors.errors import StateError
from sync.plan import api_calls
from sync.plan_ledger import latest_plan_id, load
from sync.store.writeback import OperationRow

Score = Callable[..., dict[str, Any]]


def test_a_plan_comes_back_from_the_ledger_as_it_was_made(world: Any, score: Score) -> None:
    """Preview, guard and apply walk the same values."""
    plan = world.plan(*(score(n) for n in range(5)), score(6, crm_id=None))
    assert load(world.store, plan.id) == plan
    assert latest_plan_id(world.store) == plan.id


def test_a_plan_whose_rows_were_changed_is_refused(world: Any, score: Score) -> None:
    """What people approved is what is written."""
    plan = world.plan(score(1))
    with world.store.begin() as session:
        session.execute(update(OperationRow).values(record_id="0012"))
    with pytest.raises(StateError, match="differ from what was frozen"):
        load(world.store, plan.id)


def test_every_account_is_planned_or_has_its_reason(world: Any, score: Score) -> None:
    """Nothing is left out in silence."""
    world.crm.deleted = {"0013": None, "0014": "0015"}
    world.crm.person("0012", Expansion_Opt_Out__c=True)
    rows = [score(1), score(2), score(3), score(4), score(6, crm_id=None), score(7, crm_id="0019")]

    plan = world.plan(*rows)

    assert [change.account_id for change in plan.changes] == ["a1"]
    assert {skip.account_id: skip.reason.value for skip in plan.skips if skip.subject == "score"} == {
        "a2": "opt_out", "a3": "gone", "a4": "merged", "a6": "no_crm_record", "a7": "gone",
    }  # fmt: skip


def test_a_date_and_a_version_go_along_with_a_real_change(world: Any, score: Score) -> None:
    """They are written together with it, not by themselves."""
    world.apply(world.plan(score(1), score(2)))
    world.now += timedelta(days=1)
    newer = {"model_version": "2026.11.24-1"}

    plan = world.plan(score(1, tier="very_high", **newer), score(2, **newer))

    assert [change.record_id for change in plan.changes] == ["0011"]
    assert {cell.key for cell in plan.changes[0].cells} == {"tier", "model_version", "scored_at"}
    assert plan.changes[0].why == "tier"


def test_a_reason_with_a_newer_date_only_is_no_change(world: Any, score: Score) -> None:
    """Otherwise every account would be rewritten every day."""
    world.apply(world.plan(score(1)))
    row = score(1)
    row["reasons"] = [
        {**row["reasons"][0], "sentence": row["reasons"][0]["sentence"].replace("20 Nov", "21 Nov")}
    ]
    assert not world.plan(row).changes
    assert world.plan(score(1, timing="d30", reasons=row["reasons"])).cells_by_field()["reason_1"] == 1


def test_a_figure_or_a_rank_alone_is_noise(world: Any, score: Score) -> None:
    """Ranks shift by themselves when others move, and a seat more is no news."""
    world.apply(world.plan(score(1)))
    reason = {**score(1)["reasons"][0], "sentence": "Seats 99 % used (usage, 21 Nov)"}
    plan = world.plan(score(1, reasons=[reason], priority=9, expected_arr=22000.0))
    assert not plan.changes
    assert plan.skips_by_reason("score") == {"noise": 1}


def test_values_that_must_not_leave_are_left_out_and_named(world: Any, score: Score) -> None:
    """A number that is none, and a text that a spreadsheet would run."""
    plan = world.plan(score(1, arr_low=math.inf), score(2, product="=HYPERLINK(1)"), score(3))
    details = {skip.account_id: skip.detail for skip in plan.skips if skip.reason == "unsafe_value"}
    assert [change.account_id for change in plan.changes] == ["a3"]
    assert details["a1"].startswith("not fit to be written: arr_low")
    assert details["a2"].startswith("not fit to be written: product")


def test_a_plan_counts_its_cells_moves_and_calls(world: Any, score: Score) -> None:
    """What people look at before they apply."""
    world.apply(world.plan(*(score(n) for n in range(4))))
    plan = world.plan(score(0, probability=0.2), score(1, probability=0.6), score(2), score(3))

    assert plan.cells_by_field()["score"] == 2
    assert plan.largest_moves(1) == (("a0", 71.0, 20.0),)
    before = world.crm.calls
    assert world.apply(plan).api_calls == world.crm.calls - before == plan.api_calls == 3


def test_links_outside_the_record_cost_calls_of_their_own() -> None:
    """HubSpot associates a task with account and contact separately."""
    able = Capabilities(write_batch=100, read_batch=100, page_size=100, links_in_record=False)
    batches = 1 + 3  # the first is small
    assert api_calls(250, 10, able) == batches * 2 + 3 + 4 + 20


def test_no_scores_break_a_guard_and_nothing_is_written(world: Any) -> None:
    """An empty scoring is a failed one."""
    plan = world.plan()
    assert [finding.rule for finding in plan.findings] == ["empty_scores"]
    with pytest.raises(StateError, match=r"no account was scored.*--override empty_scores"):
        world.apply(plan)
    assert world.apply(plan, override={"empty_scores"}).status == "applied"
