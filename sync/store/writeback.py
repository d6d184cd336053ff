"""The ledger's tables of the way out: plans, operations, journal, tasks and outcomes.

A plan's rows are frozen once written; what happens to them is kept in the operation's own columns.
The journal and its links are only ever added to: an attempt to change or delete a row of theirs through the
ORM raises. One door is left open, for erasing a person's data: a statement that bears the option DOOR.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, ForeignKey, Index, Integer, event, text
from sqlalchemy.orm import Mapped, Mapper, ORMExecuteState, Session, mapped_column

from connectors.errors import StateError
from sync.store.base import Base

DOOR: Final = "upswell_opens_the_journal"
"""The option of a statement that may change the journal: to erase content, or to seal old entries."""


class PlanRow(Base):
    """One frozen plan; `digest` covers its operations, `fields` the definitions it was made against."""

    __tablename__ = "plans"

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(index=True)
    org_id: Mapped[str]
    object: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    as_of: Mapped[date]
    model_version: Mapped[str]
    mapping_hash: Mapped[str]
    schema_hash: Mapped[str]
    digest: Mapped[str]
    fields: Mapped[dict[str, Any]]
    findings: Mapped[list[Any]]
    scored: Mapped[int]
    api_calls: Mapped[int]
    # planned, applying, paused, stopped, applied, rolling_back, rolled_back
    status: Mapped[str]
    # an operator's name, or os:<login> without one
    created_by: Mapped[str] = mapped_column(default="", server_default=text("''"))
    model_hash: Mapped[str] = mapped_column(default="", server_default=text("''"))  # of the model's manifest
    score_run_id: Mapped[str | None]  # the scoring that it carries out
    # rows and newest moment of each table of the lake that the scores could know
    inputs: Mapped[dict[str, Any] | None]
    # counts, moves, cost: shown, never decided on
    summary: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime | None]  # first attempt; machine's clock, as all that leases go by
    tried_at: Mapped[datetime | None]  # when its first batch had passed; before, nothing else is claimed
    paused_until: Mapped[datetime | None]  # nothing is claimed before: no quota, or the CRM is away
    pause_reason: Mapped[str | None]


class SkipRow(Base):
    """An account that a plan leaves out, of scores or of tasks, and why."""

    __tablename__ = "plan_skips"

    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    record_id: Mapped[str | None]
    subject: Mapped[str]  # score, cell, task
    reason: Mapped[str]
    detail: Mapped[str]


class OperationRow(Base):
    """One write to the CRM. `key` and `payload` are fixed before the first attempt.

    `state`: planned -> claimed (by one worker, until its lease ends) -> sending (committed before the HTTP
    call) -> done. A reply that was lost, or a lease that ran out while sending, makes it `unknown`: settled
    by reading back, before anything is sent again. Leases and `due_at` go by the machine's clock,
    `updated_at` by the CRM's.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index(None, "plan_id", "kind", "position"),
        Index(None, "plan_id", "state", "kind", "crashes", "position"),  # the order in which it is claimed
        Index(None, "state"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"))
    run_id: Mapped[str]
    position: Mapped[int]
    # write, task, retire (a plan closes a task), row.* and fill.* (of our objects), restore, close
    kind: Mapped[str]
    object: Mapped[str]
    record_id: Mapped[str]
    account_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="planned")
    attempts: Mapped[int] = mapped_column(default=0)  # claims to send it
    outcome: Mapped[str | None]
    vendor_code: Mapped[str | None]
    message: Mapped[str | None]
    fix: Mapped[str | None]
    updated_at: Mapped[datetime]
    owner: Mapped[str | None]  # the worker that claimed it last
    # counts claims: a result under an older claim is not taken
    fence: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # not before; backs off
    # claims that took their worker down
    crashes: Mapped[int] = mapped_column(default=0, server_default="0")
    # HTTP calls that bore it to the CRM
    requests: Mapped[int] = mapped_column(default=0, server_default="0")
    # of these, calls of unknown outcome
    lost: Mapped[int] = mapped_column(default=0, server_default="0")
    # how often it was not to be seen since the last of them, or its job was not at its end
    looks: Mapped[int] = mapped_column(default=0, server_default="0")
    job: Mapped[str | None]  # the CRM's own, that bears it; kept before the job may write


class JournalRow(Base):
    """One effect on the CRM: a cell that we wrote, or a task that we made or closed; before and after.

    `undoes` names the entry that a restore takes back. `sync.entry_digest` says what `digest` covers."""

    __tablename__ = "journal"
    __table_args__ = (Index(None, "object", "record_id", "field"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime]
    run_id: Mapped[str] = mapped_column(index=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"), index=True)
    operation_key: Mapped[str] = mapped_column(ForeignKey("operations.key"))
    object: Mapped[str]
    record_id: Mapped[str]
    account_id: Mapped[str]
    field: Mapped[str]  # the vendor's name
    key: Mapped[str]  # ours
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    undoes: Mapped[int | None] = mapped_column(ForeignKey("journal.id"), unique=True)
    kind: Mapped[str] = mapped_column(default="write", server_default="write")  # as OperationRow.kind
    salt: Mapped[str | None]  # gone with the content when a person is erased
    digest: Mapped[str | None]  # commits to the row's content; stays, and keeps the chain whole
    erased_at: Mapped[datetime | None]


class LinkRow(Base):
    """One link of the chain over everything that must not be changed afterwards: batches of journal entries,
    approvals, erasures. `mac` is an HMAC over the link and the one before it."""

    __tablename__ = "journal_links"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str]  # entries, approval, erasure, opening, install
    ref: Mapped[dict[str, Any]]  # what it covers: journal ids, or the approval's or erasure's own facts
    digest: Mapped[str]
    previous: Mapped[str]
    mac: Mapped[str]


class TaskRow(Base):
    """One task that we made in the CRM; its key is never used a second time."""

    __tablename__ = "tasks"

    key: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"), index=True)
    run_id: Mapped[str] = mapped_column(index=True)
    account_id: Mapped[str] = mapped_column(index=True)
    account_crm_id: Mapped[str]
    task_id: Mapped[str]
    owner_id: Mapped[str | None] = mapped_column(index=True)
    play: Mapped[str]
    product: Mapped[str | None]
    cycle: Mapped[str]
    subject: Mapped[str]
    due: Mapped[date]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # when it ended, by whoever; a person's closing: when we saw it
    closed_reason: Mapped[str | None]  # as sync.task_book has them; null where an older version closed it
    outcome: Mapped[str | None]  # what its owner picked; done: closed by a person without picking
    outcome_at: Mapped[datetime | None]
    value: Mapped[float | None]  # expected ARR a year, in the company's currency, when it was planned
    style: Mapped[str | None]  # of the brief
    writer: Mapped[str | None]
    language: Mapped[str | None]
    evidence_hash: Mapped[str | None]


class OutcomeRow(Base):
    """One expansion that happened, joined to the score and the task that came before it."""

    __tablename__ = "outcomes"
    __table_args__ = (Index(None, "account_id", "happened_on"),)

    id: Mapped[str] = mapped_column(primary_key=True)  # digest of account, source and day
    account_id: Mapped[str]
    source: Mapped[str]
    happened_on: Mapped[date]
    arr_added: Mapped[float | None]
    score_run_id: Mapped[str | None]
    score_as_of: Mapped[date | None]
    probability: Mapped[float | None]
    tier: Mapped[str | None]
    expected_arr: Mapped[float | None]
    task_key: Mapped[str | None]
    collected_at: Mapped[datetime]


@event.listens_for(JournalRow, "before_update")
@event.listens_for(JournalRow, "before_delete")
@event.listens_for(LinkRow, "before_update")
@event.listens_for(LinkRow, "before_delete")
def _append_only(_mapper: Mapper[Any], _connection: Connection, row: JournalRow | LinkRow) -> None:
    name = f"journal entry {row.id}" if isinstance(row, JournalRow) else f"link {row.seq}"
    raise _refused(name)


@event.listens_for(Session, "do_orm_execute")
def _append_only_in_bulk(state: ORMExecuteState) -> None:
    if not (state.is_update or state.is_delete) or state.bind_mapper is None:
        return
    table = state.bind_mapper.class_
    is_open = table is JournalRow and state.is_update and state.execution_options.get(DOOR, False)
    if table in (JournalRow, LinkRow) and not is_open:
        raise _refused(f"table {table.__tablename__}")


def _refused(record: str) -> StateError:
    return StateError(
        "the journal is append-only", record=record, fix="Write a new entry that undoes the other one."
    )
