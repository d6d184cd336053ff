"""The checker notices each safeguard that is missing, where the product itself stands firm."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import StateError, UpswellError
from connectors.sandbox.faults import FaultRule
from infra.chaos.checker import Violation
from infra.chaos.home import Home
from infra.chaos.nursery import Nursery
from infra.chaos.sabotage import SABOTAGES
from sync.apply import apply_some
from sync.cells import Cell
from sync.plan_ledger import save
from sync.planned import Finding, Plan, PlannedChange
from sync.store.locks import machine_clock

Situation = Callable[["Scene"], None]


class Scene:
    """A home in which something goes wrong while a plan is applied."""

    def __init__(self, home: Home, nursery: Nursery, sabotage: str | None) -> None:
        self.home = home
        self.nursery = nursery
        self.sabotage = sabotage
        self.rolled_back: tuple[str, ...] = ()

    def fault(self, kind: Any, endpoint: str, **more: Any) -> None:
        """From now on, this fault."""
        self.home.sandbox.faults.replace([FaultRule(kind=kind, endpoint=endpoint, **more)])

    def in_the_middle_of(self, call: str, do: Callable[[], None]) -> None:
        """When the connection is about to make this call for the first time, do that first."""
        real = getattr(self.home.crm, call)

        def interrupted(*args: Any) -> Any:
            setattr(self.home.crm, call, real)
            do()
            return real(*args)

        setattr(self.home.crm, call, interrupted)

    def edit(self, position: int, value: object) -> None:
        """A person changes our text on an account."""
        self.home.org.edit(self.home.org.ids[position], {"Expansion_Reason_1__c": value})


def a_lost_reply_to_new_tasks(scene: Scene) -> None:
    """They were made, and nobody heard of it."""
    plan = scene.home.plan()
    scene.fault("reset_after", "collections.create", request=(1,))
    scene.home.apply(plan.id)


def a_lost_reply_to_a_write(scene: Scene) -> None:
    """It took effect, and nobody heard of it."""
    plan = scene.home.plan()
    scene.fault("reset_after", "collections.update", request=(1,))
    scene.home.apply(plan.id)


def new_tasks_that_land_late(scene: Scene) -> None:
    """Five seconds after the client gave up."""
    home = scene.home
    plan = home.plan()
    scene.fault("late", "collections.create", request=(1,), seconds=3600.0)
    began = home.clock.ahead

    def look(_seconds: float) -> None:
        if home.clock.ahead >= began + timedelta(seconds=5):
            home.sandbox.settle_late()

    home.clock.slept = look
    home.apply(plan.id)
    home.sandbox.settle_late()


def an_edit_after_the_plan(scene: Scene) -> None:
    """Somebody writes where we were going to."""
    plan = scene.home.plan()
    for position in (3, 30):
        scene.edit(position, "A person's word")
    scene.home.apply(plan.id)


def a_second_worker_while_a_call_is_under_way(scene: Scene) -> None:
    """It comes back a few times, for as long as the first one's lease lasts."""
    home = scene.home
    plan = home.plan()

    def second() -> None:
        for seconds in (0, 3, 7, 18, 20):
            with suppress(UpswellError):
                apply_some(
                    plan.id,
                    home.crm,
                    home.store,
                    now=home.crm.server_time(),
                    worker="second",
                    holder="run",
                    timezone="UTC",
                    clock=lambda seconds=seconds: machine_clock() + timedelta(seconds=seconds),
                )

    scene.in_the_middle_of("create_tasks", second)
    home.apply(plan.id, holder="run")


def a_worker_that_was_thought_dead(scene: Scene) -> None:
    """It stalled in a call for an hour; another one took over and brought it to an end."""
    home = scene.home
    plan = home.plan()

    def takes_over() -> None:
        home.clock.ahead += timedelta(hours=1)
        home.apply(plan.id, holder="other")
        home.clock.ahead -= timedelta(hours=1)

    scene.in_the_middle_of("write", takes_over)
    with suppress(StateError):
        home.apply(plan.id, holder="run")


def a_worker_that_dies_after_its_call(scene: Scene) -> None:
    """Before it could say what came of it; another one goes on."""
    home = scene.home
    plan = home.plan()
    where = {"config": str(home.org.folder / "upswell.toml"), "ledger": str(home.store.engine.url)}
    what = {"plan_id": plan.id, "holder": "run"}
    dying = scene.nursery.start(
        "infra.chaos.processes:apply_plan",
        **where, **what, crash="after_call", sabotage=scene.sabotage or "",
    )  # fmt: skip
    assert dying.wait(60) == -9, dying.said()
    going_on = scene.nursery.start("infra.chaos.processes:apply_plan", **where, **what, ahead=3600)
    assert going_on.wait(60) == 0, going_on.said()


def a_quiet_day(scene: Scene) -> None:
    """Nothing at all goes wrong."""
    scene.home.apply(scene.home.plan().id)


def two_runs_at_once(scene: Scene) -> None:
    """A second plan for the same accounts, applied while the first one is under way."""
    home = scene.home
    first, second = home.plan("a"), home.plan("b", seed=2, tasks=0)

    def other() -> None:
        with suppress(StateError):
            home.apply(second.id, holder="another run")
            return
        home.approved.discard(second.id)

    scene.in_the_middle_of("write", other)
    home.apply(first.id, holder="run")


def a_rollback_after_people_worked_on(scene: Scene) -> None:
    """Two cells are theirs by now."""
    plan = scene.home.plan()
    scene.home.apply(plan.id)
    for position in (3, 30):
        scene.edit(position, "A person's word")
    scene.home.rollback(plan.id)
    scene.rolled_back = (plan.id,)


def a_plan_with_a_field_that_is_not_ours(scene: Scene) -> None:
    """Somebody put a phone number into it before it was frozen."""
    home = scene.home
    plan = home.plan("good", writes=5, tasks=0)
    phone = Cell(key="phone", name="Phone", before=None, after="1")
    changes = tuple(
        replace(change, key=f"bad:{change.record_id}", cells=(*change.cells, phone))
        for change in plan.changes
    )
    save(home.store, replace(plan, id="plan-bad", run_id="run-bad", changes=changes))
    home.approved = {"plan-bad"}
    try:
        home.apply("plan-bad")
    except StateError:
        home.approved = set()


def a_plan_that_breaks_a_rule(scene: Scene) -> None:
    """Nobody let it pass."""
    home = scene.home
    plan = home.plan("good", writes=5, tasks=0)
    broken = Finding(
        rule="changed_share", figure=0.9, limit=0.2, message="too many", override="changed_share"
    )
    bad = replace(plan, id="plan-bad", run_id="run-bad", findings=(broken,), changes=_renamed(plan))
    save(home.store, bad)
    home.approved = set()
    with suppress(StateError):
        home.apply("plan-bad")


def a_crm_that_is_busy_for_hours(scene: Scene) -> None:
    """Each write is answered 503."""
    plan = scene.home.plan(writes=5, tasks=0)
    scene.fault("status", "collections.update", status=503, times=9)
    for _ in range(5):
        with suppress(UpswellError):
            scene.home.apply(plan.id)


def _renamed(plan: Plan) -> tuple[PlannedChange, ...]:
    return tuple(replace(change, key=f"bad:{change.record_id}") for change in plan.changes)


SITUATIONS: dict[str, Situation] = {
    "no_read_back": a_lost_reply_to_new_tasks,
    "reply_forgotten": a_lost_reply_to_a_write,
    "blind_repost": a_lost_reply_to_new_tasks,
    "no_patience": new_tasks_that_land_late,
    "no_compare": an_edit_after_the_plan,
    "no_lease": a_second_worker_while_a_call_is_under_way,
    "no_fence": a_worker_that_was_thought_dead,
    "sending_not_committed": a_worker_that_dies_after_its_call,
    "journal_not_written": a_quiet_day,
    "chain_blind": a_quiet_day,
    "lock_not_taken": two_runs_at_once,
    "rollback_overwrites": a_rollback_after_people_worked_on,
    "allow_list_off": a_plan_with_a_field_that_is_not_ours,
    "guard_off": a_plan_that_breaks_a_rule,
    "no_request_limit": a_crm_that_is_busy_for_hours,
}


def found(home: Home, nursery: Nursery, situation: Situation, sabotage: str | None) -> list[Violation]:
    """What the checker says about the situation, with or without the safeguard."""
    scene = Scene(home, nursery, sabotage)
    struck = sabotage is not None and situation is not a_worker_that_dies_after_its_call
    with SABOTAGES[sabotage].at_work() if struck and sabotage else nullcontext():
        situation(scene)
    return home.violations(rolled_back=scene.rolled_back)


def test_every_sabotage_has_its_situation() -> None:
    """Fifteen of them."""
    assert SITUATIONS.keys() == SABOTAGES.keys()
    assert len(SABOTAGES) >= 8


@pytest.mark.parametrize("situation", dict.fromkeys(SITUATIONS.values()), ids=lambda each: each.__name__)
def test_the_product_stands_firm(home: Home, nursery: Nursery, situation: Situation) -> None:
    """With every safeguard in place nothing is found."""
    assert found(home, nursery, situation, None) == []


@pytest.mark.parametrize("sabotage", SITUATIONS)
def test_the_checker_notices_the_missing_safeguard(home: Home, nursery: Nursery, sabotage: str) -> None:
    """And says which promise was broken."""
    violations = found(home, nursery, SITUATIONS[sabotage], sabotage)
    assert SABOTAGES[sabotage].rule in {violation.rule for violation in violations}, violations
