"""Cells that people changed, and records that an earlier write holds, by the journal and the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from connectors.crm import RowOutcome, Value
from sync.last_written import last_written, locked_records
from sync.planned import Cause, Plan
from sync.store.writeback import OperationRow

Score = Callable[..., dict[str, Any]]
TIER, PRODUCT = "Expansion_Tier__c", "Expansion_Product__c"


def written(world: Any, record: str, field: str) -> Value:
    """What the journal says that we last put into a cell."""
    with world.store.session() as session:
        return last_written(session, world.crm.org_id, "Account", [record])[record][field].value


def left(plan: Plan) -> dict[str, str]:
    """The cells that the plan leaves alone, by account, in words."""
    return {skip.account_id: skip.detail for skip in plan.skips if skip.subject == "cell"}


def test_a_persons_cell_is_left_and_the_others_of_its_record_are_written(world: Any, score: Score) -> None:
    """The skip names field and value; the edit is no news, now or later."""
    world.apply(world.plan(score(1), score(2)))
    world.crm.person("0011", **{TIER: "low"})
    world.crm.person("0012", **{TIER: "low"})

    plan = world.plan(score(1, tier="high", health="yellow"), score(2, tier="medium"))

    assert {change.account_id: {c.key for c in change.cells} for change in plan.changes} == {
        "a1": {"health", "play", "brief"}
    }
    assert left(plan) == {
        "a1": "tier (Expansion_Tier__c) holds what a person wrote: low",
        "a2": "tier (Expansion_Tier__c) holds what a person wrote: low",
    }
    assert plan.skips_by_reason("score") == {"person_edit": 1}
    world.apply(plan)
    assert world.crm.records["0011"][TIER] == "low"


def test_an_edit_ends_when_the_person_empties_the_cell(world: Any, score: Score) -> None:
    """Or writes what we would write."""
    world.apply(world.plan(score(1), score(2)))
    world.crm.person("0011", **{PRODUCT: "Mine"})
    world.crm.person("0012", **{TIER: "low"})
    assert len(left(world.plan(score(1), score(2)))) == 2

    world.crm.person("0011", **{PRODUCT: None})
    plan = world.plan(score(1), score(2, tier="low"))

    assert left(plan) == {}
    assert [(c.account_id, c.news) for c in plan.changes] == [("a1", ("product",)), ("a2", ("play",))]
    assert plan.changes[0].cause is Cause.NEWS


def test_an_edit_is_written_over_by_name_and_is_ours_then(world: Any, score: Score) -> None:
    """`--override person_edit`, for one plan."""
    world.apply(world.plan(score(1)))
    world.crm.person("0011", **{TIER: "low"})
    plan = world.plan(score(1), override={"person_edit"})
    assert left(plan) == {}
    world.apply(plan)
    assert world.crm.records["0011"][TIER] == written(world, "0011", TIER) == "high"
    world.now += timedelta(days=1)
    assert world.plan(score(1, tier="medium")).changes[0].news == ("tier",)


def test_a_value_of_a_record_that_we_never_wrote_is_a_persons(world: Any, score: Score) -> None:
    """A new account on which someone filled in the tier: theirs stays, the rest is filled."""
    world.apply(world.plan(score(1)))
    world.crm.person("0012", **{TIER: "low"})
    plan = world.plan(score(1), score(2))
    assert set(left(plan)) == {"a2"}
    (change,) = plan.changes
    assert change.cause is Cause.FIRST_FILL
    assert TIER not in {cell.name for cell in change.cells}


def test_what_a_rollback_gave_back_is_ours_and_may_be_written_again(world: Any, score: Score) -> None:
    """It is what we last put there, though it was the company's own before."""
    world.crm.person("0011", **{PRODUCT: "Their guess"})
    plan = world.plan(score(1))
    world.apply(plan)
    world.now += timedelta(hours=1)
    world.rollback(plan.id)
    assert written(world, "0011", PRODUCT) == "Their guess"
    again = world.plan(score(1))
    assert left(again) == {}
    assert world.apply(again).outcomes == {"applied": 1}


def test_a_rollback_of_a_first_fill_leaves_a_first_fill(world: Any, score: Score) -> None:
    """What we took back does not count as changed when it comes again."""
    plan = world.plan(score(1))
    world.apply(plan)
    world.now += timedelta(hours=1)
    world.rollback(plan.id)
    assert world.plan(score(1)).changes_by_cause() == {"first_fill": 1}


def test_the_newest_entry_counts(world: Any, score: Score) -> None:
    """Of three writes, the last."""
    for tier in ("high", "medium", "very_high"):
        world.apply(world.plan(score(1, tier=tier)))
        world.now += timedelta(days=1)
    assert written(world, "0011", TIER) == "very_high"


def test_the_journal_of_another_org_is_none_of_this_one(world: Any, score: Score) -> None:
    """HubSpot's record ids are not unique over its portals."""
    world.apply(world.plan(score(1)))
    with world.store.session() as session:
        assert last_written(session, "another", "Account", ["0011"]) == {}


@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_a_record_that_an_earlier_write_holds_is_left_out(world: Any, score: Score, state: str) -> None:
    """Its outcome is not known yet; by name it is planned all the same."""
    first = world.plan(score(1), score(2))
    held = OperationRow.record_id == "0011", OperationRow.kind == "write"
    with world.store.begin() as session:
        session.execute(update(OperationRow).where(*held).values(state=state))
    plan = world.plan(score(1), score(2))
    assert [change.account_id for change in plan.changes] == ["a2"]
    (skip,) = (skip for skip in plan.skips if skip.subject == "score")
    assert (skip.reason, skip.detail) == ("locked", f"a write of {first.id} is not finished")
    assert len(world.plan(score(1), score(2), override={"locked"}).changes) == 2
    with world.store.session() as session:
        assert locked_records(session, "another") == {}


def test_a_record_whose_write_was_quarantined_is_left_out_until_one_passed(world: Any, score: Score) -> None:
    """It would take workers down again; a later write that was settled ends it."""
    plan = world.plan(score(1))
    with world.store.begin() as session:
        session.execute(
            update(OperationRow)
            .where(OperationRow.kind == "write")
            .values(state="done", outcome=RowOutcome.QUARANTINED.value)
        )
    world.now += timedelta(hours=1)
    again = world.plan(score(1))
    assert not again.changes
    assert again.skips_by_reason("score") == {"locked": 1}
    assert plan.id in again.skips[0].detail

    world.apply(world.plan(score(1), override={"locked"}))
    world.now += timedelta(hours=1)
    assert world.plan(score(1, tier="low")).changes
