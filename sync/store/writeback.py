"""The ledger's tables of the way out: plans, operations, journal, tasks and outcomes.

A plan's rows are frozen once written; what happens to them is kept in the operation's own columns.
The journal is only ever added to: an attempt to change or delete a row through the ORM raises.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, ForeignKey, Index, Integer, String, Text, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from connectors.errors import StateError
from sync.store.base import Base


class PlanRow(Base):
    """One frozen plan; `digest` covers its operations, `fields` the definitions it was made against."""

    __tablename__ = "plans"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(64), index=True)
    org_id: Mapped[str] = mapped_column(String(64))
    object: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    as_of: Mapped[date]
    model_version: Mapped[str] = mapped_column(String(40))
    mapping_hash: Mapped[str] = mapped_column(String(64))
    schema_hash: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    fields: Mapped[dict[str, Any]]
    findings: Mapped[list[Any]]
    scored: Mapped[int]
    api_calls: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))  # planned, applying, applied, rolled_back


class SkipRow(Base):
    """An account that a plan leaves out, of scores or of tasks, and why."""

    __tablename__ = "plan_skips"

    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(String(255))
    record_id: Mapped[str | None] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(10))  # score, task
    reason: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(Text)


class OperationRow(Base):
    """One write to the CRM. `key` and `payload` are fixed before the first attempt.

    `state`: planned -> sending (committed before the HTTP call) -> done. A row found in `sending` has
    an unknown outcome and is settled by reading back.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index(None, "plan_id", "kind", "position"),
        Index(None, "state"),
    )

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"))
    run_id: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))  # write, task, restore, close
    object: Mapped[str] = mapped_column(String(80))
    record_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str] = mapped_column(String(255))
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10), default="planned")
    attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None] = mapped_column(String(20))
    vendor_code: Mapped[str | None] = mapped_column(String(80))
    message: Mapped[str | None] = mapped_column(Text)
    fix: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime]


class JournalRow(Base):
    """One cell that we wrote: before and after. `undoes` names the entry that a restore takes back."""

    __tablename__ = "journal"
    __table_args__ = (Index(None, "object", "record_id", "field"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime]
    run_id: Mapped[str] = mapped_column(String(64), index=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"), index=True)
    operation_key: Mapped[str] = mapped_column(ForeignKey("operations.key"))
    object: Mapped[str] = mapped_column(String(80))
    record_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str] = mapped_column(String(255))
    field: Mapped[str] = mapped_column(String(80))  # the vendor's name
    key: Mapped[str] = mapped_column(String(40))  # ours
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    undoes: Mapped[int | None] = mapped_column(ForeignKey("journal.id"), unique=True)


class TaskRow(Base):
    """One task that we made in the CRM; its key is never used a second time."""

    __tablename__ = "tasks"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"), index=True)
    run_id: Mapped[str] = mapped_column(String(64), index=True)
    account_id: Mapped[str] = mapped_column(String(255), index=True)
    account_crm_id: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str] = mapped_column(String(64))
    owner_id: Mapped[str | None] = mapped_column(String(64), index=True)
    play: Mapped[str] = mapped_column(String(20))
    product: Mapped[str | None] = mapped_column(String(255))
    cycle: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(255))
    due: Mapped[date]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # set when a rollback closed it


class OutcomeRow(Base):
    """One expansion that happened, joined to the score and the task that came before it."""

    __tablename__ = "outcomes"
    __table_args__ = (Index(None, "account_id", "happened_on"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # digest of account, source and day
    account_id: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(20))
    happened_on: Mapped[date]
    arr_added: Mapped[float | None]
    score_run_id: Mapped[str | None] = mapped_column(String(64))
    score_as_of: Mapped[date | None]
    probability: Mapped[float | None]
    tier: Mapped[str | None] = mapped_column(String(20))
    expected_arr: Mapped[float | None]
    task_key: Mapped[str | None] = mapped_column(String(120))
    collected_at: Mapped[datetime]


@event.listens_for(JournalRow, "before_update")
@event.listens_for(JournalRow, "before_delete")
def _append_only(_mapper: Mapper[JournalRow], _connection: Connection, row: JournalRow) -> None:
    raise StateError(
        "the journal is append-only",
        record=f"journal entry {row.id}",
        fix="Write a new entry that undoes this one.",
    )
