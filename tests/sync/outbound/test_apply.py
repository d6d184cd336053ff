"""What applying a plan does to a CRM, and what it never does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from connectors.crm import FieldType, RowOutcome, RowResult, TaskState
from connectors.errors import SetupError, StateError, TransientError
from sync.store.writeback import TaskRow

Score = Callable[..., dict[str, Any]]
Faults = Mapping[str, Callable[[], None]]
TIER = "Expansion_Tier__c"


def test_a_plan_writes_every_account_and_makes_its_tasks(world: Any, score: Score) -> None:
    """The first fill writes all our fields and one task an account."""
    report = world.apply(world.plan(*(score(n) for n in range(5))))

    assert report.status == "applied"
    assert report.outcomes == {"applied": 5}
    assert report.tasks_made == 5
    held = world.crm.records["0010"]
    assert held["Expansion_Score__c"] == 71
    assert held["Expansion_Probability__c"] == 0.7123
    assert held[TIER] == "high"
    assert held["Expansion_Play__c"] == "expand"
    assert held["Expansion_Product__c"] == "More seats"
    assert held["Expansion_Whom_To_Reach__c"] == (
        "Talk to Dana Ortiz, VP Operations: champion, last in touch 10 Nov 2026."
    )


def test_a_task_that_another_made_between_look_and_call_is_the_one(world: Any, score: Score) -> None:
    """Where the CRM itself refuses a second one with our key: found, kept in the ledger, and no fault."""
    world.crm.capabilities = replace(world.crm.capabilities, unique_task_key=True)
    plan = world.plan(score(1))
    (task,) = plan.tasks
    there = TaskState(
        key=task.draft.key,
        id="T77",
        account_crm_id="0011",
        owner_id=None,
        subject="S",
        is_closed=False,
        touched=False,
    )
    world.crm.before_write += [lambda: None, lambda: world.crm.tasks.update({task.draft.key: there})]

    report = world.apply(plan)

    assert report.task_outcomes == {"unchanged": 1}
    assert world.crm.tasks == {task.draft.key: there}
    with world.store.session() as session:
        assert session.get_one(TaskRow, task.draft.key).task_id == "T77"


def test_a_second_plan_from_the_same_scores_is_empty(world: Any, score: Score) -> None:
    """A later run with nothing new writes nothing, though its date and time differ."""
    rows = [score(n) for n in range(5)]
    world.apply(world.plan(*rows))
    world.now += timedelta(hours=20)

    again = world.plan(
        *({**row, "as_of": date(2026, 11, 23), "model_version": "2026.11.23-1"} for row in rows)
    )

    assert again.is_empty
    assert again.skips_by_reason("score") == {"no_change": 5}
    assert again.skips_by_reason("task") == {"task_exists": 5}


def test_stamps_are_rewritten_after_four_weeks(world: Any, score: Score) -> None:
    """A person sees that a month-old score is still the current one, and the brief says its days anew."""
    world.apply(world.plan(score(1)))
    world.now += timedelta(days=28)

    plan = world.plan(score(1, as_of=date(2026, 12, 20)))

    assert {cell.key for change in plan.changes for cell in change.cells} == {
        "scored_at",
        "data_as_of",
        "brief",
    }


def test_a_cell_that_a_person_changed_since_the_plan_is_left(world: Any, score: Score) -> None:
    """The record is a conflict, reported with the field, and the other records are written."""
    plan = world.plan(score(1), score(2))
    world.crm.person("0011", **{TIER: "low"})

    report = world.apply(plan)

    assert report.outcomes == {"applied": 1, "conflict": 1}
    assert world.crm.records["0011"] == {TIER: "low"}
    assert TIER in str(report.rejected[0].message)


def test_an_opt_out_since_the_plan_stops_score_and_task(world: Any, score: Score) -> None:
    """A person's opt-out counts from the moment it is ticked."""
    plan = world.plan(score(1))
    world.crm.person("0011", Expansion_Opt_Out__c=True)

    report = world.apply(plan)

    assert report.outcomes == {"conflict": 1}
    assert report.task_outcomes == {"conflict": 1}
    assert not world.crm.writes
    assert not world.crm.tasks


def test_deleted_and_merged_records_are_told_apart(world: Any, score: Score) -> None:
    """A record that goes between plan and apply is a row's outcome, not a failure."""
    plan = world.plan(score(1), score(2), score(3))
    world.crm.deleted = {"0011": None, "0012": "0013"}

    report = world.apply(plan)

    assert report.outcomes == {"applied": 1, "gone": 1, "merged": 1}


@pytest.mark.parametrize("moment", ["before_write", "after_write"])
@pytest.mark.parametrize("step", [0, 2], ids=["cells", "tasks"])
def test_a_lost_reply_is_settled_without_writing_twice(
    world: Any, score: Score, faults: Faults, moment: str, step: int
) -> None:
    """Whether the write took effect or not, each record is written once and each task made once."""
    plan = world.plan(*(score(n) for n in range(6)))
    getattr(world.crm, moment).extend([lambda: None] * step + [faults["lost"]])

    report = world.apply(plan)

    assert report.status == "applied"
    assert report.outcomes == {"applied": 6}
    assert report.task_outcomes == {"applied": 6}
    assert len(world.crm.writes) == 6
    assert len(world.crm.tasks) == 6


@pytest.mark.parametrize("moment", ["before_write", "after_write"])
@pytest.mark.parametrize("step", range(4))
def test_a_killed_apply_goes_on_where_it_stopped(
    world: Any, score: Score, faults: Faults, moment: str, step: int
) -> None:
    """After a crash at any write, applying again completes the plan and writes nothing twice."""
    plan = world.plan(*(score(n) for n in range(6)))
    getattr(world.crm, moment).extend([lambda: None] * step + [faults["crash"]])
    with pytest.raises(KeyboardInterrupt):
        world.apply(plan)

    report = world.apply(plan)

    assert report.status == "applied"
    assert len(world.crm.writes) == 6
    assert len(world.crm.tasks) == 6
    assert report.written_cells == plan.cells


def test_a_crm_that_is_away_leaves_the_plan_to_be_continued(world: Any, score: Score, faults: Faults) -> None:
    """Three tries, then the error; what was not sent is sent next time."""
    plan = world.plan(*(score(n) for n in range(6)))
    world.crm.before_write += [lambda: None, *[faults["away"]] * 3]
    with pytest.raises(TransientError, match=r"not available; 3 of 12 operations are done\.") as ended:
        world.apply(plan)
    assert (ended.value.record, ended.value.status) == (plan.id, 503)
    assert ended.value.fix == f"Nothing is lost; go on with: upswell apply {plan.id} --resume"

    report = world.apply(plan)

    assert report.outcomes == {"applied": 6}
    assert len(world.crm.writes) == 6


def test_a_refused_row_keeps_the_vendors_words_and_the_run_goes_on(world: Any, score: Score) -> None:
    """One validation rule stops one record."""
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    world.crm.refuse["0012"] = RowResult(
        key="", outcome=RowOutcome.REFUSED, vendor_code=code, message="Tier needs an approval"
    )
    report = world.apply(world.plan(score(1), score(2), score(3)))

    assert report.outcomes == {"applied": 2, "refused": 1}
    assert [(row.record_id, row.vendor_code) for row in report.rejected] == [("0012", code)]
    assert report.status == "applied"


def test_a_row_that_may_pass_later_is_tried_by_the_next_apply(world: Any, score: Score) -> None:
    """A locked row leaves the plan unfinished until it passes."""
    world.crm.refuse["0012"] = RowResult(key="", outcome=RowOutcome.FAILED, vendor_code="UNABLE_TO_LOCK_ROW")
    plan = world.plan(score(1), score(2))
    assert world.apply(plan).status == "applying"
    world.crm.refuse.clear()

    report = world.apply(plan)

    assert report.status == "applied"
    assert report.outcomes == {"applied": 2}


def test_a_plan_is_applied_once(world: Any, score: Score) -> None:
    """Applying it again is refused, with the fix."""
    plan = world.plan(score(1))
    world.apply(plan)
    with pytest.raises(StateError, match=r"applied already.*upswell plan"):
        world.apply(plan)


def test_a_plan_expires_after_a_day(world: Any, score: Score) -> None:
    """What people saw yesterday is not what is there today."""
    plan = world.plan(score(1))
    world.now += timedelta(hours=24)
    with pytest.raises(StateError, match="expired at 2026-11-24 12:00 UTC"):
        world.apply(plan)


def test_a_plan_for_another_org_is_refused(world: Any, score: Score) -> None:
    """Production never gets what was planned against a sandbox."""
    plan = world.plan(score(1))
    world.crm.org_id = "00D000000000002EAA"
    with pytest.raises(StateError, match="made for org 00D000000000001EAA"):
        world.apply(plan)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (None, "Account.Expansion_Tier__c: .* missing.*upswell install"),
        ({"type": FieldType.CHECKBOX}, "Account.Expansion_Tier__c: .* type picklist.*checkbox"),
        ({"updateable": False}, "Account.Expansion_Tier__c: .* may not edit.*edit access"),
        ({"restricted": False}, "Account.Expansion_Tier__c: .*differently since.*restricted"),
    ],
)
def test_a_changed_field_is_refused_before_the_first_write(
    world: Any, score: Score, definition: dict[str, Any] | None, message: str
) -> None:
    """The error names the field and what to do."""
    plan = world.plan(score(1))
    fields = dict(world.crm.schema.fields)
    held = fields.pop(TIER)
    if definition is not None:
        fields[TIER] = replace(held, **definition)
    world.crm.schema = replace(world.crm.schema, fields=MappingProxyType(fields))

    with pytest.raises(SetupError, match=message):
        world.apply(plan)

    assert not world.crm.writes


def test_fields_that_people_own_are_never_written(world: Any, score: Score) -> None:
    """No write names one, whatever the scores say."""
    world.apply(world.plan(*(score(n) for n in range(6))))
    people = {f"Expansion_{name}__c" for name in ("Status", "Not_Before", "CSM_Call", "Opt_Out", "Feedback")}
    assert world.crm.writes
    assert not people & {name for change in world.crm.writes for name in change.values}


def test_what_an_automation_changes_after_the_write_is_reported(world: Any, score: Score) -> None:
    """The verification reads back and says which cell does not hold what was written."""
    plan = world.plan(score(1))
    world.crm.after_write.append(lambda: world.crm.person("0011", **{TIER: "low"}))

    report = world.apply(plan)

    assert [(drift.record_id, drift.field, drift.held) for drift in report.drifts] == [("0011", TIER, "low")]


def test_two_applies_do_not_run_at_once(world: Any, score: Score) -> None:
    """The org's lease is held for the time of an apply."""
    plan = world.plan(score(1))
    seen = []

    def other() -> None:
        with pytest.raises(StateError, match="another run holds it"):
            world.apply(plan)
        seen.append(True)

    world.crm.before_write.append(other)
    world.apply(plan)

    assert seen == [True]
