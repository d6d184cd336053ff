"""Whose yes a plan needs: its size, and the first fill of its fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import update

from connectors.errors import StateError, UsageError
from sync.approvals import approvals_of, approve, approve_created, still_stops
from sync.operators import Role, add_operator, disable_operator
from sync.plan_ledger import load_terms
from sync.planned import Plan
from sync.store.people import ApprovalRow
from sync.store.writeback import OperationRow

Score = Callable[..., dict[str, Any]]
MANY = 24


@pytest.fixture
def tokens(world: Any) -> dict[str, str]:
    """The tokens of an admin, two approvers, an operator and a viewer, by name."""
    admin = add_operator(world.store, "ada", Role.ADMIN, token=None, now=world.now).token
    roles = {"dana": Role.APPROVER, "lee": Role.APPROVER, "sam": Role.OPERATOR, "vic": Role.VIEWER}
    return {"ada": admin} | {
        name: add_operator(world.store, name, role, token=admin, now=world.now).token
        for name, role in roles.items()
    }


@pytest.fixture
def large(world: Any, score: Score) -> Plan:
    """A plan past the size guard, made by lee: a quarter of 24 records change their tier."""
    world.crm.records = {f"001{n}": {} for n in range(MANY)}
    rows = [score(n, product=None, timing="hold") for n in range(MANY)]
    world.apply(world.plan(*rows))
    plan: Plan = world.plan(*({**row, "tier": "low"} for row in rows[:6]), *rows[6:], created_by="lee")
    assert [(f.rule, f.figure) for f in plan.findings] == [("changed_share", 0.25)]
    return plan


def says_yes(world: Any, plan: Plan, token: str | None, login: str = "host") -> Any:
    """An approval of the plan."""
    return approve(world.store, plan.id, token=token, login=login, note="looked at it", now=world.now)


def stopping(world: Any, plan: Plan, override: set[str] | None = None) -> list[str]:
    """The rules that still stop it."""
    terms = load_terms(world.store, plan.id)
    return [finding.rule for finding in still_stops(world.store, terms, override or set())]


def test_a_plan_past_the_size_guard_takes_another_persons_yes(
    world: Any, large: Plan, tokens: dict[str, str]
) -> None:
    """An override by its maker is not enough; the approval of another is."""
    with pytest.raises(StateError, match=rf"25% of the records.*tier.*upswell approve {large.id}"):
        world.apply(large, override={"changed_share"})
    (made,) = says_yes(world, large, tokens["dana"])
    assert (made.kind, made.operator, made.note) == ("size", "dana", "looked at it")
    assert stopping(world, large) == []
    assert world.apply(large).outcomes == {"applied": 6}
    assert approvals_of(world.store, large.id) == (made,)


def test_an_approval_is_of_one_plan(world: Any, score: Score, large: Plan, tokens: dict[str, str]) -> None:
    """The next plan needs its own, though nothing about it is different."""
    says_yes(world, large, tokens["dana"])
    rows = [score(n, product=None, timing="hold", tier="low" if n < 6 else "high") for n in range(MANY)]
    again = world.plan(*rows, created_by="lee")
    assert stopping(world, again) == ["changed_share"]


def test_nobody_approves_their_own_plan(world: Any, large: Plan, tokens: dict[str, str]) -> None:
    """Not by their name, and not by a login that may be theirs."""
    with pytest.raises(StateError, match="you made this plan") as refused:
        says_yes(world, large, tokens["lee"])
    assert (refused.value.record, refused.value.fix) == (large.id, "ask another approver")
    assert stopping(world, large) == ["changed_share"]


@pytest.mark.parametrize(("maker", "login"), [("os:dana", "host"), ("os:root", "root")])
def test_a_plan_made_without_a_token_is_not_approved_from_the_same_login(
    world: Any, score: Score, tokens: dict[str, str], maker: str, login: str
) -> None:
    """Who made it can't be told apart from who approves it; another login can."""
    world.crm.records = {f"001{n}": {} for n in range(MANY)}
    rows = [score(n, product=None, timing="hold") for n in range(MANY)]
    world.apply(world.plan(*rows))
    plan = world.plan(*({**row, "tier": "low"} for row in rows), created_by=maker)
    with pytest.raises(StateError, match=r"may be your own.*UPSWELL_OPERATOR_TOKEN") as refused:
        says_yes(world, plan, tokens["dana"], login)
    assert refused.value.record == plan.id
    says_yes(world, plan, tokens["ada"], "elsewhere")
    assert stopping(world, plan) == []


@pytest.mark.parametrize("name", ["sam", "vic"])
def test_an_approval_takes_the_role(world: Any, large: Plan, tokens: dict[str, str], name: str) -> None:
    """Operators plan and apply, viewers look."""
    with pytest.raises(UsageError, match=f"{name} is .*needs the role approver"):
        says_yes(world, large, tokens[name])


def test_a_disabled_approver_approves_nothing_more(world: Any, large: Plan, tokens: dict[str, str]) -> None:
    """Nor does somebody without a token."""
    disable_operator(world.store, "dana", token=tokens["ada"], now=world.now)
    for token in (tokens["dana"], None, "upswell_guess"):
        with pytest.raises(UsageError, match="token"):
            says_yes(world, large, token)
    assert stopping(world, large) == ["changed_share"]


def test_without_operators_the_way_to_the_first_is_told(world: Any, large: Plan) -> None:
    """By apply, and by approve."""
    with pytest.raises(StateError, match=r"no operators yet.*upswell operator add NAME --role admin"):
        world.apply(large)
    with pytest.raises(UsageError, match=r"no operators yet.*upswell operator add NAME --role admin"):
        says_yes(world, large, None)


def test_a_plan_that_was_tampered_with_is_not_approved(
    world: Any, large: Plan, tokens: dict[str, str]
) -> None:
    """What the approver sees is what was frozen."""
    with world.store.begin() as session:
        session.execute(update(OperationRow).where(OperationRow.plan_id == large.id).values(record_id="X"))
    with pytest.raises(StateError, match="differ from what was frozen"):
        says_yes(world, large, tokens["dana"])


def test_what_needs_no_approval_gets_none(world: Any, score: Score, tokens: dict[str, str]) -> None:
    """Neither a plan that nothing stops, nor one that other rules stop, nor one that was applied."""
    quiet, empty = world.plan(score(1)), world.plan()
    for plan in (quiet, empty):
        with pytest.raises(StateError, match="nothing about this plan waits"):
            says_yes(world, plan, tokens["dana"])
    world.apply(quiet)
    with pytest.raises(StateError, match="applied already"):
        says_yes(world, quiet, tokens["dana"])


def test_an_approval_passes_no_other_rule_over(
    world: Any, score: Score, large: Plan, tokens: dict[str, str]
) -> None:
    """Each rule is passed over by its own name."""
    fields = dict(world.crm.schema.fields)
    fields["Expansion_Product__c"] = replace(fields["Expansion_Product__c"], length=60)
    world.crm.schema = replace(world.crm.schema, fields=MappingProxyType(fields))
    plan = world.plan(*(score(n, tier="low") for n in range(MANY)), created_by="lee")
    assert stopping(world, plan) == ["changed_share", "schema_drift"]
    says_yes(world, plan, tokens["dana"])
    assert stopping(world, plan) == ["schema_drift"]
    assert stopping(world, plan, {"schema_drift"}) == []


def test_fields_that_an_install_created_are_filled_without_more_ado(world: Any, score: Score) -> None:
    """Whoever has them created wants them filled, and nobody's data is in them."""
    assert world.plan(score(1)).findings == ()


def test_fields_that_were_there_wait_for_one_approval(
    world: Any, score: Score, tokens: dict[str, str]
) -> None:
    """The plan says how much they hold; approved once, they are so for every later plan."""
    world.settings = replace(world.settings, mapping={"fields": {"score": "Our_Score__c"}})
    world.crm.person("0011", Our_Score__c=55.0)
    plan = world.plan(score(1), score(2), created_by="lee")
    assert [finding.rule for finding in plan.findings] == ["first_fill"]
    assert "Our_Score__c; 1 of their cells hold something already" in plan.findings[0].message
    with pytest.raises(StateError, match=r"--override first_fill.*once and for all: upswell approve"):
        world.apply(plan)

    (made,) = says_yes(world, plan, tokens["dana"])
    assert (made.kind, made.fields) == ("first_fill", ("Our_Score__c",))
    assert stopping(world, plan) == []
    assert world.plan(score(1), score(2)).findings == ()
    world.apply(plan)


def test_a_first_fill_may_be_passed_over_by_name_once(world: Any, score: Score) -> None:
    """What was written then is no first fill any more."""
    world.installed = False
    plan = world.plan(score(1))
    assert stopping(world, plan) == ["first_fill"]
    assert world.apply(plan, override={"first_fill"}).status == "applied"
    assert world.plan(score(1, tier="low")).findings == ()


def test_a_first_fill_counts_in_its_org_only(world: Any, score: Score) -> None:
    """What was approved and written in the sandbox says nothing about production."""
    world.apply(world.plan(score(1)))
    world.installed = False
    world.crm.org_id = "00D000000000002EAA"
    world.crm.records = {"0011": {}}
    assert [finding.rule for finding in world.plan(score(1)).findings] == ["first_fill"]


def test_a_first_fill_is_no_change_of_many_records(world: Any, score: Score, tokens: dict[str, str]) -> None:
    """A field that is new in the org is filled on every record; the yes it takes is to the field."""
    world.crm.records = {f"001{n}": {} for n in range(MANY)}
    rows = [score(n) for n in range(MANY)]
    world.apply(world.plan(*rows))
    world.now += timedelta(days=1)
    world.settings = replace(world.settings, mapping={"fields": {"arr_low": "Our_Score__c"}})
    plan = world.plan(*rows)
    assert (len(plan.changes), plan.changes_by_cause()) == (MANY, {"first_fill": MANY})
    assert [finding.rule for finding in plan.findings] == ["first_fill"]


def test_an_install_that_creates_nothing_approves_nothing(world: Any) -> None:
    """No approval without a field."""
    assert approve_created(world.store, "org", [], operator="os:root", now=world.now) is None


def test_an_approval_that_was_written_past_us_does_not_count(world: Any, large: Plan) -> None:
    """A row put into the database by hand has no link in the chain, and lets nothing pass."""
    with world.store.begin() as session:
        session.add(
            ApprovalRow(
                id="forged",
                kind="size",
                org_id=large.org_id,
                plan_id=large.id,
                fields=[],
                operator="dana",
                at=world.now,
                note="",
            )
        )
    assert stopping(world, large) == ["changed_share"]
