"""Which accounts get a task, when it is due, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.forecast_periods import fiscal_quarter, quarters_from
from sync.plays import Play, play_of
from sync.settings import Company
from sync.settings_tasks import Owners, PlaySettings
from sync.task_keys import task_key
from sync.workdays import due_on

Score = Callable[..., dict[str, Any]]


def reasons(plan: Any) -> dict[str, str]:
    """Why each account did not make the list."""
    return {skip.account_id: skip.reason.value for skip in plan.skips if skip.subject == "task"}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"health": "red"}, "red_health"),
        ({"is_pipeline": True}, "open_deal"),
        ({"tier": "low"}, "tier"),
        ({"tier": "not_enough_data"}, "tier"),
        ({"timing": "d90"}, "timing"),
        ({"timing": "hold"}, "timing"),
    ],
)
def test_a_score_that_speaks_against_a_task_makes_none(
    world: Any, score: Score, cells: dict[str, Any], reason: str
) -> None:
    """The account is listed with the reason, and its score is written all the same."""
    plan = world.plan(score(1, **cells))
    assert not plan.tasks
    assert reasons(plan) == {"a1": reason}
    assert len(plan.changes) == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"Expansion_Opt_Out__c": True}, "opt_out"),
        ({"Expansion_Not_Before__c": date(2026, 11, 24)}, "not_before"),
        ({"Expansion_Status__c": "in_talks"}, "status"),
        ({"Expansion_Status__c": "not_now"}, "status"),
        ({"Expansion_Status__c": "done"}, "status"),
    ],
)
def test_what_a_person_said_stops_the_task(
    world: Any, score: Score, said: dict[str, Any], reason: str
) -> None:
    """Fields that people own are read before anything is proposed."""
    world.crm.person("0011", **said)
    assert reasons(world.plan(score(1))) == {"a1": reason}


def test_a_not_before_that_has_come_stops_nothing(world: Any, score: Score) -> None:
    """The day itself is allowed."""
    world.crm.person("0011", Expansion_Not_Before__c=date(2026, 11, 23), Expansion_Status__c="open")
    assert len(world.plan(score(1)).tasks) == 1


def test_escalations_and_missing_owners_stop_the_task(
    world: Any, score: Score, make_tables: Callable[..., dict[str, Any]]
) -> None:
    """A closed escalation no longer counts."""
    world.tables = make_tables(
        accounts=[
            {"account_id": "a1", "name": "One", "owner_id": "U1"},
            {"account_id": "a2", "name": "Two", "owner_id": None},
            {"account_id": "a3", "name": "Three", "owner_id": "U9"},
            {"account_id": "a4", "name": "Four", "owner_id": "U1"},
        ],
        owners=[{"crm_id": "U1", "is_active": True}, {"crm_id": "U9", "is_active": False}],
        tickets=[
            {"account_id": "a1", "is_escalated": True, "is_closed": False},
            {"account_id": "a4", "is_escalated": True, "is_closed": True},
        ],
    )
    plan = world.plan(*(score(n) for n in range(1, 5)))
    assert reasons(plan) == {"a1": "escalated_ticket", "a2": "no_owner", "a3": "no_owner"}
    assert [task.account_id for task in plan.tasks] == ["a4"]


def test_each_owner_gets_so_many_a_week_best_rank_first(
    world: Any, score: Score, make_settings: Callable[..., Any]
) -> None:
    """A later run in the same week fills no slot twice; Monday opens new ones."""
    world.settings = make_settings(owners=Owners(slots_per_week=2))
    rows = [score(n) for n in range(8)]  # even numbers belong to U0, odd ones to U1
    plan = world.plan(*reversed(rows))
    assert [task.account_id for task in plan.tasks] == ["a0", "a1", "a2", "a3"]
    assert plan.skips_by_reason("task") == {"capacity": 4}
    world.apply(plan)

    world.now += timedelta(days=4)
    assert not world.plan(*rows).tasks
    world.now += timedelta(days=3)
    assert [task.account_id for task in world.plan(*rows).tasks] == ["a4", "a5", "a6", "a7"]


def test_a_task_that_only_the_crm_knows_is_not_made_again(world: Any, score: Score) -> None:
    """A lost ledger does not mean a second task."""
    world.apply(world.plan(score(1)))
    from sqlalchemy import delete

    from sync.store.writeback import TaskRow

    with world.store.begin() as session:
        session.execute(delete(TaskRow))
    assert reasons(world.plan(score(1))) == {"a1": "task_exists"}


def test_a_task_has_owner_account_contact_due_date_and_subject(world: Any, score: Score) -> None:
    """What the owner sees in the list of tasks."""
    [task] = world.plan(score(1)).tasks
    draft = task.draft
    assert draft.key == "a1:expand:FY2026Q4"
    assert (draft.owner_id, draft.account_crm_id, draft.contact_crm_id) == ("U1", "0011", "C1")
    assert draft.due == date(2026, 11, 26)
    assert draft.subject == "Expansion: Company B – More seats, seats 98 % used"
    assert draft.priority == "high"


def test_the_companys_rules_for_a_play_are_in_its_tasks(
    world: Any, score: Score, make_settings: Callable[..., Any]
) -> None:
    """`[plays]` adds to what not to do."""
    world.settings = make_settings(plays={"expand": PlaySettings(do_not=("Don't promise the roadmap.",))})
    [task] = world.plan(score(1)).tasks
    assert "Don't promise the roadmap." in task.draft.body


def test_yellow_health_gets_a_nurture_task_without_a_price(world: Any, score: Score) -> None:
    """Help first: no product, no amount."""
    [task] = world.plan(score(1, health="yellow")).tasks
    assert task.play == "nurture"
    assert task.draft.subject.startswith("Check-in: Company B")
    assert "USD" not in task.draft.body
    assert "More seats" not in task.draft.body + task.draft.subject


def test_due_dates_follow_the_companys_own_calendar_day(
    world: Any, score: Score, make_settings: Callable[..., Any]
) -> None:
    """At noon UTC it is Tuesday already in Auckland."""
    world.settings = make_settings(company=Company(timezone="Pacific/Auckland", fiscal_year_start=2))
    [task] = world.plan(score(1)).tasks
    assert task.draft.due == date(2026, 11, 27)
    assert task.cycle == "FY2027Q4"


@settings(derandomize=True, deadline=None)
@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.sampled_from(["now", "d30"]))
def test_nothing_is_due_on_a_weekend(today: date, timing: str) -> None:
    """Three business days for now, two weeks otherwise."""
    due = due_on(timing, today)
    assert due.weekday() < 5
    assert today + timedelta(days=3) <= due <= today + timedelta(days=16)


@settings(derandomize=True, deadline=None)
@given(st.dates(date(1990, 1, 1), date(2090, 12, 31)), st.integers(1, 12))
def test_every_day_is_in_one_fiscal_quarter_of_three_months(day: date, start: int) -> None:
    """Quarters follow each other without gap, and the year begins in its month."""
    quarter, following = quarters_from(day, start, 2)
    assert quarter.first_day <= day <= quarter.last_day
    assert following.first_day == quarter.last_day + timedelta(days=1)
    assert fiscal_quarter(quarter.first_day, start) == fiscal_quarter(quarter.last_day, start) == quarter
    assert following.quarter == quarter.quarter % 4 + 1
    if quarter.quarter == 1:
        assert quarter.first_day.month == start


def test_a_long_account_id_still_fits_the_key_field() -> None:
    """The digest keeps the key findable and unique."""
    keys = {task_key(f"{'x' * 200}{n}", Play.EXPAND, date(2026, 11, 23), 1) for n in range(3)}
    assert len(keys) == 3
    assert all(len(key) <= 120 for key in keys)


@pytest.mark.parametrize(
    ("cells", "play"),
    [
        ({}, "expand"),
        ({"timing": "d90"}, "prepare"),
        ({"health": "yellow"}, "nurture"),
        ({"health": "red"}, "retain"),
        ({"is_pipeline": True}, "none"),
        ({"tier": "low"}, "none"),
        ({"timing": "hold"}, "none"),
    ],
)
def test_the_play_follows_health_pipeline_timing_and_tier(cells: Mapping[str, Any], play: str) -> None:
    """Red comes before everything."""
    plain = {"health": "green", "timing": "now", "tier": "high", "is_pipeline": False}
    assert play_of(**(plain | cells)) == play  # type: ignore[arg-type]


def test_plans_made_at_any_moment_have_a_zone(world: Any, score: Score) -> None:
    """A naive time would mean the machine's zone."""
    plan = world.plan(score(1))
    assert isinstance(plan.created_at, datetime)
    assert plan.expires_at - plan.created_at == timedelta(hours=24)
    assert plan.created_at.tzinfo is not None
