"""A year of weekly runs with signals that come and go: no week overflows, no account has two tasks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest

from infra.doubles.strict_crm import StrictCrm
from sync.apply import apply_some, finish_apply, start_apply
from sync.planned import Plan
from sync.settings import Company, GuardSettings
from sync.settings_tasks import Owners, PlaySettings, Trigger
from sync.store import Store

WEEKS = 52
ACCOUNTS = 16
FIRST_MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OWNERS = ("U0", "U1", "U2", "U3")
SLOTS = {"U0": 1, "U1": 1, "U2": 2, "U3": 0}
ANYTHING_GOES = GuardSettings(
    max_changed_share=1, max_score_jump=100, max_probability_shift=1, max_score_drift=100,
    max_closed_share=1, max_model_age_days=10_000,
)  # fmt: skip


@dataclass
class Year:
    """A company's accounts whose signals wander, its people, and what must hold after every run."""

    world: Any
    score: Callable[..., dict[str, Any]]
    make_tables: Callable[..., dict[str, Any]]
    chance: random.Random
    cells: dict[int, dict[str, Any]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    closed: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    clashes: int = 0

    @property
    def crm(self) -> StrictCrm:
        crm: StrictCrm = self.world.crm
        return crm

    def wander(self) -> None:
        """A week passes: some accounts change, some events happen, some people do their tasks."""
        for number in range(ACCOUNTS):
            if number not in self.cells or self.chance.random() < 0.3:
                self.cells[number] = {
                    "tier": self.chance.choice(["very_high", "high", "medium", "medium", "low"]),
                    "timing": self.chance.choice(["now", "now", "d30", "d90", "hold"]),
                    "health": self.chance.choice(["green", "green", "green", "yellow", "red"]),
                    "is_pipeline": self.chance.random() < 0.1,
                    "expected_arr": round(self.chance.lognormvariate(9, 1), 2),
                    "product": self.chance.choice(["seats", "analytics"]),
                }
            said = {"Expansion_Opt_Out__c": self.chance.random() < 0.03, "Expansion_Status__c": None}
            if self.chance.random() < 0.05:
                said["Expansion_Status__c"] = "in_talks"
            self.crm.person(f"001{number}", **said)
        for key, task in list(self.crm.tasks.items()):
            luck = self.chance.random()
            if not task.is_closed and luck < 0.25:
                self.crm.work_on_task(
                    key, closed=True, outcome=self.chance.choice([None, "held", "declined"])
                )
            elif not task.is_closed and luck < 0.35:
                self.crm.work_on_task(key)

    def tables(self, today: date) -> Mapping[str, Any]:
        """The lake as of this week; a third of the accounts may go to either of two people."""
        return self.make_tables(
            accounts=[
                {
                    "account_id": f"a{n}",
                    "name": f"Company {n}",
                    "owner_id": OWNERS[n % 4],
                    "csm_id": OWNERS[(n + 1) % 3],
                    "segment": ("Enterprise", "Mid", "Small")[n % 3],
                }
                for n in range(ACCOUNTS)
            ],
            owners=[
                {"crm_id": "U0", "name": "Ana", "is_active": True, "timezone": "Pacific/Auckland"},
                {"crm_id": "U1", "name": "Ben", "is_active": True, "timezone": "America/Los_Angeles"},
                {"crm_id": "U2", "name": "Cy", "is_active": True},
                {"crm_id": "U3", "name": "Di", "is_active": False},
            ],
            triggers=[
                {"account_id": f"a{n}", "kind": "funding", "occurred_on": today - timedelta(days=9 * n)}
                for n in range(0, ACCOUNTS, 5)
            ],
        )

    def plan(self) -> Plan:
        """The plan of this moment."""
        as_of = self.world.now.date() - timedelta(days=1)
        rows = [self.score(n, as_of=as_of, **cells) for n, cells in self.cells.items()]
        made: Plan = self.world.plan(*rows)
        self.skips.update(made.skips_by_reason("task"))
        return made

    def apply(self, plan: Plan, *, is_older: bool = False) -> None:
        """Two workers share the plan, a batch each in turn; `is_older` when a newer one came before it."""
        if plan.is_empty:
            return
        world, run = self.world, plan.run_id
        asked = {"now": world.now, "holder": run, "clock": world.machine}
        passed = {"settings": world.settings, "override": ("first_fill",)}
        start_apply(plan.id, world.crm, world.store, **passed, **asked)
        for worker in cycle(("one", "two")):
            left = apply_some(
                plan.id, world.crm, world.store, worker=worker, limit=1, timezone="Europe/Berlin", **asked
            ).left
            if not left:
                break
        assert finish_apply(plan.id, world.store, holder=run, clock=world.machine) == "applied"
        self.closed.update(plan.closings_by_reason())
        clashes = sum(task.draft.key not in world.crm.tasks for task in plan.tasks)
        assert is_older or not clashes, "a plan that nothing came before makes all of its tasks"
        self.clashes += clashes

    def check(self) -> None:
        """What must hold at any moment, as the CRM sees it."""
        open_tasks = Counter(
            (task.account_crm_id, key.split(":")[1])
            for key, task in self.crm.tasks.items()
            if not task.is_closed
        )
        assert all(count == 1 for count in open_tasks.values()), open_tasks
        assert max(Counter(account for account, _ in open_tasks).values(), default=0) <= 1
        new = self.crm.tasks.keys() - self.seen
        self.seen |= new
        self.made.update(str(self.crm.tasks[key].owner_id) for key in new)
        assert all(self.made[owner] <= slots for owner, slots in SLOTS.items()), self.made


@pytest.fixture
def year(
    make_world: Callable[..., Any],
    make_settings: Callable[..., Any],
    make_tables: Callable[..., dict[str, Any]],
    score: Callable[..., dict[str, Any]],
    new_ledger: Callable[[str], AbstractContextManager[str]],
) -> Iterator[Year]:
    """A company at its first Monday; the plays, triggers and owners of a RevOps team with wishes."""
    settings = make_settings(
        company=Company(timezone="Europe/Berlin", fiscal_year_start=2),
        guard=ANYTHING_GOES,
        owners=Owners(
            expansion="by_segment",
            by_segment={"Enterprise": "ae", "Mid": "either", "Small": "pool"},
            pool=("U0", "U2"),
            fallback="U2",
            slots=SLOTS,
            cool_off_days=5,
            holidays=("2026-04-06", "2026-12-25"),
        ),
        plays={
            "modules": PlaySettings(trigger="product_type = 'module'", weight=1.1),
            "welcome": PlaySettings(template="expand"),
        },
        triggers=(Trigger(kind="funding", play="welcome", within_days=60),),
    )
    crm = StrictCrm(records={f"001{n}": {} for n in range(ACCOUNTS)})
    crm.capabilities = replace(crm.capabilities, write_batch=4)
    with new_ledger("sqlite") as url, Store.open(url) as store:
        world = make_world(crm=crm, store=store, settings=settings, tables={})
        world.installed = False  # what is filled first is passed over at each plan
        yield Year(world=world, score=score, make_tables=make_tables, chance=random.Random(9))


def test_a_year_of_weekly_runs_never_overflows_and_never_doubles(year: Year) -> None:
    """Each week is planned twice over and applied by two workers; now and then an older plan comes after a
    newer one, and another run follows in the same week."""
    world = year.world
    plays: Counter[str] = Counter()
    for week in range(WEEKS):
        world.now = FIRST_MONDAY + timedelta(weeks=week)
        world.machine.now = world.now
        year.made.clear()
        year.wander()
        world.tables = year.tables(world.now.date())
        first = year.plan()
        plays.update(first.tasks_by_play())
        twice = week % 6 == 0
        if twice:  # somebody else plans at the same time, and both plans are applied
            year.wander()
            second = year.plan()
            year.apply(second)
            year.check()
        year.apply(first, is_older=twice)
        year.check()
        if week % 6 == 1:
            world.now += timedelta(days=2)
            year.wander()
            year.apply(year.plan())
            year.check()
    assert len(year.seen) > WEEKS
    assert {"expand", "nurture", "modules", "welcome"} <= plays.keys()
    assert {"open_deal", "red_health", "tier", "timing", "status", "play_ended"} <= year.closed.keys()
    assert {"capacity", "cool_off", "task_open", "task_exists"} <= year.skips.keys()
    assert year.clashes > 0, "no older plan came after a newer one"
