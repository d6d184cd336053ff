"""The ledger's table of rows that we made in objects of our own, or keep for want of such an object."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from sync.store.base import Base


class OwnRow(Base):
    """One row of an object of ours, kept when it was written; what is filled in later is in `filled`.

    `record_id` is the row's in the CRM, empty where the CRM has no such object; the rest of its values is in
    the operation that made it."""

    __tablename__ = "own_rows"
    __table_args__ = (Index(None, "org_id", "object", "snapshot", "plan_id"),)

    org_id: Mapped[str] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(primary_key=True)  # forecasts, feedback, sync_runs
    key: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str] = mapped_column(index=True)
    run_id: Mapped[str]
    operation_key: Mapped[str]
    account_id: Mapped[str]
    record_id: Mapped[str]
    snapshot: Mapped[date | None]
    quarter: Mapped[str | None]
    filled: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    made_at: Mapped[datetime]
