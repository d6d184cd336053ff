"""The brief on the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from sync.erasure import erase
from sync.mentions import Sought

Score = Callable[..., dict[str, Any]]
BRIEF = "Expansion_Brief__c"
DANA = Sought(ids=frozenset({"C1"}), anywhere=("Dana Ortiz",))


def cells(plan: Any, account_id: str) -> dict[str, Any]:
    """What a plan writes on an account's record, by our key."""
    (change,) = (each for each in plan.changes if each.account_id == account_id)
    return {cell.key: cell.after for cell in change.cells}


def test_record_and_task_say_the_same(world: Any, score: Score) -> None:
    """Whoever reads the panel and whoever reads the task has one conversation in mind."""
    plan = world.plan(score(1))
    (task,) = plan.tasks
    said = cells(plan, "a1")["brief"]
    assert said.splitlines()[0] == task.draft.body.splitlines()[0]
    world.apply(plan)
    assert world.crm.records["0011"][BRIEF] == said


def test_an_account_that_no_conversation_fits_has_no_brief(world: Any, score: Score) -> None:
    """An open deal has its own plan, and a low score no reason to talk; red health is helped first."""
    plan = world.plan(score(1, tier="low"), score(2, is_pipeline=True), score(3, health="red"), score(4))
    assert [cells(plan, account).get("brief") is None for account in ("a1", "a2", "a3", "a4")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_brief_is_written_with_other_news_but_is_none_by_itself(world: Any, score: Score) -> None:
    """It bears the days of its facts: it would be news in every run."""
    world.apply(world.plan(score(1)))
    before = world.crm.records["0011"][BRIEF]
    later = {"reasons": [{**score(1)["reasons"][0], "sentence": "Seats 99 % used (usage, 22 Nov)"}]}
    assert world.plan(score(1, **later)).is_empty
    world.apply(world.plan(score(1, tier="very_high", **later)))
    assert "99 %" in world.crm.records["0011"][BRIEF]
    assert "99 %" not in before


def test_a_record_names_nobody_who_was_erased_once_the_crm_lacks_them(world: Any, score: Score) -> None:
    """That waits for no other news; while the contact is still there, nothing is written again."""
    world.apply(world.plan(score(1)))
    erase(world.store, DANA, reason="request 17", at=world.now)
    assert world.plan(score(1)).is_empty
    world.tables = {**world.tables, "contacts": world.tables["contacts"].filter(ibis.literal(value=False))}
    world.apply(world.plan(score(1)))
    record = world.crm.records["0011"]
    assert record[BRIEF] is not None
    assert "Dana Ortiz" not in str(record)
    assert world.plan(score(1)).is_empty


def test_the_arr_of_four_fiscal_quarters_stands_on_the_record(world: Any, score: Score) -> None:
    """As the forecast has it; nothing where it says nothing of the account."""
    plan = world.plan(score(1), score(2), quarters={"a1": (1200.0, 3400.5, 0.0, 80.25)})
    names = [f"arr_quarter_{n}" for n in (1, 2, 3, 4)]
    assert [cells(plan, "a1")[name] for name in names] == [1200.0, 3400.5, 0.0, 80.25]
    assert all(cells(plan, "a2").get(name) is None for name in names)
