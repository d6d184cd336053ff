"""A task whose reason is gone is closed, unless somebody worked on it; what came of the others is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connectors.errors import AmbiguousError, StateError
from sync.approvals import approve
from sync.journal import history
from sync.lineage import Lineage
from sync.operators import Role, add_operator
from sync.plan import Narrow
from sync.plan_ledger import load
from sync.settings import GuardSettings
from sync.settings_tasks import Owners
from sync.store.writeback import TaskRow
from sync.task_book import read_book

Score = Callable[..., dict[str, Any]]
KEY = "a1:expand:FY2026Q4"


@pytest.fixture
def busy(world: Any, score: Score) -> Any:
    """A world in which account a1 has a task that nobody has touched."""
    world.apply(world.plan(score(1)))
    world.now += timedelta(days=3)
    return world


def ends(world: Any) -> dict[str, tuple[str | None, str | None]]:
    """How each task of the ledger ended, and what came of it."""
    with world.store.session() as session:
        return {row.key: (row.closed_reason, row.outcome) for row in session.scalars(select(TaskRow))}


@pytest.mark.parametrize(
    ("cells", "reason", "words"),
    [
        ({"is_pipeline": True}, "open_deal", "an expansion opportunity is open"),
        ({"health": "red"}, "red_health", "health is red: retention first"),
        ({"health": "yellow"}, "play_ended", "the play is nurture now, not expand"),
        ({"tier": "low"}, "tier", "tier is low"),
        ({"timing": "hold"}, "timing", "timing is hold"),
    ],
)
def test_an_untouched_task_is_closed_when_its_reason_is_gone(
    busy: Any, score: Score, cells: dict[str, Any], reason: str, words: str
) -> None:
    """Its owner reads why; the plan counts it, and the ledger keeps it."""
    plan = busy.plan(score(1, **cells))
    assert plan.closings_by_reason() == plan.summary["tasks_closed"] == {reason: 1}
    assert load(busy.store, plan.id).closings == plan.closings
    report = busy.apply(plan)
    assert (report.tasks_closed, report.closing_outcomes) == (1, {"applied": 1})
    task = busy.crm.tasks[KEY]
    assert task.is_closed
    assert f"Closed by Upswell on 2026-11-26: {words}. Nobody had worked on it." in busy.crm.bodies[task.id]
    assert ends(busy) == {KEY: (reason, None)}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"Expansion_Opt_Out__c": True}, "opt_out"),
        ({"Expansion_Status__c": "not_now"}, "status"),
    ],
)
def test_what_a_person_says_of_the_account_closes_its_task(
    busy: Any, score: Score, said: dict[str, Any], reason: str
) -> None:
    """As it stops a new one."""
    busy.crm.person("0011", **said)
    assert busy.plan(score(1)).closings_by_reason() == {reason: 1}


@pytest.mark.parametrize("worked_on", [None, KEY, "a2:expand:FY2026Q4"])
def test_of_two_tasks_of_accounts_that_were_merged_one_stays(
    world: Any, score: Score, worked_on: str | None
) -> None:
    """The one that somebody works on, else the oldest; two that people work on are theirs."""
    world.apply(world.plan(score(1), score(2)))
    if worked_on is not None:
        world.crm.work_on_task(worked_on)
    world.lineage = Lineage.of({"0011": "a2", "0012": "a2"})
    plan = world.plan(score(2))
    kept = worked_on or KEY
    (closing,) = plan.closings
    assert {closing.task_key, kept} == {KEY, "a2:expand:FY2026Q4"}
    assert (closing.reason, f"task {kept} is open" in closing.note) == ("task_open", True)
    for key in (KEY, "a2:expand:FY2026Q4"):
        world.crm.work_on_task(key)
    assert world.plan(score(2)).closings == ()


def test_a_task_that_holds_good_stays_open(busy: Any, score: Score) -> None:
    """Also where another figure, or nothing at all is known of the account today."""
    assert busy.plan(score(1, probability=0.4)).closings == ()
    assert busy.plan(score(2)).closings == ()


def test_a_touched_task_is_left_to_whoever_works_on_it(busy: Any, score: Score) -> None:
    """Whatever the score says."""
    busy.crm.work_on_task(KEY)
    plan = busy.plan(score(1, is_pipeline=True))
    assert plan.closings == ()
    assert ends(busy) == {KEY: (None, None)}


def test_a_task_that_is_touched_after_the_plan_is_left_too(busy: Any, score: Score) -> None:
    """The look before closing finds it; the row is told as rejected."""
    plan = busy.plan(score(1, is_pipeline=True))
    busy.crm.work_on_task(KEY)
    report = busy.apply(plan)
    assert not busy.crm.tasks[KEY].is_closed
    assert [(each.kind, each.message) for each in report.rejected] == [
        ("retire", "someone worked on the task")
    ]


def test_a_closing_whose_reply_is_lost_happens_once(busy: Any, score: Score) -> None:
    """It is looked for, found closed and untouched, and journalled once."""
    plan = busy.plan(score(1, is_pipeline=True))
    close, calls = busy.crm.close_tasks, []

    def lose(tasks: Any) -> Any:
        calls.append(tasks)
        close(tasks)
        raise AmbiguousError("the connection was reset")

    busy.crm.close_tasks = lose
    busy.apply(plan)
    assert len(calls) == 1
    assert ends(busy) == {KEY: ("open_deal", None)}
    with busy.store.session() as session:
        kinds = [entry.kind for entry in history(session, "0011") if entry.field == "task"]
    assert kinds == ["task", "retire"]


def test_a_rollback_does_not_open_a_task_again_and_says_so(busy: Any, score: Score) -> None:
    """Nobody would know why it is back; the plan before it still can be taken back."""
    plan = busy.plan(score(1, is_pipeline=True))
    busy.apply(plan)
    report = busy.rollback(plan.id)
    assert (report.not_reopened, report.tasks_closed) == ((KEY,), 0)
    assert busy.crm.tasks[KEY].is_closed
    assert load(busy.store, plan.id).status == "rolled_back"


@pytest.mark.parametrize("by_name", [True, False])
def test_closing_most_of_what_people_have_to_do_stops_the_plan(
    world: Any,
    score: Score,
    make_tables: Callable[..., Any],
    make_settings: Callable[..., Any],
    by_name: bool,
) -> None:
    """More than half of twenty open tasks or more; a person lets it pass by name, or another one says yes."""
    accounts = [{"account_id": f"a{n}", "name": f"C {n}", "owner_id": "U0"} for n in range(20)]
    world.crm.records = {f"001{n}": {} for n in range(20)}
    world.tables = make_tables(accounts=accounts)
    guard = GuardSettings(max_changed_share=1, max_probability_shift=1)
    world.settings = make_settings(owners=Owners(slots_per_week=20), guard=guard)
    rows = [score(n) for n in range(20)]
    world.apply(world.plan(*rows))
    half = [score(n, is_pipeline=n < 10) for n in range(20)]
    assert world.plan(*half).findings == ()
    most = world.plan(*(score(n, is_pipeline=n < 11) for n in range(20)), created_by="os:somebody")
    assert [(found.rule, found.figure) for found in most.findings] == [("closed_share", 0.55)]
    with pytest.raises(StateError, match="11 of our 20 open tasks would be closed"):
        world.apply(most)
    if not by_name:
        ada = add_operator(world.store, "ada", Role.ADMIN, token=None, now=world.now).token
        (made,) = approve(world.store, most.id, token=ada, login="elsewhere", note="", now=world.now)
        assert made.kind == "size"
    assert world.apply(most, override=("closed_share",) if by_name else ()).tasks_closed == 11


def test_an_outcome_is_kept_with_its_moment(busy: Any, score: Score) -> None:
    """Picked while it is open, or late; a task that is closed without one counts as done."""
    at = busy.now - timedelta(hours=5)
    busy.crm.work_on_task(KEY, closed=True)
    busy.plan(score(1))
    assert ends(busy) == {KEY: ("person", "done")}
    busy.crm.tasks[KEY] = replace(busy.crm.tasks[KEY], outcome="declined", outcome_at=at)
    busy.plan(score(1))
    assert ends(busy) == {KEY: ("person", "declined")}
    with busy.store.session() as session:
        row = session.get_one(TaskRow, KEY)
        assert (row.outcome_at, row.closed_at, row.value) == (at, busy.now, 21000.555)
        assert (row.writer, row.style, row.language) == ("template", "plain", "en")


def test_a_task_that_somebody_deleted_is_gone(busy: Any, score: Score) -> None:
    """Not so soon after it was made that the CRM may only not have found it; out of the bin, it is open."""
    task = busy.crm.tasks.pop(KEY)
    busy.now -= timedelta(days=2)
    assert read_book(busy.store, busy.crm, now=busy.now).open_count == 1
    busy.now += timedelta(days=2)
    assert read_book(busy.store, busy.crm, now=busy.now).open_count == 0
    assert ends(busy) == {KEY: ("gone", None)}
    busy.crm.tasks[KEY] = task
    assert read_book(busy.store, busy.crm, now=busy.now).open_count == 1
    assert ends(busy) == {KEY: (None, None)}


def test_a_task_that_somebody_opens_again_is_open(busy: Any, score: Score) -> None:
    """Also one that a plan had closed: it is theirs now."""
    busy.apply(busy.plan(score(1, is_pipeline=True)))
    busy.crm.tasks[KEY] = replace(busy.crm.tasks[KEY], is_closed=False, touched=True)
    busy.now += timedelta(days=3)
    plan = busy.plan(score(1))
    assert [skip.detail for skip in plan.skips if skip.subject == "task"] == [f"its task {KEY} is open"]
    assert ends(busy) == {KEY: (None, None)}


def test_a_plan_of_one_account_looks_at_its_tasks_only(busy: Any, score: Score) -> None:
    """And closes nobody else's."""
    busy.apply(busy.plan(score(2)))
    busy.crm.work_on_task(KEY, closed=True)
    busy.crm.work_on_task("a2:expand:FY2026Q4", closed=True)
    assert busy.plan(score(1), score(2), narrow=Narrow(account="a2")).tasks == ()
    assert ends(busy) == {KEY: (None, None), "a2:expand:FY2026Q4": ("person", "done")}


def test_a_task_that_a_person_closed_is_told_by_a_rollback(busy: Any, score: Score) -> None:
    """As it was before anybody looked."""
    busy.crm.work_on_task(KEY, closed=True)
    busy.plan(score(1))
    report = busy.rollback("run-1")
    assert (report.tasks_left, report.tasks_closed) == ((KEY,), 0)
