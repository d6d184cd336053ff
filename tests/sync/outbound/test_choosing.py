"""Whose a task is, which play it is in, why others get none, and when it is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest

from connectors.errors import SettingError
from sync.choosing import ordinal
from sync.planned import Plan
from sync.settings import Company
from sync.settings_tasks import Owners, PlaySettings, Trigger

Score = Callable[..., dict[str, Any]]
Make = Callable[..., Any]

PEOPLE: Sequence[Mapping[str, Any]] = (
    {"crm_id": "U0", "name": "Ana", "email": "ana@acme.example", "is_active": True},
    {"crm_id": "U1", "name": "Ben", "email": "ben@acme.example", "is_active": True},
    {"crm_id": "U2", "name": "Cy", "email": "cy@acme.example", "is_active": False},
)


@pytest.fixture
def company(world: Any, make_tables: Make, make_settings: Make) -> Callable[..., Any]:
    """The world with these accounts, owners' rules and other settings."""

    def make(*accounts: Mapping[str, Any], rules: Owners | None = None, **more: Any) -> Any:
        tables = {
            name: more.pop(name)
            for name in ("opportunities", "triggers", "billing", "events")
            if name in more
        }
        rows = [{"account_id": f"a{n}", "name": f"Company {n}", "owner_id": "U0"} | dict(cells)
                for n, cells in enumerate(accounts)]  # fmt: skip
        world.tables = make_tables(accounts=rows, owners=more.pop("owners", PEOPLE), **tables)
        world.settings = make_settings(owners=rules or Owners(), **more)
        return world

    return make


def owners_of(plan: Plan) -> dict[str, str | None]:
    """Whose task each account's is."""
    return {task.account_id: task.draft.owner_id for task in plan.tasks}


def told(plan: Plan) -> dict[str, str]:
    """Why each account did not make the list, in words."""
    return {skip.account_id: skip.detail for skip in plan.skips if skip.subject == "task"}


def test_the_csm_is_a_field_of_the_account_where_one_is_mapped(company: Make, score: Score) -> None:
    """The owner otherwise."""
    world = company({"csm_id": "U1"}, {})
    assert owners_of(world.plan(score(0), score(1))) == {"a0": "U1", "a1": "U0"}


def test_the_ae_is_who_sold_last_or_else_the_owner(company: Make, score: Score) -> None:
    """Of expansions only, won or lost, the newest closed one; a seller who left has no say."""
    deal = {"opportunity_type": "Upsell", "is_closed": True}
    world = company(
        {}, {}, {}, {},
        rules=Owners(expansion="ae"),
        opportunities=[
            deal | {"crm_id": "1", "account_id": "a0", "owner_id": "U0", "close_date": date(2026, 1, 5)},
            deal | {"crm_id": "2", "account_id": "a0", "owner_id": "U1", "close_date": date(2026, 9, 5)},
            deal | {"crm_id": "3", "account_id": "a1", "owner_id": "U2", "close_date": date(2026, 9, 5)},
            deal | {"crm_id": "4", "account_id": "a2", "owner_id": "U1", "close_date": date(2026, 9, 5),
                    "opportunity_type": "New Business"},
            deal | {"crm_id": "5", "account_id": "a3", "owner_id": "U1", "close_date": date(2026, 9, 5),
                    "is_closed": False},
        ],
    )  # fmt: skip
    plan = world.plan(*(score(n) for n in range(4)))
    assert owners_of(plan) == {"a0": "U1", "a1": "U0", "a2": "U0", "a3": "U0"}


def test_a_segment_says_whose_its_accounts_are(company: Make, score: Score) -> None:
    """In any case; a segment that is not named goes to the CSM, and a pool shares evenly."""
    rules = Owners(
        expansion="by_segment", by_segment={"Enterprise": "ae", "Small": "pool"},
        pool=("ana@acme.example", "U1"), slots_per_week=2,
    )  # fmt: skip
    world = company(
        {"segment": "enterprise ", "owner_id": "U1", "csm_id": "U0"},
        {"segment": "Mid", "owner_id": "U1", "csm_id": "U0"},
        {"segment": "Small", "owner_id": "U9"}, {"segment": "Small", "owner_id": None}, {"segment": "Small"},
        rules=rules,
    )  # fmt: skip
    plan = world.plan(*(score(n) for n in range(5)))
    assert owners_of(plan) == {"a0": "U1", "a1": "U0", "a2": "U0", "a3": "U1"}
    assert told(plan) == {"a4": "5th of 5 for Ana or Ben, who have 4 slots this week"}


def test_either_passes_an_account_on_so_that_both_fit(company: Make, score: Score) -> None:
    """The CSM is full with what only they can do; the AE takes the other."""
    rules = Owners(expansion="by_segment", by_segment={"Both": "either"}, slots_per_week=1)
    world = company(
        {"segment": "Both", "owner_id": "U1", "csm_id": "U0"},
        {"segment": "Mid", "owner_id": "U0"},
        rules=rules,
    )
    assert owners_of(world.plan(score(0), score(1))) == {"a0": "U1", "a1": "U0"}


def test_an_owner_who_left_gives_way_to_the_fallback(company: Make, score: Score) -> None:
    """Or the account waits, and says for whom."""
    world = company({"owner_id": "U2"}, rules=Owners(fallback="ben@acme.example"))
    assert owners_of(world.plan(score(0))) == {"a0": "U1"}
    world = company({"owner_id": "U2"})
    assert told(world.plan(score(0))) == {"a0": "Cy is not active"}


@pytest.mark.parametrize(
    "rules",
    [
        Owners(fallback="dan@acme.example"),
        Owners(slots={"dan@acme.example": 3}),
        Owners(expansion="by_segment", by_segment={"Small": "pool"}, pool=("dan@acme.example",)),
    ],
)
def test_a_person_whom_the_crm_does_not_know_is_a_mistake(company: Make, score: Score, rules: Owners) -> None:
    """It is told before anything is chosen."""
    with pytest.raises(SettingError, match=r"dan@acme\.example is nobody in the CRM's list of owners"):
        company({}, rules=rules).plan(score(0))


def test_who_missed_the_list_is_told_by_how_much(company: Make, score: Score) -> None:
    """Slots of a person's own, those that are used up, and somebody who takes none."""
    world = company(
        *({} for _ in range(4)), {"owner_id": "U1"}, rules=Owners(slots={"U0": 2, "ben@acme.example": 0})
    )
    plan = world.plan(*(score(n) for n in range(5)))
    assert [task.account_id for task in plan.tasks] == ["a0", "a1"]
    assert told(plan) == {
        "a2": "3rd of 4 for Ana, who has 2 slots this week: 1 more slot would reach it",
        "a3": "4th of 4 for Ana, who has 2 slots this week: 2 more slots would reach it",
        "a4": "Ben has no slots",
    }
    world.apply(plan)
    world.now += timedelta(days=1)
    later = told(world.plan(*(score(n) for n in range(5))))
    assert later["a2"] == "1st of 2 for Ana, who has 2 slots this week, 0 left: 1 more slot would reach it"


@pytest.mark.parametrize(("holidays", "slots"), [(0, 5), (1, 4), (2, 3), (5, 0)])
def test_a_holiday_takes_its_share_of_the_weeks_slots(
    company: Make, score: Score, holidays: int, slots: int
) -> None:
    """A week without a workday has none; the task knows how many there were."""
    off = tuple((date(2026, 11, 23) + timedelta(days=n)).isoformat() for n in range(holidays))
    world = company(*({} for _ in range(6)), rules=Owners(holidays=off))
    plan = world.plan(*(score(n) for n in range(6)))
    assert [task.slots for task in plan.tasks] == [slots] * slots
    if not slots:
        assert set(told(plan).values()) == {"Ana has no slots in this week of holidays"}


def test_ordinals_read_as_people_say_them() -> None:
    """Teens are no exception of the exception."""
    numbers = (1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1_003)
    spoken = "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th 1,003rd"
    assert " ".join(map(ordinal, numbers)) == spoken


def test_an_account_is_left_in_peace_after_its_task(company: Make, score: Score) -> None:
    """From the day on which it ended, also in another quarter; then it may get another one."""
    world = company({}, rules=Owners(cool_off_days=20), company=Company(fiscal_year_start=1))
    world.now = datetime(2026, 12, 14, 12, tzinfo=world.now.tzinfo)
    world.apply(world.plan(score(0, as_of=date(2026, 12, 13))))
    world.now += timedelta(days=4)
    world.crm.work_on_task("a0:expand:FY2026Q4", closed=True)
    world.plan(score(0, as_of=date(2026, 12, 17)))
    world.now += timedelta(days=17)  # the 4th of January
    plan = world.plan(score(0, as_of=date(2027, 1, 3)))
    assert told(plan) == {"a0": "cool-off until 2027-01-07: its last task was made or ended on 2026-12-18"}
    world.now += timedelta(days=3)
    assert [task.draft.key for task in world.plan(score(0, as_of=date(2027, 1, 6))).tasks] == [
        "a0:expand:FY2027Q1"
    ]


def test_an_open_task_of_the_last_quarter_keeps_the_account_out(company: Make, score: Score) -> None:
    """Until somebody closes it: two open tasks for one conversation help nobody."""
    world = company({}, rules=Owners(cool_off_days=0))
    world.now = datetime(2026, 12, 30, 12, tzinfo=world.now.tzinfo)
    world.apply(world.plan(score(0, as_of=date(2026, 12, 29))))
    world.now += timedelta(days=10)
    plan = world.plan(score(0, as_of=date(2027, 1, 8)))
    assert told(plan) == {"a0": "its task a0:expand:FY2026Q4 is open"}
    assert plan.skips_by_reason("task") == {"task_open": 1}
    world.crm.work_on_task("a0:expand:FY2026Q4", closed=True)
    assert len(world.plan(score(0, as_of=date(2027, 1, 8))).tasks) == 1


def test_a_second_plan_of_the_week_fills_no_slot_twice(company: Make, score: Score) -> None:
    """Made before the first was applied; what it can't do any more is told, and nothing else is lost."""
    world = company({}, {}, {"owner_id": "U1"}, rules=Owners(slots_per_week=1))
    first, second = world.plan(score(0)), world.plan(score(1), score(2))
    world.apply(first)
    report = world.apply(second)
    assert world.crm.tasks.keys() == {"a0:expand:FY2026Q4", "a2:expand:FY2026Q4"}
    assert report.task_outcomes == {"conflict": 1, "applied": 1}
    assert [each.message for each in report.rejected] == [
        "the owner's 1 slots of this week were filled by another plan meanwhile"
    ]


def test_two_plans_across_a_quarter_make_one_task(company: Make, score: Score) -> None:
    """Their keys differ, and still an account has one open task; both plans were made before either was
    applied."""
    world = company({}, company=Company(fiscal_year_start=1))
    world.now = datetime(2026, 12, 31, 20, tzinfo=world.now.tzinfo)
    first = world.plan(score(0, as_of=date(2026, 12, 31)))
    second = world.plan(score(0, as_of=date(2027, 1, 1)))
    assert first.tasks[0].draft.key != second.tasks[0].draft.key
    world.apply(first)
    [refused] = [each for each in world.apply(second).rejected if each.kind == "task"]
    assert refused.message == "the account has an open task by now: a0:expand:FY2026Q4"
    assert len(world.crm.tasks) == 1


def test_a_play_of_revops_goes_before_the_built_in_one(company: Make, score: Score) -> None:
    """Where its trigger holds and the account is ready; its rules are in the brief."""
    own = PlaySettings(trigger="product_type = 'module'", do_not=("Don't mention the roadmap.",))
    world = company({}, {}, {}, plays={"modules": own})
    plan = world.plan(score(0, product="analytics"), score(1), score(2, product="analytics", tier="low"))
    assert {task.account_id: task.play for task in plan.tasks} == {"a0": "modules", "a1": "expand"}
    assert told(plan) == {"a2": "tier is low"}
    [task] = [task for task in plan.tasks if task.play == "modules"]
    assert "Don't mention the roadmap." in task.draft.body
    assert task.why.endswith("; its trigger holds: product_type = 'module'")
    assert task.draft.key == "a0:modules:FY2026Q4"


def test_of_several_plays_the_heavier_one_is_taken(company: Make, score: Score) -> None:
    """One play an account."""
    plays = {
        "modules": PlaySettings(trigger="product_type = 'module'"),
        "big": PlaySettings(trigger="expected_arr > 20000 and segment = 'Enterprise'", weight=1.5),
    }
    world = company({"segment": "Enterprise"}, {}, plays=plays)
    plan = world.plan(score(0, product="analytics"), score(1, product="analytics"))
    assert {task.account_id: task.play for task in plan.tasks} == {"a0": "big", "a1": "modules"}


def test_yellow_health_lets_no_play_pass_that_asks_for_a_price(company: Make, score: Score) -> None:
    """Whatever trigger holds."""
    plays = {
        "modules": PlaySettings(trigger="product_type = 'module'"),
        "listen": PlaySettings(trigger="product_type = 'seat'", template="nurture"),
    }
    world = company({}, {}, plays=plays)
    plan = world.plan(score(0, health="yellow", product="analytics"), score(1, health="yellow"))
    assert {task.account_id: task.play for task in plan.tasks} == {"a0": "nurture", "a1": "listen"}
    assert all("USD" not in task.draft.body for task in plan.tasks)


def test_an_event_starts_a_play_where_the_tier_is_not_ready(company: Make, score: Score) -> None:
    """Once an event, while it is news; never against what speaks against any task; yellow: nurture."""
    funded = [{"account_id": f"a{n}", "kind": "funding", "occurred_on": date(2026, 11, 1)} for n in range(6)]
    funded[5]["occurred_on"] = date(2026, 8, 1)
    world = company(
        *({} for _ in range(6)),
        triggers=funded, plays={"growth": PlaySettings(trigger="probability > 1")},
        company=Company(fiscal_year_start=1), rules=Owners(cool_off_days=0),
    )  # fmt: skip
    world.settings = replace(world.settings, triggers=(Trigger(kind="funding", play="growth"),))
    low = {"tier": "low", "timing": "hold"}
    rows = [
        score(0, **low), score(1, **low, health="red"), score(2, **low, is_pipeline=True),
        score(3, **low, health="yellow"), score(4, **low), score(5, **low),
    ]  # fmt: skip
    world.crm.person("0014", Expansion_Opt_Out__c=True)
    plan = world.plan(*rows)
    assert {task.account_id: task.play for task in plan.tasks} == {"a0": "growth", "a3": "nurture"}
    assert plan.tasks[0].why.endswith("; new funding on 2026-11-01")
    assert plan.skips_by_reason("task") == {"red_health": 1, "open_deal": 1, "opt_out": 1, "tier": 1}
    world.apply(plan)
    world.crm.work_on_task("a0:growth:FY2026Q4", closed=True)
    world.now = datetime(2027, 1, 11, 12, tzinfo=world.now.tzinfo)
    later = world.plan(score(0, **low, as_of=date(2027, 1, 10)))
    assert told(later) == {"a0": "what starts its play had its task already"}


@pytest.mark.parametrize(("at_least", "plays"), [(0.9, {"a0": "expand"}), (0.96, {})])
def test_a_limit_that_is_reached_starts_a_play(
    company: Make, score: Score, tables_of_eight: Mapping[str, Any], at_least: float, plays: dict[str, str]
) -> None:
    """Seats: users active in 30 days over the seats of the latest invoice."""
    world = company({})
    at = datetime(2026, 11, 10, 9, tzinfo=world.now.tzinfo)
    world.tables = world.tables | {
        "billing": tables_of_eight["billing"].mutate(seats=20.0),
        "events": _events(19, at),
    }
    world.settings = replace(
        world.settings, triggers=(Trigger(kind="limit", play="expand", at_least=at_least),)
    )
    plan = world.plan(score(0, tier="medium", timing="d90"))
    assert {task.account_id: task.play for task in plan.tasks} == plays
    assert all(task.why.endswith("; 95% of seats used") for task in plan.tasks)


def _events(users: int, at: datetime) -> Any:
    rows = [{"account_id": "a0", "user_id": f"u{n}", "at": at} for n in range(users)]
    return ibis.memtable(pa.Table.from_pylist(rows))


def test_milestones_that_are_reached_start_a_play(company: Make, score: Score) -> None:
    """Of the product that is recommended; half of them is enough where half is asked for."""
    world = company({}, {})
    trigger = Trigger(kind="milestone", play="expand", at_least=0.5)
    world.settings = replace(world.settings, triggers=(trigger,))
    reached = [{"product": "seats", "reached": ["x", "y"], "next": "z", "of": 4}]
    few = [{"product": "seats", "reached": ["x"], "next": "y", "of": 4}]
    plan = world.plan(score(0, timing="d90", milestones=reached), score(1, timing="d90", milestones=few))
    assert owners_of(plan) == {"a0": "U0"}
    assert plan.tasks[0].why.endswith("; 2 of 4 milestones reached")
    assert told(plan) == {"a1": "timing is d90"}


def test_a_task_is_due_by_its_owners_calendar(company: Make, score: Score) -> None:
    """On Monday noon UTC it is Tuesday in Auckland, and nobody works on the day after Thanksgiving."""
    people = [
        {"crm_id": "U0", "is_active": True, "timezone": "Pacific/Auckland"},
        {"crm_id": "U1", "is_active": True, "timezone": "Nowhere/Else"},
        {"crm_id": "U3", "is_active": True},
    ]
    world = company(
        {}, {"owner_id": "U1"}, {"owner_id": "U3"},
        owners=people,
        rules=Owners(holidays=("US", "2026-11-27"), timezone="America/Los_Angeles"),
    )  # fmt: skip
    world.now = datetime(2026, 11, 24, 3, tzinfo=world.now.tzinfo)  # still Monday in Los Angeles
    plan = world.plan(*(score(n) for n in range(3)))
    due = {task.account_id: task.draft.due for task in plan.tasks}
    # Thursday is Thanksgiving, Friday the company's own; then comes the weekend
    assert due == {"a0": date(2026, 12, 1), "a1": date(2026, 11, 30), "a2": date(2026, 11, 30)}
