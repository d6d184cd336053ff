"""Approvals: a second person's yes to a plan past the size guard, and the org's one yes to a first fill.

What stops a plan are its findings. `--override NAME` passes a rule over, except the size guard
(`changed_share`): that takes an approval of this very plan by an operator who did not make it. A first fill
(fields that we have never written in this org) takes one approval for an org and its fields: recorded by
`upswell install --apply` for the fields that it creates, since nobody's data can be in them, and by
`upswell approve PLAN` for fields that were there before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from connectors.errors import StateError, UsageError
from sync import chain
from sync.operations import PLANNED
from sync.operators import Operator, Role, authenticate, operators
from sync.plan_ledger import load_terms, status_of
from sync.planned import Finding, PlanTerms, names_of_written
from sync.store import Store
from sync.store.people import ApprovalRow
from sync.store.writeback import OperationRow, PlanRow

SIZE, FIRST_FILL = "size", "first_fill"
SIZE_RULE: Final = "changed_share"
OF_SIZE: Final = frozenset({SIZE_RULE, "closed_share"})  # what a yes to a plan's size covers
ADD_OPERATOR: Final = "upswell operator add NAME --role approver"
ADD_ADMIN: Final = "upswell operator add NAME --role admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's yes. `fields` are the vendor's names of a first fill, empty for a plan's size."""

    kind: str
    org_id: str
    plan_id: str | None
    fields: tuple[str, ...]
    operator: str
    at: datetime
    note: str


def still_stops(store: Store, plan: PlanTerms, override: Collection[str]) -> tuple[Finding, ...]:
    """The plan's findings that neither an override nor an approval covers."""
    with store.session() as session:
        approved = _is_approved(session, plan.id)
        unapproved = plan.written_names - approved_fields(session, plan.org_id)
        unapproved -= written_before(session, plan.org_id)
    covered = {**dict.fromkeys(OF_SIZE, approved), FIRST_FILL: not unapproved}
    return tuple(
        finding
        for finding in plan.findings
        if not covered.get(finding.rule, False)
        and (finding.rule == SIZE_RULE or finding.override not in override)
    )


def refuse_stopped(store: Store, plan: PlanTerms, override: Collection[str]) -> None:
    """Raises StateError naming what still stops the plan and how to go on; nothing when nothing does."""
    stopping = still_stops(store, plan, override)
    if stopping:
        messages = "; ".join(finding.message for finding in stopping)
        raise StateError(messages, record=plan.id, fix=how_to_go_on(store, plan, stopping))


def how_to_go_on(store: Store, plan: PlanTerms, stopping: Collection[Finding]) -> str:
    """In words, what lets a plan pass that these findings stop."""
    rules = {finding.rule for finding in stopping}
    by_yes = OF_SIZE if SIZE_RULE in rules else frozenset()
    by_name = [finding.override for finding in stopping if finding.rule not in by_yes]
    overrides = " ".join(f"--override {name}" for name in by_name)
    ways = [f"Look at the plan; if it is right, apply with {overrides}."] if by_name else []
    if SIZE_RULE in rules:
        approve = f"upswell approve {plan.id}"
        ways.append(f"Its size needs a yes of someone other than its maker ({plan.created_by}): {approve}.")
    elif FIRST_FILL in rules:
        ways.append(f"Or have the fields approved once and for all: upswell approve {plan.id}.")
    if rules & {SIZE_RULE, FIRST_FILL} and not operators(store):
        ways.append(f"There are no operators yet, so nobody can approve; begin with: {ADD_ADMIN}")
    return " ".join(ways)


def approve(
    store: Store, plan_id: str, *, token: str | None, login: str, note: str, now: datetime
) -> tuple[Approval, ...]:
    """The approvals recorded for what stops the plan: its size, or the first fill of its fields, or both.

    Raises UsageError when there are no operators or whoever asks may not approve, StateError when the plan
    is the asker's own, is past being applied, or has nothing to approve."""
    if not operators(store):
        raise UsageError(
            "there are no operators yet, so nobody can approve.",
            record=plan_id,
            fix=f"begin with an admin ({ADD_ADMIN}), who adds others ({ADD_OPERATOR})",
        )
    operator = authenticate(store, token, Role.APPROVER)
    plan = load_terms(store, plan_id)  # refuses one whose rows were changed since it was made
    _refuse_own(plan, operator, login)
    status = status_of(store, plan_id)
    if status in ("applied", "rolled_back"):
        raise StateError(f"the plan is {status} already", record=plan_id, fix="see: upswell history")
    wanted = {finding.rule for finding in still_stops(store, plan, ())} & {*OF_SIZE, FIRST_FILL}
    if not wanted:
        raise StateError(
            "nothing about this plan waits for an approval",
            record=plan_id,
            fix=f"apply it: upswell apply {plan_id}",
        )
    about: dict[str, Any] = {
        "org_id": plan.org_id, "plan_id": plan_id, "operator": operator.name, "at": now, "note": note,
    }  # fmt: skip
    with store.begin() as session:
        made = []
        if OF_SIZE & wanted:
            made.append(_keep(session, Approval(kind=SIZE, fields=(), **about)))
        if FIRST_FILL in wanted:
            fields = tuple(sorted(plan.written_names - approved_fields(session, plan.org_id)))
            made.append(_keep(session, Approval(kind=FIRST_FILL, fields=fields, **about)))
        return tuple(made)


def approve_created(
    store: Store, org_id: str, fields: Collection[str], *, operator: str, now: datetime
) -> Approval | None:
    """The first-fill approval for fields that an install has just created; None when it created none."""
    if not fields:
        return None
    approval = Approval(
        kind=FIRST_FILL,
        org_id=org_id,
        plan_id=None,
        fields=tuple(sorted(fields)),
        operator=operator,
        at=now,
        note="created by upswell install",
    )
    with store.begin() as session:
        return _keep(session, approval)


def approvals_of(store: Store, plan_id: str) -> tuple[Approval, ...]:
    """What was approved about a plan, oldest first."""
    with store.session() as session:
        return tuple(_given(session, ApprovalRow.plan_id == plan_id))


def approved_fields(session: Session, org_id: str) -> frozenset[str]:
    """Vendor's names of the fields whose first fill was approved in this org."""
    given = _given(session, ApprovalRow.org_id == org_id, ApprovalRow.kind == FIRST_FILL)
    return frozenset(name for approval in given for name in approval.fields)


def written_before(session: Session, org_id: str) -> frozenset[str]:
    """Vendor's names of the fields that we have written in this org, or begun to.

    By its plans, of which there are few, and not by its journal, which grows without end."""
    sent = or_(OperationRow.attempts > 0, OperationRow.state != PLANNED)
    begun = exists().where(OperationRow.plan_id == PlanRow.id, OperationRow.kind == "write", sent)
    plans = session.scalars(select(PlanRow.fields).where(PlanRow.org_id == org_id, begun))
    return frozenset(name for fields in plans for name in names_of_written(fields))


def _refuse_own(plan: PlanTerms, operator: Operator, login: str) -> None:
    """Raises StateError when the operator made the plan, or nobody could tell that they did not."""
    if plan.created_by == operator.name:
        raise StateError(
            "you made this plan; its approval is another person's",
            record=plan.id,
            fix="ask another approver",
        )
    # without a token only the login says who made it, and that must then be another one
    if plan.created_by in (f"os:{operator.name}", f"os:{login}"):
        raise StateError(
            f"the plan was made without a token under the login {plan.created_by.removeprefix('os:')}, so it "
            "may be your own",
            record=plan.id,
            fix="have the plan made with an operator's token in UPSWELL_OPERATOR_TOKEN, or approve from "
            "another login",
        )


def _is_approved(session: Session, plan_id: str) -> bool:
    return bool(_given(session, ApprovalRow.plan_id == plan_id, ApprovalRow.kind == SIZE))


def _given(session: Session, *conditions: ColumnElement[bool]) -> list[Approval]:
    """The approvals that count, oldest first: every look at them goes through here.

    A row that the chain does not vouch for was not given through us, or was changed since."""
    rows = session.scalars(select(ApprovalRow).where(*conditions).order_by(ApprovalRow.at, ApprovalRow.id))
    return [
        Approval(
            kind=row.kind,
            org_id=row.org_id,
            plan_id=row.plan_id,
            fields=tuple(row.fields),
            operator=row.operator,
            at=row.at,
            note=row.note,
        )
        for row in rows
        if chain.vouches_for(session, row)
    ]


def _keep(session: Session, approval: Approval) -> Approval:
    """Add an approval to the ledger: every one goes through here."""
    row = ApprovalRow(
        id=uuid4().hex,
        kind=approval.kind,
        org_id=approval.org_id,
        plan_id=approval.plan_id,
        fields=list(approval.fields),
        operator=approval.operator,
        at=approval.at,
        note=approval.note,
    )
    session.add(row)
    session.flush()
    chain.add_approval(session, row)
    return approval
