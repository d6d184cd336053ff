"""The ledger's tables of people: operators with their role, what they approved, what was said of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.base import Base


class OperatorRow(Base):
    """A person who may act here. Only the token's hash is kept; a disabled operator stays, for the audit."""

    __tablename__ = "operators"

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]  # viewer, operator, approver, admin
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class ApprovalRow(Base):
    """Somebody's yes: to one plan past the size guard, or to the first fill of an org's fields."""

    __tablename__ = "approvals"
    __table_args__ = (Index(None, "org_id", "kind"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # size, first_fill
    org_id: Mapped[str]
    plan_id: Mapped[str | None] = mapped_column(ForeignKey("plans.id"), index=True)
    fields: Mapped[list[Any]]  # of a first fill: the vendor's names
    operator: Mapped[str]
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")


class HeardRow(Base):
    """What people said of an account in the fields that are theirs; a row for each change that a plan saw."""

    __tablename__ = "heard"
    __table_args__ = (Index(None, "org_id", "record_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    org_id: Mapped[str]
    record_id: Mapped[str]
    account_id: Mapped[str] = mapped_column(index=True)
    seen_at: Mapped[datetime]
    run_id: Mapped[str]
    said: Mapped[dict[str, Any]]
